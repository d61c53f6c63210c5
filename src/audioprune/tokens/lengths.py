"""What a model says of clips padded to its length and without padding, and what becomes of their padding.

Letters: B clips, P patches of a clip, W columns of the model, C of a clip, b selecting blocks. Patches of the columns
from C on are pure padding; the last column of sound may hold padding too and counts as sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audioprune.facts.tokens import PATCH
from audioprune.models.family import Classifier
from audioprune.models.native import any_length, first_columns
from audioprune.models.pruner import Pruning
from audioprune.models.recording import Recording
from audioprune.settings.lengths import Mode

Spectrograms = Callable[[np.ndarray], Tensor]  # places of clips -> normalised log-mel (B, T, 128)


@dataclass(frozen=True)
class Heard:
    """One forward pass of clips."""

    clips: np.ndarray  # (B,) places among all clips
    mode: Mode
    scores: np.ndarray  # (B, classes) float32 logits
    left: np.ndarray  # (B, b) patches left after each selecting block; b is 0 where a model keeps all, or merges
    padding: np.ndarray  # (B, b) those of them that are pure padding


@torch.inference_mode()
def hear(
    model: Classifier,
    columns: np.ndarray,
    fbank: Spectrograms,
    *,
    modes: Sequence[Mode],
    device: torch.device,
    batch_size: int = 64,
) -> Iterator[Heard]:
    """Every clip once in each mode; those of one length come together without padding. columns: (n,) of sound."""
    model, pruning = any_length(model).eval(), model.pruning
    watched: Any = Recording(pruning.pruner) if pruning.pruner is not None else None
    model.pruning = Pruning(watched, blocks=sorted(pruning.blocks), keep_rate=pruning.keep_rate)
    try:
        for mode in modes:
            for clips in batches(columns, mode, batch_size):
                x = fbank(clips).to(device)
                width = int(columns[clips[0]]) if mode == "native" else model.tokens.time
                scores = model(x[:, : PATCH * width] if width < model.tokens.time else x)
                left, padding = _counted(model, watched.kept if watched else {}, columns[clips])
                yield Heard(clips, mode, scores.float().cpu().numpy(), left, padding)
    finally:
        model.pruning = pruning


def batches(columns: np.ndarray, mode: Mode, batch_size: int) -> Iterator[np.ndarray]:
    """Places of clips, in order; without padding those of equal columns."""
    parts = (
        [np.flatnonzero(columns == c) for c in np.unique(columns)] if mode == "native" else [np.arange(len(columns))]
    )
    for part in parts:
        for start in range(0, len(part), batch_size):
            yield part[start : start + batch_size]


def _counted(model: Classifier, kept: dict[int, Tensor], columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(left, padding) of one pass, (B, b) each."""
    sound = np.zeros((len(columns), model.tokens.patches + 1), dtype=bool)  # the last place: a prefix token, no padding
    sound[:, -1] = True
    for i, own in enumerate(columns):
        sound[i, first_columns(model.tokens, int(own)).numpy()] = True
    numbers = [kept[block].expand(len(columns), -1).cpu().numpy() for block in sorted(kept)]
    left = [(one >= 0).sum(1) for one in numbers]
    padding = [(~np.take_along_axis(sound, one, axis=1)).sum(1) for one in numbers]
    nothing = np.zeros((len(columns), 0), dtype=np.int16)
    if not numbers:
        return nothing, nothing
    return np.stack(left, 1).astype(np.int16), np.stack(padding, 1).astype(np.int16)
