"""Models on clips of other lengths that nobody ran: which clips are right in which mode is given."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from audioprune.facts.noise import CLEAN
from audioprune.labels import label_of
from audioprune.profiling.batchings import ARM, arms_of
from audioprune.profiling.macs import count
from audioprune.results.study import Results
from audioprune.settings.costs import PaceSettings
from audioprune.settings.evaluation import EvaluateSettings, NoisySettings
from audioprune.settings.lengths import DurationsSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings
from tests.fakes.noise import KINDS, SNRS, shares
from tests.fakes.noise import table as noise_table
from tests.fakes.studies import RECIPE, FakeCell, Study, _data, facts

CLIPS, COLUMNS = 100, 3  # columns of sound of four in the model's
RIGHT = {  # of the first so many clips: (padded, native)
    "none": (90, 80),
    "topk": (80, 82),
    "intensity": (70, 70),
}
SPEEDS = {("single", 1.0): 10.0, ("single", 0.5): 15.0, ("padded", 1.0): 20.0, ("padded", 0.5): 40.0}
SPEEDS |= {("bucketed", 1.0): 50.0, ("bucketed", 0.5): 90.0}
_folders: list[tempfile.TemporaryDirectory] = []


def table(pruning: Pruning, seconds: tuple[float, ...], right: tuple[int, int]) -> pd.DataFrame:
    """durations.parquet; of the padding everything goes at the first stage by intensity, a quarter by topk."""
    parts, n, label = [], np.arange(CLIPS), np.arange(CLIPS) % 10
    for length in seconds or (0.0,):
        for mode, count_right in zip(("padded", "native"), right, strict=True):
            heard = 4 if mode == "padded" else COLUMNS
            padding = 8 * (heard - COLUMNS)
            left = [] if pruning.method == "none" else [4 * heard, 2 * heard, heard]
            gone = {"none": [], "topk": [6, 3, 0], "intensity": [0, 0, 0]}[pruning.method]
            said = np.where(n < count_right, label, (label + 1) % 10)
            parts.append(
                pd.DataFrame(
                    {
                        "clip": [f"clip{i}" for i in n], "recording": [f"recording{i}" for i in n], "speaker": "",
                        "labels": [[int(i)] for i in label], "seconds": length, "frames": 16 * COLUMNS, "mode": mode,
                        "patches": 8 * heard, "padding": padding,
                        "macs": count(
                            "audiomae-tiny", frames=16 * heard, num_classes=10, method=pruning.method,
                            keep_rate=pruning.keep_rate,
                        ).total,
                        "scores": [*np.eye(10, dtype=np.float32)[said]],
                        "left": [np.array(left, dtype=np.int16)] * CLIPS,
                        "padding_left": [np.array(gone if padding else [0] * len(gone), dtype=np.int16)] * CLIPS,
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def heard(
    folder: Path,
    *,
    made: bool = True,
    seconds: tuple[float, ...] = (),
    right: Mapping[str, tuple[int, int]] = RIGHT,
    speeds: Mapping[tuple[str, float], float] = SPEEDS,
    noise: float | None = None,
) -> Results:
    """audiomae-tiny on fsdd-digits: unpruned, trained with topk, and by intensity off the shelf; and timed.

    speeds: seconds of sound a second by batching and keep-rate, a tenth of it in the last of three runs.
    noise: the share of clips that trained models get right in noise; None: they were not asked.
    """
    study = Study(folder)
    audio, features = _data(study, "fsdd-digits")
    for trained, own in (
        (Pruning(), Pruning()),
        (Pruning(method="topk", keep_rate=0.5), Pruning(method="topk", keep_rate=0.5)),
        (Pruning(), Pruning(method="intensity", keep_rate=0.5)),
    ):
        settings = FinetuneSettings(
            model=Model(backbone="audiomae-tiny"), dataset="fsdd-digits", pruning=trained, recipe=RECIPE
        )
        address = f"audiomae-tiny/fsdd-digits/{label_of(trained)}/fold1-seed0"
        tuned = study.cell("finetune", address, settings, audio=audio, features=features)
        frame = table(own, seconds, right[own.method])
        files = [lambda out, frame=frame: frame.to_parquet(out / "durations.parquet", index=False)]
        label = f"{address}/durations-{label_of(own)}/last"
        asked = DurationsSettings(pruning=own, seconds=seconds)
        study.cell("durations", label, asked, made=made, files=files, finetune=tuned, audio=audio, features=features)
        if noise is not None and own == trained:
            _disturbed(study, own, right[own.method][0] / CLIPS, noise, finetune=tuned, audio=audio, features=features)
        if own.method == "none":
            _timed(study, speeds, finetune=tuned, audio=audio, features=features)
    return Results("lengths", study.cells, facts)


def _disturbed(study: Study, own: Pruning, clean: float, noise: float, **inputs: FakeCell) -> None:
    asked = NoisySettings(pruning=own, kinds=KINDS, snrs=SNRS)
    frame = noise_table(shares(clean, noise), "fsdd-digits", asked)
    results = {"patches": 64, "blocks": [3, 6, 9] if own.method != "none" else [], "set_aside": []}
    write = [lambda out: frame.to_parquet(out / "noisy.parquet")]
    study.cell("noisy", f"noisy-{label_of(own)}", asked, files=write, results=results, **inputs)
    plain = frame[frame["kind"] == CLEAN][["clip", "recording", "speaker", "labels", "scores"]]
    write = [lambda out: plain.to_parquet(out / "predictions.parquet")]
    study.cell("evaluate", f"eval-{label_of(own)}", EvaluateSettings(pruning=own), files=write, **inputs)


def _timed(study: Study, speeds: Mapping[tuple[str, float], float], **inputs: FakeCell) -> None:
    own = PaceSettings(
        backbone="audiomae-tiny", dataset="fsdd-digits", policies=("topk",), keep_rates=(1.0, 0.5), blocks=(3, 6, 9),
        batchings=("single", "padded", "bucketed"), device="a device", runs=3,
    )  # fmt: skip
    rows = [
        dict(zip(ARM, arm, strict=True))
        | {"run": run, "features_s": 0.0, "encoder_s": slow * 100 / speeds[arm.batching, arm.keep_rate]}
        | {"decoder_s": 0.0, "units": CLIPS, "encoder_macs": 4e9 * arm.keep_rate, "decoder_macs": 0}
        | {"useful_encoder_macs": 3e9 * arm.keep_rate, "useful_decoder_macs": 0}
        for run, slow in enumerate((1, 1, 10))
        for arm in arms_of(own)
    ]
    parts = [(batching, CLIPS, 24 * CLIPS, 32 * CLIPS) for batching in own.batchings]
    files = [
        lambda out: pd.DataFrame(rows).to_csv(out / "pace.csv", index=False),
        lambda out: pd.DataFrame(parts, columns=["batching", "clips", "valid", "computed"]).to_csv(
            out / "batches.csv", index=False
        ),
    ]
    about = {
        "clips": CLIPS,
        "audio_seconds": 100.0,
        "tokens": 24 * CLIPS,
        "load": {"before": 0.5, "after": 1.0, "cores": 2},
    }
    study.cell("pace", "p", own, files=files, results=about, **inputs)


@cache
def lengths() -> Results:
    """One for all tests that only look."""
    _folders.append(tempfile.TemporaryDirectory())
    return heard(Path(_folders[-1].name), noise=0.6)
