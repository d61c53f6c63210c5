"""What claims and exhibits say of a study, computed again from its files, without `audioprune.results`.

A side is a part of the plan (see fake_crossed): the runs that were planned of one model, and whether they are there.
Sides are compared over the folds and seeds that all of them have; the draws are those of statistics.bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import tests.fakes.intervals as _intervals
from audioprune import registry
from audioprune.statistics.bootstrap import draw
from audioprune.statistics.units import unit_of
from tests.fakes.crossed import crossed

FILES = {"gamma_s": "attention", "gamma_b": "attention", "norm": "blocks"}  # where a column stands; else stages
OWN_SCORE = {"audiomae-tiny": "global", "ast-tiny": "cls"}


class Found(NamedTuple):
    value: float
    low: float
    high: float
    n: int
    seeds: int
    cells: tuple[str, ...]


def side(**wanted) -> pd.DataFrame:
    """The rows of the plan with these values; there is at least one."""
    plan = crossed()[1]
    for column, value in wanted.items():
        plan = plan[plan[column] == value]
    assert len(plan), wanted
    return plan


def runs(own: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(own["fold"], own["seed"], strict=True))


def shared(sides: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Of each side what is there, of the folds and seeds that are there in all."""
    there = [own[own["made"]] for own in sides]
    common = set.intersection(*(set(runs(own)) for own in there))
    return [own[[run in common for run in runs(own)]] for own in there]


def left_out(sides: Sequence[pd.DataFrame]) -> str:
    """What a difference of these has to say of the runs that it leaves out."""
    planned, kept = {run for own in sides for run in runs(own)}, len(shared(sides)[0])
    return (
        f"over the {kept} of {len(planned)} runs (folds and seeds) that all sides have" if kept < len(planned) else ""
    )


def contrast(sides: Sequence[pd.DataFrame], combine: Callable, read: Sequence[Callable] = ()) -> Found:
    """Of evaluations, in percent; combine: from the values of the sides (sides, ...) to what is asked (...).

    read: of each side, from a cell's path to its rows by clip; those of an evaluation unless told.
    """
    kept = shared(sides)
    read = read or [_predictions] * len(kept)
    drawn = [_drawn(tuple(own["path"]), rows) for own, rows in zip(kept, read, strict=True)]
    each = [[score(path, rows) for path in own["path"]] for own, rows in zip(kept, read, strict=True)]
    value = combine(np.array([np.mean(scores) for scores in each]))
    pooled = combine(np.array([100 * one.value for one in drawn]))  # of all runs at once, about which the draws lie
    draws = combine(np.stack([100 * one.draws for one in drawn]))
    clips = {clip for own, rows in zip(kept, read, strict=True) for path in own["path"] for clip in rows(path)["clip"]}
    factors = 100 * combine(np.eye(len(kept)))
    low, high = _intervals.ends(pooled, draws, factors, _effective(kept[0]), [0.025, 0.975])
    return Found(float(value), low + value - pooled, high + value - pooled, len(clips), *_rest(kept))


def discarded(sides: Sequence[pd.DataFrame], block: int) -> Found:
    """An evaluation minus the same model without tokens of C1 and C2 after a block."""
    return contrast(sides, lambda x: x[0] - x[1], [_predictions, partial(_without_low, block=block)])


def tokens(sides: Sequence[pd.DataFrame], column: str, blocks: Sequence[int], combine: Callable) -> Found:
    """Of token analyses: the mean over clips of what `combine` makes of a clip's values (sides, clips)."""
    kept, file = shared(sides), FILES.get(column, "stages")
    parts = []
    for own, block in zip(kept, blocks, strict=True):
        frame = pd.concat(
            crossed()[0].cell(r.path).frame(f"{file}.parquet").assign(seed=r.seed) for r in own.itertuples()
        )
        frame = frame[frame["block"] == block]
        if "score" in frame:
            frame = frame[frame["score"] == OWN_SCORE[own["backbone"].iloc[0]]]
        parts.append(frame.set_index(["seed", "clip"])[column])
    table = pd.concat(parts, axis=1, keys=range(len(parts)))
    each = pd.Series(combine(table.to_numpy().T), index=table.index).dropna()
    dataset = kept[0]["dataset"].iloc[0]
    frame = pd.concat([each.rename("numerator").reset_index(), *_without(each, kept[0], dataset)], ignore_index=True)
    frame = frame.merge(_clips(kept[0]), on="clip", how="left", validate="many_to_one")
    frame["denominator"] = frame["numerator"].notna().astype(int)
    drawn = draw(frame.fillna({"numerator": 0}), "ratio", unit=unit_of(registry.dataset(dataset)))
    assert drawn.value == each.mean() or abs(drawn.value / each.mean() - 1) < 1e-12
    return _found(each.mean(), drawn.draws, each.reset_index()["clip"].nunique(), kept)


