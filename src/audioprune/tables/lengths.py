"""Clips padded to a model's length against clips without padding: accuracy, cost, and what is pruned of the padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results import lengths
from audioprune.results.estimate import INTERVAL, Absent
from audioprune.results.lengths import NATIVE, PADDED, Asked, Lengths
from audioprune.tables._ablation import measured
from audioprune.tables._rows import CHANGED, KEEP_RATE, adjusted, cell_of
from audioprune.wording import METRICS

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Padded and native lengths"
CAPTION = (
    "Test clips padded on the right to the length that their model was trained with, and without padding: only the "
    "columns of 16 frames that hold sound, at the positions that they have in the model. Both of the same clips and "
    "models, so that their difference is paired; MACs are means over clips, in closed form."
)
PADDING = (
    "Padding: patches of padded clips that hold no sound at all. Padding pruned: of those that enter a pruning block, "
    "the share that it prunes; by chance it would prune 1 − K/n of them. Padding is a clip's minimum, so that ranking "
    "by intensity prunes it first."
)
TRAINED = "Models are trained on padded clips: without padding they meet what they were not trained on."


def needs(study: Cells) -> list:
    return lengths.needs(study)


def build(results: Results) -> Table:
    rows = adjusted(_row(results, one) for one in lengths.every(results))
    notes = {one.accuracy[PADDED].note for one in lengths.of(lengths.every(results))}
    told = tuple(f"{note[0].upper()}{note[1:]}." for note in sorted(notes) if note)
    return Table(_columns(rows), tuple(rows), (f"Intervals: {INTERVAL}.", *told, CHANGED, PADDING, TRAINED))


def _row(results: Results, found: Lengths | tuple[Asked, Absent]) -> Row:
    one = found.asked if isinstance(found, Lengths) else found[0]
    cells: dict[str, Any] = {"backbone": one.backbone, "dataset": one.dataset, "method": one.method}
    cells |= {"keep_rate": one.keep_rate, "trained": one.trained, "seconds": one.seconds}
    cells |= {"model": _named(one), "length": f"{one.seconds:g} s" if one.seconds else "natural"}
    if isinstance(found, Lengths):
        cells |= {"clips": found.clips, "padding": found.padding}
        cells |= {mode: cell_of(found.accuracy[mode]) for mode in (PADDED, NATIVE)}
        cells |= {"native_minus_padded": cell_of(found.difference)}
        cells |= {f"{mode}_gmacs": macs for mode, macs in found.macs.items()}
        cells |= {"saved": 100 * (1 - found.macs[NATIVE] / found.macs[PADDED])}
        for number, stage in enumerate(found.stages, 1):
            cells |= {f"padding_pruned_{number}": stage.padding_pruned, f"by_chance_{number}": stage.pruned}
        cells |= _said(found)
    else:
        cells |= {PADDED: Cell(why=found[1].why)}
    metric = METRICS[results.dataset(one.dataset).metric]
    return Row(cells, f"{one.backbone} on {one.dataset}: {metric}")


def _named(one: Asked) -> str:
    if one.method == "none":
        return "unpruned"
    return f"{one.method}, off the shelf" if one.trained else one.method


def _said(found: Lengths) -> dict[str, str]:
    """Stages in a row, as '100, 96, 80'."""
    pruned = [stage.padding_pruned for stage in found.stages]
    if not found.stages or pruned[0] is None:
        return {}
    shown = ", ".join("–" if one is None else f"{one:.0f}" for one in pruned)
    return {"padding_pruned": shown, "by_chance": ", ".join(f"{stage.pruned:.0f}" for stage in found.stages)}


def _columns(rows: list[Row]) -> tuple[Column, ...]:
    costs: list[Any] = [row.cells["padded_gmacs"] for row in rows if "padded_gmacs" in row.cells]
    small = min(costs, default=1) < 0.5
    unit, scale = ("M", 1000) if small else ("G", 1)
    return (
        Column("model", "Model", align="left"),
        KEEP_RATE,
        Column("length", "Length", align="left"),
        Column("clips", "Clips", decimals=0),
        Column("padding", "Padding", "%", 1),
        *measured("padded", "Padded")[:2],
        *measured("native", "Native")[:2],
        *measured("native_minus_padded", "Native − padded", "points", signed=True),
        Column("padded_gmacs", "MACs, padded", unit, 1 if small else 2, scale=scale),
        Column("native_gmacs", "MACs, native", unit, 1 if small else 2, scale=scale),
        Column("saved", "MACs saved", "%", 1),
        Column("padding_pruned", "Padding pruned, by stage", "%", align="left"),
        Column("by_chance", "By chance", "%", align="left"),
    )
