"""Recognisers that learn: a base of each seed, what is adapted from it, and their transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Literal

from audioprune import registry
from audioprune.cells.cell import Cell
from audioprune.config.design import Recognition
from audioprune.config.training import Taught
from audioprune.facts.recogniser import AT_INPUT, CTC, THRESHOLDS
from audioprune.labels import arm_label
from audioprune.planning.stages import Planner
from audioprune.settings.speech import RecogniseSettings, Restore, TranscribeSettings
from audioprune.settings.training import Recipe


def cells(planner: Planner, given: Recognition, taught: Taught) -> Iterator[Cell]:
    """Of each recogniser, dataset and seed: the base, pruned off the shelf; then what is adapted from it."""
    base = Recipe.model_validate(taught.base) if taught.base else None
    adapted = Recipe.model_validate(taught.base | taught.adapted) if taught.adapted else None
    for recogniser, dataset, seed in product(given.recognisers, given.datasets, taught.seeds):
        official, audio = CTC[recogniser].official, planner.audio(dataset, **taught.options)
        for strip in (taught.strip, *taught.coarser):
            own = {"recogniser": recogniser, "dataset": dataset, "units": taught.units, "strip": strip}
            own |= {"specaug_freq": taught.specaug_freq, "specaug_time": taught.specaug_time}
            start = recognise(planner, audio, RecogniseSettings(**own, seed=0 if official else seed, recipe=base))
            for pruning in prunings(given) if strip == taught.strip else ({},):
                if not (official and pruning.get("policy") == "blank"):  # it ranks by a head that the checkpoint lacks
                    yield from heard(planner, start, given, pruning)
                if adapted:
                    trained = RecogniseSettings(**own, **pruning, recipe=adapted, seed=seed)
                    yield from heard(planner, recognise(planner, audio, trained, start), given, pruning)


def prunings(given: Recognition) -> Iterator[dict[str, Any]]:
    """The unpruned recogniser first."""
    yield {}
    for named, rate, blocks in product(given.policies, given.keep_rates, given.blocks):
        policy = named.removesuffix(AT_INPUT)
        yield {"policy": policy, "keep_rate": rate, "blocks": blocks, "at_input": policy != named}


def recognise(planner: Planner, audio: Cell, own: RecogniseSettings, start: Cell | None = None) -> Cell:
    """A recogniser, and what it starts from: `start`, the official checkpoint, or nothing."""
    facts, inputs = CTC[own.recogniser], {"audio": audio}
    state = "base"
    if start is not None:
        inputs["recognise"] = start
        state = f"adapted-{arm_label(_arm(own))}"
    elif facts.official:
        inputs["checkpoint"] = planner.fetch(facts.checkpoint)
    name = own.recogniser if facts.official else f"{own.recogniser}-s{own.strip}"
    address = f"{name}/{own.dataset}/{state}/seed{own.seed}"
    return planner.cell("recognise", address, own, plugins=plugins(own), inputs=inputs)


def heard(planner: Planner, recogniser: Cell, given: Recognition, pruning: dict[str, Any]) -> Iterator[Cell]:
    """Test clips transcribed by a trained recogniser: with every budget, and every restoring of pruned columns.

    Thresholds are set on validation clips of the dataset that it was trained for, whichever clips they are used on.
    """
    trained, audio = recogniser.settings, recogniser.inputs["audio"]
    usual: Restore = "carried" if "recognise" in recogniser.inputs else "nearest"
    restores: tuple[Restore | Literal[""], ...] = given.restores or (usual,)
    policy = pruning.get("policy", "none")
    if registry.policy_module(policy).FACTS.merges:
        restores = ("",)  # every column takes what its own token went into
    for dataset in dict.fromkeys((trained.dataset, *(given.taught.also_on if given.taught else ()))):
        own_clips = dataset == trained.dataset
        inputs = {"audio": audio if own_clips else planner.audio(dataset), "recognise": recogniser}
        for budget, restore in product(given.budgets, restores if pruning else ("",)):
            if budget == "threshold" and policy not in THRESHOLDS:
                continue
            own = TranscribeSettings(
                recogniser=trained.recogniser, dataset=dataset, **pruning, budget=budget, restore=restore
            )
            address = f"{recogniser.address}/eval-{arm_label(own)}" + ("" if own_clips else f"-on-{dataset}")
            validation = {"validation": audio} if budget == "threshold" and not own_clips else {}
            yield planner.cell("transcribe", address, own, plugins=plugins(own), inputs=inputs | validation)


def _arm(own: RecogniseSettings) -> TranscribeSettings:
    """The arm that a recogniser is adapted to."""
    shared = ("recogniser", "dataset", "policy", "keep_rate", "blocks", "at_input", "options", "restore")
    return TranscribeSettings(**{name: getattr(own, name) for name in shared})


def plugins(own: RecogniseSettings | TranscribeSettings) -> tuple[str, ...]:
    kind = "policies" if own.policy in registry.names("policies") else "pruning"
    found = [registry.module_name("recognisers", CTC[own.recogniser].family), registry.module_name(kind, own.policy)]
    if own.dataset in registry.names("datasets"):
        found.append(registry.module_name("datasets", own.dataset))
    return tuple(found)
