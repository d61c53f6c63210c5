"""What trained models are asked: predictions, traces, token analyses, clusters, discarding, noise."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audioprune.facts.noise import Disturbance
from audioprune.facts.tokens import PATCH
from audioprune.settings.closed import Closed
from audioprune.settings.model import Pruning

Perturbation = Literal["I", "II", "III", "I-shuffled", "II-shuffled", "III-shuffled"]


class EvaluateSettings(Closed):
    """Trained with one thing, evaluated with another: these are the evaluation's own."""

    pruning: Pruning = Field(Pruning(), description="the method and keep-rate of the evaluated model")
    kernel: Literal["eager", "fused"] = Field("fused", description="attention with or without explicit maps")
    selection: Literal["last", "best_test", "best_val"] = Field(
        "last", description="which epoch's weights: the last, or the best on test or on validation clips (paper.md 1.9)"
    )
    perturbation: Literal["none"] | Perturbation = Field(
        "none", description="perturbation test (paper.md 2.5); -shuffled: its control, labels shuffled within the clip"
    )
    tau: float | None = Field(None, description="a perturbation's signal threshold; None: that of the clusters cell")
    shuffle_seed: int = Field(0, ge=0, description="of a control's shuffled labels")
    precision: Literal["fp32", "fp16", "bf16"] = Field("fp32", description="of the forward pass; fp16 and bf16: mixed")


class TraceSettings(Closed):
    """Scores, kept patches and norms of evaluated clips."""

    pruning: Pruning = Field(Pruning(), description="the method and keep-rate of the traced model")
    selection: Literal["last", "best_test", "best_val"] = Field(
        "last", description="which epoch's weights: the last, or the best on test or on validation clips (paper.md 1.9)"
    )
    clips: int = Field(0, ge=0, description="a seeded sample of the test clips; 0: all")
    sample_seed: int = Field(0, description="of the sample of clips")


class ClustersSettings(Closed):
    """Levels of intensity and variation of a dataset's patches, over the evaluation clips of all folds."""

    dataset: str = Field(description="whose evaluation clips, of all folds")
    patch: int = Field(PATCH, gt=0, description="side of a square patch, in frames and mel bins")
    stride: int = Field(PATCH, gt=0, description="step between patches, in frames and mel bins")
    k: int = Field(5, ge=2, description="clusters of the patch means, and of the patch standard deviations")
    seed: int = Field(123, ge=0, description="of the first centres of k-means (paper.md 3.2)")
    tau: float | None = Field(None, description="the dataset's own signal threshold, where it has one")
    sample: int = Field(1024, gt=0, description="clips whose pixels make the histogram that tau `auto` is read from")
    sample_seed: int = Field(0, ge=0, description="of that sample")


class TokensSettings(Closed):
    """Analyses of a trace, clip by clip."""

    tau: Literal["given", "auto", "truth"] = Field(
        "given", description="what makes a patch signal: a threshold on its mean, or what the generator knows"
    )
    label_map: Literal["right", "transposed", "shuffled"] = Field(
        "right", description="which patch a label is of; wrong ones are for the audit"
    )
    shuffle_seed: int = Field(0, ge=0, description="of shuffled labels and random selections")


class DiscardSettings(Closed):
    """Tokens of two intensity clusters discarded after each block of an unpruned model, and a count-matched control."""

    blocks: tuple[int, ...] = Field(tuple(range(12)), min_length=1, description="zero-based; each its own evaluation")
    sets: tuple[Literal["C1C2", "C4C5"], ...] = Field(("C1C2", "C4C5"), min_length=1, description="what is discarded")
    control_seed: int = Field(0, ge=0, description="of the random choice that is as large for each clip")
    kernel: Literal["eager", "fused"] = Field("fused", description="attention with or without explicit maps")
    selection: Literal["last", "best_test", "best_val"] = Field(
        "last", description="which epoch's weights: the last, or the best on test or on validation clips (paper.md 1.9)"
    )
    clips: int = Field(0, ge=0, description="a seeded sample of the test clips; 0: all")
    sample_seed: int = Field(0, description="of the sample of clips")


class NoisySettings(Closed):
    """Test clips clean and disturbed: every kind at every one of its levels, in every draw."""

    pruning: Pruning = Field(Pruning(), description="the method and keep-rate of the evaluated model")
    kinds: tuple[Disturbance, ...] = Field(min_length=1, description="what is added to a clip, or done to it")
    snrs: tuple[float, ...] = Field(
        (20.0, 10.0, 5.0, 0.0, -5.0),
        description="levels of what is added, and of the gain control: clip over noise, dB",
    )
    t60s: tuple[float, ...] = Field((0.3, 0.6, 0.9), description="levels of `reverb`: seconds of decay by 60 dB")
    power: Literal["clip", "active"] = Field(
        "clip", description="a clip's power: of all samples, or of frames within 40 dB of its loudest"
    )
    draws: int = Field(1, ge=1, description="realisations of each kind; they are averaged within a clip")
    seed: int = Field(0, ge=0, description="of the realisations")
    talkers: int = Field(6, ge=1, description="voices of `babble`")
    kernel: Literal["eager", "fused"] = Field("fused", description="attention with or without explicit maps")
    selection: Literal["last", "best_test", "best_val"] = Field(
        "last", description="which epoch's weights: the last, or the best on test or on validation clips (paper.md 1.9)"
    )
