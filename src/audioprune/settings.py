"""What a cell is made with: one closed, frozen model for each kind of cell.

A cell's key is computed from the fields that differ from the defaults they came with (planning.pinned): a new field
whose default reproduces today's behaviour changes no key, a changed default those of the cells that relied on it. What
a cell works out of its inputs is named here and not given (a mean of None, a tau of "auto"); all else is resolved.
Sources of the defaults: paper.md 1.1 to 1.10 (P0 Table 6 and the released scripts R).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audioprune import registry
from audioprune.facts.tokens import BLOCKS, PATCH

OptionValue = str | int | float | bool
Perturbation = Literal["I", "II", "III", "I-count", "II-count", "III-count"]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(Closed):
    backbone: str = Field(description="family and size, such as audiomae-b or ast-tiny")
    patch: int = Field(PATCH, gt=0, description="side of a square patch, in frames and mel bins")
    stride: int = Field(PATCH, gt=0, description="step between patches")
    kernel: Literal["eager", "fused"] = Field("fused", description="attention with or without explicit maps")


class Pruning(Closed):
    """Token pruning; keep_rate 1 means no selection step at all, whatever the method.

    A method with a constant r acts in every block: keep_rate and blocks then say nothing and stay at their defaults.
    """

    method: str = Field("none", description="a module of audioprune.pruning")
    keep_rate: float = Field(1.0, gt=0, le=1, description="share of the non-extra tokens kept at each location")
    blocks: tuple[int, ...] = Field(BLOCKS, description="zero-based blocks after whose attention tokens go")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="score, variant, seed, ...")

    @model_validator(mode="before")
    @classmethod
    def _unpruned_is_none(cls, data):
        if not isinstance(data, dict):
            return data
        method = data.get("method", "none")
        if method != "none" and registry.method(method).is_constant(data.get("options") or {}):
            return {name: value for name, value in data.items() if name not in ("keep_rate", "blocks")}
        if method == "none" or data.get("keep_rate", 1.0) == 1.0:
            return {"method": "none", "keep_rate": 1.0}
        return data


class Augment(Closed):
    """Training-time augmentation (paper.md 1.7); each with an off switch."""

    magnitude: bool = Field(False, description="multiply the waveform by Beta(10,10)+0.5")
    roll: Literal["none", "time"] = Field("none", description="released: none (the index is always 0, B5)")
    mixup: float = Field(0.0, ge=0, le=1, description="probability of mixing in a second clip's waveform")
    specaug_freq: int = Field(0, ge=0, description="largest masked band, mel bins")
    specaug_time: int = Field(0, ge=0, description="largest masked span, frames")
    specaug_off: Literal["nominal", "as_released"] = Field("nominal", description="as_released: never off (B4)")
    mask_2d: float = Field(0.0, ge=0, lt=1, description="share of time rows and of frequency columns dropped")
    noise: bool = Field(False, description="uniform pixel noise, then a roll by -10..9 frames")
    baseline: Literal["paper", "matched"] = Field(
        "matched", description="unpruned runs: keep the augmentations on (paper, B7) or stop them alike (matched)"
    )


class Recipe(Closed):
    """Optimisation of one training run; one epoch is one pass over the training clips."""

    epochs: int = Field(gt=0)
    batch_size: int = Field(gt=0, description="total over all GPUs")
    optimizer: Literal["adamw", "adam"] = "adamw"
    base_lr: float = Field(1e-3, gt=0)
    lr_per_256: bool = Field(False, description="effective rate = base_lr x batch_size / 256")
    min_lr: float = Field(1e-5, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    step_start: int = Field(5, description="epoch (from 1) of the first decay of a step schedule")
    step_every: int = 1
    step_factor: float = 0.85
    warmup_epochs: float = Field(4, ge=0)
    warmup_steps: int = Field(0, ge=0, description="instead of warmup_epochs, when positive")
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 1e-4
    layer_decay: float = Field(0.75, gt=0, le=1, description="1 switches layer-wise decay off")
    drop_path: float = Field(0.1, ge=0, lt=1)
    precision: Literal["fp32", "fp16", "bf16"] = "fp32"
    shrink_start: int = Field(0, ge=0, description="epoch at which the keep-rate begins to fall")
    shrink_epochs: int = Field(0, ge=0, description="0: the target rate from shrink_start on")
    shrink_granularity: Literal["epoch", "iteration"] = "epoch"
    first_epoch: Literal[0, 1] = Field(0, description="number of the first epoch in the shrink schedule (AST: 1)")
    eval_every: int = Field(1, ge=0, description="epochs between evaluations of the test split; 0: only at the end")
    tie: Literal["first", "last"] = Field("last", description="which of two equally good epochs best_* keeps")


class FetchSettings(Closed):
    source: str = Field(description="a row of workflow/sources.yaml")


class GenerateSettings(Closed):
    generator: str = Field(description="a module of audioprune.generators")
    clips: int = Field(gt=0)
    seed: int = 0
    options: dict[str, OptionValue] = Field(default_factory=dict)


class UserFolder(Closed):
    """A user's own data: a folder of audio files and a CSV, no code."""

    folder: str
    csv: str = Field(description="columns: file, label (several joined by ;), optional split, fold, recording, speaker")
    task: Literal["keyword", "environmental", "speaker", "multilabel", "transcription"]
    classes: tuple[str, ...] = Field(description="label names in the order of their numbers")
    frames: int = Field(gt=0, multiple_of=16)
    folds: int = Field(1, ge=1)


class AudioSettings(Closed):
    """Decoding into a 16 kHz mono waveform store."""

    dataset: str
    bad_clips: Literal["stop", "set_aside"] = "stop"
    options: dict[str, OptionValue] = Field(default_factory=dict, description="the dataset's own switches")
    user: UserFolder | None = None


