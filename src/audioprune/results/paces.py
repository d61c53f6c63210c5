"""How fast recognisers were timed: seconds of audio in a second of processing, from cells of kind `pace`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audioprune.results.estimate import Absent, Estimate

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Arm
    from audioprune.results.study import Result, Results

PARTS = ("features_s", "encoder_s", "decoder_s")
SINGLE = "single"  # the batching of one clip at a time


def needs(study: Cells) -> list:
    return study.cells("pace")


def real_time(results: Results, arm: Arm) -> dict[str, Estimate] | Absent:
    """{"rtfx", "rtfx_batched"}: medians and quartiles of an arm's runs, one clip at a time and in its fastest batches.

    Absent where no cell has timed it; of arms that change the padding, and of thresholds, none does.
    """
    cell = timing(results, arm)
    if isinstance(cell, Absent):
        return cell
    frame, seconds = cell.frame(), float(cell.record["results"]["audio_seconds"])
    own = frame[(frame["policy"] == arm.policy) & ((frame["keep_rate"] - arm.keep_rate).abs() < 1e-9)]
    if own.empty:
        return Absent(f"{arm.policy} at {arm.keep_rate:g} was not timed")
    speeds = {batching: _speed(part, seconds, cell) for batching, part in own.groupby("batching")}
    found = {"rtfx": speeds[SINGLE]} if SINGLE in speeds else {}
    others = [one for batching, one in speeds.items() if batching != SINGLE]
    return found | ({"rtfx_batched": max(others, key=lambda one: one.value)} if others else {})


def speed_up(results: Results, arm: Arm) -> Estimate | Absent:
    """How many times faster than the unpruned model, from end to end, one clip at a time: median and quartiles."""
    cell = timing(results, arm)
    if isinstance(cell, Absent):
        return cell
    frame = cell.frame()
    frame = frame[frame["batching"] == SINGLE].set_index("run").sort_index()
    own = frame[(frame["policy"] == arm.policy) & ((frame["keep_rate"] - arm.keep_rate).abs() < 1e-9)]
    whole = frame[frame["policy"] == "none"]
    if own.empty or whole.empty:
        return Absent(f"{arm.policy} at {arm.keep_rate:g} was not timed one clip at a time")
    ratios = whole[[*PARTS]].sum(axis=1) / own[[*PARTS]].sum(axis=1)
    return _of_runs(ratios.tolist(), cell)


def timing(results: Results, arm: Arm) -> Result | Absent:
    """The cell that has timed an arm."""
    place = arm.place
    if not arm.plain or arm.budget != "fixed":
        return Absent("arms of this kind are not timed")
    planned = [
        cell
        for cell in results.cells("pace", recogniser=place.recogniser, dataset=place.dataset)
        if arm.policy == "none"
        or (cell.settings.within, cell.settings.blocks) == (place.within or "window", place.blocks)
    ]
    if not planned:
        return Absent(f"the study {results.study} times no such recogniser")
    found = next((cell for cell in planned if cell.ok), None)
    return Absent(planned[0].why) if found is None else found


def _speed(own: pd.DataFrame, seconds: float, cell: Result) -> Estimate:
    return _of_runs((seconds / own[[*PARTS]].sum(axis=1)).tolist(), cell)


def _of_runs(values: Sequence[float], cell: Result) -> Estimate:
    import numpy as np

    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
    return Estimate(middle, None, len(values), 1, 1, (cell.path,), quartiles=(low, high))
