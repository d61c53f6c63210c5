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

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge_all
from audioprune.exhibits import named, table_json
from audioprune.exhibits.headline import Question
from audioprune.exhibits.table import Cell, Row, Table
from audioprune.reporting import cards, sections
from audioprune.reporting.content import Report, collect
from audioprune.tables._published import MARKS
from audioprune.wording import number
from tests.fakes.ablations import ablations
from tests.fakes.studies import draw, shared
from tests.fakes.tokens import token_study

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


def of_classifiers() -> list:
    """The claims that a study without recognisers is asked."""
    return [claim for claim in load() if not claim.cells.recognisers]


def first_page(report: Report) -> dict:
    return {
        "answers": report.answers,
        "findings": report.findings,
        "claims": report.claims,
        "tally": report.tally,
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
    assert before["findings"]
    assert after == before


def test_the_finding_on_cost_has_the_changes_of_the_predictions():
    """Pruned minus unpruned, in points; the models, the share saved and the tier are named."""
    found = collect(shared(), draw(shared(), [("table", "table1"), ("table", "competence")]), tier="synthetic").findings
    (cost,) = found
    losses = {}
    for backbone in ("ast-tiny", "audiomae-tiny"):
        unpruned, pruned = (
            right(f"{backbone}/fsdd-digits/{label}/fold1-seed0/last") for label in ("none-kr1", "topk-kr0.5")
        )
        losses[backbone] = pruned - unpruned
    assert cost.title.startswith("On synthetic audio, pruning to keep-rate 0.5 costs ")
    told = {name: f"{number(loss, 1, signed=True)} points [" in cost.text for name, loss in losses.items()}
    assert any(told.values()), (cost.text, losses)
    assert "% of the MACs" in cost.text
    assert "within chance" not in cost.text  # of an interval alone that leaves zero out, it would be wrong
    assert "after Holm's adjustment" in cost.text


def test_findings_on_printed_numbers_are_those_of_the_published_tables():
    """All 36 + 18 ratios B of AudioMAE are within 0.3 points of K / N, by hand; eight claims are misread."""
    found = collect(shared(), draw(shared(), [("figure", "diagonal"), ("table", "claims")])).findings
    random, misread = found[:2]
    assert "all 54 printed shares" in random.text
    assert "within 0.3 points" in random.text
    assert "AST rise up to 23.3 points" in random.text
    wrong = [j for j in judge_all(shared()) if j.verdict == "misstated" and "macs" in j.misread]
    assert misread.title.startswith({8: "Eight"}[len(wrong)])
    quoted = [float(j.claim.quantities["macs"].value) for j in wrong]
    assert f"{min(quoted):.1f} to {max(quoted):.1f} %" in misread.text


def test_every_claim_is_one_card_and_the_tally_counts_them():
    report = collect(shared(), draw(shared(), [("table", "claims")]))
    assert sorted(card.claim.rstrip("†‡") for card in cards_of(report)) == sorted(
        ", ".join(c.ids) for c in load() if not c.cells.recognisers
    )
    assert dict(report.tally) == Counter(judged.verdict for judged in judge_all(shared()))
    (folded,) = [group for group in report.claims if group.title]
    assert folded.verdict == "misstated"
    assert len(folded.cards) == 8
    order = [group.verdict for group in report.claims]
    assert order == sorted(order, key=[*cards.MEANING].index)


def test_a_card_has_what_the_claim_says_and_every_cell_behind_it():
    by_claim = {
        card.claim.rstrip("†‡"): card for card in cards_of(collect(shared(), draw(shared(), [("table", "claims")])))
    }
    for judged in judge_all(shared()):
        card = by_claim[", ".join(judged.claim.ids)]
        assert (card.question, card.verdict, card.where) == (
            judged.claim.question,
            judged.verdict,
            judged.verdict_where,
        )
        assert card.thresholds == judged.claim.thresholds
        assert " ".join(judged.claim.sources[0].quote.split()) in card.quote
        assert {cell for part in card.parts for cell in part.cells} == {cell for p in judged.parts for cell in p.cells}


def test_numbers_of_exhibits_are_the_papers_or_ours_in_the_order_of_the_sections():
    """A number does not depend on what a study has."""
    whole = {
        one.name: one.label
        for one in collect(shared(), draw(shared(), [("table", "table1"), ("table", "data")])).exhibits
    }
    alone = {one.name: one.label for one in collect(shared(), draw(shared(), [("table", "data")])).exhibits}
    assert whole["table1"] == "Table 1"
    assert whole["data"] == alone["data"]
    every = sections.numbers({kind: named.names(kind) for kind in ("table", "figure")})
    assert len(set(every.values())) == len(every)
    assert every["figure21"] == "Figure 21"
    assert every["figure4-8"] == "Figures 4 and 8"
    assert every["figure6-9-13-15"] == "Figures 6, 9, 13 and 15"
    assert every["cost-forest"] == "Figure S1"


def test_every_exhibit_has_a_place_and_new_ones_find_theirs():
    placed = {
        name: sections.load()[sections.place(name).section].id
        for kind in ("table", "figure")
        for name in named.names(kind)
    }
    assert placed["table1"] == "costs"
    assert placed["wer"] == placed["wer-macs"] == "conditions"
    assert sections.load()[sections.place("never-heard-of").section].id == "conditions"
    assert sections.place("never-heard-of").how == "folded"
    shared_fold = "What is signal, and how loud patches are"
    assert sections.place("signal").fold == sections.place("occurrence").fold == shared_fold
    assert {sections.place(f"figure{n}").how for n in (4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15)} == {"files"}


def test_exhibits_of_one_title_share_a_fold_and_keep_their_numbers():
    shown = [("figure", "cluster-shares"), ("table", "signal"), ("table", "table5")]
    (kept,) = [section for section in collect(shared(), draw(shared(), shown)).sections if section.id == "kept"]
    titles = [(title, [one.label for one in own]) for title, own in kept.folds()]
    (table5,) = [one.heading for one in kept.exhibits if one.name == "table5"]
    labels = sections.numbers({kind: named.names(kind) for kind in ("table", "figure")})
    fold = "What is signal, and how loud patches are"
    assert titles == [(table5, ["Table 5"]), (fold, [labels["signal"], labels["cluster-shares"]])]


def right(address: str) -> float:
    """Percent of the clips of an evaluation that are right."""
    (r,) = [r for r in shared().cells("evaluate") if r.address == address]
    frame = r.predictions()
    return 100 * np.mean([np.argmax(s) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)])