class FeaturesSettings(Closed):
    """fbank of every clip; mean and std are the dataset's published ones, or None: computed from the training clips."""

    dataset: str
    frames: int = Field(gt=0, multiple_of=16)
    mean: float | None = None
    std: float | None = None


class PretrainSettings(Closed):
    model: Model
    objective: Literal["mae", "supervised"]
    recipe: Recipe
    augment: Augment = Augment()
    mask_ratio: float = Field(0.8, gt=0, lt=1, description="share of patches hidden from the MAE encoder")
    decoder_width: int = 64
    decoder_depth: int = 2
    seed: int = 0


class FinetuneSettings(Closed):
    model: Model
    dataset: str
    pruning: Pruning = Pruning()
    recipe: Recipe
    augment: Augment = Augment()
    fold: int = Field(1, ge=1)
    seed: int = Field(0, ge=0)
    split: Literal["published", "nested"] = "published"
    initial: Literal["pretrained", "scratch"] = "pretrained"


class EvaluateSettings(Closed):
    """Trained with one thing, evaluated with another: these are the evaluation's own."""

    pruning: Pruning = Pruning()
    kernel: Literal["eager", "fused"] = "fused"
    selection: Literal["last", "best_test", "best_val"] = "last"
    perturbation: Literal["none"] | Perturbation = Field(
        "none", description="Algorithm 1 of P0; -count: its control, as many swaps irrespective of label"
    )
    tau: float | None = Field(None, description="a perturbation's signal threshold; None: that of the clusters cell")
    precision: Literal["fp32", "fp16", "bf16"] = "fp32"


class TraceSettings(Closed):
    """Scores, kept patches and norms of evaluated clips."""

    pruning: Pruning = Pruning()
    selection: Literal["last", "best_test", "best_val"] = "last"
    clips: int = Field(0, ge=0, description="a seeded sample of the test clips; 0: all")
    sample_seed: int = 0


class ClustersSettings(Closed):
    """Levels of intensity and variation of a dataset's patches, over the evaluation clips of all folds."""

    dataset: str
    patch: int = Field(PATCH, gt=0)
    stride: int = Field(PATCH, gt=0)
    k: int = Field(5, ge=2, description="clusters of the patch means, and of the patch standard deviations")
    seed: int = Field(123, ge=0, description="of the first centres")
    tau: float | None = Field(None, description="the dataset's own signal threshold, where it has one")
    sample: int = Field(1024, gt=0, description="clips whose pixels make the histogram that tau `auto` is read from")
    sample_seed: int = Field(0, ge=0)


class TokensSettings(Closed):
    """Analyses of a trace, clip by clip."""

    tau: Literal["given", "auto", "truth"] = Field(
        "given", description="what makes a patch signal: a threshold on its mean, or what the generator knows"
    )
    label_map: Literal["right", "transposed", "shuffled"] = Field("right", description="wrong ones are for the audit")
    shuffle_seed: int = Field(0, ge=0, description="of shuffled labels and random selections")


class DiscardSettings(Closed):
    """Tokens of two intensity clusters discarded after each block of an unpruned model, and a count-matched control."""

    blocks: tuple[int, ...] = Field(tuple(range(12)), min_length=1, description="zero-based; each its own evaluation")
    sets: tuple[Literal["C1C2", "C4C5"], ...] = Field(("C1C2", "C4C5"), min_length=1, description="what is discarded")
    control_seed: int = Field(0, ge=0, description="of the random choice that is as large for each clip")
    kernel: Literal["eager", "fused"] = "fused"
    selection: Literal["last", "best_test", "best_val"] = "last"
    clips: int = Field(0, ge=0, description="a seeded sample of the test clips; 0: all")
    sample_seed: int = 0


class MacsSettings(Closed):
    """MACs counted by torchprofile on the eager kernel, against the closed form."""

    model: Model
    frames: int
    num_classes: int
    method: str = "topk"
    options: dict[str, OptionValue] = Field(default_factory=dict)
    keep_rates: tuple[float, ...] = Field(
        description="1 is the unpruned model; below 1 says nothing where options have r"
    )
    blocks: tuple[int, ...] = BLOCKS


class ThroughputSettings(Closed):
    """Throughput of one model at several keep-rates, the baseline in the same run (paper.md 1.10)."""

    model: Model
    frames: int
    num_classes: int
    method: str = "topk"
    options: dict[str, OptionValue] = Field(default_factory=dict)
    keep_rates: tuple[float, ...] = Field(description="as for MACs; 1.0, the baseline, must be among them")
    blocks: tuple[int, ...] = BLOCKS
    batch_size: int = Field(gt=0)
    warmup: int = Field(10, ge=1)
    runs: int = Field(50, ge=2)
    precision: Literal["fp32", "tf32", "fp16", "bf16"] = "fp32"
    device: str = Field(description="name of the device; never reused on another")


class Row(Closed):
    """A figure as a row of report/exhibits.yaml."""

    draw: str = Field(description="a module of audioprune.figures that draws rows")
    title: str
    caption: str = Field("", description="instead of the module's own")
    shows: dict[str, Any] = Field(default_factory=dict, description="what of a study it shows: the module's `Shows`")


class ExhibitSettings(Closed):
    """A table or a figure of a study."""

    study: str
    name: str = Field(description="a module of audioprune.tables or audioprune.figures, or a row (exhibits.yaml)")
    row: Row | None = Field(None, description="what a figure shows that is a row")


class ReportSettings(Closed):
    """A study's report, and what it prints of the study's block of config.yaml."""

    study: str
    title: str = ""
    tier: str = ""
