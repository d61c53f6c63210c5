"""Whose recipe a fine-tuning follows: its settings compared with P0's Table 6 and the released scripts (R).

P0 and P2 are not the same experiment (differences.md, B16): a claim of one is judged on models trained as it says.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from audioprune.results import published
from audioprune.settings.training import FinetuneSettings

Profile = Literal["p0", "p2"]
FILES: dict[Profile, str] = {"p0": "table6", "p2": "released_recipes"}
SAME = {"lr_schedule": "schedule", "batch_size_per_gpu": "batch_size", "masking": "mask_2d"}  # published -> our field
NOT_SHOWN = ("tie", "first_epoch", "betas", "precision")
UNDECIDED = ("batch_size",)  # per GPU or of all: P0 does not say (differences.md, B17)
MASKS = ("mask_2d", "specaug_freq", "specaug_time")  # none of which P0 used where it prints no masking
UPSTREAM = "audiomae-recipe"  # printed for a masking that is another project's: no number to compare with


def ours(s: FinetuneSettings, loss: str) -> dict:
    """Settings of a fine-tuning by the names of the published files; those that it does not use are left out."""
    recipe = s.recipe.model_dump(exclude=set(NOT_SHOWN))
    recipe |= {"beta1": s.recipe.betas[0], "beta2": s.recipe.betas[1], "loss": loss}
    recipe["precision_train"] = "fp32" if s.recipe.precision == "fp32" else "mixed"
    unused = {"warmup_epochs" if s.recipe.warmup_steps else "warmup_steps"}
    unused |= set() if s.recipe.schedule == "step" else {"step_start", "step_every", "step_factor"}
    unused |= set() if s.recipe.schedule == "cosine" else {"min_lr"}
    own = recipe | s.augment.model_dump() | {"split": s.split, "initial": s.initial}
    return {name: value for name, value in own.items() if name not in unused}


def same(own: Any, printed: str) -> bool:
    """Whether a printed value is ours: numbers by value, switches by their names, `none` is zero."""
    text = printed.strip().lower()
    if isinstance(own, bool):
        return own == (text in ("yes", "on", "true"))
    try:
        return abs(float(own) - float("0" if text == "none" else text)) < 1e-12
    except (TypeError, ValueError):
        return str(own).lower() == text


def follows(s: FinetuneSettings, loss: str, profile: Profile) -> bool:
    """Whether no setting is other than the profile prints for this model and dataset; True where it prints none."""
    own = ours(s, loss)
    wanted = {name: text for name, text in _printed(profile, s.model.backbone, s.dataset).items() if name in own}
    return all(same(own[name], text) for name, text in wanted.items())


@cache
def _printed(profile: Profile, backbone: str, dataset: str) -> dict[str, str]:
    """{our field: printed value} of what decides."""
    found: dict[str, str] = {}
    for row in published.rows(FILES[profile]):
        if (row["backbone"], row["dataset"]) != (backbone, dataset) or row["value"] == UPSTREAM:
            continue
        name = SAME.get(row["metric"], row["metric"])
        of_all = row["metric"] == "masking" and row["value"] == "none"
        found |= dict.fromkeys(MASKS if of_all else (name,), row["value"])
    return {name: text for name, text in found.items() if name not in UNDECIDED}
