"""Which tokens of a state stay: a share, what reaches a threshold, a few of the padding; or they are merged.

Letters: B windows, n tokens, m of them that may go (all, or those that hold sound: the first), K kept of these, D
width. What stays remains in the order of time. Merged runs are followed by what stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from audioprune.models.policy import InTime
from audioprune.models.pruner import Reducer, Survivors, View, advance
from audioprune.models.runs import Runs
from audioprune.models.select import select
from audioprune.models.thresholds import NORMALISED, reaching
from audioprune.recognisers.whisper_states import State, pixels_of
from audioprune.settings.speech import Thin, Within


def inside(state: State, within: Within) -> int:
    """m: how many of the tokens, the first, may go."""
    if within == "window":
        return int(state.x.shape[1])
    return int((state.survivors.patch_ids < state.sound).sum(1)[0])


def wanted(policy: Reducer, *numbers: int) -> tuple[int, ...]:
    """Of the first how many tokens a policy asks for the attention received: of these, or of none."""
    return numbers if policy.attention == "global" else ()


def share(state: State, policy: Reducer, keep_rate: float, m: int) -> State:
    """K = ceil(keep_rate m) of the m first tokens stay, or runs of them."""

    def reduce(x: Tensor, survivors: Survivors) -> tuple[Tensor, Survivors]:
        seen = _seen(state, policy, m)
        return policy.reduce(x, survivors, keep_rate=keep_rate, block=state.block, seen=seen)

    return _at_front(state, m, reduce)


def pooled(state: State, policy: Runs, kept: int, m: int) -> State:
    """The m first tokens as `kept` runs, whatever they hold."""
    return _at_front(state, m, lambda x, survivors: policy.into(x, survivors, kept, None))


def score(state: State, name: str, policy: Reducer, m: int) -> Tensor:
    """What is held against a threshold (see models.thresholds), of one window: (m,)."""
    seen = _seen(state, policy, m)
    if isinstance(policy, Runs):
        assert policy.starts is not None
        assert seen is not None
        return policy.starts(seen)[0]
    pixels = pixels_of(state.mel)
    survivors = _part(state.survivors, slice(m))
    assert isinstance(policy, InTime)
    rank = policy.pruner.rank(View(state.block, m, 0, survivors.patch_ids, pixels, seen))[0]
    own = pixels.shape[1] if m == state.x.shape[1] else state.sound  # also those that are gone by now
    return NORMALISED[name](rank, pixels[0, :own])


def reached(state: State, name: str, policy: Reducer, tau: float, m: int) -> State:
    """Of one window's m first tokens those stay, or begin a run, whose score reaches tau; at least the best."""
    if m == 0:
        return state
    stay = reaching(score(state, name, policy, m), tau)  # (m,)

    def reduce(x: Tensor, survivors: Survivors) -> tuple[Tensor, Survivors]:
        if isinstance(policy, Runs):
            return policy.merged(x, survivors, stay.cumsum(0)[None] - 1, int(stay.sum()))
        keep = stay.nonzero().T  # (1, K)
        return select(x, keep), advance(survivors, keep)

    return _at_front(state, m, reduce)


def thinned(state: State, which: Thin, count: int) -> State:
    """All of the sound and `count` tokens of the padding: evenly in time, the first, the last, or those that receive
    most attention from the whole window. All of it where there is no more. B windows of equal sound, none gone yet.
    """
    n, s = int(state.x.shape[1]), state.sound
    padding = n - s
    if padding <= count:
        return state
    places = torch.arange(count, device=state.x.device)
    if which == "attention":
        chosen = state.received[n][:, s:].argsort(dim=1, descending=True, stable=True)[:, :count].sort(dim=1).values
    else:
        even = (2 * places + 1) * padding // (2 * count)  # the middles of equal parts, as policy stride
        chosen = {"uniform": even, "first": places, "last": padding - count + places}[which].expand(len(state.x), count)
    sound = torch.arange(s, device=state.x.device).expand(len(state.x), s)
    keep = torch.cat([sound, s + chosen], dim=1)
    return replace(state, x=select(state.x, keep), survivors=advance(state.survivors, keep))


def _seen(state: State, policy: Reducer, m: int) -> Tensor | None:
    """What a policy wants to see of the m first tokens: (B, m) or (B, m, d)."""
    if policy.attention is None:
        return None
    if policy.attention == "keys":
        assert state.keys is not None
        return state.keys[:, :m]
    return state.received[m]


Reduce = Callable[[Tensor, Survivors], tuple[Tensor, Survivors]]


def _at_front(state: State, m: int, reduce: Reduce) -> State:
    """Reduce the m first of n tokens; the others stay behind them."""
    x, n = state.x, int(state.x.shape[1])
    if m == 0:
        return state
    survivors = replace(state.survivors, pixels=pixels_of(state.mel))
    y, front = reduce(x[:, :m], _part(survivors, slice(m)))
    if m < n:
        behind = _part(survivors, slice(m, None))
        one = torch.ones(len(x), n - m, device=x.device)  # what a token that was never merged stands for
        y = torch.cat([y, x[:, m:]], dim=1)
        front = replace(
            front,
            patch_ids=torch.cat([front.patch_ids, behind.patch_ids], dim=1),
            sizes=_after(front.sizes, behind.sizes, one),
            bias=_after(front.bias, behind.bias, one.log()),
        )
    return replace(state, x=y, survivors=replace(front, pixels=state.survivors.pixels))


def _part(survivors: Survivors, places: slice) -> Survivors:
    sizes, bias = (None if one is None else one[:, places] for one in (survivors.sizes, survivors.bias))
    return replace(survivors, patch_ids=survivors.patch_ids[:, places], sizes=sizes, bias=bias)


def _after(front: Tensor | None, behind: Tensor | None, neutral: Tensor) -> Tensor | None:
    """Both in a row, (B, n); None where the front has none."""
    return None if front is None else torch.cat([front, neutral if behind is None else behind], dim=1)
