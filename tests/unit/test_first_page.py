"""The first page of a report is read from data: the words of headings are for readers, and may be any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fake_ablations import ablations
from fake_tokens import token_study
from fakes import draw, shared

from audioprune.claims.claim import load
from audioprune.exhibits import table_json
from audioprune.exhibits.headline import Question
from audioprune.exhibits.table import Cell, Row, Table
from audioprune.reporting.content import Report, collect
from audioprune.tables._published import MARKS

SHOWN = {
    shared: ("claims", "table1", "table4", "table7"),
    ablations: ("claims", "table1", "ranking"),
    token_study: ("table1", "low-intensity"),
}
QUESTION = Question(
    question="Do circles sum to more than squares at keep-rate {rate}?",
    above="Circles minus squares",
    difference="circles_minus_squares",
    of={"kind": "sum"},
    caution=lambda rows: f"Products left out: {sum(row['kind'] == 'product' for row in rows)}.",
)


def first_page(report: Report) -> dict:
    return {
        "answers": report.answers,
        "verdicts": report.verdicts,
        "verdicts_heading": report.verdicts_heading,
        "glance": report.glance,
        "lead": report.lead,
    }


@pytest.mark.parametrize("made", SHOWN, ids=lambda made: made.__name__)
def test_with_headings_in_other_words_it_says_the_same(made, tmp_path):
    shown = [("table", name) for name in SHOWN[made]]
    drawn = draw(made(), shown)
    others = {path: (what, shutil.copytree(folder, tmp_path / path)) for path, (what, folder) in drawn.items()}
    for path in tmp_path.rglob("*.json"):
        table = json.loads(path.read_text(encoding="utf-8"))
        for row in table["rows"]:
            row["group"] = "In other words; or: whatever"
        path.write_text(json.dumps(table), encoding="utf-8")
    before, after = (first_page(collect(made(), where)) for where in (drawn, others))
    assert before["answers"]
    assert before["glance"]
    assert after == before


def test_at_a_glance_has_the_numbers_of_the_predictions():
    shown = [("table", "table1")]
    (row,) = [
        row.cells
        for row in collect(shared(), draw(shared(), shown)).glance.rows
        if (row.cells["backbone"], row.cells["dataset"]) == ("ast-tiny", "fsdd-digits")
    ]
    unpruned, pruned = (right(f"ast-tiny/fsdd-digits/{label}/fold1-seed0/last") for label in ("none-kr1", "topk-kr0.5"))
    assert (row["metric"], row["keep_rate"]) == ("top-1 accuracy, %", 0.5)
    assert row["unpruned"].value == pytest.approx(unpruned)
    assert row["pruned"].value == pytest.approx(pruned)
    assert row["drop"].value == pytest.approx(unpruned - pruned)


def test_at_a_glance_names_the_metric_of_each_dataset():
    shown = [("table", "table1")]
    rows = [row.cells for row in collect(shared(), draw(shared(), shown)).glance.rows]
    assert {(row["dataset"], row["metric"]) for row in rows} == {
        ("fsdd-digits", "top-1 accuracy, %"),
        ("esc10", "top-1 accuracy, %"),
        ("birds", "mAP × 100"),
        ("spc2", "top-1 accuracy, %"),
    }


def right(address: str) -> float:
    """Percent of the clips of an evaluation that are right."""
    (r,) = [r for r in shared().cells("evaluate") if r.address == address]
    frame = r.predictions()
    return 100 * np.mean([np.argmax(s) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)])


def test_claims_have_the_mark_of_their_source_and_lead_to_an_exhibit_that_is_there():
    shown = [("table", "claims"), ("table", "table1")]
    found = collect(shared(), draw(shared(), shown)).verdicts
    for line, claim in zip(found, load(), strict=True):
        assert line.claim == ", ".join(claim.ids) + MARKS.get(claim.sources[0].status, "")
        there = claim.exhibit == "table1"
        assert (line.exhibit, line.label) == (
            ("table1", "Table 1") if there else ("claims", "Claims and their evidence")
        )
    assert {line.claim[-1] for line in found} >= {"†", "‡"}


def test_a_new_table_brings_its_question(tmp_path):
    """Nothing else names it: not the report, not another table."""
    rows = (
        ("sum", 0.7, Cell(1.0, -1.0, 3.0, p=0.3)),
        ("sum", 0.5, Cell(4.0, 2.0, 6.0, p=0.001)),
        ("product", 0.5, Cell(-4.0, -6.0, -2.0, p=0.001)),
    )
    table = Table(
        (),
        tuple(
            Row({"backbone": "a-tiny", "dataset": "b", "keep_rate": rate, "kind": kind, "circles_minus_squares": cell})
            for kind, rate, cell in rows
        ),
    )
    write(tmp_path, "shapes", table)
    module = SimpleNamespace(TITLE="Shapes: circles and squares", CAPTION="Their sums.", HEADLINE=QUESTION)
    first, own = collect(shared(), {"table/shapes": (module, tmp_path)} | draw(shared(), [("table", "table1")])).answers
    assert first.exhibit == "table1"
    assert own.question == "Do circles sum to more than squares at keep-rate 0.5?"
    assert own.text == "Yes. Circles minus squares: a-tiny on b 4.0 [2.0, 6.0]. Products left out: 1."
    assert (own.exhibit, own.label) == ("shapes", "Shapes: circles and squares")


def write(folder: Path, name: str, table: Table) -> None:
    """What the report reads of a table."""
    (folder / f"{name}.json").write_text(table_json.dumps(table), encoding="utf-8")
    (folder / f"{name}.csv").write_text(table.csv(), encoding="utf-8")
