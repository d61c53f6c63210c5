"""Tokens ranked by a statistic of their patch against tokens ranked by attention (released code: custom_rank)."""

from __future__ import annotations

from audioprune.tables import _ablation, _cost
from audioprune.tables._ablation import measured
from audioprune.tables._table import Column, Row, Table

TITLE = "Ranking by intensity or variation against attention"
CAPTION = (
    "Models trained and evaluated with tokens ranked by the mean (intensity) or the standard deviation (variation) of "
    "their patch, with as many tokens at the same blocks as topk by attention, at random, or on a uniform grid; and by "
    "how many points each is below attention."
)
STATISTICS = ("intensity", "variation")
OTHERS = ("topk", "random", "uniform")
VARIANTS = (
    "Ranking by a statistic keeps the extra tokens as topk does, and what is said of statistics rests on it. "
    "“as_released” repeats the released code, which takes its tokens one (AudioMAE) or two (AST) places beside the "
    "ranked ones and loses the class and distillation tokens, from which AST classifies."
)

CHANCE = "p: paired permutation of whole recordings, two-sided, against attention; Holm over all of the table."


def needs(study) -> list:
    """Statistics, attention by the backbone's own score and the controls, where a statistic is trained with."""
    found = [c for c in _ablation.trained(study) if _shown(c.settings.pruning)]
    at = {_at(c) for c in found if c.settings.pruning.method in STATISTICS}
    return [c for c in found if _at(c) in at]


def _shown(pruning) -> bool:
    return pruning.method in STATISTICS + OTHERS and not (pruning.method == "topk" and pruning.options)


def _at(cell) -> tuple:
    """Backbone, dataset and recipe, keep-rate and blocks: what has equal numbers of tokens."""
    pruning = cell.settings.pruning
    return _ablation.place(cell), pruning.keep_rate, pruning.blocks


def build(results) -> Table:
    frame = _ablation.rows_of(results, needs(results))
    rows = [row for heading, group in _ablation.groups(frame) for row in _rows(results, heading, group)]
    _adjust(rows)
    notes = (VARIANTS, CHANCE, *_ablation.notes(frame.itertuples()), "MACs: closed form.")
    return Table(_columns(rows), tuple(rows), notes)


def _rows(results, heading: str, group):
    """At falling keep-rates attention first, then the others in the order of the study."""
    first = group.assign(other=~group["method"].str.startswith("topk"))
    first = first.sort_values(["keep_rate", "other"], ascending=[False, True], kind="stable")
    for row in first.itertuples():
        attention = next(r for r in first[first["keep_rate"] == row.keep_rate].itertuples())
        cells = {"backbone": row.backbone, "dataset": row.dataset, "method": row.method, "keep_rate": row.keep_rate}
        cells |= {"gmacs": _cost.gmacs(results, results.cell(row.cells[0])), "accuracy": _ablation.accuracy(row)}
        if attention.method.startswith("topk"):
            cells["below"] = _ablation.difference(results, attention, row)
            cells["p"] = _ablation.chance(results, attention, row) if row.cells != attention.cells else None
        yield Row(cells, heading)


def _adjust(rows: list[Row]) -> None:
    """Adds `p_holm`: the table's p-values, adjusted together."""
    from audioprune.statistics.holm import holm

    tested = [row for row in rows if row.cells.get("p") is not None]
    for row, adjusted in zip(tested, holm([row.cells["p"] for row in tested]), strict=True):
        row.cells["p_holm"] = float(adjusted)


def _columns(rows) -> tuple[Column, ...]:
    return (
        Column("method", "Ranked by", align="left"),
        Column("keep_rate", "Keep-rate", decimals=1),
        _cost.column(rows),
        *measured("accuracy", "Ours"),
        *measured("below", "Below attention", "points"),
        Column("p", "p", decimals=4, floor=True),
        Column("p_holm", "p (Holm)", decimals=4, floor=True),
    )
