"""Which attention ranks tokens, the class token's or all tokens'; and a class token or mean pooling (P0 Table 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from audioprune import registry
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.facts.tokens import BLOCKS
from audioprune.labels import score_of
from audioprune.results.evaluations import pick, rows_of
from audioprune.tables import _ablation
from audioprune.tables._ablation import measured
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._rows import KEEP_RATE, VALUE, adjusted, change

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Score and pooling"
CAPTION = (
    "topk by the attention of the class token (cls) or of all tokens (global), for models trained with it and for the "
    "unpruned model pruned off the shelf. Δ is the row minus the unpruned model; then minus topk by the backbone's "
    "own score."
)
PUBLISHED = ("table5",)  # files of report/published that it shows
BELOW_AST = "Δ to AST: AST-MP is AST with mean pooling, and is compared with AST at the same keep-rate."
POOLED, BY_CLASS = "ast-mp", "ast"


def needs(study: Cells) -> list:
    """topk and no pruning, of backbones and datasets with another score, and of AST-MP with AST beside it."""
    found = [
        c for c in (*_ablation.trained(study), *_off_the_shelf(study)) if c.settings.pruning.method in ("topk", "none")
    ]
    other = {_ablation.place(c) for c in found if "score" in c.settings.pruning.options}
    pooled = [_ablation.place(c)[:2] for c in found if _family(_ablation.place(c)[0]) == POOLED]
    beside = {*pooled, *((backbone.replace(POOLED, BY_CLASS, 1), dataset) for backbone, dataset in pooled)}
    pruned = {_ablation.place(c) for c in found if c.settings.pruning.method == "topk"}
    places = other | {place for place in pruned if place[:2] in beside}
    return list({c.path: c for c in found if _ablation.place(c) in places}.values())


def _off_the_shelf(study: Cells) -> list:
    """The unpruned models under topk, at the paper's blocks."""
    return [c for c in _ablation.of_unpruned(study) if c.settings.pruning.blocks == BLOCKS]


def _family(backbone: str) -> str:
    return registry.backbone(backbone).family.name


def _score(results: Results, row: Any) -> str:
    """The attention that a row's model ranks by; none for an unpruned one."""
    return score_of(row.backbone, results.cell(row.cells[0]).settings.pruning) or "none"


def build(results: Results) -> Table:
    frame = rows_of(results, needs(results))
    frame = frame.assign(score=[_score(results, row) for row in frame.itertuples()])
    published = results.published("table5")
    rows = adjusted(
        r for heading, group in _ablation.groups(frame) for r in _rows(results, published, heading, group, frame)
    )
    cells = [cell for row in rows for cell in row.cells.values() if isinstance(cell, Cell)]
    compared = [BELOW_AST] if any(row.cells.get("ast_minus_this") for row in rows) else []
    notes = (*compared, *_ablation.notes(frame.itertuples()))
    return Table(_columns(), tuple(rows), notes, EXPLAINED, status(cells))


def _rows(
    results: Results, published: pd.DataFrame, heading: str, group: pd.DataFrame, frame: pd.DataFrame
) -> Iterator[Row]:
    """The unpruned model; models trained with their pruning; the unpruned one pruned off the shelf."""
    unpruned = pick(group, method="none", trained="")
    order = sorted(
        group.itertuples(), key=lambda r: (r.method != "none", r.trained != "", -r.keep_rate, r.method != "topk")
    )
    for row in order:
        where = {"backbone": row.backbone, "dataset": row.dataset, "keep_rate": row.keep_rate}
        cells = where | {"score": row.score, "training": _training(row)}
        beside = {} if row.trained else lookup(published, metric=row.metric, method=row.method, **where)
        cells["accuracy"] = _ablation.accuracy(row, **beside)
        if row.method != "none":
            cells["drop"] = _ablation.difference(results, unpruned, row)
            same = pick(group, method="topk", keep_rate=row.keep_rate, trained=row.trained)
            cells["own_score_minus_this"] = _ablation.difference(results, same, row)
        if _family(row.backbone) == POOLED:
            other = frame[frame["backbone"] == row.backbone.replace(POOLED, BY_CLASS, 1)]
            other = other[other["dataset"] == row.dataset]
            cells["ast_minus_this"] = _ablation.difference(results, _beside(other, row), row)
        yield Row(cells, heading)


def _training(row: Any) -> str:
    return "off the shelf" if row.trained else "as evaluated"


def _beside(other: pd.DataFrame, row: Any) -> Any:
    """AST by its own score for AST-MP by its own; the same score otherwise."""
    plain = row.method in ("none", "topk")
    wanted = {"method": row.method} if plain else {"score": row.score}
    return pick(other, keep_rate=row.keep_rate, trained=row.trained, **wanted)


def _columns() -> tuple[Column, ...]:
    return (
        Column("score", "Score", align="left"),
        Column("training", "Trained", align="left"),
        KEEP_RATE,
        *measured("accuracy", VALUE),
        *change("drop"),
        *change("own_score_minus_this", "Δ to own score"),
        *change("ast_minus_this", "Δ to AST"),
        Column("accuracy", "Published", part="published"),
        Column("accuracy", "Minus published", "points", part="difference"),
    )
