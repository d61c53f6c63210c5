"""Losses to noise by hand: two-by-two tables, the floor, both scales, pairing, and what is averaged within a clip."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.results import noise, noise_judged, noise_rule, robustness
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.robustness import Robust
from tests.fakes.noise import CLIPS, KINDS, NONE, SNRS, Asked, first, other, shares, topk

FOUR = [(kind, level) for kind in ("white", "babble", "other") for level in SNRS]


def measured(asked: Asked, method: str = "topk", rate: float = 0.5, shelf: bool = False) -> Robust:
    (found,) = (
        one
        for one in robustness.every(asked.results)
        if isinstance(one, Robust) and (one.model.method, one.model.keep_rate, one.model.shelf) == (method, rate, shelf)
    )
    return found


def two(tmp_path, pruned, unpruned=None, **settings) -> Asked:
    asked = Asked(tmp_path, **settings)
    asked.model(unpruned or shares(0.9, 0.8))
    asked.model(pruned, topk(0.5))
    return asked


def test_a_two_by_two_table(tmp_path):
    """Unpruned 90 and 80, pruned 85 and 65 %: the drops are 10 and 20, the interaction 10 points."""
    found = measured(two(tmp_path, shares(0.85, 0.65)))
    assert [found.clean.value, found.noisy.value, found.drop.value] == pytest.approx([85, 65, 20])
    assert found.interaction.value == pytest.approx(10)
    assert found.interaction.low < 10 < found.interaction.high
    logit = lambda p: np.log(p / (1 - p))  # noqa: E731
    by_hand = (logit(0.85) - logit(0.9)) - (logit(0.65) - logit(0.8))
    assert found.logit.value == pytest.approx(by_hand)
    assert found.relative_error.value == pytest.approx(35 / 20)
    assert found.flips == pytest.approx(100 * 20 / 85)  # of 85 that are right, 20 are lost
    assert found.interaction.n == CLIPS


def test_the_same_errors_are_no_interaction_whatever_the_draw(tmp_path):
    found = measured(two(tmp_path, shares(0.9, 0.8))).interaction
    assert found.value == 0
    assert not found.draws.any()


def test_pruning_that_costs_as_much_clean_as_in_noise_is_no_interaction(tmp_path):
    """The same eight clips are lost everywhere: the drop differs by nothing in any draw."""
    lost = lambda noisy: lambda kind, level: first(noisy if kind in KINDS[:3] else 0.9) & (np.arange(CLIPS) >= 8)  # noqa: E731
    found = measured(two(tmp_path, lost(0.8))).interaction
    assert found.value == pytest.approx(0)
    assert np.abs(found.draws).max() < 1e-9


def test_the_unpruned_model_has_no_interaction_with_itself(tmp_path):
    found = measured(two(tmp_path, shares(0.85, 0.65)), "none", 1.0)
    assert found.interaction is None
    assert found.drop.value == pytest.approx(10)


def test_draws_of_noise_are_averaged_within_a_clip(tmp_path):
    asked = Asked(tmp_path, draws=2)
    asked.model(shares(0.9, 0.8))
    asked.model(shares(0.85, 0.65), topk(0.5))
    found = measured(asked)
    assert found.interaction.value == pytest.approx(10)
    assert found.interaction.n == CLIPS
    once = measured(two(tmp_path / "one", shares(0.85, 0.65)))
    assert found.interaction.interval == pytest.approx(once.interaction.interval)


def test_folds_are_pooled_and_a_fold_that_one_side_lacks_is_left_out(tmp_path):
    asked = two(tmp_path, shares(0.85, 0.65))
    asked.model(shares(0.7, 0.5), fold=2)
    asked.model(shares(0.7, 0.3), topk(0.5), fold=2)
    assert measured(asked).interaction.value == pytest.approx((10 + 20) / 2)
    assert measured(asked).interaction.n == 2 * CLIPS
    asked.model(shares(0.9, 0.1), fold=3)
    asked.model(shares(0.9, 0.1), topk(0.5), fold=3, made=False)
    found = measured(asked).interaction
    assert found.value == pytest.approx(15)
    assert found.left_out == "over the 2 of 3 runs (folds and seeds) that all sides have"


def test_conditions_where_the_unpruned_model_is_near_chance_are_left_out_by_name(tmp_path):
    """Ten classes, chance 10 %: 16 of 100 clips are more than 1.5 times that, but their interval reaches 9.8 %."""
    levels = {(kind, level): 0.8 for kind in KINDS for level in SNRS} | {("white", 0.0): 0.16, ("babble", 0.0): 0.3}
    asked = two(tmp_path, shares(0.85, 0.65), shares(0.9, levels))
    found = measured(asked)
    assert found.counted.floored == (("white", 0.0),)
    assert found.counted.said == "white 0 dB"
    assert ("babble", 0.0) in found.counted.conditions
    assert len(found.counted.conditions) == 8
    assert found.noisy.value == pytest.approx(65)
    assert found.interaction.value == pytest.approx((85 - 65) - (90 - (7 * 80 + 30) / 8))


def test_without_three_conditions_nothing_is_concluded(tmp_path):
    levels = {(kind, level): 0.1 for kind in KINDS for level in SNRS} | {("white", 20.0): 0.8, ("other", 20.0): 0.8}
    found = measured(two(tmp_path, shares(0.85, 0.1), shares(0.9, levels)))
    assert not found.counted.enough
    outcome = noise_rule.degrades(found.interaction, found.logit, enough=found.counted.enough)
    assert outcome == ("inconclusive", noise_rule.FEW)


def test_gain_is_in_no_mean(tmp_path):
    quieter = lambda kind, level: first(0.0) if kind == "gain" else shares(0.85, 0.65)(kind, level)  # noqa: E731
    found = measured(two(tmp_path, quieter))
    assert found.interaction.value == pytest.approx(10)


def test_selection_is_topk_against_random_on_the_same_weights(tmp_path):
    asked = two(tmp_path, shares(0.85, 0.65))
    asked.model(shares(0.8, 0.5), other("topk"), NONE)
    asked.model(shares(0.7, 0.45), other("random"), NONE)
    found = measured(asked, shelf=True)
    assert found.selection.value == pytest.approx((80 - 50) - (70 - 45))
    assert found.interaction.value == pytest.approx((80 - 50) - (90 - 80))
    assert measured(asked).selection is None
    assert measured(asked, "random", shelf=True).selection is None


def test_a_model_that_was_not_run_says_why(tmp_path):
    asked = Asked(tmp_path)
    asked.model(shares(0.9, 0.8))
    asked.model(shares(0.9, 0.8), topk(0.5), made=False)
    found = [one for one in robustness.every(asked.results) if isinstance(one, tuple)]
    ((model, why),) = found
    assert model.method == "topk"
    assert isinstance(why, Absent)
    assert "is not made yet" in why.why


def test_map_is_a_mean_over_conditions_as_well(tmp_path):
    """A clip that is right has its own label on top, one that is wrong the next; by scikit-learn's precision."""
    from sklearn.metrics import average_precision_score

    asked = Asked(tmp_path)
    pruned, plain = shares(0.85, 0.65), shares(0.9, 0.8)
    asked.model(plain, dataset="birds")
    asked.model(pruned, topk(0.5), dataset="birds")
    results = asked.results
    base, model = noise.models(results)
    label = np.arange(CLIPS) % 4

    def value(right, condition):
        good = right(*condition)
        scores = np.eye(4)[np.where(good, label, (label + 1) % 4)]
        return 100 * np.mean([average_precision_score(label == c, scores[:, c]) for c in range(4)])

    runs = noise.shared(base, model)
    for one, right in ((base, plain), (model, pruned)):
        assert noise.accuracy(results, one, runs, FOUR).value == pytest.approx(np.mean([value(right, c) for c in FOUR]))
    found = robustness.interaction(results, model, FOUR)
    clean = value(pruned, noise.CLEAN) - value(plain, noise.CLEAN)
    assert found.value == pytest.approx(clean - np.mean([value(pruned, c) - value(plain, c) for c in FOUR]))
    assert robustness.flips(results, model, FOUR) is None


