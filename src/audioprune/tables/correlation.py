"""Rank correlation of attention score and patch statistic, as released and without ties (paper.md 3.3, B18)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Column, Row, Table
from audioprune.facts.tokens import BLOCKS
from audioprune.results.correlations import correlations, over_blocks
from audioprune.results.tokens import Group, analysed, groups
from audioprune.tables._published import EXPLAINED, MARKS, has_published, lookup, status
from audioprune.tables._tokens import PROTOCOL, cells_of, facts, headings, measured, notes, where

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Rank correlation of attention and patch statistics"
CAPTION = (
    "Correlation of a token's score with the cluster (C1 to C5) of its patch's mean or standard deviation, in unpruned "
    "models, pairs of tokens pooled over test clips. τ* is the released measure, which counts ties as concordant; t "
    "is the share of tied pairs, which τ* would be if score and patch were independent; τ-b and γ (Goodman and "
    "Kruskal's) leave ties out. Blocks count from zero."
)
PUBLISHED = ("correlation",)  # files of report/published that it shows
MEASURES = ("tau_star", "tie_share", "strict", "tau_b", "gamma", "tau_b_raw")
SCORES = (
    "It is not known from which score the released values of AST were computed: the code at the time wrote out the "
    "global one, although AST prunes by the class token's. They are shown beside both."
)


def needs(study: Cells) -> list:
    return analysed(study, pruned=False)


def build(results: Results) -> Table:
    published, shown = results.published("correlation"), groups(results, needs(results))
    headed = headings(results, shown)
    rows = [Row(row, headed[group.model]) for group in shown for row in _rows(results, published, group)]
    beside = [SCORES] if has_published(row for row in rows if str(row.cells["backbone"]).startswith("ast")) else []
    told = (*beside, *notes(results, shown, labelled=False), PROTOCOL) if rows else ()
    return Table(_columns(), tuple(rows), told, EXPLAINED, status(cells_of(rows)))


def _rows(results: Results, published: pd.DataFrame, group: Group) -> Iterator[dict[str, Any]]:
    own = correlations(results, group) if group.cells else {}
    if not own:
        yield {**where(group), "tau_star": measured(None, group)}
    for score, statistic in dict.fromkeys(key[:2] for key in own):
        blocks = sorted({key[2] for key in own if key[:2] == (score, statistic)})
        shown: list[Any] = [*(b for b in BLOCKS if b in blocks), "mean"]
        for block in shown:
            row = {**where(group), **facts(group), "score": score, "statistic": statistic}
            row["block"] = str(block) if block != "mean" else f"mean of {len(blocks)}"
            for measure in MEASURES:
                one = over_blocks(own, score, statistic, measure) if block == "mean" else None
                beside = _released(published, group, score, statistic, block) if measure == "tau_star" else {}
                row[measure] = measured(one or own[score, statistic, block, measure], group, **beside)
            yield row


def _released(published: pd.DataFrame, group: Group, score: str, statistic: str, block: int | str) -> dict:
    """R's value of a block, or the mean of its blocks; AudioMAE's are of the global score."""
    if group.family == "audiomae" and score != "global":
        return {}
    metric = f"tau_star_{statistic}"
    if block != "mean":
        return lookup(published, metric=metric, location=str(block), **where(group))
    at = (published["backbone"] == group.backbone) & (published["dataset"] == group.dataset)
    found = published[at & (published["metric"] == metric) & (published["keep_rate"] == group.keep_rate)]
    if found.empty:
        return {}
    mark = MARKS.get(found["status"].iloc[0], "")
    return {"published": float(found["value"].mean()), "source": str(found["source"].iloc[0]), "mark": mark}


def _columns() -> tuple[Column, ...]:
    return (
        Column("score", "Score", align="left"),
        Column("statistic", "Statistic", align="left"),
        Column("block", "Block", align="left"),
        Column("tau_star", "τ*", decimals=3),
        Column("tau_star", "95 % interval", part="interval", decimals=3),
        Column("tau_star", "Released", part="published", decimals=3),
        Column("tau_star", "Minus released", part="difference", decimals=3),
        Column("tie_share", "t", decimals=3),
        Column("strict", "τ* − t", decimals=3, signed=True),
        Column("strict", "95 % interval", part="interval", decimals=3, signed=True),
        Column("tau_b", "τ-b", decimals=3, signed=True),
        Column("gamma", "γ", decimals=3, signed=True),
        Column("tau_b_raw", "τ-b, no clusters", decimals=3, signed=True),
    )
