"""Ranking by a statistic of the input's patches instead of attention: correctly, and with the released bug.

fixed         a survivor's rank is its own patch's statistic; prefix tokens stay.
as_released   the released gather (released code: forward_with_custom_rank of both models). Ranks of the n non-prefix
              tokens are sorted, and their indices 0..n-1 are looked up in the whole sequence of e + n tokens without
              adding e: the tokens taken lie e places before the ranked ones, and the prefix tokens are lost unless an
              index below e happens to name one. The sequence then has K tokens, but the next K is still computed as
              ceil(keep_rate (K - e)), and pooling still takes its first e tokens for prefix ones: AudioMAE leaves out
              the token of the highest rank, AST averages those of the two highest. Ranks travel along by the same
              indices, so they stay those of the patches that should have been kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from audioprune.errors import UserError
from audioprune.facts.method import VARIANTS
from audioprune.models.pruner import Pruner, View


def build(statistic: Callable[[Tensor], Tensor], variant: str) -> Pruner:
    """statistic: pixels (B, P, C) -> (B, P)."""
    if variant not in VARIANTS:
        raise UserError(f"variant={variant!r} is none of {', '.join(VARIANTS)}")
    return Pruner(partial(fixed, statistic)) if variant == "fixed" else Released(partial(as_released, statistic))


def fixed(statistic: Callable[[Tensor], Tensor], view: View) -> Tensor:
    return statistic(view.pixels).gather(1, view.patches)  # (B, n)


def as_released(statistic: Callable[[Tensor], Tensor], view: View) -> Tensor:
    if view.prefix:  # the first selection
        return fixed(statistic, view)
    # Sorted, as torch.topk returned them: whichever of equal ranks it took, the n highest travelled along.
    return statistic(view.pixels).sort(dim=1, descending=True).values[:, : view.patch_ids.shape[1]]  # (B, n)


class Released(Pruner):
    """The released selection: torch.topk on ranks, and its indices looked up in the whole sequence.

    Of equal ranks, such as those of patches that hold nothing but padding, torch.topk takes whichever it likes, in any
    order: its documentation promises none. On a CPU the ranks, n and K alone decide, alike in torch 2.4.1, which the
    released AudioMAE asks for, and 2.13.0.
    # ASSUME: of equal ranks the published runs kept those that torch.topk keeps here. Recorded selections of the
    released models on a CPU are met; the published ones come from GPUs, which may break ties otherwise.
    """

    released_gather = True

    @torch.no_grad()
    def forward(self, view: View) -> Tensor:
        return self.rank(view).topk(view.count, dim=1).indices  # (B, K) of 0..n-1


def patch_mean(pixels: Tensor) -> Tensor:
    """Intensity, (B, P, C) -> (B, P). A sum, not Tensor.mean: a profiler must find no multiplication in a ranking."""
    return pixels.float().sum(-1) / pixels.shape[-1]


def patch_std(pixels: Tensor) -> Tensor:
    """Variation: unbiased (ddof 1) standard deviation, (B, P, C) -> (B, P)."""
    return pixels.float().std(-1)
