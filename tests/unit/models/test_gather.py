"""Indices meet tokens in one place; chains of selections stay in the input's numbering."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune import registry
from audioprune.facts.tokens import Tokens
from audioprune.models.build import make_pruner
from audioprune.models.pruner import Pruner, Pruning, Survivors, advance, gather_kept, prune

X = torch.arange(6.0).reshape(1, 6, 1).repeat(1, 1, 2)  # token i holds (i, i)


def state(patches: int, prefix: int, batch: int = 1, pixels: torch.Tensor | None = None) -> Survivors:
    patch_ids = torch.cat([torch.full((prefix,), -1), torch.arange(patches)]).expand(batch, -1)
    return Survivors(patch_ids, torch.zeros(batch, patches, 4) if pixels is None else pixels, prefix, prefix)


def test_prefix_tokens_stay_and_indices_skip_them():
    kept = gather_kept(X, torch.tensor([[3, 0]]), 2)
    assert kept[0, :, 0].tolist() == [0, 1, 5, 2]
    assert kept[0, :, 1].tolist() == [0, 1, 5, 2]


def test_no_prefix_tokens():
    assert gather_kept(X, torch.tensor([[3, 0]]), 0)[0, :, 0].tolist() == [3, 0]
    assert gather_kept(X[..., 0], torch.tensor([[3, 0]]), 1)[0].tolist() == [0, 4, 1]


def test_each_clip_has_its_own_indices_and_gradient():
    x = torch.zeros(2, 4, 3, requires_grad=True)
    gather_kept(x, torch.tensor([[2], [0]]), 1).sum().backward()
    assert x.grad[:, :, 0].tolist() == [[1, 0, 0, 1], [1, 1, 0, 0]]


def test_chain_by_hand():
    first = advance(state(6, 1), torch.tensor([[5, 2, 0, 4]]))
    second = advance(first, torch.tensor([[3, 0]]))
    assert first.patch_ids.tolist() == [[-1, 5, 2, 0, 4]]
    assert second.patch_ids.tolist() == [[-1, 4, 5]]
    assert second.prefix == 1


def test_released_gather_by_hand():
    # two prefix tokens at places 0 and 1: index 1 is a prefix token, index 5 the patch 3
    first = advance(state(6, 2), torch.tensor([[5, 1, 3]]), released_gather=True)
    assert first.patch_ids.tolist() == [[3, -1, 1]]
    assert (first.prefix, first.own_prefix) == (0, 2)
    assert advance(first, torch.tensor([[0, 1]]), released_gather=True).patch_ids.tolist() == [[3, -1]]


def test_equal_ranks_keep_the_first_tokens():
    pruner = Pruner(lambda view: torch.tensor([[1.0, 2.0, 1.0, 2.0, 1.0]]))
    x, survivors = prune(X, state(5, 1), pruner, keep_rate=0.7, block=3, score=None)
    assert survivors.patch_ids.tolist() == [[-1, 1, 3, 0, 2]]  # ceil(3.5) = 4
    assert x[0, :, 0].tolist() == [0, 2, 4, 1, 3]


def test_equal_ranks_of_many_tokens_keep_the_first_ones():
    """As of padding: more than a sorting algorithm keeps in order by itself."""
    pruner = Pruner(lambda view: (view.patch_ids[:, 1:] % 2).float())
    _, survivors = prune(torch.zeros(1, 513, 2), state(512, 1), pruner, keep_rate=0.75, block=3, score=None)
    assert survivors.patch_ids[0].tolist() == [-1, *range(1, 512, 2), *range(0, 256, 2)]


def test_pruning_says_which_blocks_select():
    assert not any(Pruning(Pruner(lambda view: view.score), keep_rate=0.5).at(i) for i in range(12))
    pruner = Pruner(lambda view: view.score)
    pruning = Pruning(pruner, blocks=(3, 6), keep_rate=0.5)
    assert [i for i in range(12) if pruning.at(i) is pruner] == [3, 6]
    pruning.keep_rate = 1.0
    assert [pruning.at(i) for i in range(12)] == [None] * 12
    assert Pruning(None, blocks=(3,), keep_rate=0.5).at(3) is None


METHODS = [(name, {}) for name in registry.names("pruning") if name not in ("none", "tome")]  # which choose no index
METHODS += [("intensity", {"variant": "as_released"}), ("variation", {"variant": "as_released"})]


@pytest.mark.parametrize(("method", "options"), METHODS)
@pytest.mark.parametrize("orientation", ["time", "freq"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_indices_of_every_method_compose(method, options, orientation, data):
    """Tokens that carry their own patch number still agree with the bookkeeping after three selections."""
    prefix, time, rate = (
        data.draw(st.integers(1, 2)),
        data.draw(st.integers(1, 6)) * 2,
        data.draw(st.sampled_from([0.5, 0.6, 0.75, 0.9])),
    )
    patches = time * 8
    tokens = Tokens(prefix, orientation, time, 8, "global")
    pruner = make_pruner(method, tokens, options)
    pixels = torch.rand(2, patches, 4, generator=torch.Generator().manual_seed(data.draw(st.integers(0, 999))))
    survivors = state(patches, prefix, 2, pixels)
    x = survivors.patch_ids.float().unsqueeze(-1)
    for block in (3, 6, 9):
        before = survivors.patch_ids
        score = torch.rand(2, before.shape[1] - survivors.prefix)
        x, survivors = prune(x, survivors, pruner, keep_rate=rate, block=block, score=score)
        assert torch.equal(x[..., 0].long(), survivors.patch_ids)
        for old, new in zip(before.tolist(), survivors.patch_ids.tolist(), strict=True):
            chosen = [number for number in new if number >= 0]
            assert len(chosen) == len(set(chosen))
            assert set(chosen) <= set(old)
        if not options:
            assert (survivors.patch_ids[:, :prefix] == -1).all()
            assert (survivors.patch_ids[:, prefix:] >= 0).all()
