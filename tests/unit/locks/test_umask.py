"""Who may read a file says the umask, of everything that is written through the project's own functions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from audioprune import records
from audioprune.locks import leases, main


@pytest.fixture(params=[0o077, 0o002, 0o022], ids=oct)
def umask(request) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def test_files_that_appear_whole_follow_the_umask(umask, tmp_path):
    records.write_text(tmp_path / "new" / "a.json", "{}")
    records.write_text(tmp_path / "new" / "a.json", "{}\n")  # and those that are replaced
    assert modes(tmp_path) == {"new": 0o777 & ~umask, "a.json": 0o666 & ~umask}


def test_files_of_a_cell_follow_the_umask(umask, tmp_path):
    with records.cell_folder(tmp_path / "cell" / "0123") as scratch:
        (scratch / "files").mkdir()
        (scratch / "files" / "a.txt").write_text("abc")
        records.write_json(scratch / records.RECORD, {})
    folder, file = 0o777 & ~umask, 0o666 & ~umask
    assert modes(tmp_path) == {"cell": folder, "0123": folder, "files": folder, "a.txt": file, "record.json": file}


def test_leases_and_the_lock_follow_the_umask(umask, tmp_path):
    with leases.hold(tmp_path / "0123", "a cell"), main.hold(tmp_path / "main.lock"):
        assert modes(tmp_path) == {"0123.0": 0o666 & ~umask, "main.lock": 0o666 & ~umask}
