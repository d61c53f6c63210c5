"""Scores, kept patches and norms of many clips, as arrays that a cell keeps.

Letters: n clips, K tokens kept by a block, m non-prefix tokens entering it, blocks counted from 0.

    kept_<block>          (n, K) int16    input patch numbers by descending rank; -1: a prefix token (`as_released`)
    entering_<block>      (n, m) int16    input patch numbers of the tokens that the scores belong to
    score_global_<block>  (n, m) float32  attention received: mean over heads and non-prefix queries
    score_cls_<block>     (n, m) float32  attention of the class token; ends where `as_released` has lost it
    norms                 (n, blocks) float32  |x| / |attention branch of x|, mean over tokens (P0 Fig. 7)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from audioprune.models.trace import trace
from audioprune.progress import Progress


def sample(rows: np.ndarray, clips: int, seed: int) -> np.ndarray:
    """`clips` of the rows by a seeded permutation, in ascending order; all of them if `clips` is 0 or too many."""
    if clips == 0 or clips >= len(rows):
        return np.sort(rows)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:clips])


def trace_clips(
    model: nn.Module,
    rows: Sequence[int],
    fbank: Callable[[Sequence[int]], Tensor],
    *,
    device: torch.device,
    batch_size: int = 32,
    name: str = "",
) -> dict[str, np.ndarray]:
    """Arrays by the names above, clips in the order of `rows`; fbank(rows) gives normalised log-mel (B, T, 128)."""
    if not len(rows):
        raise ValueError("no clips to trace")
    arrays: dict[str, np.ndarray] = {}
    progress = Progress(name, len(rows)) if name else None
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        for key, values in _arrays(model, fbank(batch).to(device)):
            if key not in arrays:
                arrays[key] = np.empty((len(rows), *values.shape[1:]), values.dtype)
            arrays[key][start : start + len(batch)] = values
        if progress:
            progress.add(len(batch))
    return arrays


def _arrays(model: nn.Module, x: Tensor) -> Iterator[tuple[str, np.ndarray]]:
    seen = trace(model, x)
    for block, patch_ids in seen.kept.items():
        yield f"kept_{block}", _as_int16(patch_ids)
    for block, patch_ids in seen.entering.items():
        yield f"entering_{block}", _as_int16(patch_ids)
    for kind, by_block in seen.scores.items():
        for block, scores in by_block.items():
            yield f"score_{kind}_{block}", scores.float().cpu().numpy()
    yield "norms", torch.stack([seen.norms[block] for block in sorted(seen.norms)], dim=1).float().cpu().numpy()


def _as_int16(patch_ids: Tensor) -> np.ndarray:
    if int(patch_ids.max()) > np.iinfo(np.int16).max:
        raise ValueError(f"patch number {int(patch_ids.max())} does not fit 16 bits")
    return patch_ids.cpu().numpy().astype(np.int16)
