"""Norm of the residual stream over that of the attention branch, block by block (P0 Figures 7 and 10).

# ASSUME: P0 does not say what it averages; per token, then tokens, then clips, as Raghu et al. 2021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.figures import _panels, _seen
from audioprune.figures._selected import Analysed as Shows
from audioprune.figures._selected import needs
from audioprune.results.estimate import of_draws
from audioprune.results.tokens import means

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.results.estimate import Estimate
    from audioprune.results.study import Results
    from audioprune.results.tokens import Group

WIDE = 4  # panels in a row, two for each model
COLUMNS = (
    *("backbone", "dataset", "method", "variant", "score", "keep_rate"),
    *("block", "ratio", "low", "high", "normalised", "normalised_low", "normalised_high"),
)
CAPTION = (
    "Of each model on the left: norm of a token on the residual path divided by the norm of what attention adds to it, "
    "mean over tokens and test clips, with a 95 % interval (bootstrap over recordings). On the right: this ratio "
    "divided by the unpruned model's in the same block. Vertical lines are the pruning blocks. Blocks count from zero."
)


def draw(results: Results, shows: Shows) -> tuple[Figure, DataFrame]:
    import pandas as pd

    cells = needs(results, shows)
    shown = _panels.there(results, cells)
    models = _models(shown)
    if not models:
        return style.empty(_panels.why(results, cells)), pd.DataFrame(columns=COLUMNS)
    fig, panels = style.panels(2 * len(models), each=1.7, above=0.4, wide=WIDE)
    colours, rows = style.rate_colours(g.keep_rate for own in models for g in own), []
    for left, right, own in zip(panels[::2], panels[1::2], models, strict=True):
        base = next((_ratios(results, g) for g in own if g.method == "none"), {})
        for group in own:
            rows += _line(left, right, results, group, base, colours[group.keep_rate])
        blocks = next((g.blocks for g in own if g.blocks), ())
        for ax in (left, right):
            _panels.mark_pruning(ax, blocks)
            _panels.block_axis(ax, max(row["block"] for row in rows), step=3)
        left.set_title(_panels.name(own[-1]), loc="left", fontsize=8)
        left.set_ylabel("|x| / |attention(x)|")
        left.set_ylim(0)
        right.set_ylabel("ratio to unpruned")
        if not base:
            right.set_axis_off()
    for ax in panels[-WIDE:]:
        ax.set_xlabel("block")
    _panels.rate_legend(fig, colours)
    return fig, pd.DataFrame(rows, columns=COLUMNS)


def _models(shown: list) -> list[list]:
    """Each model on a dataset with its unpruned runs first, where a pruned one is there too."""
    unpruned, found = [g for g in shown if g.method == "none"], []
    for own in _panels.by_model([g for g in shown if g.method != "none"]):
        g = own[0]
        same = (g.backbone, g.dataset, g.variant, g.signal)
        found.append([*(u for u in unpruned if (u.backbone, u.dataset, u.variant, u.signal) == same), *own])
    return found


def _ratios(results: Results, group: Group) -> dict[int, Estimate]:
    """{block: Estimate}"""
    return {int(block): e for (block, _), e in means(results, group, "blocks", ("block",), ("norm",)).items()}


def _line(
    left: Axes, right: Axes, results: Results, group: Group, base: dict[int, Estimate], colour: tuple
) -> list[dict]:
    import numpy as np

    own, rows = _ratios(results, group), []
    for block, e in sorted(own.items()):
        row = {**_panels.where(group), "block": block, "ratio": e.value, "low": e.low, "high": e.high}
        if block in base:
            b = base[block]
            draws = e.draws / b.draws if e.design == b.design else np.full(len(e.draws), np.nan)
            over = of_draws(e.value / b.value, draws, e)
            row |= {"normalised": over.value, "normalised_low": over.low, "normalised_high": over.high}
        rows.append(row)
    for ax, names in ((left, ("ratio", "low", "high")), (right, ("normalised", "normalised_low", "normalised_high"))):
        shown = [row for row in rows if names[0] in row]
        x = [row["block"] for row in shown]
        y, low, high = ([row[name] for row in shown] for name in names)
        ax.plot(x, y, marker="o", ms=3.5, color=colour)
        ax.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
    return rows


def seen(rows: _seen.Rows) -> str:
    """Of every model at its lowest keep-rate, over blocks: the ratio, and the ratio to the unpruned model."""
    pruned = [row for row in rows if row["method"] != "none"]
    return _seen.of_each(_seen.at_lowest_rate(pruned), _seen.MODEL, _said)


def _said(rows: _seen.Rows) -> str:
    told = [f"ratio {_seen.extent(rows, 'ratio', _block)}"]
    if _seen.known(rows, "normalised"):
        told.append(f"over that of the unpruned model {_seen.extent(rows, 'normalised', _block)}")
    return ", ".join(told)


def _block(row: _seen.Row) -> str:
    return f"block {row['block']}"
