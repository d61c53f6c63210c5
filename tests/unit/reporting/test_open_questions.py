"""The first page says what a study found on the two open questions, whatever the verdicts are."""

from __future__ import annotations

import pytest

from audioprune.exhibits.table import Cell
from audioprune.reporting.open_questions import ASKED, NAMED, told

SPEECH, NOISE = ASKED
BEATS = "At equal token counts, keeping tokens by attention {} keeping them uniformly in word error rate{}"


def speech(verdict: str, value: float = -1.0, counts: str = "yes", question: str = "which") -> dict:
    difference = Cell(value, value - 2, value + 2)
    named = {"recogniser": "whisper-base", "dataset": "librispeech-clean", "keep_rate": 0.25}
    return {"question": question, "counts": counts, "difference": difference, "verdict": verdict, **named}


@pytest.mark.parametrize(
    ("verdicts", "title"),
    [
        (["supported", "supported"], BEATS.format("beats", "")),
        (["supported", "refuted", "inconclusive"], BEATS.format("beats", " in 1 of 3 comparisons")),
        (["refuted", "inconclusive"], BEATS.format("is not shown to beat", "")),
    ],
)
def test_the_finding_follows_from_the_verdicts(verdicts, title):
    found = told(SPEECH, [speech(one) for one in verdicts], [])
    assert found is not None
    assert found[0] == title


def test_what_is_decided_is_named_and_what_is_not_is_a_range():
    """By hand: -1.1 [-3.1, 0.9] and -0.2 [-2.2, 1.8] reach from -3.1 to +1.8."""
    rows = [speech("inconclusive", -1.1), speech("refuted", 12.1), speech("inconclusive", -0.2)]
    beside = [
        {"claim": "RQ1-c", "verdict_where": "refuted on fsdd-strings"},
        {"claim": "P0-1", "verdict_where": "open"},
    ]
    found = told(SPEECH, rows, beside)
    assert found is not None
    assert found[1] == (
        "Its word error rate minus that of the best uniform policy, in points: refuted for whisper-base on "
        "librispeech-clean at 0.25 (+12.1 [+10.1, +14.1]); inconclusive in 2, from −1.1 to −0.2, with 95 % intervals "
        "that reach from −3.1 to +1.8. That it saves more MACs before errors rise by a tenth: refuted on fsdd-strings."
    )


def test_why_a_difference_is_judged_so_stands_with_it():
    """By hand: [-0.4, 0.8] reaches over zero, and is refuted as it lies within what matters."""
    row = speech("refuted") | {"difference": Cell(0.2, -0.4, 0.8), "told": "no difference that matters"}
    found = told(SPEECH, [row], [])
    assert found is not None
    assert found[1].endswith("librispeech-clean at 0.25 (+0.2 [−0.4, +0.8]: no difference that matters).")


def test_many_comparisons_of_one_verdict_are_a_range():
    found = told(SPEECH, [speech("supported", -i) for i in range(NAMED + 1)], [])
    assert found is not None
    assert found[1].endswith(": supported in 5, from −4.0 to 0.0, with 95 % intervals that reach from −6.0 to +2.0.")


def test_only_rows_that_count_and_were_judged_say_anything():
    others = [speech("supported", counts="beside"), speech("supported", question="how many"), speech("")]
    assert told(SPEECH, others, []) is None
    missing = speech("supported") | {"difference": Cell(why="not made")}
    assert told(SPEECH, [missing], []) is None


def test_noise_is_told_of_trained_models_alone():
    row = {"backbone": "ast-tiny", "dataset": "esc10", "keep_rate": 0.5, "interaction": Cell(-1.0, -7.0, 5.0)}
    other = row | {"question": "misled", "verdict": "refuted"}
    found = told(
        NOISE,
        [row | {"question": "degrades", "verdict": "inconclusive"}, other],
        [{"claim": "RQ2-c", "verdict_where": "refuted on fsdd-digits"}],
    )
    assert found == (
        "Noise is not shown to cost models that were trained with pruning more than the unpruned ones",
        "What noise costs a pruned model minus what it costs the unpruned one, in points of accuracy: inconclusive for "
        "ast-tiny on esc10 at 0.5 (−1.0 [−7.0, +5.0]). That a pruned model loses more at the fastest point that keeps "
        "clean accuracy: refuted on fsdd-digits.",
    )
