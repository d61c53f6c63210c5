"""Kinds of cells, one row each: their settings, files and costs, and which cells one process makes.

A kind is a step of the same name (audioprune.steps.<kind>), a rule of the same name (workflow/rules) and its row here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from audioprune import settings
from audioprune.settings.closed import Closed

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
    together: Literal["", "finetuning", "recogniser", "kind", "study"] = ""  # which of its cells one process makes
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


def _once(own: Any) -> float:
    return 1


def _paced(own: Any) -> float:
    arms = 1 + len(own.policies) * sum(rate < 1 for rate in own.keep_rates)
    return arms * len(own.batchings) * (own.warmup + own.runs)


evaluated = partial(Kind, together="finetuning")
counted = partial(Kind, together="kind", at_once=8)
drawn = partial(Kind, together="study", at_once=12)  # loading matplotlib takes longer than most drawings

KINDS: dict[str, Kind] = {  # in the order in which they can be made
    "fetch": Kind(settings.FetchSettings),
    "generate": Kind(settings.GenerateSettings, "clips.parquet"),
    "audio": Kind(settings.AudioSettings, "clips.parquet", frame_bytes=320),  # int16 samples
    "features": Kind(settings.FeaturesSettings, frame_bytes=512),  # 128 float32 bins
    "clusters": Kind(settings.ClustersSettings, "clusters.csv"),
    "pretrain": Kind(settings.PretrainSettings, "history.csv", gpu=True, passes=_trained, weights=1),
    "finetune": Kind(settings.FinetuneSettings, "history.csv", gpu=True, passes=_trained, clips="train", weights=2),
    "evaluate": evaluated(settings.EvaluateSettings, "predictions.parquet", gpu=True, passes=_once),
    "trace": evaluated(settings.TraceSettings, "clips.parquet", gpu=True, passes=_once),
    "tokens": evaluated(settings.TokensSettings, "stages.parquet"),
    "discard": evaluated(settings.DiscardSettings, "discarded.parquet", gpu=True, passes=_discarded),
    "recognise": Kind(settings.RecogniseSettings, "history.csv", gpu=True, passes=_learnt, clips="train", weights=2),
    "transcribe": Kind(
        settings.TranscribeSettings,
        "transcripts.parquet",
        gpu=True,
        passes=_once,
        together="recogniser",
        at_once=24,  # what they share is a twentieth of their work, and another core takes others
    ),
    "macs": counted(settings.MacsSettings, "macs.csv"),
    "throughput": counted(settings.ThroughputSettings, "throughput.csv", gpu=True, alone=True),
    "pace": Kind(settings.PaceSettings, "pace.csv", gpu=True, alone=True, passes=_paced),
    "table": drawn(settings.ExhibitSettings, files=("tex", "csv", "html", "json")),
    "figure": drawn(settings.ExhibitSettings, files=("svg", "pdf", "csv")),
    "report": Kind(settings.ReportSettings, files=("html", "pdf")),
}
