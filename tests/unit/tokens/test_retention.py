"""Ranking against uniform retention: the three comparisons, what counts, and what follows, by hand-made transcripts."""

from __future__ import annotations

import pytest
from scipy import stats

from audioprune.results import retention
from audioprune.results.estimate import Absent
from audioprune.results.retention import COARSER, Compared, compared
from tests.fakes.ctc import adapted
from tests.fakes.speech import How, study, transcripts

N = 60


def given(errors: dict, **more) -> dict:
    """An unpruned arm that errs in every tenth word, and others, which cost less at a lower keep-rate."""
    made = {How(): transcripts([1] * N)}
    for how, own in errors.items():
        count = 1400 if how[1] == 0.5 else 1350
        made[How(*how)] = transcripts(
            own if isinstance(own, list) else [own] * N, encoder_macs=100 - (1500 - count) // 10, kept=count, **more
        )
    return made


def found(results, question: str, policy: str = "topk") -> list[Compared]:
    return [one for one in compared(results) if (one.question, one.policy) == (question, policy)]


def mixed(low: int, high: int, share: float = 0.5) -> list[int]:
    """`high` errors in a share of clips, spread over them, and `low` in the others."""
    return [high if int((i + 1) * share) > int(i * share) else low for i in range(N)]


def test_which_is_the_difference_from_the_static_policy_by_halves(tmp_path):
    """Stride 3 and pool 4 errors of ten words everywhere, so stride for both halves: topk at 2 or 3 errors is 5 points
    better, in half of the speakers."""
    errors = {("stride", 0.5): 3, ("pool", 0.5): 4, ("topk", 0.5): mixed(2, 3), ("random", 0.5): 5}
    (one,) = found(study(tmp_path, given(errors)), "which")
    assert (one.against, one.counts, one.found.value, one.margin) == ("stride", True, pytest.approx(-5), 1.0)
    assert one.outcome.verdict == "supported"
    assert one.p.alone == one.p.adjusted == pytest.approx(2 * 0.5**30)  # thirty speakers differ, all one way
    differences = [a - 3 for a in mixed(2, 3)]
    t = stats.ttest_1samp(differences, 0).statistic
    assert one.sentences == pytest.approx(2 * stats.norm.sf(abs(t)))
    assert one.improvement == 1.0
    (other,) = found(study(tmp_path / "b", given(errors)), "which", "random")
    assert (other.counts, other.found.value, other.outcome.verdict) == (
        False,
        pytest.approx(20),
        "inconclusive",
    )


@pytest.mark.parametrize(
    ("topk", "verdict"),
    [
        (mixed(2, 3), "supported"),
        (mixed(3, 4), "refuted"),
        (mixed(2, 4), "inconclusive"),  # as many better as worse by a whole word
        ([3] * 58 + [2, 4], "refuted"),  # within what does not matter
        ([3] * N, "inconclusive"),  # an interval without width
    ],
)
def test_every_verdict_on_which(tmp_path, topk, verdict):
    errors = {("stride", 0.5): 3, ("pool", 0.5): 4, ("topk", 0.5): topk}
    (one,) = found(study(tmp_path, given(errors)), "which")
    assert one.outcome.verdict == verdict


def test_p_values_of_what_counts_are_adjusted_together(tmp_path):
    """At half and a quarter of the tokens, five and seven speakers of sixty differ one way: p 1/16 and 1/64."""
    few = lambda n: [2] * n + [3] * (N - n)  # noqa: E731
    errors = {(name, rate): 3 for name in ("stride", "pool") for rate in (0.5, 0.25)}
    errors |= {("topk", 0.5): few(5), ("topk", 0.25): few(7), ("adjacent", 0.5): few(7)}
    results = study(tmp_path, given(errors))
    five, seven = found(results, "which")
    assert (five.p.alone, seven.p.alone) == (1 / 16, 1 / 64)
    assert (five.p.adjusted, seven.p.adjusted, five.p.tests) == (1 / 16, 2 / 64, 2)
    (beside,) = found(results, "which", "adjacent")
    assert (beside.counts, beside.p.adjusted) == (False, 1 / 64)


def test_how_many_is_threshold_minus_fixed_where_costs_are_matched(tmp_path):
    """Of 100 MACs of the sound 70 with a fixed share: 70.9 are as many, to one percent, and 72 are not."""
    fixed, same, more = (transcripts([3] * N, encoder_macs_sound=macs) for macs in (700, 709, 720))
    whole = transcripts([1] * N, encoder_macs_sound=1000)
    same["errors"] = mixed(2, 3)
    arms = {How(): whole, How("topk", 0.5): fixed, How("topk", 0.5, "threshold"): same}
    (one,) = found(study(tmp_path / "a", arms), "how many")
    assert (one.unmatched, one.found.value, one.counts) == ("", pytest.approx(-5), True)
    assert one.outcome.verdict == "supported"
    (one,) = found(study(tmp_path / "b", arms | {How("topk", 0.5, "threshold"): more}), "how many")
    assert one.unmatched == "not matched in cost: +2.0 % of the unpruned encoder's MACs"
    assert one.outcome is None


