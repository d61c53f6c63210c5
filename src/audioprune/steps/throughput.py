"""Throughput of a model at several keep-rates, the unpruned one among them, on the device that the cell names."""

from __future__ import annotations

import os

import pandas as pd

from audioprune import registry
from audioprune.profiling.throughput import measure
from audioprune.profiling.timings import COLUMNS, summary
from audioprune.settings.costs import ThroughputSettings
from audioprune.steps._costed import lowest
from audioprune.steps._run import Job, main
from audioprune.steps._timed import timed, where


def throughput(job: Job[ThroughputSettings]) -> dict:
    settings = job.settings
    threads = 1 if registry.backbone(settings.model.backbone).size.small else os.cpu_count() or 1  # as in training
    with timed(job.address, settings.device, threads=threads) as about:
        model = lowest(settings, kernel=settings.model.kernel)
        rows = measure(
            model,
            frames=settings.frames,
            batch_size=settings.batch_size,
            keep_rates=settings.keep_rates,
            warmup=settings.warmup,
            runs=settings.runs,
            precision=settings.precision,
            device=where(),
            name=f"timing {job.address}",
        )
    timings = pd.DataFrame(
        [(rate, settings.model.kernel, run, seconds) for rate, run, seconds in rows], columns=list(COLUMNS)
    )
    timings.to_csv(job.out / "throughput.csv", index=False, lineterminator="\n")
    per_rate = summary(timings, settings.batch_size).set_index("keep_rate").to_dict("index")
    return about | {"keep_rates": {f"{rate:g}": values for rate, values in per_rate.items()}}


if __name__ == "__main__":
    main(throughput)
