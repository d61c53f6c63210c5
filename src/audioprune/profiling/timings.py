"""Summaries of raw timings: medians, quartiles and the ratio to the unpruned model of the same rounds. No torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("keep_rate", "kernel", "run", "seconds")


def summary(timings: pd.DataFrame, batch_size: int) -> pd.DataFrame:
    """One row for each keep-rate, the highest first, from raw timings (columns COLUMNS) of forward passes of a batch.

    seconds, seconds_low, seconds_high                    median and quartiles over the runs, of one batch
    samples_per_s, samples_per_s_low, samples_per_s_high  clips a second
    speed_up, speed_up_low, speed_up_high                 ratio to keep-rate 1 taken run by run, so that drift cancels
    """
    import pandas as pd

    seconds = timings.pivot(index="run", columns="keep_rate", values="seconds")
    if seconds.isna().any(axis=None) or 1.0 not in seconds:
        raise ValueError("timings need every keep-rate in every run, keep-rate 1 among them")
    rows = []
    for rate in sorted(seconds, reverse=True):
        low, middle, high = seconds[rate].quantile([0.25, 0.5, 0.75])
        ratio_low, ratio, ratio_high = (seconds[1.0] / seconds[rate]).quantile([0.25, 0.5, 0.75])
        rows.append(
            {
                "keep_rate": float(rate),
                "runs": len(seconds),
                "seconds": middle,
                "seconds_low": low,
                "seconds_high": high,
                "samples_per_s": batch_size / middle,
                "samples_per_s_low": batch_size / high,
                "samples_per_s_high": batch_size / low,
                "speed_up": ratio,
                "speed_up_low": ratio_low,
                "speed_up_high": ratio_high,
            }
        )
    return pd.DataFrame(rows)
