"""The three answers that a report begins with, from small tables whose answers are plain to see."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from fake_ablations import ablations
from fake_tokens import token_study
from fakes import shared

from audioprune import registry
from audioprune.exhibits.table_files import build_table
from audioprune.reporting.answers import answers
from audioprune.tables._table import Cell, Row, Table
from audioprune.wording import number


def ranking(*differences: tuple[str, float, Cell]) -> list:
    rows = tuple(
        Row({"backbone": model, "dataset": "esc10", "method": "intensity", "keep_rate": rate, "below": cell})
        for model, rate, cell in differences
    )
    return [SimpleNamespace(name="ranking", heading="Ranking against attention", table=Table((), rows))]


def answer_to(*differences) -> str:
    (found,) = answers(ranking(*differences), {})
    return found.text.partition(".")[0]


UP, DOWN, BOTH = Cell(2.0, 1.0, 3.0), Cell(-2.0, -3.0, -1.0), Cell(0.5, -1.0, 2.0)


def test_words_follow_from_the_intervals():
    assert answer_to(("a", 0.5, UP), ("b", 0.5, UP)) == "Yes"
    assert answer_to(("a", 0.5, UP), ("b", 0.5, BOTH)) == "In 1 of 2 cases"
    assert answer_to(("a", 0.5, BOTH), ("b", 0.5, BOTH)) == "Not shown: no interval lies above zero"
    assert (
        answer_to(("a", 0.5, DOWN), ("b", 0.5, BOTH))
        == "Not shown: no interval lies above zero; the reverse in 1 of 2 cases"
    )
    assert answer_to(("a", 0.5, DOWN), ("b", 0.5, UP)) == "In 1 of 2 cases, and the reverse in 1"


def test_values_with_intervals_at_the_lowest_keep_rate_only():
    (found,) = answers(
        ranking(("a-tiny", 0.7, DOWN), ("a-tiny", 0.5, UP), ("b-tiny", 0.5, Cell(why="not made yet"))), {}
    )
    assert found.question == "Is ranking by intensity worse than by attention at keep-rate 0.5?"
    assert found.text == "Yes. Points below attention (negative: above): a-tiny on esc10 2.0 [1.0, 3.0]."
    assert (found.exhibit, found.label) == ("ranking", "Ranking against attention")


def test_models_that_guess_are_named():
    def row(method: str, rate: float, **cells: Cell) -> Row:
        return Row({"backbone": "a-tiny", "dataset": "esc10", "method": method, "keep_rate": rate, **cells})

    def told(chance: float) -> str:
        rows = (row("none", 1.0, accuracy=Cell(12.0, 8.0, 16.0)), row("topk", 0.5, drop=BOTH))
        made = [SimpleNamespace(name="table1", heading="Table 1: Accuracy", table=Table((), rows))]
        (found,) = answers(made, {"esc10": chance})
        return found.text.partition("]. ")[2]

    assert told(10.0) == "No better than chance even unpruned, so that nothing follows: a-tiny on esc10 (10 %)."
    assert told(7.9) == ""


def test_nothing_is_answered_without_a_difference():
    assert answers(ranking(("a", 0.5, Cell(why="not made yet"))), {}) == ()
    assert answers([], {}) == ()


@pytest.mark.parametrize(
    ("name", "results", "wanted", "shown"),
    [
        ("table1", shared, {"method": "topk"}, "drop"),
        ("ranking", ablations, {"method": "intensity"}, "below"),
        ("low-intensity", token_study, {"method": "topk", "score": "cls"}, "low_of_kept_difference"),
    ],
)
def test_a_table_of_a_study_answers_with_all_its_intervals(name, results, wanted, shown):
    table = build_table(registry.get("tables", name), results())
    (found,) = answers([SimpleNamespace(name=name, heading="Table 1: Accuracy", table=table)], {})
    assert (found.exhibit, found.label) == (name, "Table 1")
    assert found.question.endswith(("at keep-rate 0.5?", "at keep-rate 0.5 cost accuracy?"))
    cells = [
        row.cells[shown]
        for row in table.rows
        if all(row.cells[k] == v for k, v in {**wanted, "keep_rate": 0.5}.items()) and row.cells.get(shown)
    ]
    cells = [cell for cell in cells if cell.low is not None]
    assert found.text.count("[") == len(cells) > 0
    for cell in cells:
        assert f"{number(cell.value, 1)} [{number(cell.low, 1)}, {number(cell.high, 1)}]" in found.text
