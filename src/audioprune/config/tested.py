"""Further tests of a study's trained models, as config.yaml describes them: in noise, and without padding."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audioprune.config.names import BackboneName, DatasetName, MethodLabel
from audioprune.facts.noise import Disturbance
from audioprune.settings.closed import Closed

NOISE_TRAINED = ("topk", 0.5)  # method and keep-rate of the pruned models that are trained with noise


class Tested(Closed):
    """Which trained models of a study's grids are tested, each with the unpruned one beside it."""

    backbones: tuple[BackboneName, ...] = Field((), description="some of its grids'; none named: all")
    datasets: tuple[DatasetName, ...] = Field((), description="some of its grids'; none named: all that have classes")
    methods: tuple[MethodLabel, ...] = Field(("topk",), description="of fine-tunings, by label; unpruned ones always")
    keep_rates: tuple[float, ...] = Field((0.7, 0.5), description="of these fine-tunings, below 1")
    off_the_shelf: tuple[MethodLabel, ...] = Field((), description="methods by label that prune the unpruned model")
    off_the_shelf_rates: tuple[float, ...] = Field((0.5,), description="shares that they keep, below 1")
    runs: Literal["first", "folds", "all"] = Field(
        "folds", description="the first fold and seed of a grid, its first seed in every fold, or every run"
    )


class Robustness(Tested):
    """What noise does to trained models, pruned and unpruned: test clips disturbed in every kind, at every level."""

    kinds: tuple[Disturbance, ...] = Field(
        ("white", "pink", "babble", "other", "gain"),
        min_length=1,
        description="what is added to a clip, or done to it; gain: the control, as loud as the mixture would be",
    )
    snrs: tuple[float, ...] = Field((20.0, 10.0, 5.0, 0.0, -5.0), description="clip over noise, in dB; exact")
    t60s: tuple[float, ...] = Field((0.3, 0.6, 0.9), description="of `reverb`: seconds in which sound decays by 60 dB")
    babble: DatasetName | None = Field(
        None, description="speech that `babble` is made of; none named: other speakers among the tested clips"
    )
    environment: DatasetName | None = Field(None, description="sounds that `environment` is made of")
    power: Literal["clip", "active"] = Field(
        "clip", description="a clip's power: of all samples, or of frames within 40 dB of its loudest"
    )
    draws: int = Field(1, ge=1, description="realisations of each kind; they are averaged within a clip")
    seed: int = Field(0, ge=0, description="of the realisations")
    talkers: int = Field(6, ge=1, description="voices of `babble`")
    noise_trained: bool = Field(
        False,
        description="also train the unpruned model and topk at 0.5 with `waveform_noise` 0.5, first seeds alone",
    )
    off_the_shelf: tuple[MethodLabel, ...] = Field(
        ("topk", "random", "uniform", "intensity", "tome"),
        description="methods by label that prune the unpruned model: does noise mislead the selection?",
    )


class Durations(Tested):
    """What padding does to trained models: test clips padded to the model's length, and without padding."""

    seconds: tuple[float, ...] = Field(
        (), description="lengths that clips are cut to, from a seeded start; none: as long as they are"
    )
    seed: int = Field(0, ge=0, description="of where a cut clip begins")
