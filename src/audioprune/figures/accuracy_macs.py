"""Accuracy against MACs: one panel for each dataset, one curve for each backbone and method, with intervals."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from audioprune.cells.query import as_trained
from audioprune.exhibits import style
from audioprune.results import costs
from audioprune.results.estimate import INTERVAL
from audioprune.results.evaluations import tidy
from audioprune.wording import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Accuracy against MACs"
CAPTION = (
    "Accuracy (or mAP) on the test clips against the MACs of one clip, with the last epoch's weights. Keep-rates stand "
    "along the top; dotted lines are the unpruned models. Colours are backbones, markers methods, moved a little "
    f"aside so that none hides another. Bars: {INTERVAL}; where there is one seed, training variance is not covered."
)
COLUMNS = (
    "backbone",
    "dataset",
    "method",
    "variant",
    "keep_rate",
    "gmacs",
    "metric",
    "value",
    "low",
    "high",
    "n",
    "note",
)


def needs(study: Cells) -> list:
    return [c for c in study.cells("evaluate", selection="last") if as_trained(c)]


def draw(results: Results) -> tuple[Figure, DataFrame]:
    frame = points(results)
    if frame.empty:
        missing = [r.why for r in results.cells("evaluate", selection="last", perturbation="none")]
        return style.empty(next(iter(missing), "the study has no evaluation")), frame
    datasets = list(dict.fromkeys(frame["dataset"]))
    columns = min(3, len(datasets))
    rows = -(-len(datasets) // columns)
    order = style.assigned(_name(row) for row in frame.itertuples() if row.method != "none")
    looks = _looks(frame)
    width = style.WIDTH if columns > 1 else 4.6
    beside = style.legend_columns(order, 3, width)
    fig, axes = style.figure(rows, columns, height=2.6 * rows + 0.2 + 0.17 * -(-len(order) // beside), width=width)
    panels = [ax for line in axes for ax in line]
    for ax, dataset in zip(panels, datasets, strict=False):
        _panel(ax, dataset, frame[frame["dataset"] == dataset], looks)
    for ax in panels[len(datasets) :]:
        ax.set_visible(False)
    handles = {text: h for ax in panels for h, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    if handles:
        fig.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(beside, len(handles)))
    return fig, frame


def points(results: Results) -> DataFrame:
    """The pooled evaluations with their MACs, those that were run."""
    frame = tidy(results)
    wanted = (frame["perturbation"] == "none") & (frame["trained"] == "") & (frame["selection"] == "last")
    frame = frame[wanted & (frame["runs"] > 0)].copy()
    frame["gmacs"] = [costs.gmacs(results, results.cell(paths[0])) for paths in frame["cells"]]
    frame = frame.sort_values("keep_rate", ascending=False, kind="stable")
    return frame[list(COLUMNS)].reset_index(drop=True)


def _name(row: Any) -> str:
    return " ".join(filter(None, (row.backbone, row.method, row.variant)))


def _looks(frame: DataFrame) -> dict[tuple[str, str], dict]:
    """By backbone and method with its variant: colour, marker, and how far aside (in sixtieths of the axis)."""
    colours = style.assigned(frame["backbone"])
    methods = style.assigned(_method(row) for row in frame.itertuples() if row.method != "none")
    looks = {}
    for (backbone, colour), (method, marker) in product(colours.items(), {"": 0, **methods}.items()):
        look = {"color": style.COLOURS[colour % 7], "marker": style.MARKERS[marker % 7]}
        filled = {} if marker < 7 else {"mfc": "white"}
        looks[backbone, method] = {"look": look | filled, "aside": (colour + len(colours) * marker) / 60}
    return looks


def _method(row: Any) -> str:
    return " ".join(filter(None, (row.method, row.variant)))


def _panel(ax: Axes, dataset: str, frame: DataFrame, looks: dict) -> None:
    small = frame["gmacs"].max() < 1
    frame = frame.assign(x=frame["gmacs"] * (1000 if small else 1))
    span = frame["x"].max() - frame["x"].min()
    for backbone, own in frame.groupby("backbone", sort=False):
        unpruned, pruned = own[own["method"] == "none"], own[own["method"] != "none"]
        for value in unpruned["value"]:
            ax.axhline(value, color=looks[backbone, ""]["look"]["color"], lw=0.8, ls=":", zorder=1)
        if pruned.empty:
            _curve(ax, unpruned, backbone, looks[backbone, ""], span)
        for _, curve in pruned.groupby(["method", "variant"], sort=False):
            row = next(curve.itertuples())
            start = unpruned[unpruned["variant"] == row.variant]
            _curve(ax, _joined(start, curve), _name(row), looks[backbone, _method(row)], span)
    ax.set_xlabel(f"MACs of one clip ({'M' if small else 'G'})")
    ax.set_ylabel(METRICS[frame["metric"].iloc[0]].replace(", %", " (%)"))
    ax.margins(x=0.08, y=0.08)
    _rates(ax, frame)
    ax.set_title(dataset, fontweight="bold", loc="left")


def _joined(start: DataFrame, curve: DataFrame) -> DataFrame:
    import pandas as pd

    return pd.concat([start, curve]) if len(start) else curve


def _curve(ax: Axes, curve: DataFrame, name: str, own: dict, span: float) -> None:
    x, y = curve["x"] + own["aside"] * span * (curve["method"] != "none"), curve["value"]
    bars = [(y - curve["low"]).clip(lower=0), (curve["high"] - y).clip(lower=0)]
    ax.errorbar(x, y, yerr=bars, label=name, capsize=2, elinewidth=0.8, **own["look"])


def _rates(ax: Axes, frame: DataFrame) -> None:
    """Keep-rates along the top, each above the mean MACs of its points; none where backbones differ in size."""
    by_rate = frame.groupby("keep_rate")["x"]
    spread, width = (by_rate.max() - by_rate.min()).max(), frame["x"].max() - frame["x"].min()
    if width > 0 and spread < 0.2 * width:
        top = ax.secondary_xaxis("top")
        top.set_xticks(by_rate.mean().tolist(), [f"{rate:g}" for rate in by_rate.mean().index])
        top.set_xlabel("keep-rate")
        top.spines["top"].set_visible(False)
        top.tick_params(length=2)
