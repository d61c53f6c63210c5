"""Attention to kept tokens over that to pruned ones, block by block (P0 Figures 6, 9, 13 and 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.figures import _panels, _seen
from audioprune.figures._selected import Analysed as Shows
from audioprune.figures._selected import needs
from audioprune.results.tokens import means
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.results.study import Results
    from audioprune.results.tokens import Group

KINDS = {"gamma_s": ("R_s, kept signal", "-", "o"), "gamma_b": ("R_b, kept background", (0, (4, 1.6)), "s")}
TICKS = tuple(2.0**i for i in range(-4, 8))  # of a logarithmic axis
COLUMNS = (
    *("backbone", "dataset", "method", "variant", "score", "keep_rate"),
    *("block", "kind", "gamma", "low", "high", "clips"),
)
CAPTION = (
    "Mean score of kept signal tokens (R_s) or kept background tokens (R_b), divided by the mean score of the tokens "
    "that the next pruning block prunes; mean over test clips with its 95 % interval (bootstrap over recordings). A "
    "clip that keeps no token of a kind is skipped. Vertical lines are the pruning blocks. Blocks count from zero."
)


def draw(results: Results, shows: Shows) -> tuple[Figure, DataFrame]:
    import pandas as pd

    cells = needs(results, shows)
    models = _panels.by_model(_panels.there(results, cells))
    if not models:
        return style.empty(_panels.why(results, cells)), pd.DataFrame(columns=COLUMNS)
    fig, panels = style.panels(len(models), each=1.85, above=0.4)
    rows: list[dict] = []
    colours = style.rate_colours(g.keep_rate for own in models for g in own)
    for ax, own in zip(panels, models, strict=True):
        for group in own:
            rows += _lines(ax, results, group, colours[group.keep_rate])
        _panels.mark_pruning(ax, own[0].blocks)
        _panels.block_axis(ax, max(own[0].blocks))
        ax.axhline(1, color="#333333", lw=0.7)
        of = own[0].backbone, own[0].dataset
        _scale(ax, [row["high"] for row in rows if (row["backbone"], row["dataset"]) == of])
        ax.set_title(_panels.name(own[0]), loc="left", fontsize=8)
    for ax in panels[-style.ACROSS :]:
        ax.set_xlabel("block")
    for ax in panels[:: style.ACROSS]:
        ax.set_ylabel("γ")
    _legend(fig, colours)
    return fig, pd.DataFrame(rows, columns=COLUMNS)


def _lines(ax: Axes, results: Results, group: Group, colour: tuple) -> list[dict]:
    own = means(results, group, "attention", ("score", "group", "block"), tuple(KINDS))
    score, rows = group.score.partition("_")[0], []
    for kind, (_, line, marker) in KINDS.items():
        found = sorted((key[2], e) for key, e in own.items() if (key[0], key[3]) == (score, kind) and e.n)
        x, y = [block for block, _ in found], [e.value for _, e in found]
        ax.plot(x, y, ls=line, marker=marker, ms=3.5, color=colour, mfc=colour if kind == "gamma_s" else "white")
        ax.fill_between(x, [e.low for _, e in found], [e.high for _, e in found], color=colour, alpha=0.12, lw=0)
        rows += [
            _panels.where(group)
            | {"block": int(block), "kind": kind, "gamma": e.value, "low": e.low, "high": e.high, "clips": e.n}
            for block, e in found
        ]
    return rows


def _scale(ax: Axes, highs: list) -> None:
    """Logarithmic where the values span more than a factor of four."""
    import math

    if max((h for h in highs if not math.isnan(h)), default=0) > 4:
        from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_major_locator(FixedLocator(TICKS))
        ax.yaxis.set_minor_locator(NullLocator())


def _legend(fig: Figure, colours: dict) -> None:
    from matplotlib.lines import Line2D

    kinds = [
        Line2D(
            [],
            [],
            color="#333333",
            ls=line,
            marker=marker,
            ms=3.5,
            mfc="#333333" if kind == "gamma_s" else "white",
            label=text,
        )
        for kind, (text, line, marker) in KINDS.items()
    ]
    _panels.rate_legend(fig, colours, kinds)


def seen(rows: _seen.Rows) -> str:
    """Of every model at its lowest keep-rate: where γ of kept signal is least and most, and its mean for background."""
    return _seen.of_each(_seen.at_lowest_rate(rows), _seen.MODEL, _said)


def _said(rows: _seen.Rows) -> str:
    kinds = _seen.parts(rows, "kind")
    signal, background = kinds.get(("gamma_s",), []), kinds.get(("gamma_b",), [])
    ends = _seen.extent(signal, "gamma", lambda row: f"block {row['block']}")
    return f"γ of kept signal {ends}, of kept background {number(_seen.mean(background, 'gamma'), 2)} in the mean"
