"""What config.yaml may hold: closed typed models. Every field says what it is, for readers here and in their editors.

The file is read by audioprune.config.file and checked for names by audioprune.config.checks. Labels of pruning methods
are read by audioprune.config.methods, recipe sets resolved by audioprune.config.recipes.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from audioprune.config.names import BackboneName, DatasetName, MethodLabel, PolicyName, RecogniserName, Tests
from audioprune.config.tested import Durations, Robustness
from audioprune.config.training import Generated, Pretraining, RecipeSet, Taught
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.settings.closed import Closed, OptionValue
from audioprune.settings.costs import Batching
from audioprune.settings.data import UserFolder
from audioprune.settings.speech import Budget, Restore, Thin, Within

MADE_BEFORE = ("official", "stored")  # checkpoints by others, and by this workflow: rows of workflow/sources.yaml


class Grid(Closed):
    """A full crossing; several grids make a study, and cells that two grids share are one cell."""

    backbones: tuple[BackboneName, ...] = Field(
        min_length=1, description="family and size, such as audiomae-b or ast-tiny"
    )
    datasets: tuple[DatasetName, ...] = Field(min_length=1, description="built-in datasets, or names under `datasets`")
    methods: tuple[MethodLabel, ...] = Field(
        ("topk",), min_length=1, description="pruning methods by label: topk, topk.cls, tome.r5, none"
    )
    keep_rates: tuple[float, ...] = Field(
        (1.0, 0.7, 0.5),
        min_length=1,
        description="shares of tokens kept at each pruning block; 1 is the unpruned model",
    )
    folds: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        None, min_length=1, description="test folds, from 1; none named: every fold the dataset has"
    )
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0,), min_length=1, description="of fine-tuning: head, order of clips, augmentation"
    )
    blocks: tuple[int, ...] = Field(BLOCKS, description="pruning blocks, counted from zero")
    split: Literal["published", "nested"] = Field(
        "published", description="nested: clips of the training part are set aside for choosing weights"
    )
    initial: Literal["pretrained", "scratch"] = Field(
        "pretrained", description="weights that fine-tuning begins with: the study's pre-training, or random ones"
    )
    perturbations: Tests = Field((), description="perturbation tests of pruned models (paper.md 2.5), or `all`")
    baseline: Literal["paper", "matched"] | None = Field(
        None, description="augmentation of unpruned models instead of the recipe's (docs/differences.md, B7)"
    )
    recipes: str | None = Field(None, description="a set of `recipes` instead of the study's")


class Cost(Closed):
    """Models that are counted and timed beside their unpruned one, and not trained."""

    backbones: tuple[BackboneName, ...] = Field(min_length=1, description="family and size, such as ast-b")
    datasets: tuple[DatasetName, ...] = Field(
        min_length=1, description="give the length of the input and the number of classes"
    )
    methods: tuple[MethodLabel, ...] = Field(min_length=1, description="pruning methods by label, such as tome.r20")
    keep_rates: tuple[float, ...] = Field(
        (0.5,),
        min_length=1,
        description="shares of tokens kept at each pruning block; a method with a constant r appears once, below 1",
    )
    blocks: tuple[int, ...] = Field(BLOCKS, description="pruning blocks, counted from zero")
    stride: int = Field(
        PATCH, gt=0, le=PATCH, description="step between patches, in frames and mel bins: FastAST's is 10"
    )


class Traces(Closed):
    """Which fine-tunings are traced, token by token, and on how many clips."""

    keep_rates: tuple[float, ...] = Field((1.0, 0.5), description="of the fine-tunings")
    methods: tuple[str, ...] = Field(
        ("topk",), description="pruning methods by name, whatever their options; an unpruned model belongs to each"
    )
    clips: int = Field(64, ge=0, description="test clips traced in each run, a seeded sample; 0: all")
    runs: Literal["first", "folds", "all"] = Field(
        "first", description="the first fold and seed of a grid, its first seed in every fold, or every run"
    )


class Evaluations(Closed):
    """Fine-tuned models evaluated with another pruning than their own: no training."""

    extends: str | None = Field(None, description="a set of `evaluations` whose fields stand where this gives none")
    matrix: bool = Field(False, description="each topk fine-tuning, the unpruned one too, at all its grid's keep-rates")
    off_the_shelf: tuple[MethodLabel, ...] = Field((), description="methods by label that prune the unpruned model")
    blocks: tuple[tuple[int, ...], ...] = Field((), description="other blocks at which topk prunes the unpruned model")
    discard: tuple[int, ...] = Field(
        (), description="blocks after each of which clusters of intensity are discarded from the unpruned model"
    )


class Pair(Closed):
    """Two prunings with the same keep-rate at the same blocks, or one and the unpruned model: first minus second."""

    first: MethodLabel = Field("none", description="method by label; none: the unpruned model, so that it is a drop")
    second: MethodLabel = Field(description="method by label")
    keep_rate: float = Field(description="share of tokens kept at each pruning block")
    blocks: tuple[int, ...] = Field(BLOCKS, description="pruning blocks, counted from zero")


class Contrasts(Closed):
    """Comparisons that are fixed before any model is trained, for each backbone, with a table of their own."""

    backbones: tuple[BackboneName, ...] = Field(description="family and size; a grid trains them unpruned")
    dataset: DatasetName = Field(description="on whose test clips")
    tested: tuple[Pair, ...] = Field(
        min_length=1, description="of the unpruned model, pruned at evaluation only; Holm over these of all backbones"
    )
    bounded: tuple[Pair, ...] = Field(
        (), description="of models trained as they are evaluated: not tested, shown with the loss that the data exclude"
    )


class Throughput(Closed):
    """How the speed of models is measured (paper.md 1.10)."""

    batch_size: dict[DatasetName, Annotated[int, Field(gt=0)]] = Field(
        default_factory=dict, description="clips in one forward pass, by dataset; `all` for the others, 16 without it"
    )
    kernels: tuple[Literal["eager", "fused"], ...] = Field(
        ("eager", "fused"), description="attention with explicit maps, as the paper times it, or without"
    )
    precision: Literal["fp32", "tf32", "fp16", "bf16"] = Field("fp32", description="of weights and activations")
    warmup: int = Field(10, ge=1, description="forward passes before any is timed")
    runs: int = Field(50, ge=2, description="forward passes that are timed")
    device: str = Field("here", description="`here`: the device of the planning machine; else the device's name")


class Recognition(Closed):
    """Speech recognisers, their encoders pruned off the shelf or trained so: every policy at every keep-rate."""

    recognisers: tuple[RecogniserName, ...] = Field(
        description="official checkpoints, such as whisper-base; or what is taught, such as strips-tiny"
    )
    datasets: tuple[DatasetName, ...] = Field(description="speech with transcripts")
    policies: tuple[PolicyName, ...] = Field(
        ("stride", "pool", "random", "topk", "intensity", "adjacent"),
        description="which tokens stay, or are merged; pool@0: before block 0, at the cost of pool at `blocks`",
    )
    keep_rates: tuple[float, ...] = Field((0.5, 0.25), description="shares of tokens kept at each pruning block")
    blocks: tuple[tuple[int, ...], ...] = Field(((2,),), description="pruning blocks of the encoder, from zero")
    within: tuple[Within, ...] = Field(
        ("sound", "window"), description="of the tokens that hold sound, all padding kept, or of the whole window"
    )
    budgets: tuple[Budget, ...] = Field(
        ("fixed",), description="a fixed share of every clip; or one threshold for all clips, of policies that have one"
    )
    restores: tuple[Restore, ...] = Field(
        (), description="of CTC recognisers: what pruned columns hold; none named: its own"
    )
    thins: tuple[Thin, ...] = Field(
        (), description="of the unpruned Whisper: which tokens of the padding stay at the first of the pruning blocks"
    )
    thin_to: tuple[int, ...] = Field((640, 320, 160, 80), description="how many tokens of the padding stay")
    margins: tuple[int, ...] = Field(
        (), description="of the unpruned Whisper without padding to 30 s: tokens of silence behind the clip instead"
    )
    fallbacks: tuple[bool, ...] = Field(
        (False,), description="whether the library samples anew what it distrusts: a sensitivity to runaway transcripts"
    )
    taught: Taught | None = Field(None, description="how recognisers with a CTC head learn; other recognisers: none")


class Pace(Closed):
    """How fast recognisers of `recognitions`, or classifiers of grids, are on clips as long as they are, in every
    batching."""

    recognisers: tuple[RecogniserName, ...] = Field((), description="some of those; none named: all")
    backbones: tuple[BackboneName, ...] = Field(
        (), description="instead: classifiers that a grid trains unpruned, each in its first fold and seed"
    )
    datasets: tuple[DatasetName, ...] = Field(
        (), description="some of what those transcribe; none named: all. Of classifiers at least one"
    )
    policies: tuple[PolicyName, ...] = Field(
        ("stride", "topk"), description="what prunes the encoder; of classifiers pruning methods"
    )
    keep_rates: tuple[float, ...] = Field((1.0, 0.5), description="shares of tokens kept; 1, the baseline, among them")
    blocks: tuple[int, ...] | None = Field(
        None, description="pruning blocks, from zero; none named: where the study prunes it first"
    )
    batchings: tuple[Batching, ...] = Field(
        ("single", "padded", "longest", "bucketed"),
        description="one clip; so many padded to the longest of all, the baseline; to that of the batch; of equal "
        "lengths. A recogniser whose window is fixed has the first two. Of classifiers, on a CUDA GPU in fp16 or "
        "bf16, also packed: clips end to end, nothing padded",
    )
    batch_size: int = Field(16, gt=0, description="clips of a batch that is `padded` or `longest`")
    tokens_per_batch: int = Field(
        16384, gt=0, description="at most so many tokens in a batch that is `bucketed` or `packed`"
    )
    bucket: int = Field(50, gt=0, description="lengths that round up to the same multiple of so many tokens are equal")
    clips: int = Field(2000, gt=0, description="at most so many test clips, a seeded sample")
    warmup: int = Field(2, ge=1, description="rounds before any is timed")
    runs: int = Field(5, ge=2, description="rounds that are timed")
    precision: Literal["fp32", "tf32", "fp16", "bf16"] = Field("fp32", description="of weights and activations")
    device: str = Field("here", description="`here`: the device of the planning machine; else the device's name")


class Reporting(Closed):
    """What a study's report holds besides its results."""

    sound: bool = Field(
        False,
        description="clips of your own data can be played in the report; those of sources as their licences allow",
    )
    disputes: str = Field(
        "",
        pattern=r"^(https?://[^\s<>\"]+|[^\s<>\":@]+@[^\s<>\":@]+)?$",
        description="where a reader disputes a verdict: a repository with issues, or mail; empty: repository-code of "
        "CITATION.cff, and where that names none, each claim shows the text to send",
    )


