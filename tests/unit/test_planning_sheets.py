"""Exhibits drawn together: which, how many at once, and one that fails."""

from __future__ import annotations

import pytest

from audioprune.config import load
from audioprune.planning import sheets
from audioprune.planning.plan import Plan
from audioprune.planning.targets import asked_for, drawn_together
from audioprune.steps import sheet as step
from audioprune.steps import table as table_step

EXHIBITS = [("demo", "table", f"table{i}") for i in range(1, 8)] + [("demo", "figure", f"figure{i}") for i in range(20)]


def of(exhibits) -> dict:
    return sheets.sheets_of((exhibit, f"{i:016x}") for i, exhibit in enumerate(exhibits))


def test_every_exhibit_is_on_one_sheet_of_a_dozen_at_most():
    found = {sheet.name: list(sheet.keys) for sheet in of(EXHIBITS).values()}
    assert sorted(exhibit for own in found.values() for exhibit in own) == sorted(EXHIBITS)
    assert [len(own) for own in found.values()] == [9, 9, 9]
    assert all({kind for _, kind, _ in own} == {"table", "figure"} for own in found.values())


def test_studies_are_drawn_apart_and_one_exhibit_needs_no_sheet():
    found = of([*EXHIBITS[:2], ("mini", "table", "table1")])
    assert list(found) == EXHIBITS[:2]
    assert all(sheet.name.startswith("demo/") for sheet in found.values())


def test_another_key_is_another_sheet():
    first = sheets.sheets_of([(EXHIBITS[0], "a"), (EXHIBITS[1], "b")])[EXHIBITS[0]]
    other = sheets.sheets_of([(EXHIBITS[0], "a"), (EXHIBITS[1], "c")])[EXHIBITS[0]]
    assert first.name != other.name


def test_a_written_list_is_read_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheet = of(EXHIBITS[:2])[EXHIBITS[0]]
    sheet.write(["a", "b"])
    listed = sheets.read(sheet.name)
    assert listed == {"exhibits": [[*EXHIBITS[0], f"{0:016x}"], [*EXHIBITS[1], f"{1:016x}"]], "inputs": ["a", "b"]}


def test_what_is_asked_for_by_its_name_is_drawn_alone():
    plan = Plan(load(), main=False)
    asked = asked_for(
        plan, frozenset({"results/demo/report.html", "results/demo/table1.tex", "results/cells/x/record.json"})
    )
    together = drawn_together(asked)
    assert ("demo", "table", "table1") not in together
    assert ("demo", "table", "table2") in together
    assert ("demo", "report", "report") not in together
    assert len(together) == len(plan.exhibits("demo")) - 1
    assert drawn_together(asked_for(plan, frozenset({"results/demo/table1.tex"}))) == []


def test_an_exhibit_that_fails_is_named_and_does_not_hold_up_the_others(tmp_path, monkeypatch):
    drawn = []

    def draw(plan, study, name, stem):
        drawn.append(name)
        raise ValueError("no")

    monkeypatch.setattr(table_step, "table", draw)
    monkeypatch.setattr(step, "RESULTS", tmp_path)
    monkeypatch.setattr(step, "study_folder", lambda study: tmp_path / study)
    plan = Plan(main=False)
    exhibits = [["demo", "table", name, plan.exhibit_key("demo", "table", name)] for name in ("table1", "table2")]
    stale = ["demo", "table", "table3", "0" * 16]
    assert step.sheet([*exhibits, stale]) == ["demo table1", "demo table2", "demo table3"]
    assert drawn == ["table1", "table2"]
    said = (tmp_path / "logs" / "exhibits" / "demo" / "table3.log").read_text()
    assert "were changed after this was planned; run Snakemake again" in said


def test_a_signal_is_not_a_failed_exhibit(tmp_path, monkeypatch):
    def draw(plan, study, name, stem):
        raise SystemExit(143)

    monkeypatch.setattr(table_step, "table", draw)
    monkeypatch.setattr(step, "RESULTS", tmp_path)
    monkeypatch.setattr(step, "study_folder", lambda study: tmp_path / study)
    key = Plan(main=False).exhibit_key("demo", "table", "table1")
    with pytest.raises(SystemExit) as left:
        step.sheet([["demo", "table", "table1", key]])
    assert left.value.code == 143
