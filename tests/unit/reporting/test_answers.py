"""The answers that a report begins with, from small tables whose answers are plain to see."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from audioprune.exhibits import named
from audioprune.exhibits.headline import Question, Sentence
from audioprune.exhibits.table import Cell, Row, Table
from audioprune.reporting.answers import Answer, answers
from audioprune.tables import low_intensity, ranking
from audioprune.wording import number
from tests.fakes.ablations import ablations
from tests.fakes.studies import collected, shared
from tests.fakes.tokens import token_study

OURS = [name for name in named.names("table") if hasattr(named.get("table", name), "HEADLINE")]
COUNTED = [name for name in OURS if isinstance(named.get("table", name).HEADLINE, Question)]


def exhibit(headline: Question | None, *rows: dict, name: str = "ranking") -> SimpleNamespace:
    table = Table((), tuple(Row({"backbone": "a-tiny", "dataset": "esc10"} | row) for row in rows))
    return SimpleNamespace(name=name, label="Ranking", headline=headline, table=table)


def below(*differences: tuple[str, float, Cell]) -> SimpleNamespace:
    rows = (
        {"backbone": model, "method": "intensity", "keep_rate": rate, "attention_minus_this": cell}
        for model, rate, cell in differences
    )
    return exhibit(ranking.HEADLINE, *rows)


def answer_to(*differences) -> str:
    (found,) = answers([below(*differences)])
    return found.text.partition(".")[0]


UP, DOWN, BOTH = Cell(2.0, 1.0, 3.0, p=0.001), Cell(-2.0, -3.0, -1.0, p=0.001), Cell(0.5, -1.0, 2.0, p=0.5)
CLOSE = Cell(2.0, 0.1, 3.9, p=0.04)


def test_words_follow_from_the_intervals():
    assert answer_to(("a", 0.5, UP), ("b", 0.5, UP)) == "Yes"
    assert answer_to(("a", 0.5, UP), ("b", 0.5, BOTH)) == "In 1 of 2 cases"
    assert answer_to(("a", 0.5, BOTH), ("b", 0.5, BOTH)) == "Not measurably: no such difference is beyond chance"
    assert (
        answer_to(("a", 0.5, DOWN), ("b", 0.5, BOTH))
        == "Not measurably: no such difference is beyond chance; the reverse is in 1 of 2 cases"
    )
    assert answer_to(("a", 0.5, DOWN), ("b", 0.5, UP)) == "In 1 of 2 cases, and the reverse in 1"


def test_what_lies_above_zero_by_itself_may_not_among_several():
    """Two p-values of 0.04 are 0.08 by Holm; beside one of 0.001 the other stays 0.04."""
    assert answer_to(("a", 0.5, CLOSE)) == "Yes"
    assert answer_to(("a", 0.5, CLOSE), ("b", 0.5, CLOSE)) == "Not measurably: no such difference is beyond chance"
    assert answer_to(("a", 0.5, CLOSE), ("b", 0.5, UP)) == "Yes"
    (found,) = answers([below(("a", 0.5, CLOSE), ("b", 0.5, UP), ("c", 0.5, BOTH))])
    assert found.text.startswith("In 1 of 3 cases. ")
    assert found.text.endswith("Adjusted by Holm for these 3.")


def test_a_short_answer_is_its_first_clause():
    told = {
        "Yes, at full size. Points: a on b.": "Yes, at full size.",
        "Of 6, 5 differ (5 %): a on b. More.": "Of 6, 5 differ (5 %)",
    }
    for text, short in told.items():
        assert Answer("Who?", text, "table1", "Table 1").short == short


def test_values_with_intervals_at_the_lowest_keep_rate_only():
    (found,) = answers([below(("a-tiny", 0.7, DOWN), ("a-tiny", 0.5, UP), ("b-tiny", 0.5, Cell(why="not made yet")))])
    assert found.question == "Is ranking by intensity worse than by attention at keep-rate 0.5?"
    assert found.text == "Yes. Intensity minus attention, in points: a-tiny on esc10 −2.0 [−3.0, −1.0]."
    assert (found.exhibit, found.label) == ("ranking", "Ranking")


def test_only_the_rows_that_are_asked_count():
    rows = [
        {"method": method, "keep_rate": 0.5, "attention_minus_this": cell}
        for method, cell in (("topk", None), ("random", DOWN), ("intensity", UP), ("intensity.as_released", DOWN))
    ]
    (found,) = answers([exhibit(ranking.HEADLINE, *rows)])
    assert found.text.startswith("Yes. ")
    assert found.text.count("[") == 1


def competence(*models: tuple[str, str, str]) -> SimpleNamespace:
    """Backbone, variant and outcome of unpruned models on esc10."""
    rows = tuple(
        Row({"backbone": b, "dataset": "esc10", "variant": v, "outcome": o, "said": f"{b} on esc10 (12.0 %)"})
        for b, v, o in models
    )
    return SimpleNamespace(name="competence", label="Learnt", headline=None, table=Table((), rows))


def test_models_that_have_not_learnt_are_in_no_answer_and_listed_once():
    asked = below(("a-tiny", 0.5, UP), ("b-tiny", 0.5, DOWN))
    first, left_out = answers([asked, competence(("a-tiny", "", "counts"), ("b-tiny", "", "left out"))])
    assert first.text == "Yes. Intensity minus attention, in points: a-tiny on esc10 −2.0 [−3.0, −1.0]."
    assert left_out.question == "Which models are left out of all answers and verdicts?"
    assert left_out.text == "1 of 2, which unpruned have not learnt enough: b-tiny on esc10 (12.0 %)."
    assert (left_out.exhibit, left_out.label) == ("competence", "Learnt")
    assert len(answers([asked, competence(("a-tiny", "", "counts"), ("b-tiny", "", "counts"))])) == 1
    (only,) = answers([below(("b-tiny", 0.5, DOWN)), competence(("b-tiny", "", "left out"))])
    assert only.exhibit == "competence"  # and nothing is answered


def test_of_two_recipes_the_one_that_has_learnt_stays():
    rows = [
        {"method": "intensity", "keep_rate": 0.5, "variant": variant, "attention_minus_this": UP}
        for variant in ("epochs=1", "epochs=9")
    ]
    learnt = competence(("a-tiny", "epochs=1", "left out"), ("a-tiny", "epochs=9", "counts"))
    first, left_out = answers([exhibit(ranking.HEADLINE, *rows), learnt])
    assert first.text.count("[") == 1
    assert left_out.text.endswith("a-tiny on esc10 (12.0 %), epochs=1.")


def test_a_difference_of_two_models_names_both_and_needs_both():
    asked = Question(question="Does b keep more than a?", above="Points", difference="drop", of={})
    row = {"keep_rate": 0.5, "drop": UP, "against": "b-tiny"}
    (found,) = answers([exhibit(asked, row)])
    assert found.text == "Yes. Points: b-tiny minus a-tiny on esc10 +2.0 [+1.0, +3.0]."
    learnt = competence(("a-tiny", "", "counts"), ("b-tiny", "", "left out"))
    assert [one.exhibit for one in answers([exhibit(asked, row), learnt])] == ["competence"]


def test_an_answer_says_where_it_was_judged():
    def said(tier: str) -> str:
        (found,) = answers([below(("a-tiny", 0.5, UP))], tier)
        return found.text.partition(".")[0]

    assert said("synthetic") == "Yes, on synthetic audio"
    assert said("real miniature") == "Yes, on real audio in miniature"
    assert said("published") == "Yes, at full size"
    asked = Sentence(question="What of all?", said=lambda rows: f"{len(rows)} rows." if rows else "")
    (found,) = answers([exhibit(asked, {"keep_rate": 0.5})], "synthetic")
    assert found.text == "1 rows. Judged on synthetic audio."


def test_that_two_models_rank_by_different_scores_is_said():
    """With what each keeps under the other's score, where the study has that."""
    shares = (("audiomae", "global", 32.3), ("audiomae", "cls", 45.1), ("ast", "cls", 15.1), ("ast-mp", "global", 36.5))
    rows = [
        {
            "family": f,
            "score": s,
            "method": "topk",
            "keep_rate": 0.5,
            "low_of_kept": Cell(v, v - 1, v + 1),
            "padding_of_kept": Cell(0.0),
            "cut_of_kept": Cell(0.0),
        }
        | {"low_of_kept_audiomae_minus_this": UP if f == "ast" else None}
        for f, s, v in shares
    ]
    (found,) = answers([exhibit(low_intensity.HEADLINE, *rows)])
    assert "AudioMAE ranks by the global and AST by the class-token score, so that the score may explain" in found.text
    assert "AudioMAE ranked by cls: 45.1 % on esc10 of its kept tokens" in found.text
    assert "36.5" not in found.text


