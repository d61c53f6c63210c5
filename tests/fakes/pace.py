"""A recogniser that was timed: times and counts that the table of it follows from by hand."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pandas as pd

from audioprune.profiling.batchings import arms_of
from audioprune.results.study import Results
from audioprune.settings.costs import PaceSettings
from tests.fakes.studies import Study

OWN = {"recogniser": "whisper-base", "dataset": "x", "policies": ("topk",), "keep_rates": (1.0, 0.5), "blocks": (1,)}
OWN |= {"batchings": ("single", "padded"), "device": "a device", "runs": 3}
_folders = []


def timed(tmp_path: Path, made: bool = True) -> Results:
    """Three runs of single and padded, unpruned and pruned; the machine is ten times slower in the last run."""
    own = PaceSettings(**OWN)
    times = {("single", "none"): 3.0, ("single", "topk"): 1.5, ("padded", "none"): 2.0, ("padded", "topk"): 0.5}
    rows = [
        {
            "batching": arm.batching, "policy": arm.policy, "keep_rate": arm.keep_rate, "run": run, "units": 9,
            "features_s": 0.1 * times[arm[:2]] * slow, "encoder_s": 0.5 * times[arm[:2]] * slow,
            "decoder_s": 0.4 * times[arm[:2]] * slow,
            "encoder_macs": 8e9 if arm.policy == "none" else 2e9, "decoder_macs": 2e9,
            "useful_encoder_macs": 1e9, "useful_decoder_macs": 1e9,
        }
        for run, slow in enumerate((1, 1, 10)) for arm in arms_of(own)
    ]  # fmt: skip
    parts = [("single", 1, 30, 1500)] * 4 + [("padded", 4, 120, 6000)]
    files = [
        lambda out: pd.DataFrame(rows).to_csv(out / "pace.csv", index=False),
        lambda out: pd.DataFrame(parts, columns=["batching", "clips", "valid", "computed"]).to_csv(
            out / "batches.csv", index=False
        ),
    ]
    load = {"before": 0.5, "after": 2.0, "cores": 2}
    results = {"clips": 4, "audio_seconds": 20.0, "tokens": 120, "load": load}
    study = Study(tmp_path)
    return Results("speech", [study.cell("pace", "p", own, files=files, results=results, made=made)])


@cache
def paced() -> Results:
    """One for all tests that only look."""
    _folders.append(tempfile.TemporaryDirectory())
    return timed(Path(_folders[-1].name))
