"""What columns of pruned tokens take: by hand, and against CTC on the tokens that are left alone."""

from __future__ import annotations

from itertools import groupby

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.models import columns
from audioprune.models.pruner import Survivors
from audioprune.models.ragged import Ragged
from tests.fakes.listeners import MERGING, RANKING, hears, prunes, small, waves


def tokens(*numbers: list[int], x: list[list[float]] | None = None) -> Ragged:
    """Clips that are left with these tokens; x is a number for each token."""
    rows = x or [[float(n) for n in one] for one in numbers]
    longest = max(map(len, rows))
    values = torch.tensor([row + [-1.0] * (longest - len(row)) for row in rows])[..., None]
    clips = (Survivors(torch.tensor([one]), torch.zeros(1, 1, 1), prefix=0, own_prefix=0) for one in numbers)
    return Ragged(values, tuple(clips))


def test_nearest_takes_the_nearest_token_and_of_two_the_earlier():
    found = columns.nearest(torch.tensor([2, 4, 9]), 11)
    assert found.tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]  # 3 is as near to 2 as to 4; 6 is nearer to 4
    assert columns.nearest(torch.tensor([3]), 5).tolist() == [0] * 5


def test_merged_takes_the_run_that_the_token_is_in():
    assert columns.merged(torch.tensor([0, 3, 4]), 6).tolist() == [0, 0, 0, 1, 2, 2]


def test_carried_takes_the_last_state_of_every_token():
    """Of six tokens 1, 3, 4 pass the first selection and 3 the second; of four of the other clip 0, 2 and then 2."""
    first = tokens([0, 1, 2, 3, 4, 5], [0, 1, 2, 3], x=[[0, 1, 2, 3, 4, 5], [50, 51, 52, 53]])
    second = tokens([1, 3, 4], [0, 2], x=[[11, 13, 14], [60, 62]])
    last = tokens([3], [2], x=[[103], [162]])
    found = columns.carried([first, second, last])[..., 0].tolist()
    assert found[0] == [0, 11, 2, 103, 14, 5]
    assert found[1][:4] == [60, 51, 162, 53]


def test_gradients_of_carried_columns_reach_each_token_once():
    """As if it were written token by token: a column's gradient goes to the state it was taken from."""
    x = [torch.randn(1, n, 2, requires_grad=True) for n in (5, 3, 2)]
    numbers = ([0, 1, 2, 3, 4], [0, 2, 4], [0, 4])
    states = [Ragged(one, tokens(own).clips) for one, own in zip(x, numbers)]
    weight = torch.arange(10.0).view(1, 5, 2)
    (columns.carried(states) * weight).sum().backward()
    assert [one.grad[0, :, 1].tolist() for one in x] == [[0, 3, 0, 7, 0], [0, 5, 0], [1, 9]]


def collapsed(units: list[int]) -> list[int]:
    return [unit for unit, _ in groupby(units) if unit]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=12).filter(
        lambda x: any(b for _, b in x)
    )
)
def test_nearest_hears_what_the_tokens_that_are_left_say_alone(said):
    """Greedy decoding; the tokens that are left have a unit each, 0 is the blank."""
    left = [place for place, (_, kept) in enumerate(said) if kept]
    units = [said[place][0] for place in left]
    filled = [units[i] for i in columns.nearest(torch.tensor(left), len(said)).tolist()]
    assert collapsed(filled) == collapsed(units)


def test_blank_parts_what_nearest_joins():
    """The same unit on either side of a pruned column: two of them with `blank`, one with `nearest`."""
    left = tokens([0, 2])
    assert columns.gone(left, [3]).tolist() == [[False, True, False]]
    unit = [1, 1]
    nearest = [unit[i] for i in columns.nearest(torch.tensor([0, 2]), 3).tolist()]
    assert (collapsed(nearest), collapsed([1, 0, 1])) == ([1], [1, 1])


@pytest.mark.parametrize("policy", RANKING + MERGING)
@pytest.mark.parametrize("family", ["strips", "wav2vec2"])
def test_at_keep_rate_1_every_restoring_is_the_unpruned_model(family, policy):
    model, clips = small(family), waves()
    whole = hears(model, clips).logits
    prunes(model, policy, keep_rate=1.0)
    for restore in ("carried", "nearest", "blank"):
        model.restore = restore
        assert torch.equal(hears(model, clips).logits, whole)


@pytest.mark.parametrize("restore", ["carried", "nearest", "blank"])
def test_restored_columns_of_a_pruned_model(restore):
    """The pruned model's own last tokens, wherever they are put; in blank columns nothing else can be said."""
    model, clips = prunes(small(), "topk"), waves()
    model.restore = restore
    made = hears(model, clips)
    for i, (n, kept) in enumerate(zip(made.columns, made.kept, strict=True)):
        pruned = [column for column in range(n) if column not in kept.tolist()]
        best = made.logits[i].argmax(-1)
        if restore == "blank":
            assert made.logits[i, pruned, 0].tolist() == [0.0] * len(pruned)
            assert made.logits[i, pruned, 1:].max() == -torch.inf
        elif restore == "nearest":
            near = [min(kept.tolist(), key=lambda k: (abs(k - column), k)) for column in pruned]
            assert best[pruned].tolist() == best[near].tolist()
            torch.testing.assert_close(made.logits[i, pruned], made.logits[i, near])
        else:
            assert not torch.equal(made.logits[i, pruned[0]], made.logits[i, kept[0]])