# --- the rule ---------------------------------------------------------------------------------------------------------


class Made:
    """An estimate with given ends."""

    def __init__(self, value, low, high, upper=None, n=160):
        self.value, self.low, self.high, self.n = value, low, high, n
        self.bounds = (low, high if upper is None else upper)


@pytest.mark.parametrize(
    ("found", "logit", "verdict", "told"),
    [
        (Made(3, 1.2, 4.8), Made(0.2, 0.1, 0.3), "supported", ""),
        (Made(0.4, 0.1, 0.7), Made(0.2, 0.1, 0.3), "supported", noise_rule.SMALL),
        (Made(0.1, -0.8, 1.0, 0.85), Made(0.0, -0.1, 0.1), "refuted", noise_rule.NOTHING),
        (Made(-2, -4, -0.1, -0.4), Made(-0.1, -0.3, 0.1), "refuted", noise_rule.NOTHING),
        (Made(3, 1.2, 4.8), Made(-0.2, -0.3, -0.1), "partly", noise_rule.SCALE),
        (Made(-2, -4, -0.1, -0.4), Made(0.3, 0.1, 0.5), "partly", noise_rule.SCALE),
        (
            Made(1, -3, 5),
            Made(0.3, -0.1, 0.5),
            "inconclusive",
            "about 2 600 clips would give ± 1 point, 160 were there",
        ),
        (
            Made(1, -3, 5),
            Made(-0.3, -0.5, -0.1),
            "inconclusive",
            "about 2 600 clips would give ± 1 point, 160 were there",
        ),
        (Made(1, float("nan"), float("nan")), None, "inconclusive", "no interval"),
    ],
)
def test_whether_noise_costs_more(found, logit, verdict, told):
    assert noise_rule.degrades(found, logit) == (verdict, told)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(Made(3, 1, 5), "supported"), (Made(-3, -5, -1), "refuted"), (Made(1, -1, 3), "inconclusive")],
)
def test_whether_the_selection_is_misled(found, verdict):
    assert noise_rule.misled(found).verdict == verdict
    assert noise_rule.misled(found, enough=False).verdict == "inconclusive"


