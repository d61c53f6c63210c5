"""Which attention ranks tokens, the class token's or all tokens'; and a class token or mean pooling (P0 Table 5)."""

from __future__ import annotations

from audioprune.tables import _ablation
from audioprune.tables._ablation import measured
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._scores import full_label, own_score
from audioprune.tables._table import Cell, Column, Row, Table

TITLE = "Score and pooling"
CAPTION = (
    "topk by the attention of the class token (cls) or of all tokens (global), for models trained with it and for the "
    "unpruned model pruned off the shelf: the drop from the unpruned model, and by how many points it is below topk by "
    "the backbone's own score. AST-MP is AST with mean pooling, beside AST at the same keep-rates."
)
PUBLISHED = ("table5",)  # files of report/published that it shows
POOLED, BY_CLASS = "ast-mp", "ast"


def needs(study) -> list:
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


def _off_the_shelf(study) -> list:
    """The unpruned models under topk, at the paper's blocks."""
    return [c for c in _ablation.of_unpruned(study) if c.settings.pruning.blocks == (3, 6, 9)]


def _family(backbone: str) -> str:
    return backbone.rpartition("-")[0]


def build(results) -> Table:
    frame = _ablation.rows_of(results, needs(results))
    frame = frame.assign(full=[full_label(r.backbone, r.method) for r in frame.itertuples()])
    published = results.published("table5")
    rows = [r for heading, group in _ablation.groups(frame) for r in _rows(results, published, heading, group, frame)]
    cells = [cell for row in rows for cell in row.cells.values() if isinstance(cell, Cell)]
    return Table(_columns(), tuple(rows), _ablation.notes(frame.itertuples()), EXPLAINED, status(cells))


def _rows(results, published, heading: str, group, frame):
    """The unpruned model; models trained with their pruning; the unpruned one pruned off the shelf."""
    unpruned = _ablation.pick(group, method="none", trained="")
    own = f"topk.{own_score(group['backbone'].iloc[0])}"
    order = sorted(_once(group), key=lambda r: (r.method != "none", r.trained != "", -r.keep_rate, r.full != own))
    for row in order:
        where = {"backbone": row.backbone, "dataset": row.dataset, "keep_rate": row.keep_rate}
        cells = where | {"score": row.full.partition(".")[2] or "none", "training": _training(row)}
        beside = {} if row.trained else lookup(published, metric=row.metric, method=_as_published(row), **where)
        cells["accuracy"] = _ablation.accuracy(row, **beside)
        if row.method != "none":
            cells["drop"] = _ablation.difference(results, unpruned, row)
            same = _ablation.pick(group, full=own, keep_rate=row.keep_rate, trained=row.trained)
            cells["below_own"] = _ablation.difference(results, same, row)
        if _family(row.backbone) == POOLED:
            other = frame[frame["backbone"] == row.backbone.replace(POOLED, BY_CLASS, 1)]
            other = other[other["dataset"] == row.dataset]
            cells["below_ast"] = _ablation.difference(results, _beside(other, row), row)
        yield Row(cells, heading)


def _once(group):
    """Rows without those that name the backbone's own score, where the same stands without its name."""
    seen = set()
    for row in sorted(group.itertuples(), key=lambda r: "." in r.method):
        if (identity := (row.full, row.keep_rate, row.trained)) not in seen:
            seen.add(identity)
            yield row


def _training(row) -> str:
    return "off the shelf" if row.trained else "as evaluated"


def _as_published(row) -> str:
    """P0 leaves the backbone's own score unnamed."""
    return row.method if row.full != full_label(row.backbone, "topk") else "topk"


def _beside(other, row):
    """AST by its own score for AST-MP by its own; the same score otherwise."""
    plain = row.method in ("none", "topk")
    wanted = {"method": row.method} if plain else {"full": row.full}
    return _ablation.pick(other, keep_rate=row.keep_rate, trained=row.trained, **wanted)


def _columns() -> tuple[Column, ...]:
    return (
        Column("score", "Score", align="left"),
        Column("training", "Trained", align="left"),
        Column("keep_rate", "Keep-rate", decimals=1),
        *measured("accuracy", "Ours"),
        *measured("drop", "Drop", "points"),
        *measured("below_own", "Below own score", "points"),
        *measured("below_ast", "Below AST", "points"),
        Column("accuracy", "Published", part="published"),
        Column("accuracy", "Difference", "points", part="difference"),
    )
