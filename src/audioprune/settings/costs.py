"""MACs and time."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audioprune.facts.tokens import BLOCKS
from audioprune.settings.closed import Closed, OptionValue
from audioprune.settings.model import Model

Batching = Literal["single", "padded", "longest", "bucketed", "packed"]


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

    recogniser: str = Field("", description="such as whisper-base; none: a classifier is timed")
    backbone: str = Field("", description="of that classifier, such as ast-tiny: the fine-tuning among its inputs")
    dataset: str = Field(description="whose test clips, with their own lengths")
    policies: tuple[str, ...] = Field(description="what prunes below keep-rate 1; the unpruned model is always there")
    keep_rates: tuple[float, ...] = Field(
        description="shares of the tokens kept; 1.0, the baseline, must be among them"
    )
    blocks: tuple[int, ...] = Field(description="pruning blocks, counted from zero")
    batchings: tuple[Batching, ...] = Field(
        description="one clip; so many padded to the longest of all; to the longest of the batch; of equal lengths; of "
        "any lengths end to end"
    )
    batch_size: int = Field(16, gt=0, description="clips of a batch that is `padded` or `longest`")
    tokens_per_batch: int = Field(
        16384, gt=0, description="at most so many tokens in a batch that is `bucketed` or `packed`"
    )
    bucket: int = Field(50, gt=0, description="lengths that round up to the same multiple of so many tokens are equal")
    clips: int = Field(2000, gt=0, description="at most so many test clips, a seeded sample")
    seed: int = Field(0, ge=0, description="of the sample, and of what comes together in a batch that is not sorted")
    warmup: int = Field(2, ge=1, description="rounds before any is timed")
    runs: int = Field(5, ge=2, description="rounds that are timed")
    precision: Literal["fp32", "tf32", "fp16", "bf16"] = Field("fp32", description="of weights and activations")
    device: str = Field(description="name of the device; never reused on another")
