"""Histograms of normalised log-mel values with the signal threshold marked (P0 Figures 4 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.facts.dataset import Task
from audioprune.settings.closed import Closed
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

COLUMNS = ("dataset", "low", "high", "pixels", "density", "tau_kind", "tau", "signal_share")
WIDE = 2  # panels in a row
CAPTION = (
    "Histogram of the normalised log-mel values (pixels) of a seeded sample of evaluation clips; vertical lines are "
    "the thresholds between background and signal, with the share of pixels above them."
)
NAMES = {"given": "τ given", "auto": "τ, second of ten bins"}


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
    height = -(-len(shown) // WIDE)
    fig, axes = style.figure(height, min(WIDE, len(shown)), height=2.2 * height)
    panels, parts = [ax for line in axes for ax in line], []
    for ax in panels[len(shown) :]:
        ax.set_axis_off()
    for ax, r in zip(panels, shown):
        pixels, areas = r.frame("pixels.csv"), r.frame("signal.csv")
        width = (pixels["high"] - pixels["low"]).to_numpy()
        density = pixels["pixels"] / max(pixels["pixels"].sum(), 1) / width
        ax.bar(pixels["low"], density, width, align="edge", color=style.COLOURS[5])
        top = float(density.max())
        areas = areas[(areas["clips"] == "sample") & (areas["unit"] == "pixels")]
        for i, one in enumerate(areas.itertuples()):
            name = f"{NAMES.get(one.tau, one.tau)}: {number(one.value, 2)}, {100 * one.share:.0f} % above"
            ax.vlines(
                one.value,
                0,
                1.03 * top,
                color=style.COLOURS[1 if one.tau == "given" else 6],
                ls=style.LINES[i],
                label=name,
            )
            parts.append(
                pixels.assign(
                    dataset=r.settings.dataset, density=density, tau_kind=one.tau, tau=one.value, signal_share=one.share
                )
            )
        ax.set_title(
            f"{r.settings.dataset}: {r.record['results']['sampled_clips']} clips", loc="left", fontweight="bold"
        )
        ax.set_ylim(0, 1.4 * top)
        ax.legend(loc="upper left")
        ax.set_xlabel("normalised log-mel")
        ax.set_ylabel("density")
    return fig, pd.concat(parts, ignore_index=True)[list(COLUMNS)]