def scaled(found: Found, factor: float) -> Found:
    low, high = sorted((factor * found.low, factor * found.high))
    return found._replace(value=factor * found.value, low=low, high=high)


def _found(value: float, draws: np.ndarray, n: int, kept: Sequence[pd.DataFrame]) -> Found:
    assert np.nanstd(draws) > 0
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Found(float(value), low, high, n, *_rest(kept))


def _rest(kept: Sequence[pd.DataFrame]) -> tuple[int, tuple[str, ...]]:
    """Seeds and cells."""
    return kept[0]["seed"].nunique(), tuple(dict.fromkeys(path for own in kept for path in own["path"]))


def _effective(own: pd.DataFrame) -> float:
    frames = pd.concat([_predictions(path) for path in own["path"]])
    named = frames["recording"].where(frames["recording"] != "", frames["clip"])
    return _intervals.effective(named.tolist(), registry.dataset(own["dataset"].iloc[0]).mixed_by)


def _without(each: pd.Series, own: pd.DataFrame, dataset: str) -> list[pd.DataFrame]:
    """Rows for the clips that were analysed and have nothing to say: they are drawn as well."""
    has = set(each.index)
    rows = [
        {"seed": r.seed, "clip": clip, "numerator": np.nan}
        for r in own.itertuples()
        for clip in crossed()[0].cell(r.path).frame("clips.parquet")["clip"]
        if (r.seed, clip) not in has
    ]
    return [pd.DataFrame(rows)] if rows else []


def _clips(own: pd.DataFrame) -> pd.DataFrame:
    """clip, recording and speaker of a dataset, as its audio has them."""
    audio = crossed()[0].cell(own["path"].iloc[0]).inputs["trace"].inputs["audio"]
    return audio.frame()[["clip", "recording", "speaker"]]


@cache
def _predictions(path: str) -> pd.DataFrame:
    return crossed()[0].cell(path).predictions()


def _without_low(path: str, block: int) -> pd.DataFrame:
    """Rows of a discarding; a clip that has no token left is wrong, or last of all."""
    frame = crossed()[0].cell(path).frame()
    frame = frame[(frame["block"] == block) & (frame["discarded"] == "C1C2") & ~frame["control"]]
    if registry.dataset(crossed()[0].cell(path).inputs["finetune"].settings.dataset).metric == "top1":
        return frame.assign(correct=(frame["correct"].astype(bool) & ~frame["no_patch_left"]))
    scores = [
        np.full(len(s), -1e3) if gone else s for s, gone in zip(frame["scores"], frame["no_patch_left"], strict=True)
    ]
    return frame.assign(scores=scores)


@cache
def _drawn(paths: tuple[str, ...], read: Callable):
    frames = [read(path).assign(seed=crossed()[0].cell(path).inputs["finetune"].settings.seed) for path in paths]
    facts = registry.dataset(crossed()[0].cell(paths[0]).inputs["finetune"].settings.dataset)
    return draw(pd.concat(frames, ignore_index=True), facts.metric, unit=unit_of(facts))


@cache
def score(path: str, read: Callable = _predictions) -> float:
    """Accuracy of an evaluation in percent, or its mAP x 100 by scikit-learn."""
    frame, tuned = read(path), crossed()[0].cell(path).inputs["finetune"].settings
    if "correct" in frame:
        return 100 * frame["correct"].mean()
    scores = np.stack(list(frame["scores"]))
    if registry.dataset(tuned.dataset).metric == "top1":
        return 100 * np.mean([best in own for best, own in zip(scores.argmax(1), frame["labels"], strict=True)])
    truth = np.array([[c in own for c in range(scores.shape[1])] for own in frame["labels"]])
    return 100 * np.mean([average_precision_score(truth[:, c], scores[:, c]) for c in np.flatnonzero(truth.any(0))])
