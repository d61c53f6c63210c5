"""Rank correlation of attention score and patch statistic by block, ties accounted for (paper.md 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.exhibits import display, style
from audioprune.figures import _panels, _seen
from audioprune.results.correlations import correlations
from audioprune.results.tokens import analysed
from audioprune.wording import clean, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results
    from audioprune.results.tokens import Group

TITLE = "Rank correlation of attention and patch statistics by block"
CAPTION = (
    "Kendall's τ-b of a token's score and the cluster of its patch's mean (intensity, upper panels) or standard "
    "deviation (variation, lower panels), in unpruned models: zero if score and patch are independent, whatever the "
    "ties. Colours and markers are backbones. Bands are 95 % intervals (bootstrap over recordings). Blocks count from "
    "zero. The released measure τ*, which counts ties as concordant, is in the table of correlations."
)
MEASURE = "tau_b"
STATISTICS = {"mean": "intensity", "std": "variation"}
WIDE = 4  # datasets side by side
SCORES = {"global": "global score", "cls": "class token's score", "global_literal": "global score, literal"}
COLUMNS = ("backbone", "dataset", "variant", "score", "statistic", "block", "value", "low", "high")


def needs(study: Cells) -> list:
    return analysed(study, pruned=False)


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    cells = needs(results)
    shown = _panels.there(results, cells)
    if not shown:
        return style.empty(_panels.why(results, cells)), pd.DataFrame(columns=COLUMNS)
    datasets = list(dict.fromkeys(g.dataset for g in shown))
    order = style.assigned(g.backbone for g in shown)
    lines, wide = -(-len(datasets) // WIDE), min(WIDE, len(datasets))
    fig, axes = style.figure(2 * lines, wide, height=3.1 * lines + 0.5)
    rows: list[dict] = []
    for i, dataset in enumerate(datasets):
        pair = [axes[2 * (i // WIDE) + j][i % WIDE] for j in range(len(STATISTICS))]
        for group in (g for g in shown if g.dataset == dataset):
            rows += _curves(pair, correlations(results, group), group, _look(order[group.backbone]))
        _panel(pair, dataset, [row for row in rows if row["dataset"] == dataset], first=i % WIDE == 0)
    for ax in (ax for own in axes for ax in own if not ax.lines):
        ax.set_axis_off()
    _legend(fig, order, list(dict.fromkeys(row["score"] for row in rows)))
    return fig, pd.DataFrame(rows, columns=COLUMNS)


def _panel(pair: list[Axes], dataset: str, rows: list[dict], *, first: bool) -> None:
    """One dataset: both statistics on one scale, which holds every value and zero."""
    ends = [0.0, *(row[end] for row in rows for end in ("low", "high", "value") if row[end] == row[end])]
    margin = 0.06 * max(max(ends) - min(ends), 1e-6)
    for ax, statistic in zip(pair, STATISTICS, strict=True):
        ax.axhline(0, color="#333333", lw=0.7)
        ax.set_ylim(min(ends) - margin, max(ends) + margin)
        ax.set_xticks(range(0, 1 + max((row["block"] for row in rows), default=0), 3))
        if first:
            ax.set_ylabel(f"{STATISTICS[statistic]}, τ-b")
    pair[0].set_title(clean(display.dataset(dataset)), loc="left", fontsize=8)
    pair[0].tick_params(labelbottom=False)
    pair[1].set_xlabel("block")


def _curves(pair: list[Axes], own: dict, group: Group, look: dict[str, Any]) -> list[dict]:
    rows: list[dict] = []
    for ax, statistic in zip(pair, STATISTICS, strict=True):
        for score in dict.fromkeys(key[0] for key in own):
            found = sorted((k[2], e) for k, e in own.items() if (k[0], k[1], k[3]) == (score, statistic, MEASURE))
            x, y = [block for block, _ in found], [e.value for _, e in found]
            ax.plot(x, y, ls=_line(score), lw=1.1, ms=3.2, **look)
            ends = [e.low for _, e in found], [e.high for _, e in found]
            ax.fill_between(x, *ends, color=look["color"], alpha=0.12, lw=0)
            fixed = {"backbone": group.backbone, "dataset": group.dataset, "variant": group.variant, "score": score}
            rows += [
                {**fixed, "statistic": statistic, "block": block, "value": e.value, "low": e.low, "high": e.high}
                for block, e in found
            ]
    return rows


def _look(number: int) -> dict[str, Any]:
    return {"color": style.COLOURS[number % 7], "marker": style.MARKERS[number % 7]}


def _line(score: str) -> Any:
    return style.LINES[list(SCORES).index(score) if score in SCORES else len(SCORES)]


def _legend(fig: Figure, order: dict[str, int], scores: list[str]) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], ms=4, label=display.backbone(name), **_look(i)) for name, i in order.items()]
    lines += [Line2D([], [], color="#333333", ls=_line(one), label=SCORES.get(one, one)) for one in scores]
    fig.legend(handles=lines, loc="outside upper center", ncols=min(5, len(lines)))


def seen(rows: _seen.Rows) -> str:
    """Of each statistic the lowest and the highest correlation, and every model's mean over blocks."""
    told = []
    for (statistic,), own in _seen.parts(rows, "statistic").items():
        ends = _seen.extent(own, "value", lambda row: f"{row['backbone']} on {row['dataset']}, block {row['block']}")
        means = _seen.of_each(own, ("backbone", "dataset", "score"), lambda rows: number(_seen.mean(rows, "value"), 2))
        told.append(f"{STATISTICS[statistic]} {ends}; means over blocks: {means}")
    return ". ".join(told)
