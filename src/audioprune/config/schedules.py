"""What a recipe asks for and its epochs never come to: a keep-rate, a decay, a warm-up, an evaluation, a mask.

Such a recipe trains without a word, and what its tables name is not what was done: a "pruned" model was pruned at its
evaluation alone, a step schedule was constant.
"""

from __future__ import annotations

from collections.abc import Iterator

from audioprune.settings.training import Augment, Recipe


def never(recipe: Recipe, augment: Augment, *, prunes: bool = True) -> Iterator[str]:
    """Each of them, with what would mend it. `prunes`: of a fine-tuning, whose keep-rate falls; not of pre-training.

    Epochs and warm-up are counted from 0, a step schedule from 1, the keep-rate's schedule from first_epoch; a warm-up
    by steps is not looked at, since how many steps make an epoch is not known here.
    """
    epochs = recipe.epochs
    if prunes:
        begin, last = recipe.shrink_start - recipe.first_epoch, epochs - 1
        if last < begin + recipe.shrink_epochs:
            yield (
                f"the keep-rate reaches its target in epoch {max(begin, 0) + recipe.shrink_epochs} counted from 0 "
                f"(shrink_start {recipe.shrink_start}, shrink_epochs {recipe.shrink_epochs}), but the last of {epochs} "
                f"epochs is {last}: no model would be trained as pruned as it is said to be; shorten the two, or train "
                "longer"
            )
        if begin <= 0 and augment.specaug_off == "nominal" and (augment.specaug_freq or augment.specaug_time):
            yield _masks("specaug_freq and specaug_time", recipe, "0, or specaug_off: as_released")
        if begin <= 0 and augment.mask_2d:
            yield _masks("mask_2d", recipe, "0")
    if not recipe.warmup_steps and recipe.warmup_epochs >= epochs:
        yield (
            f"the learning rate warms up for {recipe.warmup_epochs:g} epochs of {epochs}, and never reaches its peak: "
            f"make warmup_epochs less than {epochs}"
        )
    if recipe.schedule == "step" and recipe.step_start >= epochs:
        yield (
            f"the step schedule first decays at the end of epoch {recipe.step_start} (step_start) of {epochs}, so no "
            "epoch is trained with a decayed rate: decay earlier, or say schedule: constant"
        )
    if recipe.eval_every > epochs:
        yield f"eval_every {recipe.eval_every} is more than all {epochs} epochs: 0 evaluates at the end alone"


def _masks(fields: str, recipe: Recipe, off: str) -> str:
    return (
        f"{fields} act before the keep-rate begins to fall, which it does at once (shrink_start {recipe.shrink_start}):"
        f" nothing would be masked in pruned models; raise shrink_start, or set {off}"
    )
