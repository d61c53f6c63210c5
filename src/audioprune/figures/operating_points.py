"""Speed against accuracy on clips of their own lengths: each batching and keep-rate, clean and in noise."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.figures import _seen
from audioprune.results import noise, operating, robustness
from audioprune.results.estimate import Estimate
from audioprune.results.robustness import Robust
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.operating import Operating, Point
    from audioprune.results.study import Results

TITLE = "Operating points"
CAPTION = (
    "Seconds of sound in a second (logarithmic) against accuracy, a point for each batching and keep-rate of topk: "
    "filled on clean clips (95 % intervals), hollow in noise where the study has it (a mean over kinds and levels, of "
    "padded clips), joined by a bar. Ringed: the fastest point of which a loss of a point on clean clips is excluded. "
    "Padded batches have the accuracy of padded clips; single, bucketed and packed ones that of clips without padding."
)
COLUMNS = (
    "backbone", "dataset", "device", "batching", "policy", "keep_rate", "audio_per_s", "accuracy", "low", "high",
    "drop", "drop_upper", "keeps", "chosen", "in_noise",
)  # fmt: skip
HEIGHT = 2.8  # inches of a panel
WIDE = 2  # panels in a row


def needs(study: Cells) -> list:
    """Points, and what noise does to the same models."""
    found = operating.needs(study)
    places = {(cell.settings.backbone, cell.settings.dataset) for cell in found if cell.kind == "pace"}
    if not [cell for cell in found if cell.kind == "durations"]:
        return []
    beside = [cell for cell in noise.needs(study) if _place(cell) in places]
    return [*found, *beside]


def _place(cell: object) -> tuple[str, str]:
    own = cell.inputs["finetune"].settings  # type: ignore[attr-defined]
    return own.model.backbone, own.dataset


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    found = operating.every(results)
    if not found:
        missing = [one.why for one in results.cells() if one.kind in ("pace", "durations") and not one.ok]
        return style.empty(next(iter(missing), "the study times no classifier")), pd.DataFrame(columns=list(COLUMNS))
    lines = -(-len(found) // WIDE)
    fig, axes = style.figure(lines, min(WIDE, len(found)), height=HEIGHT * lines + 0.3)
    flat = [ax for line in axes for ax in line]
    for ax in flat[len(found) :]:
        ax.set_axis_off()
    rows: list[tuple] = []
    for ax, one in zip(flat, found):
        points = [(point, in_noise(results, one, point)) for point in one.points]
        _panel(ax, one, points)
        rows += [_row(one, point, noisy) for point, noisy in points]
    entries = {str(h.get_label()): h for ax in flat for h in ax.get_legend_handles_labels()[0]}
    fig.legend([*entries.values()], [*entries], loc="outside upper center", ncols=min(6, len(entries)))
    return fig, pd.DataFrame(rows, columns=list(COLUMNS))


def in_noise(results: Results, one: Operating, point: Point) -> float | None:
    """Accuracy in noise of the model that was trained so, on padded clips; None where nothing is known of it."""
    for own in robustness.every(results):
        if isinstance(own, Robust) and isinstance(own.noisy, Estimate):
            model = own.model
            same = (model.backbone, model.dataset, model.method, model.keep_rate, model.shelf)
            if same == (one.backbone, one.dataset, point.arm.policy, point.arm.keep_rate, False):
                return own.noisy.value
    return None


def seen(rows: _seen.Rows) -> str:
    """Of every model how fast and how right it is at each point, and which point is ringed."""
    return _seen.of_each(rows, ("backbone", "dataset"), _said)


def _said(rows: _seen.Rows) -> str:
    told = []
    for row in rows:
        ringed = " (ringed)" if row["chosen"] == "True" else ""
        noisy = f", in noise {number(float(row['in_noise']), 1)} %" if row["in_noise"] else ""
        told.append(
            f"{row['batching']} at {float(row['keep_rate']):g}: {number(float(row['audio_per_s']), 1)} s of sound a "
            f"second, {number(float(row['accuracy']), 1)} %{noisy}{ringed}"
        )
    return ", ".join(told)


def _row(one: Operating, point: Point, noisy: float | None) -> tuple:
    accuracy, drop = point.accuracy, point.drop
    place = one.backbone, one.dataset, one.device
    told = point.speed.value, accuracy.value, accuracy.low, accuracy.high, drop.value, drop.bounds[1]
    return (*place, *point.arm, *told, point.keeps, point is one.chosen, noisy)


def _panel(ax: Axes, one: Operating, seen: list[tuple[Point, float | None]]) -> None:
    batchings = list(dict.fromkeys(point.arm.batching for point, _ in seen))
    rates = sorted({point.arm.keep_rate for point, _ in seen}, reverse=True)
    for point, noisy in seen:
        colour = style.COLOURS[batchings.index(point.arm.batching)]
        marker = style.MARKERS[rates.index(point.arm.keep_rate)]
        x, y = point.speed.value, point.accuracy
        label = f"{point.arm.batching}, {point.arm.keep_rate:g}"
        ax.errorbar(
            x, y.value, [[y.value - y.low], [y.high - y.value]], color=colour, marker=marker, ls="", label=label
        )
        if noisy is not None:
            ax.plot([x, x], [noisy, y.value], color=colour, lw=0.8)
            ax.plot(x, noisy, marker=marker, color=colour, mfc="white", ls="")
        if point is one.chosen:
            ax.plot(x, y.value, marker="o", ms=13, mfc="none", color="#000000", ls="")
    _scale(ax, [point.speed.value for point, _ in seen])
    ax.set_xlabel("seconds of sound a second")
    ax.set_ylabel("accuracy (%)")
    ax.set_title(f"{one.backbone} on {one.dataset}", loc="left", fontweight="bold")


def _scale(ax: Axes, speeds: list[float]) -> None:
    """Logarithmic, with ticks at 1, 2 and 5 of each power of ten that the speeds span."""
    low, high = floor(log10(min(speeds))), ceil(log10(max(speeds)))
    ticks = [digit * 10.0**power for power in range(low, high + 1) for digit in (1, 2, 5)]
    ax.set_xscale("log")
    ax.set_xlim(0.8 * min(speeds), 1.25 * max(speeds))
    shown = [tick for tick in ticks if 0.8 * min(speeds) <= tick <= 1.25 * max(speeds)]
    ax.set_xticks(shown, [f"{tick:g}" for tick in shown])
    ax.set_xticks([], minor=True)