def test_nothing_is_answered_without_a_difference_or_a_question():
    assert answers([below(("a", 0.5, Cell(why="not made yet")))]) == ()
    assert answers([exhibit(None, {"keep_rate": 0.5, "drop": UP})]) == ()
    assert answers([SimpleNamespace(name="figure2", label="Figure 2", headline=None, table=None)]) == ()
    assert answers([]) == ()


def test_they_stand_in_the_order_of_the_exhibits():
    def asked(name: str) -> SimpleNamespace:
        question = Question(question=f"What of {name}?", above="Points", difference="drop", of={})
        return exhibit(question, {"keep_rate": 0.5, "drop": UP}, name=name)

    found = answers([asked("b"), asked("c"), asked("a")])
    assert [(one.question, one.exhibit) for one in found] == [(f"What of {name}?", name) for name in "bca"]


@pytest.mark.parametrize("name", COUNTED)
def test_a_table_of_a_study_answers_with_all_its_intervals(name):
    found = next(filter(None, (_of_study(made(), name) for made in (shared, ablations, token_study))))
    (answer,), (own,) = found.answers, found.exhibits
    assert (answer.exhibit, answer.label) == (name, own.label)
    assert "at keep-rate 0.5" in answer.question
    asked = {**own.headline.of, "keep_rate": 0.5}
    rows = [row.cells for row in own.table.rows if all(row.cells[key] == value for key, value in asked.items())]
    cells = [row[own.headline.difference] for row in rows if row.get(own.headline.difference)]
    cells = [cell for cell in cells if cell.low is not None]
    assert answer.text.count("[") == len(cells) > 0
    for cell in cells:
        ends = (-cell.high, -cell.low) if own.headline.turned else (cell.low, cell.high)
        said = [number(one, 1, signed=True) for one in (-cell.value if own.headline.turned else cell.value, *ends)]
        assert f"{said[0]} [{said[1]}, {said[2]}]" in answer.text


def _of_study(results, name: str):
    """A report of one table of a study; None where that answers nothing."""
    found = collected(results, [("table", name)])
    return found if found.answers else None


def test_the_three_that_everybody_asks_are_there():
    assert set(OURS) >= {"table1", "ranking", "low-intensity"}
