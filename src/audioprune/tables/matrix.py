"""Trained at one keep-rate, evaluated at another: does a model need the keep-rate that it was trained at?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audioprune.cells.query import as_trained
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results.evaluations import rows_of
from audioprune.tables import _ablation
from audioprune.tables._ablation import measured
from audioprune.tables._rows import adjusted

if TYPE_CHECKING:
    from audioprune.cells.query import Asked, Cells
    from audioprune.results.study import Results
    from audioprune.settings.model import Pruning

TITLE = "Trained keep-rate against evaluated keep-rate"
CAPTION = (
    "Accuracy (or mAP) of models trained at one keep-rate (rows) and evaluated at another (columns), topk by the "
    "backbone's own score. Models trained at 1 and evaluated below it are pruned off the shelf. The second row of "
    "each model (Δ, points) is this one minus the model trained at the evaluated keep-rate (matched)."
)


def needs(study: Cells) -> list:
    """Models without pruning or with topk, at every keep-rate, of backbones and datasets where some are crossed."""
    found = [c for c in _ablation.evaluations(study) if _plain(c)]
    blocks: dict[tuple, tuple] = {}  # of the pruned models, by backbone and dataset
    for c in found:
        if as_trained(c) and c.settings.pruning.method == "topk":
            blocks.setdefault(_ablation.place(c), c.settings.pruning.blocks)
    found = [c for c in found if {p.blocks for p in _pruned(c)} <= {blocks.get(_ablation.place(c))}]
    crossed = {_ablation.place(c) for c in found if not as_trained(c)}
    return [c for c in found if _ablation.place(c) in crossed]


def _pruned(cell: Asked) -> list[Pruning]:
    """How it prunes and how its model was trained to, without what prunes nothing."""
    return [p for p in (cell.settings.pruning, _trained(cell)) if p.method != "none"]


def _trained(cell: Asked) -> Pruning:
    return cell.inputs["finetune"].settings.pruning


def _plain(cell: Asked) -> bool:
    return all(p.method == "topk" and not p.options for p in _pruned(cell))


def build(results: Results) -> Table:
    rows: list[Row] = []
    frame = rows_of(results, needs(results))
    for heading, group in _ablation.groups(frame):
        by_rates = {(_trained(results.cell(row.cells[0])).keep_rate, row.keep_rate): row for row in group.itertuples()}
        for rate in sorted({rate for rate, _ in by_rates}, reverse=True):
            own = {at: row for (trained, at), row in by_rates.items() if trained == rate}
            values = {at: _ablation.accuracy(row) for at, row in own.items()}
            change = {at: _ablation.difference(results, row, by_rates.get((at, at))) for at, row in own.items()}
            where = {"backbone": group["backbone"].iloc[0], "dataset": group["dataset"].iloc[0], "trained_at": rate}
            rows.append(
                _row(
                    heading,
                    where | {"shown": "value", "name": _text(rate) + (", unpruned" if rate == 1 else "")},
                    values,
                )
            )
            rows.append(_row(heading, where | {"shown": "this_minus_matched", "name": "Δ to matched"}, change))
    return Table(_columns(frame["keep_rate"].unique()), tuple(adjusted(rows)), _ablation.notes(frame.itertuples()))


def _row(heading: str, where: dict, by_rate: dict[float, Cell | None]) -> Row:
    return Row(where | {_key(rate): cell for rate, cell in by_rate.items()}, heading)


def _text(rate: float) -> str:
    return "1.0" if rate == 1 else f"{rate:g}"


def _key(rate: float) -> str:
    return f"evaluated_at_{rate:g}"


def _columns(rates: Iterable[float]) -> tuple[Column, ...]:
    shown = [
        column for rate in sorted(rates, reverse=True) for column in measured(_key(rate), f"Evaluated at {_text(rate)}")
    ]
    return Column("name", "Trained at", align="left"), *shown