def test_points_and_logits_can_disagree(tmp_path):
    """Unpruned 99 and 80, pruned 90 and 70 %: a point more is lost, and in logits 1.85 less."""
    found = measured(two(tmp_path, shares(0.9, 0.7), shares(0.99, 0.8)))
    assert found.interaction.value == pytest.approx(1)
    assert found.logit.value == pytest.approx(np.log(9 / 99) - np.log(7 / 3 / 4))
    assert isinstance(found.logit, Estimate)


def test_models_trained_with_noise_are_compared_with_the_unpruned_one_trained_so(tmp_path):
    """With noise 88 and 84 unpruned, 86 and 80 pruned: 2 points; on clean clips 90 and 80, 85 and 65: 10 points."""
    asked = two(tmp_path, shares(0.85, 0.65))
    asked.model(shares(0.88, 0.84), waveform_noise=0.5)
    asked.model(shares(0.86, 0.80), topk(0.5), waveform_noise=0.5)
    found = [one for one in robustness.every(asked.results) if isinstance(one, Robust)]
    assert [(one.model.with_noise, one.model.method) for one in found] == [
        (False, "none"), (False, "topk"), (True, "none"), (True, "topk"),
    ]  # fmt: skip
    assert [one.interaction.value for one in found if one.interaction] == pytest.approx([10, 2])
    assert {one.model.variant for one in found} == {""}
    assert str(found[3].model) == "ast-tiny on fsdd-digits, trained with noise, topk at 0.5"
    assert found[3].relative_error.value == pytest.approx(20 / 16)
    (judged,) = noise_judged.judged(asked.results, "degrades")  # of models trained on clean clips alone
    assert not judged.model.with_noise
    assert [one.with_noise for one in noise.models(asked.results)] == [False, False]


def test_noise_in_training_changes_nothing_of_the_models_trained_without(tmp_path):
    plain = measured(two(tmp_path / "plain", shares(0.85, 0.65)))
    asked = two(tmp_path / "both", shares(0.85, 0.65))
    asked.model(shares(0.5, 0.5), waveform_noise=0.5)
    asked.model(shares(0.5, 0.1), topk(0.5), waveform_noise=0.5)
    both = next(one for one in robustness.every(asked.results) if one.model.method == "topk")
    assert both.interaction.interval == plain.interaction.interval
    assert both.logit.interval == plain.logit.interval
