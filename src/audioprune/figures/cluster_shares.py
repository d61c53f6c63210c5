"""Clusters of intensity and variation on their scales, with shares rounded down to whole percents (paper.md 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits import display, style
from audioprune.figures import _seen
from audioprune.wording import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Clusters of intensity and variation by dataset"
CAPTION = (
    "k-means clusters C1 to C5 of the means (intensity) and of the standard deviations (variation) of all patches, in "
    "normalised log-mel. A bar runs from a cluster's lower to its upper edge; it shows the cluster's share of the "
    "patches, rounded down to whole percents, and in brackets the percentage of the cluster that is padding, if any."
)
STATISTICS = {"mean": "intensity: patch mean", "std": "variation: patch standard deviation"}
COLUMNS = ("dataset", "statistic", "cluster", "lower", "upper", "share", "percent", "padded")


def needs(study: Cells) -> list:
    return study.cells("clusters")


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import matplotlib as mpl
    import pandas as pd

    cells = needs(results)
    shown = [r for r in cells if r.ok]
    if not shown:
        why = next((r.why for r in cells), "the study analyses no dataset")
        return style.empty(why), pd.DataFrame(columns=COLUMNS)
    frame = pd.concat([r.frame().assign(dataset=r.settings.dataset) for r in shown], ignore_index=True)
    whole = frame.groupby(["dataset", "statistic"])["patches"].transform("sum")
    frame["padded"] = 100 * frame["padding"] // whole  # whole percents of all patches
    datasets = list(dict.fromkeys(frame["dataset"]))
    fig, axes = style.figure(1, 2, height=0.42 * len(datasets) + 0.8)
    for ax, (statistic, title) in zip(axes[0], STATISTICS.items()):
        for one in frame[frame["statistic"] == statistic].itertuples():
            level = int(one.cluster.removeprefix("C")) - 1
            y, middle = datasets.index(one.dataset), (one.lower + one.upper) / 2
            colour = mpl.colormaps["viridis"](level / 4)
            ax.barh(y, one.upper - one.lower, left=one.lower, height=0.62, color=colour)
            ax.text(
                middle,
                y,
                f"{one.percent} ({one.padded})" if one.padded else f"{one.percent}",
                ha="center",
                va="center",
                fontsize=6.5,
                color=style.text_on(colour),
            )
        ax.set_yticks(range(len(datasets)), [clean(display.dataset(name)) for name in datasets])
        ax.set_ylim(len(datasets) - 0.5, -0.5)
        ax.set_title(title, loc="left", fontsize=8.5)
        ax.set_xlabel("normalised log-mel")
        ax.grid(axis="y", visible=False)
    axes[0][1].tick_params(labelleft=False)
    return fig, frame[list(COLUMNS)]


def seen(rows: _seen.Rows) -> str:
    """Of every dataset and statistic the smallest and the largest share, in percent."""
    return _seen.of_each(rows, ("dataset",), _said)


def _said(rows: _seen.Rows) -> str:
    return ", ".join(
        f"by {STATISTICS[statistic].partition(':')[0]} {_seen.extent(own, 'percent', lambda row: row['cluster'], 0)} %"
        for (statistic,), own in _seen.parts(rows, "statistic").items()
    )
