"""Rank correlation of attention score and patch statistic by block, as released and without ties (paper.md 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.figures import _panels
from audioprune.results.correlations import correlations
from audioprune.results.tokens import analysed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results
    from audioprune.results.tokens import Group

TITLE = "Rank correlation of attention and patch statistics by block"
CAPTION = (
    "Rank correlation of a token's score and the cluster of its patch's mean (intensity) or standard deviation "
    "(variation), in unpruned models. τ* is the released measure, which counts ties as concordant: if score and patch "
    "were independent, it would be the tie share t (dotted), and τ* − t would be zero. Bands are 95 % intervals "
    "(bootstrap over recordings). Blocks count from zero."
)
PUBLISHED = ("correlation",)  # files of report/published that it shows
PANELS = (("mean", "tau_star"), ("mean", "strict"), ("std", "tau_star"), ("std", "strict"))
TITLES = {"mean": "intensity", "std": "variation", "tau_star": "τ*", "strict": "τ* − t"}
COLUMNS = (
    *("backbone", "dataset", "variant", "score", "statistic", "block"),
    *("measure", "value", "low", "high", "tie_share", "released"),
)


def needs(study: Cells) -> list:
    return analysed(study, pruned=False)


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    cells = needs(results)
    shown = _panels.there(results, cells)
    if not shown:
        return style.empty(_panels.why(results, cells)), pd.DataFrame(columns=COLUMNS)
    released = results.published("correlation")
    datasets = list(dict.fromkeys(g.dataset for g in shown))
    colours = style.assigned(g.backbone for g in shown)
    fig, axes = style.figure(len(datasets), 4, height=1.75 * len(datasets) + 0.6)
    rows = []
    for panels, dataset in zip(axes, datasets):
        for group in (g for g in shown if g.dataset == dataset):
            rows += _curves(
                panels, correlations(results, group), group, style.COLOURS[colours[group.backbone] % 7], released
            )
        for ax, (statistic, measure) in zip(panels, PANELS):
            ax.set_title(f"{TITLES[statistic]}: {TITLES[measure]}", loc="left", fontsize=8)
            ax.axhline(0, color="#333333", lw=0.7)
            ax.set_ylim(*_range([r for r in rows if r["dataset"] == dataset]))
            ax.set_xticks(range(0, 12, 3))
        panels[0].set_ylabel(dataset, fontweight="bold")
        for ax in panels[1:]:
            ax.tick_params(labelleft=False)
    for ax in axes[-1]:
        ax.set_xlabel("block")
    _legend(fig, colours, any(row["released"] is not None for row in rows))
    return fig, pd.DataFrame(rows, columns=COLUMNS)


def _curves(panels: list[Axes], own: dict, group: Group, colour: str, released: DataFrame) -> list[dict]:
    rows = []
    for ax, (statistic, measure) in zip(panels, PANELS):
        for i, score in enumerate(dict.fromkeys(key[0] for key in own)):
            found = sorted((k[2], e) for k, e in own.items() if (k[0], k[1], k[3]) == (score, statistic, measure))
            ties = [own[score, statistic, block, "tie_share"].value for block, _ in found]
            theirs = [_released(released, group, score, statistic, block, measure) for block, _ in found]
            x = [block for block, _ in found]
            ax.plot(x, [e.value for _, e in found], color=colour, ls=style.LINES[i], lw=1.1)
            ax.fill_between(x, [e.low for _, e in found], [e.high for _, e in found], color=colour, alpha=0.12, lw=0)
            if measure == "tau_star":
                ax.plot(x, ties, color=colour, ls=style.LINES[2], lw=0.8)
                ax.plot(x, [float("nan") if t is None else t for t in theirs], "x", ms=4, color=colour)
            fixed = {"backbone": group.backbone, "dataset": group.dataset, "variant": group.variant}
            rows += [
                {**fixed, "score": score, "statistic": statistic, "block": block, "measure": measure}
                | {"value": e.value, "low": e.low, "high": e.high, "tie_share": t, "released": r}
                for (block, e), t, r in zip(found, ties, theirs)
            ]
    return rows


def _released(frame: DataFrame, group: Group, score: str, statistic: str, block: int, measure: str) -> float | None:
    if measure != "tau_star" or (group.family == "audiomae" and score != "global"):
        return None
    at = (frame["backbone"] == group.backbone) & (frame["dataset"] == group.dataset)
    found = frame[at & (frame["metric"] == f"tau_star_{statistic}") & (frame["location"] == str(block))]
    return None if found.empty else float(found["value"].iloc[0])


def _range(rows: list[dict]) -> tuple[float, float]:
    """Every value of a dataset's four panels, with a margin; zero is among them."""
    values = [v for r in rows for v in (r["low"], r["high"], r["tie_share"], r["released"]) if v is not None and v == v]
    low, high = min(0.0, *values), max(0.0, *values)
    margin = 0.06 * max(high - low, 1e-6)
    return low - margin, high + margin


def _legend(fig: Figure, colours: dict, released: bool) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=style.COLOURS[i], lw=2, label=name) for name, i in colours.items()]
    names = ("global score", "class token's score", "t, tie share")
    lines += [Line2D([], [], color="#333333", ls=style.LINES[i], label=name) for i, name in enumerate(names)]
    if released:
        lines.append(Line2D([], [], color="#333333", marker="x", ls="none", label="released"))
    fig.legend(handles=lines, loc="outside upper center", ncols=min(5, len(lines)))
