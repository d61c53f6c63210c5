"""What is lost when tokens of low or of high intensity are discarded after a block (see results.discards)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.results import discards
from audioprune.results.estimate import INTERVAL
from audioprune.wording import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Discarding tokens by intensity"
CAPTION = (
    "Accuracy (or mAP) of the unpruned model when tokens of the two lowest (C1C2) or highest (C4C5) of five intensity "
    "clusters (fitted on the evaluation clips, as released; padding is in the lowest) are discarded after one block, "
    "against as many tokens of each clip at random (dashed). A clip without a token counts as wrong; crosses, where "
    "there are such clips: left out, as released. Dotted: nothing discarded. "
    f"Bars: {INTERVAL}."
)
SETS = {"C1C2": "without C1 and C2 (low intensity)", "C4C5": "without C4 and C5 (high intensity)"}


def needs(study: Cells) -> list:
    return discards.needs(study)


def draw(results: Results) -> tuple[Figure, DataFrame]:
    frame = discards.points(results)
    if frame.empty:
        missing = (r.why for r in results.cells("discard") if not r.ok)
        return style.empty(next(missing, "the study has no discarding of clusters")), frame
    datasets = list(dict.fromkeys(frame["dataset"]))
    fig, axes = style.figure(len(datasets), len(SETS), height=2.3 * len(datasets) + 0.5)
    order = style.assigned(frame["backbone"])
    plain = discards.unpruned(results)
    for line, dataset in zip(axes, datasets, strict=True):
        for ax, one in zip(line, SETS, strict=True):
            own = frame[(frame["dataset"] == dataset) & (frame["discarded"] == one)]
            _panel(ax, own, order, {b: value for (b, d), value in plain.items() if d == dataset})
            ax.set_title(f"{dataset}, {SETS[one]}", loc="left")
        low, high = (f(ax.get_ylim()[i] for ax in line) for i, f in ((0, min), (1, max)))
        for ax in line:
            ax.set_ylim(low, high)
    handles = {text: h for line in axes for ax in line for h, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    fig.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(3, len(handles)))
    return fig, frame


def _panel(ax: Axes, frame: DataFrame, order: dict[str, int], plain: dict[str, float]) -> None:
    for (backbone, control), own in frame.groupby(["backbone", "control"], sort=False):
        number = order[backbone] % 7
        colour, marker, y = style.COLOURS[number], style.MARKERS[number], own["value"]
        bars = [(y - own["low"]).clip(lower=0), (own["high"] - y).clip(lower=0)]
        look: dict[str, Any] = {"color": colour, "capsize": 1.5, "elinewidth": 0.7, "marker": marker, "ms": 3.5}
        look |= {"ls": style.LINES[1] if control else "-", "mfc": "white" if control else colour}
        label = f"{backbone}, {'random' if control else 'discarded'}"
        ax.errorbar(own["block"] + 0.12 * control + 0.05 * number, y, yerr=bars, label=label, **look)
        skipped = own[own["n_skipped"] < own["n"]]
        if len(skipped) and not control:
            ax.plot(skipped["block"], skipped["value_skipped"], "x", color=colour, ms=4, zorder=3)
        if backbone in plain and not control:
            ax.axhline(plain[backbone], color=colour, lw=0.8, ls=":", zorder=1)
    ax.set_xlabel("discarded after block")
    ax.set_ylabel(METRICS[frame["metric"].iloc[0]].replace(", %", " (%)"))
    ax.set_xticks(sorted(frame["block"].unique()))
