"""Accuracy against the level of the noise, by kind: unpruned and pruned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import display, style
from audioprune.facts.noise import ADDED, GAIN, REVERB
from audioprune.results import noise, robustness
from audioprune.results.estimate import INTERVAL, Absent
from audioprune.results.noise import CLEAN
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.noise import Condition, Model, Run
    from audioprune.results.study import Results

TITLE = "Accuracy in noise"
CAPTION = (
    "Accuracy (or mAP × 100), in percent, by kind of noise, clean clips on the left and louder noise further right (of "
    "reverberation longer times), of the unpruned model and of models trained with their pruning. Dashed: the gain "
    "control, clips as loud as the mixture without the noise. Grey dots on the axis: conditions where the unpruned "
    f"model is too near chance to count. Bands: {INTERVAL}."
)
COLUMNS = (
    "backbone", "dataset", "variant", "method", "keep_rate", "kind", "level", "metric", "value", "low", "high",
    "difference", "difference_low", "difference_high", "counts",
)  # fmt: skip
INCHES = 1.65  # of a row of panels


def needs(study: Cells) -> list:
    return noise.needs(study)


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    frame = pd.DataFrame(points(results), columns=list(COLUMNS))
    if frame.empty:
        why = next((model.why for model in noise.models(results) if model.why), "the study asks no model about noise")
        return style.empty(why), frame
    return _drawn(frame), frame


def points(results: Results) -> list[dict[str, Any]]:
    """A row for each model as trained, and condition; the difference is pruned minus unpruned in this condition."""
    return [row for model in noise.models(results) if not model.shelf for row in _points(results, model)]


def _points(results: Results, model: Model) -> list[dict[str, Any]]:
    base = noise.unpruned(results, model)
    runs, known = noise.shared(model, base), robustness.counted(results, model)
    if isinstance(runs, Absent) or isinstance(known, Absent):
        return []
    rows = []
    for condition in (CLEAN, *model.conditions):
        found = noise.accuracy(results, model, runs, (condition,))
        row = {name: getattr(model, name) for name in ("backbone", "dataset", "variant", "method", "keep_rate")}
        row |= dict(zip(("kind", "level"), condition, strict=True))
        row |= {"metric": results.dataset(model.dataset).metric, "value": found.value, "low": found.low}
        row |= {"high": found.high, "counts": condition in known.conditions}
        rows.append(row | _difference(results, model, base, runs, condition))
    return rows


def _difference(
    results: Results, model: Model, base: Model | None, runs: Sequence[Run], condition: Condition
) -> dict[str, float]:
    from audioprune.results.estimate import combined

    if base is None or model.unpruned:
        return {}
    sides = [noise.accuracy(results, one, runs, (condition,)) for one in (model, base)]
    found = combined((1, sides[0]), (-1, sides[1]))
    return {"difference": found.value, "difference_low": found.low, "difference_high": found.high}


def _drawn(frame: DataFrame) -> Figure:
    from matplotlib.lines import Line2D

    kinds = [kind for kind in (*ADDED, REVERB) if kind in set(frame["kind"])] or [GAIN]
    groups = [own for _, own in frame.groupby(["backbone", "dataset", "variant"], sort=False)]
    fig, axes = style.figure(len(groups), len(kinds), height=INCHES * len(groups) + 0.8)
    looks = style.assigned(_label(row) for row in frame.itertuples())
    for line, own in zip(axes, groups, strict=True):
        for ax, kind in zip(line, kinds, strict=True):
            _panel(ax, own, kind, looks)
        bottom, top = (f(ax.get_ylim()[i] for ax in line) for i, f in ((0, min), (1, max)))
        for i, ax in enumerate(line):
            ax.set_ylim(bottom, top)
            ax.tick_params(axis="y", labelleft=i == 0)
        first = own.iloc[0]
        variant = f"\n{display.text(first['variant'])}" if first["variant"] else ""
        line[0].set_ylabel(f"{display.backbone(first['backbone'])}\n{display.dataset(first['dataset'])}{variant}")
    for top_one, last_one, kind in zip(axes[0], axes[-1], kinds, strict=True):
        top_one.set_title(kind, loc="left")
        last_one.set_xlabel("T60, s" if kind == REVERB else "SNR, dB")
    handles = [Line2D([], [], color=_colour(i), marker=style.MARKERS[i % 7], label=name) for name, i in looks.items()]
    if GAIN in set(frame["kind"]):
        handles.append(Line2D([], [], color="#666666", ls=(0, style.DASHES[0]), label="gain control"))
    names = [*looks, *(["gain control"] if GAIN in set(frame["kind"]) else [])]
    fig.legend(handles=handles, loc="outside upper center", ncols=style.legend_columns(names, 5))
    return fig


def _panel(ax: Axes, own: DataFrame, kind: str, looks: Mapping[str, int]) -> None:
    levels = sorted({row.level for row in own.itertuples() if row.kind == kind}, reverse=kind != REVERB)
    place = {level: i + 1 for i, level in enumerate(levels)}
    for (method, rate), lines in own.groupby(["method", "keep_rate"], sort=False):
        look = looks[_named(method, rate)]
        for shown, dashed in ((kind, False), (GAIN, True)):
            if dashed and kind == REVERB:
                continue
            points = [row for row in lines.itertuples() if row.kind == CLEAN[0]]
            points += [row for row in lines.itertuples() if row.kind == shown and row.level in place]
            points.sort(key=lambda row: place.get(row.level, 0) if row.kind != CLEAN[0] else 0)
            if len(points) < 2:
                continue
            x = [0 if row.kind == CLEAN[0] else place[row.level] for row in points]
            y = [row.value for row in points]
            dash: dict[str, Any] = (
                {"ls": (0, style.DASHES[0]), "lw": 0.8} if dashed else {"marker": style.MARKERS[look % 7], "ms": 3}
            )
            ax.plot(x, y, color=_colour(look), **dash)
            if not dashed:
                low, high = [row.low for row in points], [row.high for row in points]
                ax.fill_between(x, low, high, color=_colour(look), alpha=0.1, lw=0)
    floored = {row.level for row in own.itertuples() if row.kind == kind and kind in ADDED and not row.counts}
    at = [place[level] for level in floored]
    ax.plot(at, [0.03] * len(at), "o", color="#999999", ms=3, transform=ax.get_xaxis_transform())  # on the axis
    ax.set_xticks(range(len(levels) + 1), ["clean", *(number(level, 1 if kind == REVERB else 0) for level in levels)])


def _colour(look: int) -> str:
    return ("#000000", *style.COLOURS)[look % 7]


def _label(row: Any) -> str:
    return _named(row.method, row.keep_rate)


def _named(method: str, rate: float) -> str:
    return "unpruned" if method == "none" else f"{display.method(method)} at {rate:g}"


def seen(rows: Sequence[Mapping[str, str]]) -> str:
    """What is seen, from the figure's data, for those who cannot see it: clean, and at the loudest of each kind."""
    said = []
    for row in rows:
        if row["kind"] == CLEAN[0]:
            said.append(
                f"{row['backbone']} on {row['dataset']}, {row['method']} at {float(row['keep_rate']):g}: clean "
            )
            said[-1] += number(float(row["value"]), 1)
        elif row["kind"] in ADDED and row["level"] == _loudest(rows, row["kind"]):
            said[-1] += f", {row['kind']} {float(row['level']):g} dB {number(float(row['value']), 1)}"
    return "; ".join(said)


def _loudest(rows: Sequence[Mapping[str, str]], kind: str) -> str:
    return min((row["level"] for row in rows if row["kind"] == kind), key=float)