class Study(Closed):
    """What is run and reported together."""

    title: str = Field(description="heading of the report")
    tier: Literal["published", "synthetic", "real miniature", "extension"] = Field(
        description="whether the data is the paper's own, made by the project, real and small, or beyond the paper"
    )
    recipes: str = Field("", description="a set of `recipes`, for what is trained")
    pretraining: str = Field(
        "official",
        description="a block of `pretraining`, `official` checkpoints, or those `stored` in workflow/checkpoints",
    )
    grids: tuple[Grid, ...] = Field((), description="what is trained, in the order in which tables show it")
    selections: tuple[Literal["last", "best_test", "best_val"], ...] = Field(
        ("last",), description="which epoch's weights are evaluated: the last, the best on test or on validation clips"
    )
    traces: Traces | None = Field(Traces(), description="which models are traced, token by token; null: none")
    evaluations: Evaluations = Field(
        Evaluations(), description="evaluations of trained models with another pruning than their own"
    )
    contrasts: Contrasts | None = Field(None, description="comparisons that are fixed beforehand; null: none")
    throughput: Throughput | None = Field(Throughput(), description="how topk's models are timed; null: not at all")
    costs: tuple[Cost, ...] = Field((), description="further models, counted and timed and not trained")
    recognitions: tuple[Recognition, ...] = Field((), description="speech recognisers off the shelf, pruned")
    pace: tuple[Pace, ...] = Field((), description="how they are timed on clips of their own lengths; none: not at all")
    robustness: tuple[Robustness, ...] = Field(
        (), description="what noise does to models of its grids, pruned and unpruned; none: not asked"
    )
    durations: tuple[Durations, ...] = Field(
        (), description="what padding does to models of its grids, pruned and unpruned; none: not asked"
    )
    report: Reporting = Field(Reporting(), description="what the report holds besides results")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.grids and not self.costs and not self.recognitions:
            raise ValueError("give grids, costs or recognitions: a study of nothing has nothing to report")
        return self


