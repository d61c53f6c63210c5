"""Whether pruning costs more in noise, by kind and level; and whether noise misleads the selection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import display, style
from audioprune.results import noise, noise_judged, robustness
from audioprune.results.estimate import INTERVAL, Absent, Estimate
from audioprune.results.noise_rule import MARGIN
from audioprune.results.robustness import Robust, named
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "What noise costs a pruned model more"
CAPTION = (
    "Points that a pruned model loses to noise more than the one it is compared with: a model trained with topk more "
    "than the unpruned one, and topk off the shelf more than a random choice of as many tokens (hollow). Large: the "
    "mean over all kinds and levels that count, with its value; small, below it: the kinds, each a mean over its "
    "levels. Single levels are in the data. Right of zero, pruning costs more in noise than clean. Shaded: within "
    f"{MARGIN:g} point. Grey: the unpruned model has not learnt enough. Bars: {INTERVAL}."
)
COLUMNS = (
    "backbone", "dataset", "variant", "method", "keep_rate", "against", "part", "value", "low", "high", "learnt",
)  # fmt: skip
MEAN, GREY = "mean", "#999999"
AGAINST = {"degrades": "unpruned", "misled": "random"}
INCH = 0.17  # of a row


def needs(study: Cells) -> list:
    return noise.needs(study)


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    frame = pd.DataFrame([*rows(results)], columns=list(COLUMNS))
    if frame.empty:
        why = next((model.why for model in noise.models(results) if model.why), "the study asks no pruned model")
        return style.empty(why), frame
    shown = frame[~frame["part"].str.contains(" ")]
    fig, axes = style.figure(1, 1, height=0.8 + INCH * len(shown), width=6.4)
    _forest(axes[0][0], [*shown.itertuples()])
    return fig, frame


def rows(results: Results) -> Iterator[dict[str, Any]]:
    """Of each comparison that is judged: the mean, each kind, and each kind at each level."""
    for question, against in AGAINST.items():
        for one in noise_judged.judged(results, question):  # type: ignore[arg-type]
            if one.robust is not None and isinstance(one.found, Estimate):
                yield from _rows(results, one.robust, one.found, against)


def _rows(results: Results, one: Robust, mean: Estimate, against: str) -> Iterator[dict[str, Any]]:
    model, counted = one.model, one.counted.conditions
    control = noise.beside(results, model, "random") if against == "random" else None
    parts = {kind: [c for c in counted if c[0] == kind] for kind in dict.fromkeys(kind for kind, _ in counted)}
    parts |= {named(c): [c] for c in counted}
    said = {name: getattr(model, name) for name in ("backbone", "dataset", "variant", "method", "keep_rate")}
    said |= {"against": against, "learnt": one.counted.known.learnt}
    yield said | {"part": MEAN} | _numbers(mean)
    for part, own in parts.items():
        found = robustness.interaction(results, model, own, control)
        if not isinstance(found, Absent):
            yield said | {"part": part} | _numbers(found)


def _numbers(found: Estimate) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _forest(ax: Axes, shown: Sequence[Any]) -> None:
    """Names on the left, the means' values on the right, as the labels of two axes."""
    order = style.assigned(row.backbone for row in shown)
    ax.axvspan(-MARGIN, MARGIN, color="#000000", alpha=0.07, lw=0)
    ax.axvline(0, color="#000000", lw=0.9)
    for y, row in enumerate(shown):
        look, large = order[row.backbone] % 7, row.part == MEAN
        colour = style.COLOURS[look] if row.learnt else GREY
        bars = [[max(0.0, row.value - row.low)], [max(0.0, row.high - row.value)]]
        ax.errorbar(
            row.value, y, xerr=bars, color=colour, marker=style.MARKERS[look], ms=5 if large else 3, capsize=0,
            mfc="white" if row.against == "random" else colour, lw=1.4 if large else 0.7,
        )  # fmt: skip
    right = ax.twinx()
    right.grid(visible=False)
    for axis, labels in ((ax, [_name(row) for row in shown]), (right, [_value(row) for row in shown])):
        axis.set_yticks(range(len(shown)), labels)
        axis.set_ylim(len(shown) - 0.4, -0.6)
        axis.tick_params(axis="y", length=0, labelsize=6.5)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("points lost to noise more than by the other")


def _name(row: Any) -> str:
    if row.part != MEAN:
        return row.part
    what = f"{display.backbone(row.backbone)}, {display.dataset(row.dataset)}: {display.method(row.method)}"
    variant = f" ({display.text(row.variant)})" if row.variant else ""
    against = " against random" if row.against == "random" else ""
    return f"{what} at {row.keep_rate:g}{against}{variant}" + ("" if row.learnt else ", at chance")


def _value(row: Any) -> str:
    """'+4.5 [1.4, 7.6]' of a mean."""
    if row.part != MEAN:
        return ""
    low, high = (number(end, 1, signed=True) for end in (row.low, row.high))
    return f"{number(row.value, 1, signed=True)} [{low}, {high}]"


def seen(rows: Sequence[Mapping[str, str]]) -> str:
    """What is seen, from the figure's data, for those who cannot see it."""
    return "; ".join(
        f"{row['backbone']} on {row['dataset']}, {row['method']} at {float(row['keep_rate']):g} against "
        f"{row['against']}: {number(float(row['value']), 1, signed=True)} points, from "
        f"{number(float(row['low']), 1, signed=True)} to {number(float(row['high']), 1, signed=True)}"
        for row in rows
        if row["part"] == MEAN
    )
