"""Throughput of a model at several keep-rates, the unpruned one among them, on the device that the cell names."""

from __future__ import annotations

import os

import pandas as pd
import torch

from audioprune import registry
from audioprune.cells import provenance
from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.profiling.throughput import measure
from audioprune.profiling.timings import COLUMNS, summary
from audioprune.settings import ThroughputSettings
from audioprune.steps._run import Job, main


def throughput(job: Job[ThroughputSettings]) -> dict:
    settings = job.settings
    here = provenance.device()
    if settings.device != here:
        raise UserError(
            f"{job.address} is to be timed on {settings.device!r}, but this machine has {here!r}: run it there, or "
            "plan again here; a timing is never carried over to another device"
        )
    threads = 1 if registry.backbone(settings.model.backbone).size.small else os.cpu_count() or 1  # as in training
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    model = build_model(
        settings.model.backbone,
        frames=settings.frames,
        num_classes=settings.num_classes,
        method=settings.method,
        keep_rate=min(settings.keep_rates),
        blocks=settings.blocks,
        options=settings.options,
        patch=settings.model.patch,
        stride=settings.model.stride,
        kernel=settings.model.kernel,
    )
    before = os.getloadavg()[0]
    rows = measure(
        model,
        frames=settings.frames,
        batch_size=settings.batch_size,
        keep_rates=settings.keep_rates,
        warmup=settings.warmup,
        runs=settings.runs,
        precision=settings.precision,
        device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
        name=f"timing {job.address}",
    )
    timings = pd.DataFrame(
        [(rate, settings.model.kernel, run, seconds) for rate, run, seconds in rows], columns=list(COLUMNS)
    )
    timings.to_csv(job.out / "throughput.csv", index=False, lineterminator="\n")
    per_rate = summary(timings, settings.batch_size).set_index("keep_rate").to_dict("index")
    return {
        "device": here,
        "threads": threads,
        "load": {"before": before, "after": os.getloadavg()[0], "cores": os.cpu_count()},  # means over a minute
        "keep_rates": {f"{rate:g}": values for rate, values in per_rate.items()},
    }


if __name__ == "__main__":
    main(throughput)
