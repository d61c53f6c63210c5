"""The audit of P0's token analysis (B24): what right, transposed and shuffled labels make of known selections.

Each selection is made without labels and judged by them: `intensity` keeps the patches of highest mean, `low_frequency`
the lowest mel bands, `random` any, and `model` what a trained model kept. Under labels independent of position every
mean B - K / N is near zero, as in P0's Table 2; under the right ones an intensity selection has B = min(1, K / S).
n clips, P patches, S signal patches of a clip (paper.md 6.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audioprune.tokens.label_map import MAPS, label_index, relabel
from audioprune.tokens.null_model import blind_interval
from audioprune.tokens.retention import retention

SELECTIONS = ("intensity", "low_frequency", "random", "model")


def by_rank(rank: np.ndarray, count: int) -> np.ndarray:
    """The `count` tokens of highest rank (n, P), ties to the first -> patch numbers (n, count) by descending rank."""
    return np.argsort(-rank, axis=1, kind="stable")[:, :count]


def low_frequency(clips: int, *, orientation: str, time: int, freq: int) -> np.ndarray:
    """A rank that falls with frequency, the same for all clips: (n, P)."""
    i = np.arange(time * freq)
    band = i % freq if orientation == "time" else i // time
    return np.tile(-band, (clips, 1))


def audit(
    mean: np.ndarray,
    signal: np.ndarray,
    rows: Sequence[int],
    kept: Mapping[float, Mapping[int, np.ndarray]],
    *,
    orientation: str,
    time: int,
    freq: int,
    seed: int = 0,
) -> list[dict]:
    """Tidy rows: map, selection, keep_rate, block, stage -> mean B, K / N, their difference, and the blind interval.

    mean, signal (n, P) of the right patches in the model's order; rows: the clips' rows in the feature store; kept:
    keep-rate -> pruning block -> patch numbers (n, K) that the model kept there.
    """
    where: dict[str, Any] = {"orientation": orientation, "time": time, "freq": freq}
    n, patches = mean.shape
    everything = np.tile(np.arange(patches), (n, 1))
    rng = np.random.default_rng(seed)
    ranks = {"intensity": mean, "low_frequency": low_frequency(n, **where), "random": rng.random((n, patches))}
    found = []
    for label_map in MAPS:
        labels = relabel(signal, label_index(label_map, rows, **where, seed=seed))
        for keep_rate, by_block in kept.items():
            for stage, block in enumerate(sorted(by_block), start=1):
                for selection in SELECTIONS:
                    k = by_block[block].shape[1]
                    chosen = by_block[block] if selection == "model" else by_rank(ranks[selection], k)
                    counted = retention(labels, everything, chosen)
                    low, high = blind_interval(counted["signal_input"], k, patches)
                    excess = counted["excess"][~np.isnan(counted["excess"])]
                    fraction = float(counted["kept_fraction"].mean())
                    value = float(excess.mean()) if len(excess) else float("nan")
                    fixed = {"map": label_map, "selection": selection, "keep_rate": keep_rate, "block": block}
                    means = {"ratio_b": value + fraction, "kept_fraction": fraction, "excess": value}
                    found.append(fixed | {"stage": stage} | means | {"low": low, "high": high, "n": len(excess)})
    return found
