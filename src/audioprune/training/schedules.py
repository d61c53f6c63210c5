"""Learning rate, keep-rate and augmentation switches as pure functions of the position in training.

`epoch` is a real number counted from 0: 2.5 is halfway through the third epoch. Only the keep-rate has a numbering of
its own, because the released AudioMAE code counts epochs from 0 and the AST code from 1 (`Recipe.first_epoch`).
"""

from __future__ import annotations

import math

from audioprune.settings.training import Augment, Recipe


def effective_lr(recipe: Recipe) -> float:
    """Peak learning rate: base_lr, or base_lr x batch / 256 (MAE's linear scaling rule)."""
    return recipe.base_lr * recipe.batch_size / 256 if recipe.lr_per_256 else recipe.base_lr


def learning_rate(recipe: Recipe, epoch: float, steps_per_epoch: int) -> float:
    """Learning rate of the step at `epoch`, updated at every step (P0 Table 6; released code: lr_sched.py).

    cosine: linear warm-up from 0, then half a cosine to min_lr at the last epoch's end. step: AST's decay by
    step_factor at the end of epoch step_start (counted from 1) and of every step_every-th after it.
    """
    peak = effective_lr(recipe)
    warmup = recipe.warmup_steps / steps_per_epoch if recipe.warmup_steps else recipe.warmup_epochs
    # DIFFERS: AST's warm-up by steps moves every 50 steps in the released code, here at every step.
    if epoch < warmup:
        return peak * epoch / warmup
    if recipe.schedule == "constant":
        return peak
    if recipe.schedule == "step":
        return peak * recipe.step_factor ** _decays(recipe, math.floor(epoch))
    part = min((epoch - warmup) / max(recipe.epochs - warmup, 1e-12), 1.0)
    return recipe.min_lr + (peak - recipe.min_lr) * (1 + math.cos(math.pi * part)) / 2


def _decays(recipe: Recipe, finished: int) -> int:
    """How many times a step schedule has decayed after `finished` whole epochs."""
    return 0 if finished < recipe.step_start else 1 + (finished - recipe.step_start) // recipe.step_every


def keep_rate(recipe: Recipe, target: float, epoch: float) -> float:
    """Keep-rate of the step at `epoch`: 1 until shrink_start, then half a cosine to `target` in shrink_epochs.

    Per epoch it is a staircase, as in the released code, whose iteration counter never moves (B3); per iteration it
    is EViT's. At shrink_start exactly it is still 1, unless shrink_epochs is 0.
    """
    position = recipe.first_epoch + (epoch if recipe.shrink_granularity == "iteration" else math.floor(epoch))
    done = position - recipe.shrink_start
    if done < 0:
        return 1.0
    if done >= recipe.shrink_epochs:
        return target
    return target + (1 - target) * (1 + math.cos(math.pi * done / recipe.shrink_epochs)) / 2


def shrunk(recipe: Recipe, epoch: int) -> bool:
    """Whether an epoch may be evaluated and selected: the shrink schedule has ended, pruned or not."""
    return epoch + recipe.first_epoch >= recipe.shrink_start + recipe.shrink_epochs


def masks_on(recipe: Recipe, augment: Augment, target: float, epoch: int) -> tuple[bool, bool]:
    """Whether (SpecAug, 2-D patch masking) act in this epoch.

    Both stop where the keep-rate begins to fall. In the released AudioMAE code SpecAug in fact never stops (B4,
    specaug_off="as_released"), and unpruned runs keep both to the end (B7, baseline="paper").
    """
    before = epoch + recipe.first_epoch < recipe.shrink_start
    unpruned_as_in_paper = target == 1 and augment.baseline == "paper"
    mask_2d = before or unpruned_as_in_paper
    return mask_2d or augment.specaug_off == "as_released", mask_2d
