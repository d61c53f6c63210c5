"""Recipes: P0 Table 6, as the study's fine-tunings have them, and where they differ from P0 and the released code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import display
from audioprune.exhibits.table import Column, Row, Table
from audioprune.results.recipes_printed import SAME, ours, same
from audioprune.tables._published import MARKS, STATUS

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Recipes"
CAPTION = "How the models were trained, from the settings of the study's fine-tunings."
BESIDE = (
    "In brackets: another value that P0's Table 6 or the released scripts (R) print for the same backbone and dataset."
)
FURTHER = "Of a further recipe only the settings that differ from the first are shown."
PUBLISHED = ("table6", "released_recipes")  # files of report/published that it shows
GPUS = 2  # of the released scripts, whose batch sizes are per GPU; ours are totals
OFF = (0, "none", "nominal", "epoch", "published")  # shown only where something is published for it, or a recipe has it


@dataclass
class _Part:
    """Recipes of one backbone, or of several that are trained alike: {dataset: {setting: value}}."""

    backbones: list[str]
    number: int
    recipes: dict[str, dict] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        return ", ".join(self.backbones) + (f": recipe {self.number}" if self.number > 1 else "")


def needs(study: Cells) -> list:
    return study.cells("finetune")


def build(results: Results) -> Table:
    printed, rows, told = _printed(results), [], {"compared": 0, "differ": 0}
    parts = _parts(results)
    first = {
        (b, dataset): own for p in parts if p.number == 1 for b in p.backbones for dataset, own in p.recipes.items()
    }
    for part in parts:
        backbone = part.backbones[0]
        for name in dict.fromkeys(name for own in part.recipes.values() for name in own):
            values = {dataset: own.get(name) for dataset, own in part.recipes.items()}
            beside = {dataset: printed.get((backbone, dataset, name), {}) for dataset in values}
            others = {dataset: first[backbone, dataset].get(name) for dataset in values}
            if values != others if part.number > 1 else any(beside.values()) or any(map(_on, values.values())):
                rows.append(_row(part, name, values, beside, told))
    datasets = dict.fromkeys(dataset for part in parts for dataset in part.recipes)
    columns = Column("name", "Setting", align="left"), *(Column(d, d, align="left") for d in datasets)
    withdrawn = any("†" in str(text) for row in rows for text in row.cells.values())
    status = f"Published values marked † are {STATUS['†']}" if withdrawn else ""
    notes = [
        _count(**told),
        *([BESIDE] if told["differ"] else []),
        *([FURTHER] if parts[-1:] and parts[-1].number > 1 else []),
    ]
    return Table(columns, tuple(rows), tuple(notes), status=status)


def _on(value: Any) -> bool:
    return value is not None and value not in OFF


def _parts(results: Results) -> list[_Part]:
    """Every backbone's recipes, first ones first; backbones without published recipes join one that has the same."""
    seen: dict[tuple, dict] = {}
    for s in (r.settings for r in results.cells("finetune")):
        recipes = seen.setdefault((s.model.backbone, s.dataset), {})
        recipes.setdefault((s.model, s.recipe, s.augment, s.split, s.initial), s)
    parts: dict[tuple, _Part] = {}
    for (backbone, dataset), recipes in seen.items():
        for number, s in enumerate(recipes.values(), 1):
            part = parts.setdefault((number, backbone), _Part([backbone], number))
            part.recipes[dataset] = ours(s, results.dataset(dataset).loss)
    known = {backbone for backbone, *_ in _printed(results)}
    found: list[_Part] = []
    for part in sorted(parts.values(), key=lambda p: p.number):
        alike = (p for p in found if p.number == part.number and part.recipes.items() <= p.recipes.items())
        if (same_part := next(alike, None)) and not known & {*same_part.backbones, *part.backbones}:
            same_part.backbones += part.backbones
        else:
            found.append(part)
    return found


def _printed(results: Results) -> dict[tuple, dict[str, str]]:
    """{(backbone, dataset, setting): {source with its mark: value as printed, of all GPUs together}}."""
    found: dict[tuple, dict[str, str]] = {}
    for name in PUBLISHED:
        for row in results.published(name).itertuples():
            text = str(GPUS * int(row.value)) if row.metric == "batch_size_per_gpu" else row.printed
            where = (row.backbone, row.dataset, SAME.get(row.metric, row.metric))
            found.setdefault(where, {})[f"{row.source}{MARKS.get(row.status, '')}"] = text
    return found


def _row(part: _Part, name: str, values: dict, beside: dict, told: dict) -> Row:
    """A setting of all datasets; the CSV has the published values in columns of their own."""
    cells: dict[str, Any] = {"backbones": ", ".join(part.backbones), "recipe": part.number, "setting": name}
    cells["name"] = display.setting(name)
    for dataset, value in values.items():
        published = {} if value is None else beside[dataset]
        other = {source: text for source, text in published.items() if not same(value, text)}
        told["compared"] += len(published)
        told["differ"] += len(other)
        listed = "; ".join(f"{source} {text}" for source, text in other.items())
        cells[dataset] = _text(value) + (f" ({listed})" if listed else "")
        cells |= {f"{dataset} {source.strip('†')}": text for source, text in published.items()}
    return Row(cells, part.heading)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value).replace("_", " ")


def _count(compared: int, differ: int) -> str:
    if not compared:
        return "No published recipe exists for these backbones and datasets: the study's recipes are its own."
    return (
        f"{differ} of {compared} published values differ from this study's; R's batch sizes are those of {GPUS} GPUs."
    )
