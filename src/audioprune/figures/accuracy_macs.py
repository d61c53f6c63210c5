"""Accuracy against MACs: for each dataset one panel a method, one curve a backbone, with intervals.

Methods that save alike have the same MACs: they stand in panels of their own, and no point is moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audioprune.cells.query import as_trained
from audioprune.exhibits import style
from audioprune.figures import _seen
from audioprune.figures._series import variants_shown
from audioprune.results import costs
from audioprune.results.estimate import INTERVAL
from audioprune.results.evaluations import tidy
from audioprune.wording import METRICS, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Accuracy against MACs"
CAPTION = (
    "Accuracy (or mAP) on the test clips against the MACs of one clip, with the last epoch's weights: a panel for each "
    "dataset and method, from the unpruned model on the right to the lowest of the keep-rates along the bottom. "
    f"Colours and markers are backbones; dotted lines are their unpruned models. Bars: {INTERVAL}; where there is one "
    "seed, training variance is not covered."
)
WIDE = 4  # panels in a row
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
    named = frame.assign(series=_series(frame))
    shown = [(dataset, own, *one) for dataset, own in named.groupby("dataset", sort=False) for one in _methods(own)]
    looks, columns = _looks(named), min(WIDE, len(shown))
    rows = -(-len(shown) // columns)
    beside = style.legend_columns(looks, 3)
    fig, axes = style.figure(rows, columns, height=1.75 * rows + 0.2 + 0.17 * -(-len(looks) // beside))
    panels = [ax for line in axes for ax in line]
    for ax, (dataset, own, method, curves) in zip(panels, shown, strict=False):
        _panel(ax, own, curves, looks)
        ax.set_title(f"{dataset}\n{method}", loc="left", fontsize=8)
    for ax in panels[len(shown) :]:
        ax.set_visible(False)
    handles = {text: h for ax in panels for h, text in zip(*ax.get_legend_handles_labels(), strict=True)}
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


def _methods(frame: DataFrame) -> list[tuple[str, list[DataFrame]]]:
    """(method, its curves) of a dataset, each from the unpruned model of its variant; unpruned ones where alone."""
    import pandas as pd

    unpruned, pruned = frame[frame["method"] == "none"], frame[frame["method"] != "none"]
    found = []
    for method, own in pruned.groupby("method", sort=False):
        parts = (part for _, part in own.groupby(["backbone", "variant"], sort=False))
        found.append((str(method), [pd.concat([_start(unpruned, part), part]) for part in parts]))
    alone = unpruned[~unpruned["backbone"].isin(pruned["backbone"])]
    return found + ([("unpruned", [own for _, own in alone.groupby("backbone", sort=False)])] if len(alone) else [])


def _start(unpruned: DataFrame, curve: DataFrame) -> DataFrame:
    same = (unpruned["backbone"] == curve["backbone"].iloc[0]) & (unpruned["variant"] == curve["variant"].iloc[0])
    return unpruned[same]


def _looks(frame: DataFrame) -> dict[str, dict]:
    """Colour, marker and filling by series: a backbone, and its variant where several are pruned by one method."""
    colours = style.assigned(frame["backbone"])
    looks: dict[str, dict] = {}
    for backbone, place in colours.items():
        names = dict.fromkeys(frame[frame["backbone"] == backbone]["series"])
        for i, name in enumerate(sorted(names, key=lambda name: name != backbone)):
            colour = style.COLOURS[place % 7]
            looks[name] = {"color": colour, "marker": style.MARKERS[place % 7], "mfc": "white" if i else colour}
            looks[name] |= {"ls": style.LINES[i % len(style.LINES)]}
    return looks


def _series(frame: DataFrame) -> list[str]:
    """Of each row: its backbone, and its variant where several are pruned by one method on one dataset."""
    told = variants_shown(frame, "backbone", "dataset", "method")
    rows = zip(frame["backbone"], frame["method"], told, strict=True)
    return [
        f"{backbone}, {variant}" if variant and method != "none" else backbone for backbone, method, variant in rows
    ]


def _panel(ax: Axes, frame: DataFrame, curves: list[DataFrame], looks: dict[str, dict]) -> None:
    """The curves of one method; `frame` has all of the dataset, so that its panels have the same axes."""
    scale, unit = (1000, "M") if frame["gmacs"].max() < 1 else (1, "G")
    for backbone in dict.fromkeys(name for curve in curves for name in curve["backbone"]):
        for value in frame[(frame["backbone"] == backbone) & (frame["method"] == "none")]["value"]:
            ax.axhline(value, color=looks[backbone]["color"], lw=0.8, ls=":", zorder=1)
    for curve in curves:
        name = curve["series"].iloc[-1]
        bars = [(curve["value"] - curve["low"]).clip(lower=0), (curve["high"] - curve["value"]).clip(lower=0)]
        x = scale * curve["gmacs"]
        ax.errorbar(x, curve["value"], yerr=bars, label=name, capsize=2, elinewidth=0.8, **looks[name])
    _rates(ax, scale, curves, scale * frame["gmacs"])
    ax.set_xlim(*_span(scale * frame["gmacs"]))
    low, high = _span([*frame["low"], *frame["high"], *frame["value"]])
    ax.set_ylim(low - 0.07 * (high - low), high)  # room for the keep-rates
    ax.set_xlabel(f"MACs of one clip ({unit})")
    ax.set_ylabel(METRICS[frame["metric"].iloc[0]].replace(", %", " (%)"))


def _rates(ax: Axes, scale: float, curves: list[DataFrame], every: Iterable[float]) -> None:
    """Keep-rates along the bottom, each once where backbones of one size have almost the same MACs."""
    low, high = _span(every)
    told: list[tuple[float, float]] = []
    for row in (row for curve in curves for row in curve.itertuples()):
        x = scale * row.gmacs
        if not any(rate == row.keep_rate and abs(x - at) < 0.1 * (high - low) for rate, at in told):
            told.append((row.keep_rate, x))
            at_bottom = ax.get_xaxis_transform()
            ax.text(x, 0.01, f"{row.keep_rate:g}", transform=at_bottom, ha="center", fontsize=6.5, color="#555555")


def _span(values: Iterable[float]) -> tuple[float, float]:
    """From the least to the largest, with a margin."""
    known = [v for v in values if v == v]
    low, high = min(known), max(known)
    margin = 0.08 * (high - low or abs(high) or 1)
    return low - margin, high + margin


def seen(rows: _seen.Rows) -> str:
    """Of every curve: accuracy at its lowest keep-rate beside the unpruned model's, and the MACs that it saves."""
    unpruned = {key: own[0] for key, own in _seen.parts(rows, *SAME).items() if own[0]["method"] == "none"}
    pruned = _seen.at_lowest_rate([row for row in rows if row["method"] != "none"])
    return _seen.of_each(pruned, _seen.MODEL, lambda own: _said(own[0], unpruned.get(_same(own[0]))))


SAME = ("backbone", "dataset", "variant")  # columns of a model and its unpruned one


def _same(row: _seen.Row) -> tuple[str, ...]:
    return tuple(row[key] for key in SAME)


def _said(row: _seen.Row, unpruned: _seen.Row | None) -> str:
    value = f"{number(float(row['value']), 1)} {'%' if row['metric'] == 'top1' else 'mAP × 100'}"
    if unpruned is None:
        return value
    saved = 100 * (1 - float(row["gmacs"]) / float(unpruned["gmacs"]))
    return f"{value} with {saved:.0f} % of the MACs saved, {number(float(unpruned['value']), 1)} unpruned"
