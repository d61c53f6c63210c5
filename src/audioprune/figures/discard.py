"""The loss when tokens of low or of high intensity are discarded after a block (see results.discards)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.figures import _seen
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
    "clusters (fitted on the evaluation clips, as released; padding is in the lowest) are discarded after one block "
    "(filled), or as many random tokens of each clip (hollow), in rows of their own. A clip that is left without "
    f"tokens counts as wrong. Dotted lines: nothing discarded. Bars: {INTERVAL}. Blocks count from zero."
)
SETS = {"C1C2": "without C1 and C2 (low intensity)", "C4C5": "without C4 and C5 (high intensity)"}
SKIPPED = "discarded; clips without any token left out"  # as released; in the legend where there are such clips


def needs(study: Cells) -> list:
    return discards.needs(study)


def draw(results: Results) -> tuple[Figure, DataFrame]:
    frame = discards.points(results)
    if frame.empty:
        missing = (r.why for r in results.cells("discard") if not r.ok)
        return style.empty(next(missing, "the study discards no clusters")), frame
    datasets = list(dict.fromkeys(frame["dataset"]))
    rows = [_rows(frame[frame["dataset"] == dataset]) for dataset in datasets]
    heights = [0.12 * len(own) + 0.6 for own in rows]
    fig = style.blank(height=sum(heights) + 0.5)
    axes = fig.subplots(len(datasets), len(SETS), squeeze=False, height_ratios=heights).tolist()
    order = style.assigned(frame["backbone"])
    plain = discards.unpruned(results)
    for line, dataset, places in zip(axes, datasets, rows, strict=True):
        for ax, one in zip(line, SETS, strict=True):
            own = frame[(frame["dataset"] == dataset) & (frame["discarded"] == one)]
            _panel(ax, own, places, order, {b: value for (b, d), value in plain.items() if d == dataset})
            ax.set_title(f"{dataset}, {SETS[one]}", loc="left")
        low, high = (f(ax.get_xlim()[i] for ax in line) for i, f in ((0, min), (1, max)))
        for ax in line:
            ax.set_xlim(low, high)
        for ax in line[1:]:
            ax.tick_params(labelleft=False)
    handles = {text: h for line in axes for ax in line for h, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    fig.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(3, len(handles)))
    return fig, frame


def _rows(frame: DataFrame) -> dict[tuple, float]:
    """{(block, backbone, control): its row, from above}, with a gap between blocks."""
    found: dict[tuple, float] = {}
    for i, block in enumerate(sorted(frame["block"].unique())):
        for backbone in dict.fromkeys(frame["backbone"]):
            for control in (False, True):
                found[block, backbone, control] = len(found) + i
    return found


def _panel(
    ax: Axes, frame: DataFrame, places: dict[tuple, float], order: dict[str, int], plain: dict[str, float]
) -> None:
    for (backbone, control), own in frame.groupby(["backbone", "control"], sort=False):
        number = order[backbone] % 7
        colour, marker, x = style.COLOURS[number], style.MARKERS[number], own["value"]
        y = [places[block, backbone, control] for block in own["block"]]
        bars = [(x - own["low"]).clip(lower=0), (own["high"] - x).clip(lower=0)]
        look: dict[str, Any] = {"color": colour, "capsize": 1.5, "elinewidth": 0.8, "marker": marker, "ms": 3.5}
        look |= {"ls": "none", "mfc": "white" if control else colour}
        ax.errorbar(x, y, xerr=bars, label=f"{backbone}, {'random' if control else 'discarded'}", **look)
        skipped = own[own["n_skipped"] < own["n"]]
        if len(skipped) and not control:
            at = [places[block, backbone, control] for block in skipped["block"]]
            ax.plot(skipped["value_skipped"], at, "x", color=colour, ms=4, zorder=3, label=SKIPPED)
        if backbone in plain and not control:
            ax.axvline(plain[backbone], color=colour, lw=0.8, ls=":", zorder=1)
    blocks = sorted(frame["block"].unique())
    middle = [sum(own) / len(own) for own in ([y for key, y in places.items() if key[0] == b] for b in blocks)]
    ax.set_yticks(middle, [f"block {block}" for block in blocks])
    ax.set_ylim(max(places.values()) + 0.8, -0.8)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(METRICS[frame["metric"].iloc[0]].replace(", %", " (%)"))


def seen(rows: _seen.Rows) -> str:
    """Of every dataset the lowest and the highest accuracy after discarding, and where."""
    return _seen.of_each(rows, ("dataset",), lambda own: _seen.extent(own, "value", _where, 1))


def _where(row: _seen.Row) -> str:
    what = f"as many random tokens as {row['discarded']}" if row["control"] == "True" else row["discarded"]
    return f"{row['backbone']}, {what} discarded after block {row['block']}"
