"""How ratio A is distributed over clips at each pruning stage (P0 Figures 5, 11 and 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.figures import _panels
from audioprune.figures._selected import Analysed as Shows
from audioprune.figures._selected import needs
from audioprune.results.tokens import by_clip

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.results.study import Results

BINS = 25
MOST = 4  # keep-rates side by side
COLUMNS = (*("backbone", "dataset", "method", "variant", "score", "keep_rate"), "seed", "clip", "stage", "ratio_a")
CAPTION = (
    "Histograms over test clips of ratio A: signal tokens that a pruning stage keeps, divided by all tokens that "
    "enter it (so at most the keep-rate). Columns are keep-rates, colours are stages; triangles mark the means."
)


def draw(results: Results, shows: Shows) -> tuple[Figure, DataFrame]:
    import numpy as np
    import pandas as pd

    cells = needs(results, shows)
    models = _panels.by_model(_panels.there(results, cells))
    if not models:
        return style.empty(_panels.why(results, cells)), pd.DataFrame(columns=COLUMNS)
    rates = sorted({g.keep_rate for own in models for g in own}, reverse=True)[:MOST]
    fig, axes = style.figure(len(models), len(rates), height=1.55 * len(models) + 0.6)
    parts, bins = [], np.linspace(0, 1, BINS + 1)
    for row, own in zip(axes, models):
        at = {g.keep_rate: g for g in own}
        for ax, rate in zip(row, rates):
            if rate not in at:
                ax.set_axis_off()
                continue
            frame = by_clip(results, at[rate], "stages")
            parts.append(frame.assign(**_panels.where(at[rate])))
            _panel(ax, frame, bins, rate)
        first, rate = next((ax, rate) for ax, rate in zip(row, rates) if rate in at)
        first.set_ylabel("share of clips")
        first.set_title(f"{_panels.name(own[0])}\nkeep-rate {rate:g}", loc="left", fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("ratio A")
    _legend(fig, max(len(g.blocks) for own in models for g in own))
    return fig, pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _panel(ax: Axes, frame: DataFrame, bins: np.ndarray, rate: float) -> None:
    import numpy as np

    for stage, own in frame.groupby("stage"):
        values, colour = own["ratio_a"].dropna().to_numpy(), style.COLOURS[int(stage) - 1]
        if not len(values):
            continue
        share = np.histogram(values, bins)[0] / len(values)
        ax.stairs(share, bins, color=colour, lw=1.2, ls=style.LINES[(int(stage) - 1) % len(style.LINES)])
        ax.plot([values.mean()], [0], marker="^", ms=5, color=colour, clip_on=False, zorder=5)
    ax.set_xlim(0, 1)
    ax.set_ylim(0)
    ax.set_title(f"keep-rate {rate:g}", loc="left", fontsize=8)


def _legend(fig: Figure, stages: int) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=style.COLOURS[i], ls=style.LINES[i % len(style.LINES)], label=f"stage {i + 1}")
        for i in range(stages)
    ]
    mean = Line2D([], [], color="#333333", marker="^", ls="none", label="mean")
    fig.legend(handles=[*lines, mean], loc="outside upper center", ncols=stages + 1)
