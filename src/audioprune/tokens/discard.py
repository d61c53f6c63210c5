"""What discarding the tokens of two intensity clusters after a block does to each clip, against as many random tokens.

Released code: the discard ablation. Clusters C1 (lowest) to C5 are those of the patch means; a token stays when its
patch's mean lies inside an open interval (see audioprune.models.discard).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audioprune.models.discard import Discard
from audioprune.models.pruner import Pruning
from audioprune.progress import Progress

Interval = tuple[float, float]
ON = 0.0  # any keep-rate below 1 switches a reducer on; this one asks nothing of it


@dataclass(frozen=True)
class Discarded:
    """One forward pass: clips `start` to `start + B` of the rows, with one kind of token gone after one block."""

    start: int
    block: int
    discarded: str  # name of the set
    control: bool  # as many tokens of each clip at random instead
    left: np.ndarray  # (B,) non-prefix tokens that are left
    scores: np.ndarray  # (B, classes) float32 logits; they mean nothing where no token is left to pool


def intervals(edges: Sequence[float]) -> dict[str, Interval]:
    """Open intervals of the means that stay, from the upper edges of C1 to C4: without C1 and C2, without C4 and C5."""
    if len(edges) != 4 or list(edges) != sorted(edges):
        raise ValueError(f"edges {list(edges)} are not the four rising upper edges of C1 to C4")
    return {"C1C2": (float(edges[1]), inf), "C4C5": (-inf, float(edges[2]))}


@torch.inference_mode()
def discard_clips(
    model: nn.Module,
    rows: Sequence[int],
    fbank: Callable[[Sequence[int]], Tensor],
    *,
    keep: Mapping[str, Interval],
    blocks: Sequence[int],
    control_seed: int,
    device: torch.device,
    batch_size: int = 64,
    name: str = "",
) -> Iterator[Discarded]:
    """Every set of `keep`, itself and its control, after every block; fbank(rows) gives log-mel (B, T, 128)."""
    reducers: dict[tuple[str, bool], Any] = {  # each a Discard
        (one, control): Discard(*interval, seed=control_seed if control else None)
        for one, interval in keep.items()
        for control in (False, True)
    }
    progress = Progress(name, len(rows)) if name else None
    training, pruning = model.training, model.pruning
    model.eval()
    try:
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            x = fbank(batch).to(device)  # (B, T, 128)
            pixels = model.pixels(x)  # type: ignore[operator]  # (B, P, C)
            for block in blocks:
                for (one, control), reducer in reducers.items():
                    model.pruning = Pruning(reducer, blocks=(block,), keep_rate=ON)
                    left = reducer.left(pixels, block).sum(1)
                    yield Discarded(start, block, one, control, left.cpu().numpy(), model(x).float().cpu().numpy())
            if progress:
                progress.add(len(batch))
    finally:
        model.pruning = pruning
        model.train(training)
