"""Clips of several runs, crossed: the recordings of every clip in every seed, and how often each is drawn.

Recordings and seeds are drawn apart, each with replacement, and a clip of seed s counts w(recording) x v(s) times.
A draw depends on the sorted names of recordings (in their strata) and on the number of seeds, never on the method that
was run, on the order of rows or on how many methods are compared: all methods on the same clips meet the same draws.

R recordings, S seeds, n clips of a seed, m recordings in a clip, D draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audioprune.statistics.units import RECORDINGS, Unit

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 100  # draws held in memory at a time


@dataclass(frozen=True, eq=False)
class Crossed:
    """The rows of each seed, by clip, and the recordings of each row."""

    recordings: tuple[str, ...]  # sorted by stratum and name
    strata: tuple[int, ...]  # recordings in each stratum, one stratum after another
    seeds: tuple[int, ...]  # sorted
    rows: tuple[np.ndarray, ...]  # by seed: (n,) rows of the predictions, by clip
    members: tuple[np.ndarray, ...]  # by seed: (n, m) numbers of recordings, R where a clip has fewer than others
    clips: int  # distinct ones
    digest: str  # of clips, recordings, strata and seeds: equal ones can be compared pair by pair

    @property
    def effective(self) -> float:
        """Clips over the mean number of clips of a recording, each clip asking its own recordings.

        As many recordings of one size would let a share of clips vary as much if all clips of a recording went
        together (Kish 1965); a mixture asks all that it is made of. At most R.
        """
        sizes = np.bincount(np.concatenate([own.ravel() for own in self.members]))[: len(self.recordings)]
        return float(sum(map(len, self.rows)) * sizes.sum() / (sizes**2).sum())

    def clip_weights(self, drawn: np.ndarray) -> list[np.ndarray]:
        """By seed (n, D): how often each clip counts when recordings (D, R) were drawn so often."""
        padded = np.concatenate([drawn.T, np.ones((1, len(drawn)))])  # (R + 1, D)
        return [padded[members].prod(axis=1) for members in self.members]


def crossed(predictions: pd.DataFrame, unit: Unit = RECORDINGS) -> Crossed:
    """From a table with columns clip, optionally recording (empty: the clip itself) and seed, and what `unit` names.

    ValueError where a clip occurs twice in one seed, a recording in two strata, or a column is missing.
    """
    clip = predictions["clip"].to_numpy().astype(str)
    recording = predictions["recording"].to_numpy().astype(str) if "recording" in predictions else clip
    of_clip = [unit.of(own) for own in np.where(recording == "", clip, recording).tolist()]
    stratum = _strata(predictions, of_clip, unit)
    names = sorted(stratum, key=lambda name: (stratum[name], name))
    number = {name: i for i, name in enumerate(names)}
    members = np.full((len(clip), max(map(len, of_clip))), len(names))
    for row, own in enumerate(of_clip):
        members[row, : len(own)] = [number[name] for name in own]
    of_seed = predictions["seed"].to_numpy() if "seed" in predictions else np.zeros(len(clip), dtype=int)
    seeds, rows = np.unique(of_seed).tolist(), []
    for seed in seeds:
        at = np.flatnonzero(of_seed == seed)
        at = at[np.argsort(clip[at], kind="stable")]
        if (clip[at][1:] == clip[at][:-1]).any():
            raise ValueError(f"a clip occurs twice in the predictions of seed {seed}")
        rows.append(at)
    lines = [f"{seed}\t{clip[i]}\t{of_clip[i]}\t{stratum[of_clip[i][0]]}" for seed, at in zip(seeds, rows) for i in at]
    return Crossed(
        tuple(names),
        tuple(np.unique([stratum[name] for name in names], return_counts=True)[1].tolist()),
        tuple(seeds),
        tuple(rows),
        tuple(members[at] for at in rows),
        len(np.unique(clip)),
        hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    )


def _strata(predictions: pd.DataFrame, of_clip: list[tuple[str, ...]], unit: Unit) -> dict[str, str]:
    """The stratum of every recording."""
    if unit.within and unit.within not in predictions:
        raise ValueError(f"recordings are drawn within each {unit.within}: the predictions need that column")
    within = predictions[unit.within].astype(str).tolist() if unit.within else [""] * len(of_clip)
    found: dict[str, str] = {}
    for own, stratum in zip(of_clip, within, strict=True):
        for name in own:
            if found.setdefault(name, stratum) != stratum:
                raise ValueError(f"recording {name!r} has two values of {unit.within}: {found[name]!r}, {stratum!r}")
    return found


def weights(design: Crossed, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, chunk by chunk, how often each recording (D, R) and each seed (D, S) was drawn."""
    of_recordings, of_seeds = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    for start in range(0, draws, CHUNK):
        count = min(CHUNK, draws - start)
        recordings = [_counts(of_recordings, count, things) for things in design.strata]
        yield np.concatenate(recordings, axis=1), _counts(of_seeds, count, len(design.seeds))


def _counts(rng: np.random.Generator, draws: int, things: int) -> np.ndarray:
    """(D, things) float64: how often each thing occurs among `things` uniform draws with replacement."""
    drawn = rng.integers(things, size=(draws, things)) + np.arange(draws)[:, None] * things
    return np.bincount(drawn.ravel(), minlength=draws * things).reshape(draws, things).astype(float)
