"""What a cell is made with: one closed, frozen model for each kind of cell.

A cell's key is computed from the fields that differ from the defaults they came with (fingerprints.pinned): a new field
whose default reproduces today's behaviour changes no key, a changed default those of the cells that relied on it. What
a cell works out of its inputs is named here and not given (a mean of None, a tau of "auto"); all else is resolved.
Sources of the defaults: paper.md 1.1 to 1.10 (P0 Table 6 and the released scripts R).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audioprune import registry
from audioprune.facts.tokens import BLOCKS, PATCH

Decay = Annotated[float, Field(ge=0, lt=1)]
OptionValue = str | int | float | bool
Within = Literal["window", "sound"]
Budget = Literal["fixed", "threshold"]
Thin = Literal["uniform", "first", "last", "attention"]
Restore = Literal["carried", "nearest", "blank"]
Batching = Literal["single", "padded", "longest", "bucketed"]
Perturbation = Literal["I", "II", "III", "I-shuffled", "II-shuffled", "III-shuffled"]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(Closed):
    backbone: str = Field(description="family and size, such as audiomae-b or ast-tiny")
    patch: int = Field(PATCH, gt=0, description="side of a square patch, in frames and mel bins (paper.md 1.3)")
    stride: int = Field(PATCH, gt=0, description="step between patches, in frames and mel bins")
    kernel: Literal["eager", "fused"] = Field("fused", description="attention with or without explicit maps")


class Pruning(Closed):
    """Token pruning; keep_rate 1 means no selection step at all, whatever the method.

    A method with a constant r acts in every block: keep_rate and blocks then say nothing and stay at their defaults.
    """

    method: str = Field("none", description="a module of audioprune.pruning (paper.md 1.5)")
    keep_rate: float = Field(1.0, gt=0, le=1, description="share of the non-extra tokens kept at each pruning block")
    blocks: tuple[int, ...] = Field(
        BLOCKS, description="pruning blocks, counted from zero: tokens go after their attention"
    )
    options: dict[str, OptionValue] = Field(
        default_factory=dict, description="options of the method: score, variant, seed, ..."
    )

    @model_validator(mode="before")
    @classmethod
    def _unpruned_is_none(cls, data: Any) -> Any:
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

    magnitude: bool = Field(False, description="multiply the waveform by Beta(10, 10) + 0.5")
    roll: Literal["none", "time"] = Field(
        "none", description="time: roll the waveform in a circle; released: none (the index is always 0, B5)"
    )
    mixup: float = Field(0.0, ge=0, le=1, description="probability of mixing in a second clip's waveform")
    specaug_freq: int = Field(0, ge=0, description="SpecAug: widest masked band, in mel bins; 0: off")
    specaug_time: int = Field(0, ge=0, description="SpecAug: longest masked span, in frames of 10 ms; 0: off")
    specaug_off: Literal["nominal", "as_released"] = Field(
        "nominal", description="when SpecAug ends: where the keep-rate begins to fall, or as_released: never (B4)"
    )
    mask_2d: float = Field(
        0.0, ge=0, lt=1, description="patch masking: share of time rows and of frequency columns left out; 0: off"
    )
    noise: bool = Field(
        False, description="uniform noise on the pixels of the fbank, then a roll in time by -10 to 9 frames"
    )
    baseline: Literal["paper", "matched"] = Field(
        "matched", description="unpruned runs: keep the augmentations on (paper, B7) or stop them alike (matched)"
    )


class Recipe(Closed):
    """Optimisation of one training run; one epoch is one pass over the training clips."""

    epochs: int = Field(gt=0, description="passes over the training clips")
    batch_size: int = Field(gt=0, description="clips in one training step, over all GPUs together (B17)")
    optimizer: Literal["adamw", "adam"] = Field(
        "adamw", description="adamw with decoupled weight decay (AudioMAE), or adam (AST)"
    )
    base_lr: float = Field(1e-3, gt=0, description="peak learning rate, or what it is worked out from (lr_per_256)")
    lr_per_256: bool = Field(False, description="peak learning rate is base_lr x batch_size / 256")
    min_lr: float = Field(1e-5, ge=0, description="learning rate at the end of a cosine schedule")
    schedule: Literal["cosine", "step", "constant"] = Field(
        "cosine", description="of the learning rate after the warm-up: half a cosine, decay by epochs, or none"
    )
    step_start: int = Field(
        5, ge=0, description="step schedule: epoch, counted from 1, at whose end the rate first decays"
    )
    step_every: int = Field(1, gt=0, description="step schedule: epochs from one decay to the next")
    step_factor: float = Field(0.85, gt=0, description="step schedule: what each decay multiplies the rate by")
    warmup_epochs: float = Field(4, ge=0, description="epochs in which the learning rate rises from 0 to its peak")
    warmup_steps: int = Field(0, ge=0, description="training steps of warm-up, instead of warmup_epochs where positive")
    betas: tuple[Decay, Decay] = Field((0.9, 0.95), description="decay of Adam's two moving averages")
    weight_decay: float = Field(
        1e-4, ge=0, description="none on one-dimensional parameters, extra tokens and positions"
    )
    layer_decay: float = Field(
        0.75, gt=0, le=1, description="learning rate of a block over that of the next one; 1: the same for all"
    )
    drop_path: float = Field(
        0.1, ge=0, lt=1, description="chance of skipping the last block; earlier ones in proportion"
    )
    precision: Literal["fp32", "fp16", "bf16"] = Field("fp32", description="of training; fp16 and bf16: mixed")
    shrink_start: int = Field(0, ge=0, description="epoch at which the keep-rate begins to fall (paper.md 1.6)")
    shrink_epochs: int = Field(0, ge=0, description="epochs in which it falls to its target; 0: at once")
    shrink_granularity: Literal["epoch", "iteration"] = Field(
        "epoch", description="when the keep-rate moves: with each epoch, as released (B3), or with each training step"
    )
    first_epoch: Literal[0, 1] = Field(0, description="number of the first epoch in the shrink schedule (AST: 1)")
    eval_every: int = Field(1, ge=0, description="epochs between evaluations of the test split; 0: only at the end")
    tie: Literal["first", "last"] = Field("last", description="which of two equally good epochs best_* keeps")


class FetchSettings(Closed):
    source: str = Field(description="a row of workflow/sources.yaml: an archive or a checkpoint")


class GenerateSettings(Closed):
    """Audio that a generator makes: a corpus, or a data set."""

    generator: str = Field(description="a module of audioprune.generators")
    clips: int = Field(gt=0, description="clips made")
    seed: int = Field(0, description="of everything that is drawn at random")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="the generator's own options")


class UserFolder(Closed):
    """A user's own data: a folder of audio files and a CSV, no code."""

    folder: str = Field(description="where the audio files lie")
    csv: str = Field(description="columns: file, label (several joined by ;), optional split, fold, recording, speaker")
    task: Literal["keyword", "environmental", "speaker", "multilabel", "transcription"] = Field(
        description="kind of data: decides the loss, the metric and beside which of the paper's datasets it is shown"
    )
    classes: tuple[str, ...] = Field(description="label names in the order of their numbers")
    frames: int = Field(gt=0, le=1024, multiple_of=16, description="length of the model's input, in frames of 10 ms")
    folds: int = Field(1, ge=1, description="number of folds; 1: a fixed split")


