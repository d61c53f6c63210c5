"""Two unpruned baselines (B7): trained as released, and with augmentation that stops as for pruned models.

The released code never switches masks and SpecAugment off where nothing is pruned, so that a drop from its baseline
mixes pruning with augmentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.exhibits.table import Column, Row, Table
from audioprune.results.evaluations import pick, rows_of
from audioprune.tables import _ablation
from audioprune.tables._ablation import measured
from audioprune.tables._rows import KEEP_RATE, VALUE, adjusted, change

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Asked, Cells
    from audioprune.results.study import Results

TITLE = "Matched and released baselines"
CAPTION = (
    "The unpruned model trained with masking and SpecAugment to the last epoch, as released, or only for as long as "
    "the pruned models have them (matched), and every pruned model minus each of the two (Δ). Where the two Δ differ, "
    "the difference is due to augmentation, not to pruning."
)
BASELINES = ("matched", "paper")
ALIKE = "{}: the recipe has neither masking nor SpecAugment, so that both baselines are trained alike."


def needs(study: Cells) -> list:
    """Everything trained as it is evaluated, of recipes with both baselines."""
    found = _ablation.trained(study)
    kinds: dict[tuple, set[str]] = {}
    for c in found:
        if c.settings.pruning.method == "none":
            kinds.setdefault(_recipe(c), set()).add(_baseline(c))
    return [c for c in found if kinds.get(_recipe(c)) == set(BASELINES)]


def _baseline(cell: Asked) -> str:
    return cell.inputs["finetune"].settings.augment.baseline


def _recipe(cell: Asked) -> tuple:
    """How a model is trained, but for its pruning, baseline, fold and seed."""
    tuned = cell.inputs["finetune"].settings
    augment = tuned.augment.model_copy(update={"baseline": "matched"})
    return tuned.model, tuned.dataset, tuned.recipe, augment, tuned.split, tuned.initial


def build(results: Results) -> Table:
    frame = rows_of(results, needs(results))
    first = [results.cell(own[0]) for own in frame["cells"]]
    frame = frame.assign(recipe=[_recipe(c) for c in first], baseline=[_baseline(c) for c in first])
    rows: list[Row] = []
    notes = [*_ablation.notes(frame.itertuples())]
    for recipe in dict.fromkeys(frame["recipe"]):
        group = frame[[own == recipe for own in frame["recipe"]]]
        heading = _ablation.heading(group.assign(variant=""))
        rows += _rows(results, heading, group)
        augment = recipe[3]
        if not (augment.mask_2d or augment.specaug_freq or augment.specaug_time):
            backbone, dataset = (group[what].iloc[0] for what in ("backbone", "dataset"))
            notes.append(ALIKE.format(f"{backbone} on {dataset}"))
    return Table(_columns(), tuple(adjusted(rows)), tuple(notes))


def _rows(results: Results, heading: str, group: pd.DataFrame) -> Iterator[Row]:
    """Both baselines and their difference, then pruned models at falling keep-rates with a drop from each."""
    bases = {kind: pick(group, method="none", baseline=kind) for kind in BASELINES}
    methods = list(dict.fromkeys(group["method"]))
    order = sorted(group.itertuples(), key=lambda r: (r.method != "none", methods.index(r.method), -r.keep_rate))
    pruned_once = set()
    for row in order:
        unpruned, identity = row.method == "none", (row.method, row.keep_rate)
        if not unpruned and identity in pruned_once:  # a pruned model is trained alike for either baseline
            continue
        pruned_once.add(identity)
        cells = {"backbone": row.backbone, "dataset": row.dataset, "method": row.method, "keep_rate": row.keep_rate}
        cells["name"] = f"unpruned, {row.baseline.replace('paper', 'as released')}" if unpruned else row.method
        cells["accuracy"] = _ablation.accuracy(row)
        for kind, base in bases.items():
            cells[f"drop_{kind}"] = _ablation.difference(results, base, row)
        yield Row(cells, heading)


def _columns() -> tuple[Column, ...]:
    return (
        Column("name", "Method", align="left"),
        KEEP_RATE,
        *measured("accuracy", VALUE),
        *change("drop_matched", "Δ to matched"),
        *change("drop_paper", "Δ to released"),
    )
