"""The first page of a report is read from data: the words of headings are for readers, and may be any."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_ablations import ablations
from fake_tokens import token_study
from fakes import draw, shared

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge_all
from audioprune.exhibits import named, table_json
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
    """To the one where their measured evidence stands; to that of all claims where nothing was measured, or the
    exhibit is not in the report."""
    shown = [("table", "claims"), ("table", "table1")]
    found = {line.claim: line for line in collect(shared(), draw(shared(), shown)).verdicts}
    assert len(found) == len(load())
    for judged in judge_all(shared()):
        claim = judged.claim
        line = found[", ".join(claim.ids) + MARKS.get(claim.sources[0].status, "")]
        run = any(part.basis == "cells" and part.verdict != "not-run" for part in judged.parts)
        there = claim.exhibit == "table1" and run and not judged.corrected
        assert (line.exhibit, line.label) == (
            ("table1", "Table 1") if there else ("claims", "Claims and their evidence")
        )
    assert {line.exhibit for line in found.values()} == {"table1", "claims"}
    assert {ids[-1] for ids in found} >= {"†", "‡"}


@pytest.mark.parametrize(
    ("made", "expected"),
    [(shared, 6), (ablations, 7), (token_study, 11)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_exhibit_that_a_claim_leads_to_has_the_models_it_names(made, expected):
    """Every model and dataset that the first page quotes stands in rows of that exhibit's data."""
    looked = 0
    for judged in judge_all(made()):
        if judged.shown_in == "claims":
            continue
        kind = "table" if judged.shown_in in named.names("table") else "figure"
        ((_, folder),) = draw(made(), [(kind, judged.shown_in)]).values()
        data = pd.read_csv(folder / f"{judged.shown_in}.csv")
        quoted = set(re.findall(r"[a-z]+(?:-[a-z0-9]+)+|[a-z]+\d*", judged.brief))
        assert quoted & set(data["backbone"]) == quoted & {"audiomae-tiny", "ast-tiny", "ast-mp-tiny"}
        if "dataset" in data:  # timings are of shapes
            own = data[data["backbone"].isin(quoted)] if quoted & set(data["backbone"]) else data
            assert not quoted & set(own["dataset"]) ^ quoted & {"fsdd-digits", "fsdd-speakers", "esc10"}
        looked += 1
    assert looked >= expected


COUNTED = re.compile(r"((?:\d+ [a-z-]+, )*\d+ [a-z-]+) of (\d+)(?: parts)?[;.]")


@pytest.mark.parametrize("made", [shared, ablations, token_study], ids=lambda made: made.__name__)
def test_parts_are_counted_alike_wherever_they_are_printed(made):
    """On the first page, in the table of claims, and in what the section on what was not run says."""
    drawn = draw(made(), [("table", "claims")])
    report = collect(made(), drawn)
    ((_, folder),) = drawn.values()
    rows = [row.cells for row in table_json.loads((folder / "claims.json").read_text(encoding="utf-8")).rows]
    looked = 0
    for line in report.verdicts:
        own = [row for row in rows if row["claim"] + row["mark"] == line.claim and row.get("parts")]
        if not (said := COUNTED.search(line.evidence)):
            continue
        corrected = "Corrected: " in line.evidence
        own = own if corrected else [row for row in own if row["basis"] == "measured"]
        expected = Counter()
        for row in own:
            expected[row["says"]] += row["parts"]
        found = {verdict: int(n) for n, verdict in (one.split() for one in said[1].split(", "))}
        assert found == dict(expected), line
        assert int(said[2]) == sum(expected.values())
        looked += 1
    assert looked > 8
    absent = [row["parts"] for row in rows if row.get("parts") and row["says"] == "not-run"]
    (section,) = [section for section in report.sections if section.name == "not-run"]
    assert f" {sum(absent)} parts of " in f" {section.text}"
    assert sum(absent) > 10


def test_quote_statement_thresholds_and_expectation_stand_with_every_verdict():
    """In the table's rows as they are shown, and in its CSV."""
    ((_, folder),) = draw(shared(), [("table", "claims")]).values()
    table = table_json.loads((folder / "claims.json").read_text(encoding="utf-8"))
    data = pd.read_csv(folder / "claims.csv", keep_default_na=False)
    for claim in load():
        own = [row.cells for row in table.rows if row.cells["claim"] == ", ".join(claim.ids)]
        said = {row["basis"]: row["evidence"] for row in own}
        statement, quote = (" ".join(text.split()) for text in (claim.statement, claim.sources[0].quote))
        assert f"“{quote}” ({claim.sources[0].document}, {claim.sources[0].where}" in said["quoted"]
        assert said["judged"].startswith(statement)
        for name, value in [*claim.quantities.items(), *claim.tolerance.items()]:
            assert name in said["judged"]
            assert str(value) in said["judged"]
        assert said["expected"].startswith(claim.expected)
        for row in data[data["claim"] == ", ".join(claim.ids)].itertuples():
            assert (row.statement, row.expected) == (statement, claim.expected)
            assert quote in row.quote
            assert row.thresholds == claim.thresholds


def test_a_verdict_on_other_data_says_so_by_itself():
    """'refuted' of tiny models on made-up data never stands alone; a misreading is one wherever it is judged."""
    report = collect(shared(), draw(shared(), [("table", "claims")]))
    verdicts = {line.claim: line.verdict for line in report.verdicts}
    assert verdicts["000-1, 001-1‡"].endswith(" on fsdd-digits, esc10 and birds with tiny models")
    assert verdicts["000-6‡"] == "misstated"
    assert verdicts["P0-2†"] == "superseded"
    judged = {j.claim.name: j for j in judge_all(shared())}
    ran = ("supported", "partly", "refuted", "inconclusive")
    assert all(j.judged_on for j in judged.values() if j.verdict in ran)


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
