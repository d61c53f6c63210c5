"""Which clips train, validate and test: rows of a store's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audioprune.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

HELD_OUT = 0.05  # share of the training clips held out where a dataset has neither a validation set nor folds


@dataclass(frozen=True)
class Rows:
    """Row numbers in clips.parquet, ascending; `val` is empty where nothing is held out."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray


def rows_of(clips: pd.DataFrame, *, folds: int, fold: int = 1, split: str = "published", seed: int = 0) -> Rows:
    """Rows of one split (P0 section 4; nested: K. Piczak's advice for ESC-50).

    published: the test fold against all others, or the fixed split as it comes, its own validation set apart.
    nested: no model is chosen by its test clips: the official validation set; the next fold; else 5 % of the training
    clips, whole recordings together, drawn with `seed`.
    """
    if folds > 1:
        if not 1 <= fold <= folds:
            raise UserError(f"fold {fold} does not exist: the dataset has folds 1 to {folds}")
        number = clips["fold"].to_numpy()
        test, val = number == fold, np.zeros(len(clips), dtype=bool)
        if split == "nested":
            if folds < 3:
                raise UserError("split: nested needs at least 3 folds (train, validation, test); use split: published")
            val = number == fold % folds + 1
        train = (number > 0) & ~test & ~val
    else:
        if fold != 1:
            raise UserError(f"fold {fold} does not exist: the dataset has a fixed split, so the fold must be 1")
        name = clips["split"].to_numpy()
        train, val, test = name == "train", name == "val", name == "test"
        if split == "nested" and not val.any():
            val = held_out(clips, train, seed)
            train = train & ~val
    rows = Rows(*(np.flatnonzero(mask) for mask in (train, val, test)))
    for part in ("train", "test") + (("val",) if split == "nested" else ()):
        if not len(getattr(rows, part)):
            raise UserError(f"the dataset has no {part} clips for fold {fold}, split {split}; check its split or folds")
    return rows


def held_out(clips: pd.DataFrame, train: np.ndarray, seed: int) -> np.ndarray:
    """Mask of at least 5 % of the training clips, whole recordings, in a seeded random order."""
    inside = np.flatnonzero(train)
    clip, recording = (clips[column].to_numpy().astype(str)[inside] for column in ("clip", "recording"))
    _, group, sizes = np.unique(np.where(recording == "", clip, recording), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(sizes))
    enough = int(np.searchsorted(sizes[order].cumsum(), HELD_OUT * len(inside))) + 1
    mask = np.zeros(len(train), dtype=bool)
    mask[inside[np.isin(group, order[:enough])]] = True
    return mask
