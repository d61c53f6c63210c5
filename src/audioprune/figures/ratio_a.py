"""How ratio A is distributed over clips at each pruning stage (P0 Figures 5, 11 and 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.figures import _panels, _seen
from audioprune.figures._selected import Analysed as Shows
from audioprune.figures._selected import needs
from audioprune.results.tokens import by_clip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.results.study import Results

STEPS = 40  # parts into which a curve divides its clips
COLUMNS = (*("backbone", "dataset", "method", "variant", "score", "keep_rate"), "seed", "clip", "stage", "ratio_a")
CAPTION = (
    "Share of the test clips (upwards) whose ratio A is at most the value along the bottom. Ratio A: signal tokens "
    "that a pruning stage keeps, divided by all tokens that enter it, so at most the keep-rate. Curves further right "
    "keep more signal. Colours are keep-rates, kinds of lines are stages."
)


def draw(results: Results, shows: Shows) -> tuple[Figure, DataFrame]:
    import pandas as pd

    cells = needs(results, shows)
    models = _panels.by_model(_panels.there(results, cells))
    if not models:
        return style.empty(_panels.why(results, cells)), pd.DataFrame(columns=COLUMNS)
    fig, panels = style.panels(len(models), each=1.75, above=0.5)
    colours, parts = style.rate_colours(g.keep_rate for own in models for g in own), []
    for ax, own in zip(panels, models, strict=True):
        for group in own:
            frame = by_clip(results, group, "stages").assign(**_panels.where(group))
            _curves(ax, frame, colours[group.keep_rate])
            parts.append(frame)
        ax.set_xlim(0, 1.02 * max(g.keep_rate for g in own))
        ax.set_ylim(0, 1)
        ax.set_title(_panels.name(own[0]), loc="left", fontsize=8)
    for ax in panels[-style.ACROSS :]:
        ax.set_xlabel("ratio A")
    for ax in panels[:: style.ACROSS]:
        ax.set_ylabel("share of clips")
    _panels.rate_legend(fig, colours, _stages(max(len(g.blocks) for own in models for g in own)), blocks=False)
    return fig, pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _curves(ax: Axes, frame: DataFrame, colour: tuple) -> None:
    """A curve for each stage, at equal parts of the clips."""
    import numpy as np

    shares = np.linspace(0, 1, STEPS + 1)
    for stage, own in frame.groupby("stage"):
        values = own["ratio_a"].dropna().to_numpy()
        if len(values):
            ax.plot(np.quantile(values, shares), shares, color=colour, ls=_line(int(stage)), lw=1.2)


def _stages(count: int) -> list:
    from matplotlib.lines import Line2D

    return [Line2D([], [], color="#333333", ls=_line(i), label=f"stage {i}") for i in range(1, count + 1)]


def _line(stage: int) -> object:
    return style.LINES[(stage - 1) % len(style.LINES)]


def seen(rows: _seen.Rows) -> str:
    """The mean of each stage, of every model at its lowest keep-rate."""
    return _seen.of_each(
        _seen.at_lowest_rate(rows), _seen.MODEL, lambda own: _seen.over(own, "stage", "ratio_a", "ratio A")
    )
