"""Training: its recipe, its augmentation, and what is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from audioprune.settings.closed import Closed
from audioprune.settings.model import Model, Pruning

Decay = Annotated[float, Field(ge=0, lt=1)]


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
    noise: bool = Field(False, description="pixel noise: uniform, on the fbank, then a roll in time by -10 to 9 frames")
    waveform_noise: float = Field(
        0.0,
        ge=0,
        le=1,
        description="probability of noise in the waveform: white, pink, or babble of training clips, at 0 to 20 dB",
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
        1e-4, ge=0, description="none on one-dimensional parameters, prefix tokens and positions"
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
