"""Histograms of normalised log-mel values with the signal threshold marked (P0 Figures 4 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.exhibits import display, style
from audioprune.facts.dataset import Task
from audioprune.figures import _seen
from audioprune.settings.closed import Closed
from audioprune.wording import clean, number

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Result, Results

COLUMNS = ("dataset", "low", "high", "pixels", "density", "tau_kind", "tau", "signal_share")
CAPTION = (
    "Histogram of the normalised log-mel values (pixels) of a seeded sample of evaluation clips; vertical lines are "
    "the thresholds between background and signal, with the share of pixels above them. Where one value is far more "
    "frequent than all others, as that of padding is, its bar is cut and its density written on it."
)
NAMES = {"given": "τ given", "auto": "τ, second of ten bins"}
LOOKS = {"given": (style.COLOURS[1], style.LINES[0]), "auto": (style.COLOURS[6], style.LINES[1])}
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # behind what stands on lines
SPIKE = 2.0  # times the next highest bar, from which on the highest is cut


class Shows(Closed):
    tasks: tuple[Task, ...]


def needs(study: Cells, shows: Shows) -> list:
    return [c for c in study.cells("clusters") if study.dataset(c.settings.dataset).task in shows.tasks]


def draw(results: Results, shows: Shows) -> tuple[Figure, DataFrame]:
    import pandas as pd

    cells = needs(results, shows)
    shown = [r for r in cells if r.ok]
    if not shown:
        why = next((r.why for r in cells), "the study analyses no such dataset")
        return style.empty(why), pd.DataFrame(columns=COLUMNS)
    fig, panels = style.panels(len(shown), each=1.75, above=0.3)
    parts = [_panel(ax, r) for ax, r in zip(panels, shown, strict=True)]
    for ax in panels[-style.ACROSS :]:
        ax.set_xlabel("normalised log-mel")
    for ax in panels[:: style.ACROSS]:
        ax.set_ylabel("density")
    frame = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    _legend(fig, list(dict.fromkeys(frame["tau_kind"])))
    return fig, frame


def _panel(ax: Axes, r: Result) -> DataFrame:
    """One dataset: its bars, and a line for each threshold with the share above it."""
    import pandas as pd

    pixels, areas = r.frame("pixels.csv"), r.frame("signal.csv")
    width = (pixels["high"] - pixels["low"]).to_numpy()
    density = (pixels["pixels"] / max(pixels["pixels"].sum(), 1) / width).to_numpy()
    ax.bar(pixels["low"], density, width, align="edge", color=style.COLOURS[5])
    top = _top(density)
    if top < density.max():
        at = pixels["low"].iloc[int(density.argmax())] + width[int(density.argmax())]
        ax.annotate(f" {number(density.max(), 1)}", (at, 1.28 * top), va="top", fontsize=7, bbox=WHITE)
    made, areas = [], areas[(areas["clips"] == "sample") & (areas["unit"] == "pixels")]
    for i, one in enumerate(areas.itertuples()):
        colour, line = LOOKS.get(one.tau, (style.COLOURS[6], style.LINES[2]))
        ax.axvline(one.value, color=colour, ls=line)
        said = f"{100 * one.share:.0f} % above {number(one.value, 2)}"
        place: dict[str, Any] = {"transform": ax.transAxes, "ha": "right", "va": "top", "fontsize": 7, "bbox": WHITE}
        letters = style.RED if colour == style.COLOURS[1] else colour
        ax.text(0.99, 0.98 - 0.11 * i, said, color=letters, **place)
        own = {"dataset": r.settings.dataset, "density": density}
        made.append(pixels.assign(**own, tau_kind=one.tau, tau=one.value, signal_share=one.share))
    clips = r.record["results"]["sampled_clips"]
    ax.set_title(clean(f"{display.dataset(r.settings.dataset)}: {clips} clips"), loc="left", fontsize=8)
    ax.set_ylim(0, 1.3 * top)
    return pd.concat(made, ignore_index=True)


def _top(density: np.ndarray) -> float:
    """What the axis has to show: the highest bar, or the next one where the highest is far above it."""
    *_, second, highest = sorted([0.0, 0.0, *map(float, density)])
    return second if 0 < SPIKE * second < highest else highest or 1.0


def _legend(fig: Figure, kinds: list[str]) -> None:
    from matplotlib.lines import Line2D

    looks = [(NAMES.get(kind, kind), *LOOKS.get(kind, (style.COLOURS[6], style.LINES[2]))) for kind in kinds]
    handles = [Line2D([], [], color=colour, ls=line, label=name) for name, colour, line in looks]
    fig.legend(handles=handles, loc="outside upper center", ncols=len(handles))


def seen(rows: _seen.Rows) -> str:
    """Of every dataset the share of pixels above each threshold, and the most frequent value."""
    return _seen.of_each(rows, ("dataset",), _said)


def _said(rows: _seen.Rows) -> str:
    shares = [
        f"{100 * float(own[0]['signal_share']):.0f} % of pixels above {number(float(own[0]['tau']), 2)} ({kind})"
        for (kind,), own in _seen.parts(rows, "tau_kind").items()
    ]
    density, bar = max(_seen.known(rows, "density"), key=lambda pair: pair[0])
    ends = " to ".join(number(float(bar[end]), 2) for end in ("low", "high"))
    return f"{', '.join(shares)}; most values lie from {ends}, with a density of {number(density, 1)}"
