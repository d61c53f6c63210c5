"""What a model says of clips, clean and disturbed, and how its selection of patches changes with the noise.

Letters: B clips, P patches, K of them kept, b selecting blocks. A patch is signal where the clip dominates the noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audioprune.audio.patches import to_tokens
from audioprune.facts.noise import Condition
from audioprune.models.family import Classifier
from audioprune.models.pruner import Pruning
from audioprune.models.recording import Recording
from audioprune.progress import Progress
from audioprune.tokens.held import count
from audioprune.tokens.overlap import jaccard

NAN = np.float32("nan")
Made = Callable[[Sequence[int], Condition], tuple[Tensor, Tensor | None]]  # spectrograms, and which patches are signal


@dataclass(frozen=True)
class Heard:
    """One forward pass: clips `start` to `start + B` of the rows in one condition; None: clean."""

    start: int
    condition: Condition | None
    scores: np.ndarray  # (B, classes) float32 logits
    kept: np.ndarray  # (B, b) int16 patches left after each selecting block
    overlap: np.ndarray  # (B, b) float32 |K and K'| / |K or K'| with those of the clean clip
    on_signal: np.ndarray  # (B, b) float32 share of the kept patches that are signal; NaN where no noise is added
    clean_on_signal: np.ndarray  # the same of what the clean clip keeps
    all_signal: np.ndarray  # (B,) float32 share of all patches


@torch.inference_mode()
def hear(
    model: Classifier,
    rows: Sequence[int],
    conditions: Sequence[Condition],
    *,
    clean: Callable[[Sequence[int]], Tensor],
    disturbed: Made,
    device: torch.device,
    batch_size: int = 64,
    name: str = "",
) -> Iterator[Heard]:
    """Every condition of every batch, the clean one first; both give normalised log-mel (B, T, 128)."""
    progress = Progress(name, len(rows)) if name else None
    training, pruning = model.training, model.pruning
    model.eval()
    watched: Any = Recording(pruning.pruner) if pruning.pruner is not None else None
    model.pruning = Pruning(watched, blocks=sorted(pruning.blocks), keep_rate=pruning.keep_rate)
    try:
        for start in range(0, len(rows), batch_size):
            batch, first = rows[start : start + batch_size], None
            for condition in (None, *conditions):
                x, signal = (clean(batch), None) if condition is None else disturbed(batch, condition)
                scores = model(x.to(device)).float().cpu().numpy()
                kept = _kept(watched, len(batch))
                first = kept if first is None else first
                mask = None if signal is None else to_tokens(signal, model.tokens.orientation).numpy()
                yield Heard(start, condition, scores, *_compared(first, kept, mask, len(batch), model.tokens.patches))
            if progress:
                progress.add(len(batch))
    finally:
        model.pruning = pruning
        model.train(training)


def _kept(watched: Recording | None, clips: int) -> list[np.ndarray]:
    """Patch ids (B, K) by block, in order; nothing where a model keeps all, or merges."""
    if watched is None:
        return []
    return [watched.kept[block].expand(clips, -1).cpu().numpy() for block in sorted(watched.kept)]


def _compared(
    clean: list[np.ndarray], kept: list[np.ndarray], signal: np.ndarray | None, clips: int, patches: int
) -> tuple[np.ndarray, ...]:
    """(kept, overlap, on_signal, clean_on_signal, all_signal) as in Heard."""
    sizes = np.stack([(own >= 0).sum(1) for own in kept], 1) if kept else np.zeros((clips, 0))
    overlap = np.stack([jaccard(a, b, patches) for a, b in zip(clean, kept, strict=True)], 1) if kept else sizes
    if signal is None:
        nothing = np.full(sizes.shape, NAN)
        return sizes.astype(np.int16), overlap.astype(np.float32), nothing, nothing, np.full(clips, NAN)
    shares = [
        np.stack([count(signal, one) / np.maximum((one >= 0).sum(1), 1) for one in own], 1) if own else sizes
        for own in (kept, clean)
    ]
    told = (overlap, *shares, signal.mean(1))
    return (sizes.astype(np.int16), *(values.astype(np.float32) for values in told))
