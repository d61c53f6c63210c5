"""Metrics of clips some of which were left without a token: how such a clip is counted decides the value.

Released code: it is skipped, so the denominator changes with what is discarded (B19), and the number flatters the
strongest discarding. Here it is wrong; both are given, each with its n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audioprune.statistics.metrics import SCORED

if TYPE_CHECKING:
    import pandas as pd


def metric_of(rows: pd.DataFrame, metric: str) -> dict[str, float]:
    """{"value", "n", "value_skipped", "n_skipped"} of rows with `no_patch_left`, and `correct` or `labels` and
    `scores`.

    Without `scores` the metric is the share of correct clips. # ASSUME: in an mAP a clip without a patch gets the
    lowest score of all for every class, also where prefix tokens still predict (AST). NaN where there is no clip.
    """
    there = ~rows["no_patch_left"].to_numpy(dtype=bool)
    counted, skipped = _value(rows, there, metric), _value(rows[there], there[there], metric)
    return {"value": counted, "n": len(rows), "value_skipped": skipped, "n_skipped": int(there.sum())}


def _value(rows: pd.DataFrame, there: np.ndarray, metric: str) -> float:
    if not len(rows):
        return float("nan")
    if "scores" not in rows:
        if metric != "top1":
            raise ValueError(f"{metric} needs the rows' scores and labels; correct clips give top1 only")
        return float((rows["correct"].to_numpy(dtype=bool) & there).mean())
    if metric == "top1":  # the lowest scores of all would make class 0 the best
        right = [SCORED[metric](np.asarray(s)[None], [own]) for s, own in zip(rows["scores"], rows["labels"])]
        return float((np.asarray(right, dtype=bool) & there).mean())
    scores = np.stack(list(rows["scores"]))  # (n, classes)
    return SCORED[metric](np.where(there[:, None], scores, -np.inf), list(rows["labels"]))
