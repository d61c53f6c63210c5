"""Ways to batch clips: every clip once, padding counted by hand, the order of what is timed."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from audioprune.errors import UserError
from audioprune.profiling.batchings import Batch, arms_of, batches
from audioprune.settings.costs import PaceSettings

EVERY = ("single", "padded", "longest", "bucketed", "packed")


def waste(made: Sequence[Batch], lengths: Sequence[int]) -> float:
    """Share of the computed tokens that are padding: 1 - valid / computed."""
    return 1 - sum(lengths) / sum(batch.computed for batch in made)


def settings(**more) -> PaceSettings:
    own = {"recogniser": "strips-tiny", "dataset": "x", "policies": ("topk",), "keep_rates": (1.0, 0.5)}
    return PaceSettings(**own | {"blocks": (3,), "batchings": EVERY, "device": "here"} | more)


@pytest.mark.parametrize("batching", EVERY)
@pytest.mark.parametrize("window", [None, 1500])
def test_every_clip_is_in_exactly_one_batch_and_fits_it(batching, window):
    lengths = [random.Random(0).randint(1, 400) for _ in range(83)] + [400] * 5
    own = settings(batch_size=7, tokens_per_batch=900, bucket=10)
    made = batches(batching, lengths, own, window)
    assert sorted(i for batch in made for i in batch.clips) == list(range(88))
    for batch in made:
        inside = [lengths[i] for i in batch.clips]
        if batching == "packed":
            assert batch.lengths == tuple(inside)
        else:
            assert {*batch.lengths} == {window or (400 if batching == "padded" else max(inside))}
        assert len(inside) <= {"single": 1, "padded": 7, "longest": 7}.get(batching, 88)
        if batching == "bucketed":
            assert len({-(-n // 10) for n in inside}) == 1
            assert sum(inside) <= len(inside) * max(inside) <= 900
        if batching == "packed":
            assert batch.computed == sum(inside) <= 900


def test_buckets_of_one_token_hold_equal_lengths_and_waste_nothing():
    lengths = [random.Random(1).randint(1, 12) for _ in range(200)]
    made = batches("bucketed", lengths, settings(tokens_per_batch=40, bucket=1))
    assert all(len({lengths[i] for i in batch.clips}) == 1 for batch in made)
    assert max(batch.computed for batch in made) <= 40
    assert waste(made, lengths) == 0


def test_padding_by_hand():
    """Lengths 3, 5, 2, 4: 14 tokens."""
    lengths, own = [3, 5, 2, 4], settings(batch_size=2, tokens_per_batch=8, bucket=2)
    share = lambda batching, window=None: waste(batches(batching, lengths, own, window), lengths)  # noqa: E731
    assert share("single") == 0
    assert share("padded") == 1 - 14 / 20
    assert share("padded", 10) == share("single", 10) == 1 - 14 / 40
    assert [batch.clips for batch in batches("bucketed", lengths, own)] == [(2,), (0, 3), (1,)]  # 2; 3 and 4; 5
    assert share("bucketed") == 1 - 14 / (2 + 8 + 5)
    pairs = [batch.clips for batch in batches("longest", lengths, own)]
    assert pairs == [batch.clips for batch in batches("padded", lengths, own)]
    assert share("longest") == 1 - 14 / sum(2 * max(lengths[a], lengths[b]) for a, b in pairs)


def test_packed_batches_are_as_full_as_any_and_hold_no_padding():
    """Lengths 3, 5, 2, 4, at most 8: 2 and 3 leave no place for 4, nor 4 for 5."""
    made = batches("packed", [3, 5, 2, 4], settings(tokens_per_batch=8, bucket=2))
    assert [(batch.clips, batch.lengths, batch.computed) for batch in made] == [
        ((2, 0), (2, 3), 5), ((3,), (4,), 4), ((1,), (5,), 5),
    ]  # fmt: skip
    assert waste(made, [3, 5, 2, 4]) == 0
    (whole,) = batches("packed", [3, 5, 2, 4], settings(tokens_per_batch=14, bucket=2))
    assert whole.computed == 14  # clips of any lengths fill it to the last token


def test_a_clip_that_no_batch_can_hold_is_told():
    for batching in ("bucketed", "packed"):
        with pytest.raises(UserError, match="tokens_per_batch: 8 is less than the 9 tokens of the longest clip"):
            batches(batching, [3, 9], settings(tokens_per_batch=8))


def test_another_seed_brings_other_clips_together_and_the_same_seed_the_same():
    lengths = list(range(1, 41))
    one, same, other = (batches("longest", lengths, settings(seed=seed, batch_size=8)) for seed in (0, 0, 1))
    assert one == same != other


def test_the_unpruned_model_is_an_arm_of_every_batching_once():
    own = settings(policies=("stride", "topk"), keep_rates=(1.0, 0.7, 0.5), batchings=("single", "padded"))
    pruned = [("stride", 0.7), ("topk", 0.7), ("stride", 0.5), ("topk", 0.5)]
    assert arms_of(own) == [(b, *one) for b in ("single", "padded") for one in [("none", 1.0), *pruned]]
