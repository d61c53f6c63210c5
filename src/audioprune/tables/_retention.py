"""Ratios A and B of pruned models at each stage, as rows: what Tables 2 and 5 share (paper.md 2.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audioprune.exhibits.table import Column, Row
from audioprune.results.tokens import Group, groups, means
from audioprune.tables._published import lookup
from audioprune.tables._rows import KEEP_RATE
from audioprune.tables._tokens import facts, headings, measured, where

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.results.study import Result, Results

KEPT = ("signal_of_kept", "background_of_kept", "padding_of_kept", "cut_of_kept")
FRACTIONS = ("blind_a", "kept_fraction", *KEPT)  # shown as they are, without an interval
RATIOS = ("ratio_a", "excess_a", "ratio_b", "excess")
QUANTITIES = (*RATIOS, *FRACTIONS)
DENOMINATOR = (
    "Ratio A divides by the tokens that enter the stage. P0 prints a formula that divides by those entering the stage "
    "before; its Table 2 fits only the former (docs/differences.md, B13). Clips without a signal patch have no ratio B "
    "and are skipped there."
)


def rows(results: Results, cells: Iterable[Result], published: pd.DataFrame) -> tuple[list[Row], list[Group]]:
    """A row for each model, keep-rate and stage, and the groups they are of."""
    found, shown = [], groups(results, cells)
    headed = headings(results, shown)
    for group in shown:
        own = means(results, group, "stages", ("stage",), QUANTITIES) if group.cells else {}
        for stage, block in enumerate(group.blocks, start=1):
            row = where(group) | facts(group) | {"stage": stage, "block": block}
            for quantity in RATIOS:
                one = own.get((stage, quantity))
                beside = lookup(published, metric=quantity, location=str(block), **where(group))
                row[quantity] = measured(one, group, 100, **beside)
            row |= {name: 100 * own[stage, name].value if own else None for name in FRACTIONS}
            row["n"] = own[stage, "ratio_b"].n if own else 0
            found.append(Row(row, headed[group.model]))
    return found, shown


def columns() -> tuple[Column, ...]:
    return (
        KEEP_RATE,
        Column("stage", "Stage", decimals=0),
        Column("ratio_a", "Ratio A", "%", 1),
        Column("ratio_a", "95 % interval", part="interval", decimals=1),
        Column("ratio_a", "Published", part="published", decimals=1),
        Column("ratio_a", "Minus published", "points", part="difference", decimals=1),
        Column("blind_a", "A if blind", "%", 1),
        Column("ratio_b", "Ratio B", "%", 1),
        Column("kept_fraction", "K / N", "%", 1),
        Column("excess", "B − K / N", "points", 1, signed=True),
        Column("excess", "95 % interval", part="interval", decimals=1, signed=True),
        Column("ratio_b", "Published", part="published", decimals=1),
        Column("ratio_b", "Minus published", "points", part="difference", decimals=1),
        Column("padding_of_kept", "Kept padding", "%", 1),
    )
