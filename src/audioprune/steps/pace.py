"""Speed of a recogniser or classifier on test clips of their own lengths, in every batching, on the cell's device.

Real weights and real sound: how many tokens stay, and how many units are written, depends on them.
"""

from __future__ import annotations

import os

import pandas as pd
import torch

from audioprune import records, registry
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.facts.recogniser import CTC, RECOGNISERS
from audioprune.profiling.pace import Subject, measured
from audioprune.recognisers.whisper_weights import read
from audioprune.settings.costs import PaceSettings
from audioprune.settings.model import Pruning
from audioprune.sources.of_cell import facts_of, finetuned
from audioprune.steps._model import checkpoint_file, load_finetuned, model_for
from audioprune.steps._paced_classifier import PacedClassifier
from audioprune.steps._paced_ctc import PacedCtc
from audioprune.steps._paced_whisper import PacedWhisper
from audioprune.steps._run import Job, main
from audioprune.steps._timed import timed, where
from audioprune.tokens.trace import sample
from audioprune.training.splits import Rows, rows_of

FILE, BATCHES = "pace.csv", "batches.csv"


def pace(job: Job[PaceSettings]) -> dict:
    own, device = job.settings, where()
    small = registry.backbone(own.backbone).size.small if own.backbone else (RECOGNISERS | CTC)[own.recogniser].small
    with timed(job.address, own.device, threads=1 if small else os.cpu_count() or 1) as about:  # as it transcribes
        waves = waves_of(job)
        subject = subject_of(job, device, max(map(len, waves)))
        found = measured(subject, waves, own, device=device, name=f"timing {job.address}")
    write(job, FILE, found.runs)
    write(job, BATCHES, found.batches)
    return about | found.about


def subject_of(job: Job[PaceSettings], device: torch.device, longest: int) -> Subject:
    """What is timed; `longest`: samples of the longest clip."""
    own = job.settings
    if own.backbone:
        return classifier_of(job, device)
    if own.recogniser in RECOGNISERS:
        facts = RECOGNISERS[own.recogniser]
        return PacedWhisper(read(checkpoint_file(job.inputs["checkpoint"]), facts).to(device), facts, own)
    family = registry.get("recognisers", CTC[own.recogniser].family)
    model, units = family.made(job.inputs["recognise"])
    return PacedCtc(model.to(device), units, own, family.put_in, longest)


def classifier_of(job: Job[PaceSettings], device: torch.device) -> PacedClassifier:
    """The fine-tuning among the inputs, normalised as it was trained."""
    trained, facts = finetuned(job.inputs["finetune"]), facts_of(job.inputs["audio"])
    features = FeatureStore.open(job.inputs["features"]).fitted(rows_of_finetuning(job).train)
    frames = int(features.values.shape[1])
    model = model_for(trained, facts, frames, pruning=Pruning(), kernel=trained.model.kernel)
    load_finetuned(model, job.inputs["finetune"], "last")
    return PacedClassifier(model.to(device).eval(), job.settings, facts.num_classes, features.mean, features.std)


def rows_of_finetuning(job: Job[PaceSettings]) -> Rows:
    trained, facts = finetuned(job.inputs["finetune"]), facts_of(job.inputs["audio"])
    clips = WaveformStore.open(job.inputs["audio"]).clips
    return rows_of(clips, folds=facts.folds, fold=trained.fold, split=trained.split)


def waves_of(job: Job[PaceSettings]) -> list[torch.Tensor]:
    """Waveforms (L,) of a seeded sample of the test clips."""
    store = WaveformStore.open(job.inputs["audio"])
    if job.settings.backbone:
        rows = rows_of_finetuning(job).test
    else:
        rows = (store.clips["split"] == "test").to_numpy().nonzero()[0]
    return [torch.as_tensor(store.waveform(row)) for row in sample(rows, job.settings.clips, job.settings.seed)]


def write(job: Job[PaceSettings], name: str, frame: pd.DataFrame) -> None:
    with records.atomic(job.out / name) as path:
        frame.to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(pace)
