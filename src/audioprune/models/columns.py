"""Columns of time for a CTC head, made anew from pruned tokens: what the column of a token that is gone takes.

Letters: B clips, n columns of a clip (the tokens of its input), N those of the longest, D width. A state is the tokens
that entered a selecting block, or that are left at the end.

carried   its last state: the input of the block that pruned it, so that it skips all further blocks
nearest   the output of the nearest token that is left, the earlier of two; greedy decoding then hears what it would of
          these tokens alone
blank     nothing, and is decoded as a blank
merged    the output of the token that its own went into
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from audioprune.models.ragged import Ragged
from audioprune.models.select import select, wide


def carried(states: Sequence[Ragged]) -> Tensor:
    """(B, N, D): each column's token in the last state that has it."""
    first, places = states[0], []
    N = first.x.shape[1]
    for i in range(len(first.clips)):
        place = torch.arange(N, device=first.x.device)  # of each column among the tokens of all states in a row
        before = N
        for state in states[1:]:
            patch_ids = state.clips[i].patch_ids[0]
            place[patch_ids] = before + torch.arange(len(patch_ids), device=place.device)
            before += state.x.shape[1]
        places.append(place)
    return select(torch.cat([state.x for state in states], dim=1), torch.stack(places))


def taken(left: Ragged, columns: Sequence[int], which: Callable[[Tensor, int], Tensor]) -> Tensor:
    """(B, N, D): of each of a clip's columns the token of `left` that `which` says, such as `nearest` or `merged`."""
    patch_ids = [which(clip.patch_ids[0], n) for clip, n in zip(left.clips, columns, strict=True)]
    index = pad_sequence(patch_ids, batch_first=True)
    return left.x.gather(1, wide(index, left.x))


def nearest(patch_ids: Tensor, columns: int) -> Tensor:
    """Rising numbers (K,) of the tokens that are left -> (n,): for every column the place of the nearest of them."""
    after = merged(patch_ids, columns).clamp(max=max(len(patch_ids) - 2, 0)) + (len(patch_ids) > 1)
    before = (after - 1).clamp(min=0)
    column = torch.arange(columns, device=patch_ids.device)
    return torch.where((column - patch_ids[before]).abs() <= (column - patch_ids[after]).abs(), before, after)


def merged(patch_ids: Tensor, columns: int) -> Tensor:
    """Rising numbers (K,) of the first tokens of runs -> (n,): for every column the place of its run."""
    column = torch.arange(columns, device=patch_ids.device)
    return (torch.searchsorted(patch_ids.contiguous(), column, right=True) - 1).clamp(min=0)


def gone(left: Ragged, columns: Sequence[int]) -> Tensor:
    """Which of the clips' columns have tokens that are not left, (B, N) bool; padding is none."""
    found = torch.zeros(len(columns), max(columns), dtype=torch.bool, device=left.x.device)
    for i, (clip, n) in enumerate(zip(left.clips, columns, strict=True)):
        found[i, :n] = True
        found[i, clip.patch_ids[0]] = False
    return found