class Config(Closed):
    """config.yaml."""

    mirror: str | None = Field(None, description="a folder with the archives; AUDIOPRUNE_MIRROR wins")
    bad_clips: Literal["stop", "set_aside"] = Field(
        "stop", description="what to do about a clip that cannot be decoded, is silent, has NaN or has no label"
    )
    data: dict[DatasetName, str] = Field(
        default_factory=dict, description="dataset that cannot be fetched -> its folder"
    )
    checkpoints: dict[BackboneName, str] = Field(
        default_factory=dict, description="backbone -> the file of its official checkpoint, which cannot be fetched"
    )
    datasets: dict[str, UserFolder] = Field(default_factory=dict, description="your own data by a name of your choice")
    dataset_options: dict[DatasetName, dict[str, OptionValue]] = Field(
        default_factory=dict, description="dataset -> switches of its own, which its module in src explains"
    )
    generators: dict[str, Generated] = Field(default_factory=dict, description="generator -> how much audio it makes")
    pretraining: dict[str, Pretraining] = Field(
        default_factory=dict, description="how tiny backbones are pre-trained, by a name that studies refer to"
    )
    recipes: dict[str, RecipeSet] = Field(description="recipe sets: set -> family -> `all` or a dataset -> part")
    evaluations: dict[str, Evaluations] = Field(
        default_factory=dict, description="sets of evaluations that those of studies extend"
    )
    studies: dict[str, Study] = Field(description="name -> study; results/<name>/ is where its report lies")