def test_savings_are_read_off_curves_and_the_best_uniform_one_is_taken(tmp_path):
    """Unpruned 10 % of words; the limit is 11 %. Encoder and decoder cost 150 a clip, at 0.5 10 less.
    topk: 11.67 % at 0.5, so the limit lies at 0.6 of the way: 0.6 x 10 of 150. stride 15 %: 0.2; pool@0 12 %: 0.5."""
    errors = {
        ("topk", 0.5): [2] * 10 + [1] * 50,
        ("stride", 0.5): [2] * 30 + [1] * 30,
        ("pool", 0.5): [2] * 60,
    }
    arms = given(errors)
    arms[How("pool", 0.5, at_input=True)] = transcripts([2] * 12 + [1] * 48, encoder_macs=90)
    (one,) = found(study(tmp_path, arms), "savings")
    own, other = one.sides
    assert (own.value, other.value) == (pytest.approx(100 * 0.6 * 10 / 150), pytest.approx(100 * 0.5 * 10 / 150))
    assert one.found.value == pytest.approx(100 * 0.1 * 10 / 150)
    assert (one.against, one.counts, one.censored) == ("pool@0", True, (False, False))
    assert one.outcome.verdict == "inconclusive"
    assert other.low <= other.value <= other.high


def test_what_never_passes_the_limit_may_save_more(tmp_path):
    """Stride costs nothing in errors at a quarter of the tokens: topk cannot be shown to save more, only less."""
    errors = {("topk", 0.5): 1, ("topk", 0.25): mixed(1, 4), ("stride", 0.5): 1, ("pool", 0.5): 2}
    (one,) = found(study(tmp_path / "a", given(errors)), "savings")
    assert (one.against, one.censored, one.found.value > 0) == ("stride", (False, True), True)
    assert one.outcome.verdict == "inconclusive"
    assert one.outcome.told == "stride passes the limit at no keep-rate that was run, and may save more"
    errors = {("topk", 0.5): 1, ("stride", 0.5): 1, ("stride", 0.25): mixed(1, 4), ("pool", 0.5): 2}
    (one,) = found(study(tmp_path / "b", given(errors)), "savings")
    assert one.censored[0]
    assert one.outcome.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("topk", "stride", "verdict"), [(mixed(1, 2, 0.15), 5, "supported"), (5, mixed(1, 2, 0.15), "refuted")]
)
def test_savings_that_are_beyond_their_draws(tmp_path, topk, stride, verdict):
    """One passes the limit at two thirds of the way down, the other after a fortieth."""
    results = study(tmp_path, given({("topk", 0.5): topk, ("stride", 0.5): stride, ("pool", 0.5): 6}))
    (one,) = found(results, "savings")
    assert one.outcome.verdict == verdict


def test_longer_strips_are_a_uniform_policy(tmp_path):
    """Adapted, two seeds: topk errs in 12 of 100 words at half the cost, strips of 80 ms in 10.5 at 45 %."""
    words = {"topk": [2, 1, 1, 1, 1] * 2 + [1, 1], "longer": [1] * 12, "stride": 4, "pool": 5}
    results = adapted(tmp_path, seeds=(0, 1), errors=words)
    (one,) = [c for c in found(results, "savings") if c.place.trained == "adapted"]
    assert (one.against, one.counts) == (COARSER, True)
    assert (one.sides[1].value, one.censored[1]) == (pytest.approx(55), True)
    assert one.outcome.verdict == "refuted"  # what is censored may save even more
    assert one.found.seeds == 2
    (one,) = [c for c in found(results, "which") if c.place.trained == "adapted"]
    assert (one.counts, one.against, one.found.seeds) == (True, "stride", 2)
    assert one.sentences == "12 sentences: matched pairs need 50"


def test_what_is_not_made_is_said(tmp_path):
    arms = given({("stride", 0.5): 3, ("topk", 0.5): 2, ("pool", 0.25): 2})
    results = study(tmp_path / "a", arms, missing=(How("topk", 0.5),))
    for question in ("which", "savings"):
        (one,) = found(results, question)
        assert isinstance(one.found, Absent)
        assert "is not made yet" in one.found.why
        assert one.outcome is None
    alone = study(tmp_path / "b", given({("topk", 0.5): 2, ("topk", 0.25): 2}))
    assert {one.found.why for one in compared(alone)} == {
        "no static policy is planned beside it", "no uniform policy is planned beside it"
    }  # fmt: skip


def test_what_counts_was_fixed_beforehand():
    place = retention.Place("whisper-base", "commonvoice-100", "off the shelf", "sound", (2,))
    assert [rate for rate in (0.9, 0.7, 0.5, 0.25, 0.125) if retention.counted(place, rate)] == [0.5, 0.25]
    window, blocks = (
        retention.Place("whisper-base", "x", "off the shelf", *own) for own in (("window", (2,)), ("sound", (1, 3, 4)))
    )
    assert not any(retention.counted(one, 0.5) for one in (window, blocks))
    strips = retention.Place("strips-tiny", "fsdd-strings", "adapted", "", (3, 6, 9))
    assert [rate for rate in (0.9, 0.7, 0.5, 0.25) if retention.counted(strips, rate)] == [0.7, 0.5]
    shelf = retention.Place("strips-tiny", "fsdd-strings", "off the shelf", "", (3, 6, 9))
    assert not retention.counted(shelf, 0.5)