class AudioSettings(Closed):
    """Decoding into a 16 kHz mono waveform store."""

    dataset: str = Field(description="a built-in dataset, or one of the user's")
    bad_clips: Literal["stop", "set_aside"] = Field(
        "stop", description="what to do about a clip that cannot be decoded, is silent, has NaN or has no label"
    )
    options: dict[str, OptionValue] = Field(default_factory=dict, description="the dataset's own switches")
    user: UserFolder | None = Field(None, description="where the user's data lies, and what it is")


class FeaturesSettings(Closed):
    """fbank of every clip; mean and std are the dataset's published ones, or None: those of a run's training clips."""

    dataset: str = Field(description="a built-in dataset, or one of the user's")
    frames: int = Field(
        gt=0, multiple_of=16, description="frames of 10 ms kept of each clip, padded where it is shorter"
    )
    mean: float | None = Field(None, description="of log-mel values; none: that of a run's training clips")
    std: float | None = Field(None, description="their standard deviation; values are divided by twice as much")


class PretrainSettings(Closed):
    model: Model = Field(description="what is trained")
    objective: Literal["mae", "supervised"] = Field(description="masked autoencoding, or training with labels")
    recipe: Recipe = Field(description="how it is optimised")
    augment: Augment = Field(Augment(), description="of the training clips")
    mask_ratio: float = Field(0.8, gt=0, lt=1, description="mae: share of patches hidden from the encoder")
    decoder_width: int = Field(64, description="mae: width of the decoder's tokens")
    decoder_depth: int = Field(2, description="mae: number of the decoder's blocks")
    seed: int = Field(0, description="of weights, order of clips, augmentation and masks")


