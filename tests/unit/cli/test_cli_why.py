"""`audioprune why`: what differs from what was made before."""

from __future__ import annotations

from dataclasses import replace

from audioprune import records
from audioprune.cells.cell import Cell
from audioprune.cli.why import changes
from audioprune.fingerprints.fingerprint import code_record
from audioprune.settings.data import FetchSettings


def made(cell: Cell) -> None:
    """The record that a step leaves, as far as `why` reads it."""
    record = {
        **code_record(cell.kind, cell.plugins),
        "key": cell.key,
        "settings": cell.settings.model_dump(mode="json"),
        "inputs": {},
        "digests": cell.digests,
        "files": {},
    }
    records.write_json(cell.dir / records.RECORD, record)


def test_other_data_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old = Cell("fetch", "voxceleb1", FetchSettings(source="voxceleb1"), digests={"content": "a" * 64}, key="1" * 16)
    made(old)
    new = replace(old, digests={"content": "b" * 64}, key="2" * 16)
    assert changes(new) == {old.key: [f"data content: digest {'a' * 64} -> {'b' * 64}"]}


def test_settings_and_data_that_are_alike_are_not_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old = Cell("fetch", "voxceleb1", FetchSettings(source="voxceleb1"), digests={"content": "a" * 64}, key="1" * 16)
    made(old)
    assert changes(replace(old, key="2" * 16)) == {old.key: []}
