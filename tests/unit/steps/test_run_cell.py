"""What a step does around the making of a cell: records, leases, and what a killed process left."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from audioprune import records
from audioprune.cells.cell import Cell
from audioprune.locks import leases
from audioprune.planning.jobs import JobFile
from audioprune.settings.data import FetchSettings
from audioprune.steps._run import Job, run_cell

KEY = "0123456789abcdef"
LEASES, FINISHED = Path("results/logs/leases"), Path(f"results/logs/finished/{KEY}.json")
# Of the one kind whose code is not keyed.
CELL = Cell("fetch", "x", FetchSettings(source="fsdd"), digests={"content": "d"}, key=KEY)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def made():
    """Make the cell, counting how often its files are written."""
    calls = []

    def make(job: Job) -> dict:
        calls.append(list(LEASES.iterdir()))
        (job.out / "data.txt").write_text("the data")
        return {"n": 1}

    def run() -> Path:
        return run_cell(CELL, "", make)

    run.calls = calls
    return run


def test_a_cell_is_made_under_its_lease_and_leaves_a_record(made):
    folder = made()
    assert [[path.name for path in held] for held in made.calls] == [[f"{KEY}.0"]]
    assert list(LEASES.iterdir()) == []
    record = records.read(folder)
    assert (record["key"], record["results"], list(record["files"])) == (KEY, {"n": 1}, ["data.txt"])
    assert [path.name for path in folder.parent.iterdir()] == [KEY]


def test_a_record_that_the_start_of_the_next_job_deleted_is_put_back(made, caplog):
    folder = made()
    record = (folder / "record.json").read_bytes()
    (folder / "record.json").unlink()
    with caplog.at_level("INFO", "audioprune"):
        made()
    assert (folder / "record.json").read_bytes() == record
    assert len(made.calls) == 1
    assert "was finished by another process after this job was planned; it is not made again" in caplog.text


@pytest.mark.parametrize("damage", ["shorter", "other", "gone", "key", "copy"])
def test_a_damaged_cell_is_made_again_all_the_same(made, damage):
    folder = made()
    data, copy = folder / "data.txt", FINISHED
    if damage == "gone":
        data.unlink()
    elif damage == "key":
        copy.write_text(copy.read_text().replace(KEY, KEY[::-1]))
    elif damage == "copy":
        copy.write_text(copy.read_text()[:50])
    else:
        data.write_text("the dat" if damage == "shorter" else "the date")
    made()
    assert len(made.calls) == 2
    assert data.read_text() == "the data"
    assert json.loads(copy.read_text()) == records.read(folder)


def test_a_new_main_process_forgets_so_that_a_forced_run_makes_again(made):
    made()
    finished = FINISHED.stat().st_mtime
    leases.forget_finished(Path("results/logs"), before=finished)
    made()
    assert len(made.calls) == 1
    leases.forget_finished(Path("results/logs"), before=finished + 1000)
    made()
    assert len(made.calls) == 2


def test_what_a_killed_process_left_is_cleared_and_its_neighbours_are_not(made):
    cells = CELL.dir.parent
    for name in (f".{KEY}.abc", ".0123.abc", "0123"):
        (cells / name).mkdir(parents=True)
        (cells / name / "half").write_text("half")
    made()
    assert sorted(path.name for path in cells.iterdir()) == [".0123.abc", "0123", KEY]


def test_a_failure_leaves_no_lease_and_nothing_half_written(tmp_path):
    def fail(job: Job) -> dict:
        (job.out / "half.txt").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        run_cell(CELL, "", fail)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


LOSES = """
import sys
from pathlib import Path
from audioprune.locks import leases
from audioprune.steps._run import main
leases.BEAT_S = 60  # found out when the files are to be put in place
def make(job):
    calls = Path(job.settings.source)
    calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
    (job.out / "data.txt").write_text("the data")
    if calls.read_text() == "x":  # lost, and made by the process that took it
        lease = next(Path("results/logs/leases").iterdir())
        lease.unlink()
    return {}
make.__name__ = "fetch"
main(make, sys.argv[1:])
"""


def test_whoever_lost_the_lease_puts_nothing_in_place_and_starts_again(tmp_path):
    job = JobFile(KEY, [replace(CELL, settings=FetchSettings(source=str(tmp_path / "calls")))])
    job.write()
    script = tmp_path / "step.py"
    script.write_text(LOSES)
    done = subprocess.run(
        [sys.executable, script, "--job", job.path], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "calls").read_text() == "xx"
    assert "was taken over by another process; starting again behind it" in done.stderr
    assert (CELL.dir / "data.txt").read_text() == "the data"