class FinetuneSettings(Closed):
    model: Model = Field(description="what is trained")
    dataset: str = Field(description="whose training clips it is trained on")
    pruning: Pruning = Field(Pruning(), description="the method, and the keep-rate that training arrives at")
    recipe: Recipe = Field(description="how it is optimised (paper.md 1.7 and 1.8)")
    augment: Augment = Field(Augment(), description="of the training clips (paper.md 1.7)")
    fold: int = Field(1, ge=1, description="the test fold, counted from 1; 1 where a dataset has none")
    seed: int = Field(0, ge=0, description="of new weights, order of clips and augmentation")
    split: Literal["published", "nested"] = Field(
        "published",
        description="nested: clips are set aside for choosing weights, so that no test clip has a part in it",
    )
    initial: Literal["pretrained", "scratch"] = Field(
        "pretrained", description="weights that training begins with: of a checkpoint, or random ones"
    )


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


class RecogniseSettings(Closed):
    """A recogniser with a CTC head: trained from nothing, adapted to a policy, or taken as it was published.

    It is adapted where the cell takes in another recogniser's, and published where it has no recipe. Clips are set
    aside for choosing weights, so that no test clip has a part in it.
    """

    recogniser: str = Field(description="such as strips-tiny")
    dataset: str = Field(description="whose training clips, and whose transcripts give the units")
    units: Literal["words", "chars"] = Field(
        "words", description="outputs: every word of the training transcripts, or letters and a word boundary"
    )
    strip: int = Field(4, ge=1, le=16, description="frames of 10 ms that make a token of strips")
    policy: str = Field("none", description="a module of audioprune.policies, or a pruning method that runs on frames")
    keep_rate: float = Field(1.0, gt=0, le=1, description="share of the tokens kept at each pruning block")
    blocks: tuple[int, ...] = Field(BLOCKS, description="pruning blocks of the encoder, counted from zero")
    at_input: bool = Field(False, description="tokens go before block 0 instead")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="options of the policy")
    restore: Literal["carried", "nearest"] = Field(
        "carried", description="what the column of a pruned token takes; with blanks some clips could not be aligned"
    )
    recipe: Recipe | None = Field(None, description="how it is optimised; none: taken as it was published")
    specaug_freq: int = Field(0, ge=0, description="SpecAug of strips: widest masked band, in mel bins; 0: off")
    specaug_time: int = Field(0, ge=0, description="SpecAug of strips: longest masked span, in frames of 10 ms; 0: off")
    auxiliary: float = Field(0.3, ge=0, description="weight of the auxiliary head's loss")
    seed: int = Field(0, ge=0, description="of weights and order of clips")

    @model_validator(mode="before")
    @classmethod
    def _unpruned_is_none(cls, data: Any) -> Any:
        if data.get("policy", "none") == "none" or data.get("keep_rate", 1.0) == 1.0:
            pruning = ("policy", "keep_rate", "blocks", "at_input", "options", "restore")
            return {name: value for name, value in data.items() if name not in pruning}
        return data


