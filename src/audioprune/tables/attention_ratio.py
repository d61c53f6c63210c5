"""Attention received by kept tokens over that of pruned ones: P0 Table 3 (paper.md 2.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Column, Row, Table
from audioprune.results.tokens import Group, analysed, groups, means
from audioprune.tables._gamma import group_gammas
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._rows import KEEP_RATE
from audioprune.tables._tokens import cells_of, facts, headings, measured, notes, where

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Attention to kept tokens over attention to pruned ones"
CAPTION = (
    "Γ of a group of blocks: mean score of kept signal tokens (R_s) or kept background tokens (R_b), divided by the "
    "mean score of the tokens that the group's pruning block prunes; mean over clips and then over the blocks. G1 to "
    "G3 end with the three pruning blocks; later blocks are in no group. Scores are those by which the model ranks."
)
PUBLISHED = ("table3",)  # files of report/published that it shows
KINDS = {"gamma_s": "gamma_signal", "gamma_b": "gamma_background", "gamma": "gamma_all"}
CAUTION = (
    "P0's table is withdrawn: R_s and R_b hardly differ in it, as with labels unrelated to the tokens. In the pruning "
    "block itself, Γ is above 1 by construction, since tokens are chosen by score. A clip that keeps no token of a "
    "kind has no Γ for it and is skipped."
)

BACKGROUND = "R_b: all kept tokens that are not signal, including padding, as in P0."


def needs(study: Cells) -> list:
    return analysed(study)


def build(results: Results) -> Table:
    published, shown = results.published("table3"), groups(results, needs(results))
    headed = headings(results, shown)
    rows = [Row(row, headed[group.model]) for group in shown for row in _rows(results, published, group)]
    return Table(
        _columns(), tuple(rows), (CAUTION, *notes(results, shown), BACKGROUND), EXPLAINED, status(cells_of(rows))
    )


def _rows(results: Results, published: pd.DataFrame, group: Group) -> Iterator[dict[str, Any]]:
    own = means(results, group, "attention", ("score", "group", "block"), tuple(KINDS)) if group.cells else {}
    for number in range(1, len(group.blocks) + 1):
        row = where(group) | facts(group) | {"group": f"G{number}"}
        for kind, metric in KINDS.items():
            found = group_gammas(own, group.score.partition("_")[0], number, kind)
            beside = lookup(published, metric=metric, location=f"G{number}", **where(group))
            row[metric] = measured(found, group, **beside)
        yield row


def _columns() -> tuple[Column, ...]:
    return (
        KEEP_RATE,
        Column("group", "Blocks", align="left"),
        Column("gamma_signal", "Γ(R_s)"),
        Column("gamma_signal", "95 % interval", part="interval"),
        Column("gamma_signal", "Published", part="published"),
        Column("gamma_signal", "Minus published", part="difference"),
        Column("gamma_background", "Γ(R_b)"),
        Column("gamma_background", "95 % interval", part="interval"),
        Column("gamma_background", "Published", part="published"),
        Column("gamma_background", "Minus published", part="difference"),
        Column("gamma_all", "Γ, all kept"),
    )