def test_claims_have_the_mark_of_their_source_and_lead_to_an_exhibit_that_is_there():
    """To the one where their measured evidence stands; to that of all claims where nothing was measured, or the
    exhibit is not in the report."""
    shown = [("table", "claims"), ("table", "table1")]
    found = {card.claim: card for card in cards_of(collect(shared(), draw(shared(), shown)))}
    assert len(found) == len(of_classifiers())
    for judged in judge_all(shared()):
        claim = judged.claim
        card = found[", ".join(claim.ids) + MARKS.get(claim.sources[0].status, "")]
        run = any(part.basis == "cells" and part.verdict != "not-run" for part in judged.parts)
        there = claim.exhibit == "table1" and run and not judged.corrected
        assert card.exhibit == ("table1" if there else "claims")
        assert card.label == "Table 1" if there else re.fullmatch(r"Table S\d+", card.label)
    assert {card.exhibit for card in found.values()} == {"table1", "claims"}
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
    for card in cards_of(report):
        own = [row for row in rows if row["claim"] + row["mark"] == card.claim and row.get("parts")]
        if not (said := COUNTED.search(card.brief)):
            continue
        corrected = "Corrected: " in card.brief
        own = own if corrected else [row for row in own if row["basis"] == "measured"]
        expected = Counter()
        for row in own:
            expected[row["says"]] += row["parts"]
        found = {verdict: int(n) for n, verdict in (one.split() for one in said[1].split(", "))}
        assert found == dict(expected), card
        assert int(said[2]) == sum(expected.values())
        looked += 1
    assert looked > 8
    absent = [row["parts"] for row in rows if row.get("parts") and row["says"] == "not-run"]
    (section,) = [detail for detail in report.details if detail.name == "not-run"]
    assert f" {sum(absent)} parts of " in f" {section.text}"
    assert sum(absent) > 10


def test_quote_statement_thresholds_and_expectation_stand_with_every_verdict():
    """In the table's rows as they are shown, and in its CSV."""
    ((_, folder),) = draw(shared(), [("table", "claims")]).values()
    table = table_json.loads((folder / "claims.json").read_text(encoding="utf-8"))
    data = pd.read_csv(folder / "claims.csv", keep_default_na=False)
    for claim in of_classifiers():
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
    verdicts = {card.claim: card.where for card in cards_of(report)}
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
    report = collect(shared(), {"table/shapes": (module, tmp_path)} | draw(shared(), [("table", "table1")]))
    (own,) = [answer for answer in report.answers if answer.exhibit != "table1"]
    assert len(report.answers) == 2
    assert own.question == "Do circles sum to more than squares at keep-rate 0.5?"
    assert own.text == "Yes. Circles minus squares: a-tiny on b +4.0 [+2.0, +6.0]. Products left out: 1."
    assert own.exhibit == "shapes"
    assert re.fullmatch(r"Table S\d+", own.label)


def cards_of(report: Report) -> list:
    return [card for group in report.claims for card in group.cards]


def write(folder: Path, name: str, table: Table) -> None:
    """What the report reads of a table."""
    (folder / f"{name}.json").write_text(table_json.dumps(table), encoding="utf-8")
    (folder / f"{name}.csv").write_text(table.csv(), encoding="utf-8")
