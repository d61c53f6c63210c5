"""Kinds of cells, one row each: their settings, files and costs, and which cells one process makes.

A kind is a step of the same name (audioprune.steps.<kind>), a rule of the same name (workflow/rules) and its row here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from audioprune.facts.noise import conditions
from audioprune.settings.closed import Closed
from audioprune.settings.costs import MacsSettings, PaceSettings, ThroughputSettings
from audioprune.settings.data import AudioSettings, FeaturesSettings, FetchSettings, GenerateSettings
from audioprune.settings.evaluation import (
    ClustersSettings,
    DiscardSettings,
    EvaluateSettings,
    NoisySettings,
    TokensSettings,
    TraceSettings,
)
from audioprune.settings.exhibits import ExhibitSettings, ReportSettings
from audioprune.settings.lengths import DurationsSettings
from audioprune.settings.speech import RecogniseSettings, TranscribeSettings
from audioprune.settings.training import FinetuneSettings, PretrainSettings

TRAINING = 3  # forward passes that one training step costs: forward, and backward at twice its price


@dataclass(frozen=True)
class Kind:
    """If the kind draws, `files` are the suffixes of the copies results/<study>/<name>.<suffix> that users open."""

    settings: type[Closed]
    frame: str = ""  # its main table of data, which results read when no other file is named
    files: tuple[str, ...] = ()
    version: int = 1  # raised when a module that is in no fingerprint changes what its cells hold
    gpu: bool = False  # runs a model: on a GPU where that is of published size
    alone: bool = False  # is timed, so nothing else may run beside it
    together: Literal["", "finetuning", "noise", "recogniser", "kind", "study"] = (
        ""  # which of its cells one process makes
    )
    at_once: int = 0  # at most so many; 0: all of them
    passes: Callable[[Any], float] | None = None  # forward passes over each clip, given the settings
    clips: Literal["train", "test"] = "test"  # which clips they go over
    frame_bytes: int = 0  # stored for each frame of 10 ms of each clip
    weights: int = 0  # sets of weights stored

    @property
    def draws(self) -> bool:
        return bool(self.files)


def _trained(own: Any) -> float:
    return TRAINING * own.recipe.epochs


def _learnt(own: Any) -> float:
    return _trained(own) if own.recipe else 0


def _discarded(own: Any) -> float:
    return 2 * len(own.blocks) * len(own.sets)  # with the control


def _disturbed(own: Any) -> float:
    return 1 + len([*conditions(own.kinds, own.snrs, own.t60s, own.draws)])  # with the clean clips


def _lengths(own: Any) -> float:
    return len(own.modes) * max(1, len(own.seconds))


def _once(own: Any) -> float:
    return 1


def _paced(own: Any) -> float:
    arms = 1 + len(own.policies) * sum(rate < 1 for rate in own.keep_rates)
    return arms * len(own.batchings) * (own.warmup + own.runs)


evaluated = partial(Kind, together="finetuning")
counted = partial(Kind, together="kind", at_once=8)
drawn = partial(Kind, together="study", at_once=24)  # loading matplotlib takes longer than most drawings

KINDS: dict[str, Kind] = {  # in the order in which they can be made
    "fetch": Kind(FetchSettings),
    "generate": Kind(GenerateSettings, "clips.parquet"),
    "audio": Kind(AudioSettings, "clips.parquet", frame_bytes=320),  # int16 samples
    "features": Kind(FeaturesSettings, frame_bytes=512),  # 128 float32 bins
    "clusters": Kind(ClustersSettings, "clusters.csv"),
    "pretrain": Kind(PretrainSettings, "history.csv", gpu=True, passes=_trained, weights=1),
    "finetune": Kind(FinetuneSettings, "history.csv", gpu=True, passes=_trained, clips="train", weights=2),
    "evaluate": evaluated(EvaluateSettings, "predictions.parquet", gpu=True, passes=_once),
    "trace": evaluated(TraceSettings, "clips.parquet", gpu=True, passes=_once),
    "tokens": evaluated(TokensSettings, "stages.parquet"),
    "discard": evaluated(DiscardSettings, "discarded.parquet", gpu=True, passes=_discarded),
    "noisy": Kind(
        NoisySettings,
        "noisy.parquet",
        gpu=True,
        passes=_disturbed,
        together="noise",
        at_once=8,  # of the models that are asked about the same disturbed clips
    ),
    "durations": evaluated(DurationsSettings, "durations.parquet", gpu=True, passes=_lengths),
    "recognise": Kind(RecogniseSettings, "history.csv", gpu=True, passes=_learnt, clips="train", weights=2),
    "transcribe": Kind(
        TranscribeSettings,
        "transcripts.parquet",
        gpu=True,
        passes=_once,
        together="recogniser",
        at_once=12,  # what they share is a twentieth of their work
    ),
    "macs": counted(MacsSettings, "macs.csv"),
    "throughput": counted(ThroughputSettings, "throughput.csv", gpu=True, alone=True),
    "pace": Kind(PaceSettings, "pace.csv", gpu=True, alone=True, passes=_paced),
    "table": drawn(ExhibitSettings, files=("tex", "csv", "html", "json")),
    "figure": drawn(ExhibitSettings, files=("svg", "pdf", "csv")),
    "report": Kind(ReportSettings, files=("html", "pdf")),
}