class TranscribeSettings(Closed):
    """Test clips transcribed by a recogniser whose encoder is pruned, off the shelf; keep_rate 1 means policy none."""

    recogniser: str = Field(description="such as whisper-base")
    dataset: str = Field(description="whose test clips")
    policy: str = Field("none", description="a module of audioprune.policies, or a pruning method that runs on frames")
    keep_rate: float = Field(1.0, gt=0, le=1, description="share of the tokens kept at each pruning block")
    blocks: tuple[int, ...] = Field((2,), description="pruning blocks of the encoder, counted from zero")
    within: Within = Field(
        "window", description="of all tokens of the padded window, or of those that hold sound; then all padding stays"
    )
    options: dict[str, OptionValue] = Field(default_factory=dict, description="options of the policy")
    budget: Budget = Field(
        "fixed",
        description="fixed: the same share of every clip; threshold: what reaches one score in every clip, set on "
        "one half of them so that as much stays there as with the fixed share, used on the other half",
    )
    at_input: bool = Field(
        False,
        description="pool alone: once, before block 0, to as many tokens as cost what pooling at `blocks` does",
    )
    thin: Literal[Thin, ""] = Field(
        "", description="policy none: of the padding alone thin_to tokens stay at the first pruning block, and these"
    )
    thin_to: int = Field(0, ge=0, description="tokens of padding that stay; all where there are no more")
    padding: Literal["window", "none"] = Field(
        "window", description="window: clips are padded to 30 s, as Whisper was trained; none: by a margin alone"
    )
    margin: int = Field(128, ge=0, description="padding none: tokens of silence that are encoded behind the clip")
    restore: Literal[Restore, ""] = Field(
        "", description="what a pruned token's column of a CTC recogniser holds; nothing is restored for Whisper"
    )
    fallback: bool = Field(
        False,
        description="clips whose greedy transcript the library itself distrusts are sampled at rising temperatures",
    )

    @model_validator(mode="before")
    @classmethod
    def _only_what_counts(cls, data: Any) -> Any:
        """Fields that say nothing of an arm are left at their defaults: arms that are the same have the same key."""
        if not isinstance(data, dict):
            return data
        idle = set()
        if data.get("policy", "none") == "none" or data.get("keep_rate", 1.0) == 1.0:
            idle |= {"policy", "keep_rate", "within", "options", "budget", "at_input", "restore"}
            idle |= set() if data.get("thin") else {"blocks"}
        idle |= set() if data.get("thin") else {"thin_to"}
        idle |= set() if data.get("padding") == "none" else {"margin"}
        return {name: value for name, value in data.items() if name not in idle}


class MacsSettings(Closed):
    """MACs counted by torchprofile on the eager kernel, against the closed form."""

    model: Model = Field(description="the backbone, its patches and its kernel")
    frames: int = Field(description="length of the input, in frames of 10 ms")
    num_classes: int = Field(description="outputs of the head")
    method: str = Field("topk", description="a module of audioprune.pruning")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="options of the method")
    keep_rates: tuple[float, ...] = Field(
        description="shares of tokens kept; 1 is the unpruned model, below 1 says nothing where options have r"
    )
    blocks: tuple[int, ...] = Field(BLOCKS, description="pruning blocks, counted from zero")


