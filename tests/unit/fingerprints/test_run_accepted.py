"""A step checks the code it was planned with as it counts, and its record says what ran and what that counts as."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from audioprune import records
from audioprune.cells.cell import Cell
from audioprune.errors import UserError
from audioprune.fingerprints import accepted
from audioprune.fingerprints import fingerprint as fp
from audioprune.fingerprints.accepted import Acceptance, Change
from audioprune.fingerprints.keys import code_of
from audioprune.locks import leases
from audioprune.planning.jobs import JobFile, read
from audioprune.settings.data import GenerateSettings
from audioprune.steps._run import run_cell

STEP, OLD = "audioprune.steps.generate", "a" * 64


@pytest.fixture
def entries(tmp_path, monkeypatch):
    monkeypatch.setattr(accepted, "FILE", tmp_path / "accepted.yaml")
    monkeypatch.chdir(tmp_path)
    fp.forget()
    yield
    monkeypatch.undo()
    fp.forget()


def make(job) -> dict:
    (job.out / "clips.txt").write_text("one")
    return {}


def planned(cell: Cell) -> str:
    """The fingerprint that the file of the cell's job holds, as of now."""
    file = JobFile(cell.key, [cell])
    file.write()
    ((_, code),) = read(file.path).cells
    return code


def test_an_accepted_change_is_in_the_key_and_in_the_record(entries):
    cell = Cell("generate", "words/clips1-seed0", GenerateSettings(generator="words", clips=1), key="0" * 16)
    planned_before, code = planned(cell), fp.code_of_kind("generate")[0]
    assert planned_before == code_of("generate", ())
    assert "counts_as" not in records.read(run_cell(cell, planned_before, make))
    change = Change(old=OLD, new=code[STEP])
    common = {"why": "same bits", "date": "2026-01-02", "commit": "", "dirty": False}
    accepted.append(Acceptance(kind="generate", modules={STEP: change}, **common))
    fp.forget()
    with pytest.raises(UserError, match="the code was changed after this job was planned"):
        run_cell(cell, planned_before, make)
    assert code_of("generate", ()) == fp.digest("generate", (code | {STEP: OLD}).items())
    assert code_of("evaluate", ()) == fp.digest("evaluate", fp.closure(fp.roots_of("evaluate")).items())
    leases.forget_finished(Path("results/logs"), before=time.time() + 1)  # as a new main process does
    record = records.read(run_cell(cell, planned(cell), make))
    assert record["code"] == code
    assert record["counts_as"] == code | {STEP: OLD}
    assert fp.counted_in(record)[STEP] == OLD
