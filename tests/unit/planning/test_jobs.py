"""Files of jobs: what is read back is what was planned, and nothing else is read."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.cells.cell import Cell
from audioprune.cells.kinds import KINDS
from audioprune.errors import UserError
from audioprune.fingerprints.keys import code_of
from audioprune.planning import jobs
from audioprune.planning.batches import batches_of
from audioprune.planning.jobs import JobFile
from audioprune.planning.plan import Plan
from audioprune.planning.stages import Planner
from audioprune.settings.data import FetchSettings
from tests.fakes.mine import config as with_my_folder

KEY = "0123456789abcdef"


@cache
def plan() -> Plan:
    """One for all tests: a plan is not changed by what is asked of it."""
    return Plan()


def fetched(source: str = "fsdd", **fields) -> Cell:
    return Cell("fetch", source, FetchSettings(source=source), key=KEY, **fields)


def same(one: Cell, other: Cell) -> None:
    """Two cells are equal in all that they hold, what they are made from included."""
    before, after = list(one.upstream().values()), list(other.upstream().values())
    assert [cell.path for cell in after] == [cell.path for cell in before]
    for planned, read in zip(before, after, strict=True):
        assert (read.kind, read.address, read.key, read.note) == (
            planned.kind, planned.address, planned.key, planned.note,
        )  # fmt: skip
        assert type(read.settings) is type(planned.settings)
        assert read.settings == planned.settings
        assert read.digests == planned.digests
        assert read.plugins == planned.plugins
        assert [(name, cell.path) for name, cell in read.inputs.items()] == [
            (name, cell.path) for name, cell in planned.inputs.items()
        ]
        assert (read.dir, read.record, read.log, read.resume, read.lease) == (
            planned.dir, planned.record, planned.log, planned.resume, planned.lease,
        )  # fmt: skip


def written(key: str, *cells: Cell) -> Path:
    file = JobFile(key, cells)
    file.write()
    return file.path


def read_back(cell: Cell) -> jobs.Given:
    return jobs.read(written(cell.key, cell))


# --- what is read back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["table1", "claims", "accuracy-macs", "forensics", "report"])
def test_an_exhibit_is_read_back_with_all_that_it_is_made_from(planning_folder, name):
    planned = plan().exhibit("demo", name)
    ((cell, code),) = read_back(planned).cells
    same(planned, cell)
    assert code == code_of(planned.kind, planned.plugins)
    kinds = {each.kind for each in cell.upstream().values()}
    assert kinds == {"table"} if name == "forensics" else kinds >= {"audio", "features", "finetune", "evaluate"}


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if not row.draws])
def test_a_cell_of_each_kind_is_read_back(planning_folder, kind):
    planned = next(cell for cell in plan().cells.values() if cell.kind == kind)
    given = read_back(planned)
    ((cell, code),) = given.cells
    same(planned, cell)
    assert code == code_of(kind, planned.plugins)
    assert (given.gpus, given.alone) == (jobs.gpus(planned), kind == "throughput")


def test_an_evaluation_is_read_back_with_the_fine_tuning_that_it_is_of(planning_folder):
    planned = plan().study("demo").cells("evaluate", backbone="ast-tiny", perturbation="II")[0]
    ((cell, _),) = read_back(planned).cells
    same(planned, cell)
    tuned = cell.inputs["finetune"]
    assert cell.inputs["audio"] is tuned.inputs["audio"]  # each cell once
    assert tuned.inputs["checkpoint"].kind == "fetch"
    assert cell.plugins == planned.plugins != ()
    assert cell.settings.tau is not None or "clusters" in cell.inputs


def test_a_batch_is_read_back_in_the_order_in_which_it_is_made(planning_folder):
    batch = next(iter(batches_of(plan().study("demo").cells("evaluate")).values()))
    given = jobs.read(written(batch.key, *batch.cells))
    assert [cell.path for cell, _ in given.cells] == [cell.path for cell in batch.cells]
    for planned, (cell, code) in zip(batch.cells, given.cells, strict=True):
        same(planned, cell)
        assert code == code_of(planned.kind, planned.plugins)
    taken = {c.path for cell, _ in given.cells for c in cell.inputs.values()} - {cell.path for cell in batch.cells}
    assert taken == {cell.path for cell in batch.inputs}
    assert (given.gpus, given.alone) == (0, False)


def test_a_model_of_published_size_needs_a_gpu_and_a_timed_one_all_of_the_machine(planning_folder):
    paper = plan().study("paper")
    tuned, timed = paper.cells("finetune")[0], paper.cells("throughput")
    assert (read_back(tuned).gpus, read_back(tuned).alone) == (1, False)
    together = jobs.read(written(KEY, *timed))
    assert (together.gpus, together.alone) == (1, True)


def test_notes_and_digests_of_data_come_along(planning_folder):
    planned = plan().exhibit("paper", "table1")
    ((cell, _),) = read_back(planned).cells
    pending = [each for each in cell.upstream().values() if each.note]
    assert pending
    assert all("not indexed" in each.note and each.digests == {"content": "pending"} for each in pending)
    assert {name for name in cell.digests if name != "order"} == {
        "report/published/table1.csv", "report/published/p2.csv",
    }  # fmt: skip


def test_a_users_folder_comes_along(planning_folder):
    planned = Planner(with_my_folder(planning_folder / "mine")).audio("mine")
    ((cell, _),) = read_back(planned).cells
    same(planned, cell)
    assert cell.settings.user.folder == str(planning_folder / "mine")
    assert cell.settings.user.classes == ("a", "b")


names = st.text(max_size=8)


@st.composite
def made_of_each_other(draw) -> Cell:
    """A cell with names, notes and digests of any letters, made from earlier ones, by name or by path."""
    cells: list[Cell] = []
    for number in range(draw(st.integers(1, 5))):
        by_path = draw(st.booleans())
        taken = draw(st.lists(st.sampled_from(cells), max_size=3, unique_by=id)) if cells else []
        inputs = {cell.path if by_path else draw(names) + str(i): cell for i, cell in enumerate(taken)}
        cells.append(
            Cell(
                "fetch", f"{number}/{draw(names)}", FetchSettings(source=draw(names)), inputs,
                draw(st.dictionaries(names, names, max_size=2)), tuple(draw(st.lists(names, max_size=2))),
                f"{number:016x}", draw(names),
            )
        )  # fmt: skip
    return cells[-1]


@given(planned=made_of_each_other())
@settings(max_examples=60, deadline=None)
def test_whatever_a_cell_holds_is_read_back(planned):
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(jobs, "FOLDER", Path(folder)):
        ((cell, code),) = read_back(planned).cells
    same(planned, cell)
    assert code == ""


# --- the file itself --------------------------------------------------------------------------------------------------


def test_it_is_named_by_its_job_and_by_the_digest_of_its_bytes(planning_folder):
    cell = plan().exhibit("demo", "table1")
    path = written(cell.key, cell)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert path == Path("results/logs/jobs") / f"{cell.key}-{digest[:16]}.json"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_same_plan_gives_the_same_bytes_and_another_another_file(planning_folder):
    first, again = (written(KEY, Plan().exhibit("demo", "table1")) for _ in range(2))
    assert first == again
    assert written(KEY, plan().exhibit("demo", "table2")) != first
    assert len(list(first.parent.iterdir())) == 2


def test_a_file_that_is_not_written_is_not_there(planning_folder):
    assert not JobFile(KEY, [fetched()]).path.exists()
    assert not Path("results").exists()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("fsdd", "fsde", 1),
        lambda text: text[:-2] + "]}\n",
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda text: text + " ",
        lambda text: "",
        lambda text: json.dumps(json.loads(text)) + "\n",  # the same content in other bytes
    ],
    ids=["letter", "brackets", "newline", "half", "longer", "empty", "spaces"],
)
def test_a_file_that_was_edited_is_refused(edit):
    path = written(KEY, fetched())
    path.write_text(edit(path.read_text()))
    with pytest.raises(UserError, match=r"-[0-9a-f]{16}\.json was changed: its digest is not .*; run Snakemake again"):
        jobs.read(path)


@given(place=st.integers(0, 10**6), letter=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_any_edited_byte_is_refused(place, letter):
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(jobs, "FOLDER", Path(folder)):
        path = written(KEY, fetched())
        bytes_ = bytearray(path.read_bytes())
        place %= len(bytes_)
        if bytes_[place] != letter:
            bytes_[place] = letter
            path.write_bytes(bytes_)
            with pytest.raises(UserError, match="was changed"):
                jobs.read(path)


@pytest.mark.usefixtures("elsewhere")
def test_a_file_under_the_name_of_another_is_refused():
    path = written(KEY, fetched())
    other = written(KEY, fetched("esc50"))
    other.write_bytes(path.read_bytes())
    with pytest.raises(UserError, match="was changed"):
        jobs.read(other)


@pytest.mark.usefixtures("elsewhere")
def test_a_file_that_is_gone_is_told_with_what_to_do():
    path = JobFile(KEY, [fetched()]).path
    with pytest.raises(UserError, match=r"is missing; run Snakemake again: it writes the files of its jobs"):
        jobs.read(path)
    with pytest.raises(UserError, match=rf"results/logs/jobs/{KEY}-\*.json is missing; run Snakemake again"):
        jobs.of_key(KEY)


@pytest.mark.usefixtures("elsewhere")
def test_of_several_files_of_a_job_the_newest_is_taken():
    paths = [written(KEY, fetched(digests={"content": digest})) for digest in "abc"]
    written(KEY[::-1], replace(fetched(), key=KEY[::-1]))
    for newest in paths:
        for path in paths:
            os.utime(path, (1000, 2000 if path == newest else 1000))
        assert jobs.of_key(KEY) == newest
    assert jobs.of_key(KEY[::-1]).name.startswith(KEY[::-1])


@pytest.mark.usefixtures("elsewhere")
def test_what_a_run_writes_again_is_whole_and_the_newest():
    """Also where it was damaged, and after a change that was reversed."""
    first, second = (JobFile(KEY, [fetched(digests={"content": digest})]) for digest in "ab")
    first.write()
    first.path.write_bytes(first.path.read_bytes()[:40])
    os.utime(first.path, (1000, 1000))
    second.write()
    os.utime(second.path, (2000, 2000))
    first.write()
    assert jobs.of_key(KEY) == first.path
    ((cell, _),) = jobs.read(first.path).cells
    assert cell.digests == {"content": "a"}
