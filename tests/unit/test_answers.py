"""The three answers that a report begins with, from small tables whose answers are plain to see."""

from __future__ import annotations

from types import SimpleNamespace

from fakes import shared_report

from audioprune.reporting.answers import answers
from audioprune.tables._table import Cell, Row, Table


def ranking(*differences: tuple[str, float, Cell]) -> list:
    rows = tuple(
        Row({"backbone": model, "dataset": "esc10", "method": "intensity.fixed", "keep_rate": rate, "below": cell})
        for model, rate, cell in differences
    )
    return [SimpleNamespace(name="ranking", heading="Ranking against attention", table=Table((), rows))]


def answer_to(*differences) -> str:
    (found,) = answers(ranking(*differences))
    return found.text.partition(".")[0]


UP, DOWN, BOTH = Cell(2.0, 1.0, 3.0), Cell(-2.0, -3.0, -1.0), Cell(0.5, -1.0, 2.0)


def test_words_follow_from_the_intervals():
    assert answer_to(("a", 0.5, UP), ("b", 0.5, UP)) == "Yes"
    assert answer_to(("a", 0.5, UP), ("b", 0.5, BOTH)) == "In 1 of 2 cases"
    assert answer_to(("a", 0.5, BOTH), ("b", 0.5, BOTH)) == "Not shown"
    assert answer_to(("a", 0.5, DOWN), ("b", 0.5, BOTH)) == "Not shown; the reverse in 1 of 2 cases"
    assert answer_to(("a", 0.5, DOWN), ("b", 0.5, UP)) == "In 1 of 2 cases, and the reverse in 1"


def test_values_with_intervals_at_the_lowest_keep_rate_only():
    (found,) = answers(ranking(("a-tiny", 0.7, DOWN), ("a-tiny", 0.5, UP), ("b-tiny", 0.5, Cell(why="not made yet"))))
    assert found.question == "Is ranking by intensity, once fixed, worse than by attention at keep-rate 0.5?"
    assert found.text == "Yes. Points below attention: a-tiny on esc10 2.0 [1.0, 3.0]."
    assert (found.exhibit, found.label) == ("ranking", "Ranking against attention")


def test_nothing_is_answered_without_a_difference():
    assert answers(ranking(("a", 0.5, Cell(why="not made yet")))) == ()
    assert answers([]) == ()


def test_a_whole_report_answers_all_three_from_its_tables():
    cost, ranked, low = shared_report().answers
    assert [a.exhibit for a in (cost, ranked, low)] == ["table1", "ranking", "low-intensity"]
    assert cost.question == "Does pruning by attention at keep-rate 0.5 cost accuracy?"
    (table1,) = [e.table for e in shared_report().exhibits if e.name == "table1"]
    drops = [
        row.cells["drop"]
        for row in table1.rows
        if row.cells["keep_rate"] == 0.5 and row.cells["method"] == "topk" and row.cells.get("drop")
    ]
    assert cost.text.count("[") == len([d for d in drops if d.low is not None])
    for drop in drops:
        if drop.low is not None:
            shown = f"{drop.value:.1f} [{drop.low:.1f}, {drop.high:.1f}]".replace("-", "\N{MINUS SIGN}")
            assert shown in cost.text
