"""The explorer of results: every evaluation once, with its reference; every cell, with what makes it again."""

from __future__ import annotations

import json
from functools import cache

import numpy as np

from audioprune.cells.cell import Cell
from audioprune.exhibits import table_json
from audioprune.exhibits.table import Table
from audioprune.reporting import explorer
from audioprune.results.study import Result
from audioprune.tables import evaluations
from tests.fakes.speech import speech
from tests.fakes.studies import HOSTILE, shared


@cache
def table() -> Table:
    """As a report reads it: what the table's cell left."""
    return table_json.loads(table_json.dumps(evaluations.build(shared())))


@cache
def explored() -> explorer.Explorer:
    return explorer.explore(shared(), table())


def found(**names) -> list[explorer.Evaluation]:
    """Evaluations by names as they are shown, unperturbed."""
    every = [one for one in explored().evaluations if not one.test]
    return [one for one in every if all(getattr(one, name) == value for name, value in names.items())]


def right(evaluated: Result) -> np.ndarray:
    """Which clips an evaluation has right, by its predictions."""
    frame = evaluated.predictions()
    return np.array([np.argmax(s) == labels[0] for s, labels in zip(frame["scores"], frame["labels"], strict=True)])


def test_every_evaluation_stands_in_one_row_and_every_cell_of_the_study_has_one_card():
    held = [cell for one in explored().evaluations for cell in one.cells]
    assert sorted(held) == sorted(f"cell-{r.key}" for r in shared().cells("evaluate"))
    assert [card.anchor for card in explored().cards] == [f"cell-{r.key}" for r in shared().all()]
    names = [one.anchor for one in (*explored().evaluations, *explored().cards)]
    assert len(set(names)) == len(names)


def test_a_difference_is_the_row_minus_its_reference_in_points_by_hand():
    (one,) = found(backbone="AST-Tiny", dataset="FSDD Digits", method="TopK", keep_rate="0.5")
    of = {card.anchor: shared().cell(f"{card.kind}/{card.address}/{card.key}") for card in explored().cards}
    (against,) = [other for other in explored().evaluations if other.anchor == one.against]
    mine, other = right(of[one.cells[0]]), right(of[against.cells[0]])
    assert (against.method, against.trained) == ("none", "as evaluated")
    assert one.value.value == round(100 * mine.mean(), 3)
    assert one.delta.value == round(100 * (mine.mean() - other.mean()), 3)
    assert one.changed == ((mine & ~other).sum(), (other & ~mine).sum())
    assert one.n == len(mine) == 300
    assert one.delta.low < one.delta.value < one.delta.high
    assert (one.blocks, one.score, one.seeds) == ("3, 6, 9", "class token", 1)


def test_a_perturbed_model_is_compared_with_itself_and_an_unpruned_one_with_nothing():
    tested = [one for one in explored().evaluations if one.test]
    assert {one.test for one in tested} == {"I", "II", "III"}
    by_anchor = {one.anchor: one for one in explored().evaluations}
    for one in tested:
        own = by_anchor[one.against]
        assert (own.method, own.keep_rate, own.test) == (one.method, one.keep_rate, "")
    assert {one.against for one in explored().evaluations if one.method == "none"} == {""}


def test_a_missing_evaluation_says_why():
    (absent,) = [one for one in explored().evaluations if one.why and one.selection == "last"]
    assert "needs checkpoint-audiomae-b" in absent.why
    assert absent.value.text() == ""
    cards = {card.anchor: card for card in explored().cards}
    assert "needs checkpoint-audiomae-b" in cards[absent.cells[0]].why
    assert cards[absent.cells[0]].made == ""


def test_a_card_says_what_it_was_made_with_of_what_where_it_lies_and_how_it_is_made_again():
    (card,) = [card for card in explored().cards if card.anchor == explored().evaluations[1].cells[0]]
    r = shared().cell(f"evaluate/{card.address}/{card.key}")
    planned = Cell("evaluate", card.address, r.settings, key=card.key)
    assert card.record == str(planned.record)
    assert card.log == str(planned.log)
    assert card.command == f"snakemake {planned.record}"
    assert json.loads(card.settings) == r.settings.model_dump(mode="json")
    assert dict(card.inputs) == {name: f"cell-{one.key}" for name, one in r.inputs.items()}
    assert "code 0123456789ab" in card.made


def test_a_command_is_one_for_a_shell_whatever_a_name_holds():
    assert (
        explorer.command("evaluate/a b/x'y/0f") == """snakemake 'results/cells/evaluate/a b/x'"'"'y/0f/record.json'"""
    )


def test_what_the_script_reads_is_the_rows_and_ends_no_element():
    held = json.loads(explored().data)
    assert len(held["rows"]) == len(explored().evaluations)
    first = dict(zip(held["fields"], held["rows"][0], strict=True))
    assert first["anchor"] == explored().evaluations[0].anchor
    assert {"backbone", "dataset", "method", "keep_rate", "test"} <= held["filters"].keys()
    text = explorer.embedded([*HOSTILE, "</script><!--", "\u2028"])
    assert "<" not in text
    assert json.loads(text) == [*HOSTILE, "</script><!--", "\u2028"]


def test_recognisers_stand_there_with_word_error_rates_against_the_unpruned_one():
    whispers = {f"cell-{r.key}" for r in speech().cells("transcribe", recogniser="whisper-base")}
    every = explorer.explore(speech(), evaluations.build(speech())).evaluations
    heard = [one for one in every if one.backbone.startswith("whisper")]
    by_anchor = {one.anchor: one for one in heard}
    frames = {f"cell-{r.key}": r.frame() for r in speech().cells("transcribe", recogniser="whisper-base") if r.ok}
    assert {cell for one in heard for cell in one.cells} == whispers
    once = [one for one in heard if len(one.cells) == 1 and not one.why]
    for one in once:
        frame = frames[one.cells[0]]
        assert one.value.value == round(100 * frame["errors"].sum() / frame["words"].sum(), 3)
        if one.delta.value is not None:
            assert abs(one.delta.value - (one.value.value - by_anchor[one.against].value.value)) < 0.002
    assert any(one.delta.value for one in once)


def test_a_model_that_has_learnt_nothing_is_marked():
    rows = list(table().rows)
    rows[1].cells["at_chance"] = "said"
    assert [bool(one.at_chance) for one in explorer.explore(shared(), Table((), tuple(rows))).evaluations[:3]] == [
        False,
        True,
        False,
    ]
    rows[1].cells["at_chance"] = ""
