"""Selecting tokens by index: the values and the gradient of torch.gather, which adds up where ours puts in place."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audioprune.models.select import select


def indices(clips: int, tokens: int, taken: int, seed: int) -> torch.Tensor:
    """(B, K), a different selection in a different order for each clip."""
    draw = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(tokens, generator=draw)[:taken] for _ in range(clips)])


@given(
    clips=st.integers(1, 3),
    tokens=st.integers(1, 9),
    share=st.floats(0, 1),
    wide=st.booleans(),
    seed=st.integers(0, 99),
)
def test_values_and_gradient_are_those_of_gather(clips, tokens, share, wide, seed):
    index = indices(clips, tokens, max(1, round(share * tokens)), seed)
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn((clips, tokens, 5) if wide else (clips, tokens), generator=draw)
    at = index.unsqueeze(-1).expand(-1, -1, 5) if wide else index
    ours, theirs = (x.clone().requires_grad_() for _ in range(2))
    weights = torch.randn(at.shape, generator=draw)
    (select(ours, index) * weights).sum().backward()
    (theirs.gather(1, at) * weights).sum().backward()
    assert torch.equal(select(x, index), x.gather(1, at))
    assert torch.equal(ours.grad, theirs.grad)


def test_a_token_that_goes_has_no_gradient_and_one_that_stays_has_that_of_its_place():
    x = torch.tensor([[1.0, 2.0, 3.0, 4.0]], requires_grad=True)
    kept = select(x, torch.tensor([[3, 1]]))
    assert kept.tolist() == [[4.0, 2.0]]
    kept.backward(torch.tensor([[10.0, 20.0]]))
    assert x.grad.tolist() == [[0.0, 20.0, 0.0, 10.0]]


def test_finite_differences_agree():
    x = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: select(x, torch.tensor([[2, 0], [1, 3]])), (x,))


def test_positions_shared_by_all_clips_collect_the_gradient_of_each():
    shared = torch.zeros(1, 3, 1, requires_grad=True)
    select(shared.expand(2, -1, -1), torch.tensor([[0, 2], [2, 1]])).sum().backward()
    assert shared.grad.flatten().tolist() == [1.0, 1.0, 2.0]


def test_without_gradient_it_is_a_plain_gather_that_a_profiler_counts():
    graph = torch.jit.trace(select, (torch.zeros(1, 2), torch.tensor([[1]]))).graph
    assert "aten::gather" in str(graph)
    with pytest.raises(RuntimeError):
        select(torch.zeros(1, 2), torch.tensor([[5]]))
