"""How the study's models were trained, and where that differs from the published recipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.tables._published import EXPLAINED, MARKS
from audioprune.tables._table import Column, Row, Table

if TYPE_CHECKING:
    from audioprune.results import Results
    from audioprune.settings import FinetuneSettings

PUBLISHED = ("table6", "released_recipes")
SHOWN = ("epochs", "batch_size", "optimizer", "base_lr", "schedule", "precision")
NAMES = {"base_lr": "learning rate", "batch_size": "batch"}
REST = ("min_lr", "warmup_epochs", "warmup_steps", "weight_decay", "layer_decay", "drop_path", "eval_every")
SAME = {"lr_schedule": "schedule"}  # metric of the published files -> our field
GPUS = 2  # of the released scripts, whose batch sizes are per GPU; ours are totals


def sections(results: Results) -> Iterator[dict]:
    settings = {}
    for r in results.all():
        if r.kind == "finetune":
            s = r.settings
            settings.setdefault((s.model.backbone, s.dataset, s.recipe, s.augment, s.split, s.initial), s)
    yield _recipes(list(settings.values()))
    yield _deviations(results, list(settings.values()))


def _recipes(settings: list[FinetuneSettings]) -> dict:
    texts = ("backbone", "dataset", "optimizer", "schedule", "precision", "shrink")
    keys = ("backbone", "dataset", *SHOWN, "shrink")
    columns = [Column(key, NAMES.get(key, key).capitalize(), align="left" if key in texts else "right") for key in keys]
    columns += [Column("other", "Also", align="left", wrap=True)]
    rows = []
    for s in settings:
        recipe = {key: _text(getattr(s.recipe, key)) for key in SHOWN}
        start, length = s.recipe.shrink_start, s.recipe.shrink_epochs
        recipe["shrink"] = f"epochs {start} to {start + length}" if length else f"at epoch {start}"
        other = [f"{key} {_text(getattr(s.recipe, key))}" for key in REST if getattr(s.recipe, key)]
        other += [key if value is True else f"{key} {_text(value)}" for key, value in _augment(s)]
        other += [f"{s.split} split", f"{s.initial} start" if s.initial == "pretrained" else "from scratch"]
        rows.append(
            Row(
                {
                    "backbone": s.model.backbone,
                    "dataset": s.dataset,
                    **recipe,
                    "other": ", ".join(other).replace("_", " "),
                }
            )
        )
    text = "One line for each recipe of the study's fine-tunings; the cells' records hold all settings."
    return _section("recipes", "Recipes", text, columns, rows)


def _augment(s: FinetuneSettings) -> list[tuple]:
    """The augmentations that are on."""
    return [
        (key, value)
        for key, value in s.augment.model_dump(exclude_defaults=True).items()
        if value not in (False, "none")
    ]


def _deviations(results: Results, settings: list[FinetuneSettings]) -> dict:
    """Fields of our recipes whose value differs from a published one for the same backbone and dataset."""
    import pandas as pd

    published = pd.concat([results.published(name) for name in PUBLISHED], ignore_index=True)
    rows, compared = [], 0
    for s in settings:
        own = ours(s)
        at = (published["backbone"] == s.model.backbone) & (published["dataset"] == s.dataset)
        for row in published[at].itertuples():
            name = SAME.get(row.metric, row.metric)
            if name in own:
                compared += 1
                if not _equal(own[name], row.printed):
                    where = f"{row.source}{MARKS.get(row.status, '')}, {row.where}"
                    shown = {"field": name.replace("_", " "), "ours": _text(own[name]), "published": row.printed}
                    rows.append(Row({"backbone": s.model.backbone, "dataset": s.dataset, **shown, "where": where}))
    columns = [
        Column(k, k.capitalize(), align="left") for k in ("backbone", "dataset", "field", "ours", "published", "where")
    ]
    text = (
        f"{len(rows)} of {compared} published values differ from this study's." if compared
        else "No published recipe exists for these backbones and datasets: the study's recipes are its own."
    )  # fmt: skip
    if any(MARKS["withdrawn"] in row.cells["where"] for row in rows):
        text += f" †: {EXPLAINED['†'][0].lower()}{EXPLAINED['†'][1:]}"
    return _section("deviations", "Where recipes differ from the published ones", text, columns, rows)


def ours(s: FinetuneSettings) -> dict:
    """Our settings by the names of the published files."""
    derived = {
        "beta1": s.recipe.betas[0],
        "beta2": s.recipe.betas[1],
        "batch_size_per_gpu": s.recipe.batch_size // GPUS,
        "precision_train": "fp32" if s.recipe.precision == "fp32" else "mixed",
    }
    return {**s.recipe.model_dump(), **s.augment.model_dump(), **derived}


def _equal(own, printed: str) -> bool:
    if isinstance(own, bool):
        return own == (printed.strip().lower() in ("yes", "on", "true"))
    try:
        return abs(float(own) - float(printed)) < 1e-12
    except (TypeError, ValueError):
        return str(own).lower() == printed.strip().lower()


def _text(value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _section(name: str, heading: str, text: str, columns, rows) -> dict:
    table = Table(tuple(columns), tuple(rows)) if rows else None
    return {"name": name, "heading": heading, "text": text, "table": table}
