"""Algorithm 1 of P0: exchanges retained for pruned tokens of a kind, at inference, in a trained model (P0 Table 4).

At every selecting block the tokens are split into retained R and pruned P, lists by descending rank, and into signal
(patch mean > tau) and background. perturb(X, Y) replaces X by the first |X| of Y where |X| <= |Y|, else keeps the first
|X| - |Y| of X and appends all of Y, so the number of kept tokens stays. Later blocks see the perturbed set.

    I    perturb(retained signal, pruned signal)
    II   perturb(retained background, pruned background)
    III  perturb(retained background, pruned signal)

Each has a control that P0 lacks, "I-shuffled" and so on: the same test by labels that are shuffled within the clip, one
permutation of its input's patches for all blocks. Tokens leave and enter by the same ranks, and a clip has as many
signal patches as before, so that test and control differ in nothing but which of them the label means: of labels that
have nothing to do with the tokens both do the same, up to chance. How many tokens are swapped may differ where they do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from audioprune.errors import UserError
from audioprune.models.pruner import Pruner, Reducer, View
from audioprune.models.random_order import RandomOrder
from audioprune.models.statistic import patch_mean

Test = Literal["I", "II", "III", "I-shuffled", "II-shuffled", "III-shuffled"]
SHUFFLED = "-shuffled"
SWAPS = {"I": (True, True), "II": (False, False), "III": (False, True)}  # X is signal, Y is signal


def perturb(pruner: Reducer | None, perturbation: str, tau: float | None, *, seed: int = 0) -> None:
    """Let a model's pruner perturb its retained set whenever it is not in training mode; raises UserError.

    tau: threshold on the patch mean, in the normalisation of the model's input; seed: of shuffled labels.
    """
    if perturbation == "none":
        return
    if perturbation not in get_args(Test):
        raise UserError(f"perturbation={perturbation!r} is none of none, {', '.join(get_args(Test))}")
    if tau is None:
        raise UserError(f"perturbation {perturbation} needs tau, the signal threshold on the patch mean")
    if pruner is None:
        raise UserError(
            f"perturbation {perturbation} exchanges kept tokens for pruned ones: it needs a pruning method, and method "
            "none prunes nothing"
        )
    if not isinstance(pruner, Pruner):
        raise UserError(f"perturbation {perturbation} needs a method that ranks tokens; tome merges them")
    if pruner.released_gather:
        raise UserError(
            f"perturbation {perturbation} is not defined with variant as_released, which ranks prefix tokens too"
        )
    shuffle = RandomOrder(seed).of_patches if perturbation.endswith(SHUFFLED) else None
    pruner.change = Perturbation(perturbation.removesuffix(SHUFFLED), float(tau), shuffle)


@dataclass(frozen=True)
class Perturbation:
    """Swaps by `test`, one of I, II and III; `shuffle`: pixels (B, P, C) -> a random order of patches (B, P)."""

    test: str
    tau: float
    shuffle: Callable[[Tensor], Tensor] | None = None

    def __call__(self, order: Tensor, view: View) -> Tensor:
        """order (B, n) by descending rank -> kept indices (B, K), by descending rank."""
        patches = view.patches.gather(1, order)  # (B, n)
        signal = self.signal(view.pixels).gather(1, patches)  # (B, n) by descending rank
        return swap(order, signal, view.count, self.test)

    def signal(self, pixels: Tensor) -> Tensor:
        """Which patches the labels call signal, (B, P, C) -> (B, P) bool."""
        signal = patch_mean(pixels) > self.tau
        return signal if self.shuffle is None else signal.gather(1, self.shuffle(pixels).argsort(dim=1))


def swap(order: Tensor, signal: Tensor, count: int, test: str) -> Tensor:
    """order, signal (B, n) by descending rank; the first `count` are retained -> kept (B, count)."""
    out_signal, in_signal = SWAPS[test]
    retained = (torch.arange(order.shape[1], device=order.device) < count).expand_as(order)
    out = retained & (signal == out_signal)  # X
    new = ~retained & (signal == in_signal)  # Y
    number = torch.minimum(out.sum(1), new.sum(1))[:, None]  # (B, 1) tokens that are swapped
    from_below = out.flip(1).cumsum(1).flip(1)  # rank within X from its lowest, 1-based
    leaves = out & (from_below <= number)
    enters = new & (new.cumsum(1) <= number)
    kept = (retained & ~leaves) | enters  # (B, n), count in each row
    first = (~kept).to(torch.int8).argsort(dim=1, stable=True)[:, :count]
    return order.gather(1, first)
