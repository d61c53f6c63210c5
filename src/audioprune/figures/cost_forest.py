"""What pruning costs, at one look: each pruned model's change in accuracy with its interval, a row each.

Models that have not learnt enough (results.competence) are there in grey: what they lose says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.cells.query import as_trained
from audioprune.exhibits import display, style
from audioprune.figures._series import variants_shown
from audioprune.results import competence, contrasts, costs
from audioprune.results.estimate import INTERVAL, Estimate
from audioprune.results.evaluations import tidy
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "What pruning costs, at the lowest keep-rate"
CAPTION = (
    "Pruned minus unpruned, in percentage points of accuracy (or mAP × 100), for every model that was trained with "
    "pruning, at its lowest keep-rate; beside it the share of the MACs that is saved. Left of zero is a loss. Grey: "
    f"the unpruned model has not learnt enough. Shaded: within 1 point. Bars: {INTERVAL}."
)
COLUMNS = (
    *("backbone", "dataset", "method", "variant", "keep_rate", "metric", "delta", "low", "high", "lost", "gained"),
    *("mac_reduction", "learnt"),
)
GREY = "#999999"
INCH = 0.27  # of a row
MARGIN = 0.14  # inches: letters are a little wider on the page than where they are laid out


def needs(study: Cells) -> list:
    """Evaluations of models that prune as they were trained to."""
    return [c for c in study.cells("evaluate", selection="last") if as_trained(c)]


def draw(results: Results) -> tuple[Figure, DataFrame]:
    frame = changes(results)
    if frame.empty:
        missing = [r.why for r in needs(results) if r.why]
        return style.empty(next(iter(missing), "the study has no pruned model beside an unpruned one")), frame
    fig, axes = style.figure(1, 1, height=0.8 + INCH * (len(frame) + 1), width=5.4)
    fig.set_layout_engine("constrained", w_pad=MARGIN)
    _forest(axes[0][0], frame)
    return fig, frame


def changes(results: Results) -> DataFrame:
    """A row for each backbone, dataset, variant and method."""
    import pandas as pd

    every = tidy(results)
    every = every[(every["perturbation"] == "none") & (every["trained"] == "") & (every["selection"] == "last")]
    rows = []
    for _, own in every.groupby(["backbone", "dataset", "variant"], sort=False):
        unpruned = next((row for row in own.itertuples() if row.method == "none"), None)
        pruned = own[own["method"] != "none"].sort_values("keep_rate", kind="stable")
        lowest = pruned.drop_duplicates("method").sort_index()
        rows += [_row(results, row, unpruned) for row in lowest.itertuples() if unpruned is not None]
    return pd.DataFrame([row for row in rows if row], columns=list(COLUMNS))


def _row(results: Results, pruned: Any, unpruned: Any) -> dict | None:
    """None where either was not run."""
    found = contrasts.difference(results, pruned, unpruned)
    if not isinstance(found, Estimate):
        return None
    first, of = (results.cell(row.cells[0]) for row in (pruned, unpruned))
    known = competence.reference(results, of.inputs["finetune"].settings)
    said = {name: getattr(pruned, name) for name in ("backbone", "dataset", "method", "variant", "keep_rate", "metric")}
    gained, lost = found.changed or (None, None)
    said |= {"delta": found.value, "low": found.low, "high": found.high, "lost": lost, "gained": gained}
    said |= {"mac_reduction": 100 * (1 - costs.gmacs(results, first) / costs.gmacs(results, of))}
    return said | {"learnt": isinstance(known, competence.Competence) and known.learnt}


def _forest(ax: Axes, frame: DataFrame) -> None:
    """Names on the left, values on the right, as the labels of two axes."""
    order, named = style.assigned(frame["backbone"]), variants_shown(frame, "backbone", "dataset", "method")
    ax.axvspan(-1, 1, color="#000000", alpha=0.07, lw=0)
    ax.axvline(0, color="#000000", lw=0.9)
    for y, row in enumerate(frame.itertuples()):
        look = order[row.backbone] % 7
        colour = style.COLOURS[look] if row.learnt else GREY
        bars = [[max(0, row.delta - row.low)], [max(0, row.high - row.delta)]]
        ax.errorbar(row.delta, y, xerr=bars, color=colour, marker=style.MARKERS[look], capsize=2, lw=1.2)
    right = ax.twinx()
    right.grid(visible=False)
    for axis, head, labels in (
        (ax, "", [_name(row, variant) for row, variant in zip(frame.itertuples(), named, strict=True)]),
        (right, "Δ [95 %], MACs saved", [_value(row) for row in frame.itertuples()]),
    ):
        axis.set_yticks(range(-1, len(frame)), [head, *labels])
        axis.set_ylim(len(frame) - 0.4, -1.6)
        axis.tick_params(axis="y", length=0)
        for label, learnt in zip(axis.get_yticklabels()[1:], frame["learnt"], strict=True):
            label.set_color("#000000" if learnt else "#666666")
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("change in accuracy (points)")


def _value(row: Any) -> str:
    """'−4.5 [−7.6, −1.4], 50 %'."""
    low, high = (number(end, 1, signed=True) for end in (row.low, row.high))
    return f"{number(row.delta, 1, signed=True)} [{low}, {high}], {row.mac_reduction:.0f} %"


def _name(row: Any, variant: str) -> str:
    """'AudioMAE-Tiny, ESC-50: TopK at 0.5'; grey ones say why."""
    what = f"{display.backbone(row.backbone)}, {display.dataset(row.dataset)}: {display.method(row.method)}"
    at = f" at {row.keep_rate:g}" if row.keep_rate < 1 else ""
    return what + at + (f" ({display.text(variant)})" if variant else "") + ("" if row.learnt else ", at chance")


def seen(rows: Sequence[Mapping[str, str]]) -> str:
    """What is seen, from the figure's data, for those who cannot see it."""
    return "; ".join(_said(row) for row in rows)


def _said(row: Mapping[str, str]) -> str:
    value, low, high = (number(float(row[key]), 1, signed=True) for key in ("delta", "low", "high"))
    model = f"{row['backbone']} on {row['dataset']}, {row['method']} at {float(row['keep_rate']):g}"
    return f"{model}: {value} points, from {low} to {high}" + (
        "" if row["learnt"] == "True" else ", in grey: at chance"
    )