class ThroughputSettings(Closed):
    """Throughput of one model at several keep-rates, the baseline in the same run (paper.md 1.10)."""

    model: Model = Field(description="the backbone, its patches and its kernel")
    frames: int = Field(description="length of the input, in frames of 10 ms")
    num_classes: int = Field(description="outputs of the head")
    method: str = Field("topk", description="a module of audioprune.pruning")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="options of the method")
    keep_rates: tuple[float, ...] = Field(description="as for MACs; 1.0, the baseline, must be among them")
    blocks: tuple[int, ...] = Field(BLOCKS, description="pruning blocks, counted from zero")
    batch_size: int = Field(gt=0, description="clips in one forward pass")
    warmup: int = Field(10, ge=1, description="forward passes before any is timed")
    runs: int = Field(50, ge=2, description="forward passes that are timed")
    precision: Literal["fp32", "tf32", "fp16", "bf16"] = Field("fp32", description="of weights and activations")
    device: str = Field(description="name of the device; never reused on another")


class PaceSettings(Closed):
    """Speed of a model on clips of a dataset as long as they are: every way to batch them, with every policy and
    keep-rate, in the same run."""

    recogniser: str = Field(description="such as whisper-base")
    dataset: str = Field(description="whose test clips, with their own lengths")
    policies: tuple[str, ...] = Field(description="what prunes below keep-rate 1; the unpruned model is always there")
    keep_rates: tuple[float, ...] = Field(
        description="shares of the tokens kept; 1.0, the baseline, must be among them"
    )
    blocks: tuple[int, ...] = Field(description="pruning blocks, counted from zero")
    batchings: tuple[Batching, ...] = Field(
        description="one clip; so many padded to the longest of all; to the longest of the batch; of equal lengths"
    )
    batch_size: int = Field(16, gt=0, description="clips of a batch that is `padded` or `longest`")
    tokens_per_batch: int = Field(16384, gt=0, description="at most so many tokens in a batch that is `bucketed`")
    bucket: int = Field(50, gt=0, description="lengths that round up to the same multiple of so many tokens are equal")
    clips: int = Field(2000, gt=0, description="at most so many test clips, a seeded sample")
    seed: int = Field(0, ge=0, description="of the sample, and of what comes together in a batch that is not sorted")
    warmup: int = Field(2, ge=1, description="rounds before any is timed")
    runs: int = Field(5, ge=2, description="rounds that are timed")
    precision: Literal["fp32", "tf32", "fp16", "bf16"] = Field("fp32", description="of weights and activations")
    device: str = Field(description="name of the device; never reused on another")


class Row(Closed):
    """A figure as a row of report/exhibits.yaml."""

    draw: str = Field(description="a module of audioprune.figures that draws rows")
    title: str = Field(description="of the figure, without its number")
    caption: str = Field("", description="instead of the module's own")
    shows: dict[str, Any] = Field(default_factory=dict, description="what of a study it shows: the module's `Shows`")


class Contrast(Closed):
    """Two prunings of one model, evaluated on the same clips: the first minus the second, in points."""

    backbone: str = Field(description="whose models are compared")
    dataset: str = Field(description="on whose test clips")
    first: Pruning = Field(description="of the side that is expected to be better; none: unpruned")
    second: Pruning = Field(description="of the other side")
    trained: bool = Field(description="each side was trained as it is evaluated; else both are the unpruned model")
    tested: bool = Field(description="is one of those that are tested together; else the data bound its loss")


class ExhibitSettings(Closed):
    """A table or a figure of a study."""

    study: str = Field(description="a study of config.yaml")
    name: str = Field(description="a module of audioprune.tables or audioprune.figures, or a row (exhibits.yaml)")
    row: Row | None = Field(None, description="what a figure shows that is a row")
    contrasts: tuple[Contrast, ...] = Field((), description="those that the study declares, for the table of them")


class ReportSettings(Closed):
    """A study's report, and what it prints of the study's block of config.yaml."""

    study: str = Field(description="a study of config.yaml")
    title: str = Field("", description="the report's heading")
    tier: str = Field("", description="how far the data is from the paper's")
