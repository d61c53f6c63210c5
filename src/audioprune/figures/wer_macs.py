"""Word error rates against the MACs that remain: a curve for each policy, and what no other beats on both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.facts.recogniser import AT_INPUT
from audioprune.figures import _seen
from audioprune.results import recognitions, speech_costs
from audioprune.results.estimate import Absent
from audioprune.results.retention import ALLOWED
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Arm, Place
    from audioprune.results.study import Results

TITLE = "Word error rate against MACs"
CAPTION = (
    "Word error rate (logarithmic) against the MACs of encoder and decoder that remain, padding included: from the "
    "unpruned model along each policy to its lowest keep-rate. Bands and bars: 95 %, bootstrap over speakers. Hollow "
    "points: what acts before the first block (@0), and longer strips, unpruned. Small hollow points beside a curve's "
    "own: the same policy with a threshold. Grey: what no arm beats in both. Dotted: 1.1 times the unpruned error "
    "rate, up to which savings are read. Within the sound all padding stays, which leaves little to be saved."
)
WIDE, HEIGHT = 2, 2.75  # panels in a row, inches of one
COLUMNS = (
    "place", "policy", "keep_rate", "budget", "wer", "low", "high", "remaining", "encoder_remaining", "sound_remaining",
    "front",
)  # fmt: skip
POLICIES = ("topk", "stride", "adjacent", "pool", "intensity", "blank", "random")  # each has its colour in all panels
LONGER, UNPRUNED = "longer strips", "unpruned"


def needs(study: Cells) -> list:
    return study.cells("transcribe")


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    every = recognitions.arms(results)
    panels = {place: _points(results, every, place, own) for place, own in recognitions.places(every).items()}
    shown = {place: points for place, points in panels.items() if len(points) > 1}
    if not shown:
        why = next((arm.why for arm in every if arm.why), "the study prunes no recogniser")
        return style.empty(why), pd.DataFrame(columns=list(COLUMNS))
    for points in shown.values():
        best = front(map(_place, points))
        for one in points:
            one["front"] = _place(one) in best
    rows = [one for points in shown.values() for one in points]
    return _drawn(shown), pd.DataFrame(rows, columns=list(COLUMNS))


def front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """(cost, error) of those that no other beats in one and equals in the other, by falling cost."""
    points = set(points)
    kept = [(x, y) for x, y in points if not any((a <= x and b <= y) and (a, b) != (x, y) for a, b in points)]
    return sorted(kept, reverse=True)


def _place(point: dict) -> tuple[float, float]:
    """Costs to a tenth of a percent: a score costs less, and would put its rival on the front for that alone."""
    return round(point["remaining"], 1), point["wer"]


def _points(results: Results, every: Sequence[Arm], place: Place, own: Sequence[Arm]) -> list[dict[str, Any]]:
    """The unpruned arm first, then longer strips, then the others by policy and falling keep-rate."""
    base = recognitions.unpruned(every, place)
    if base is None or not base.made:
        return []
    found = []
    for arm in [base, *recognitions.coarser(every, place), *sorted(own, key=lambda one: -one.keep_rate)]:
        wer = recognitions.wer(results, arm)
        if isinstance(wer, Absent):
            continue
        named = LONGER if arm.policy == "none" and arm is not base else arm.policy
        found.append(
            {"place": str(place), "policy": named, "keep_rate": arm.keep_rate, "budget": arm.budget}
            | {"wer": wer.value, "low": wer.low, "high": wer.high, "sound_remaining": None, "strip": arm.strip}
            | speech_costs.shares(results, arm, base)
        )
    return found


def _drawn(shown: dict[Place, list[dict]]) -> Figure:
    import numpy as np

    lines = -(-len(shown) // WIDE)
    fig, axes = style.figure(lines, min(WIDE, len(shown)), height=HEIGHT * lines + 0.55)
    flat = [ax for line in axes for ax in line]
    for ax in flat[len(shown) :]:
        ax.set_axis_off()
    for ax, (place, points) in zip(flat, shown.items()):
        _panel(ax, place, points)
    for ax in np.array(axes)[:, 0]:
        ax.set_ylabel("word error rate (%)")
    entries = {h.get_label(): h for ax in flat for h in ax.get_legend_handles_labels()[0]}
    ordered = [name for name in (UNPRUNED, *POLICIES, *(f"{p}{AT_INPUT}" for p in POLICIES), LONGER) if name in entries]
    fig.legend(
        [entries[name] for name in ordered], ordered, loc="outside upper center",
        ncols=style.legend_columns(ordered, len(ordered)),
    )  # fmt: skip
    return fig


def _panel(ax: Axes, place: Place, points: list[dict]) -> None:
    base = points[0]
    best = front(map(_place, points))
    ax.plot(*zip(*best, strict=True), color="#cccccc", lw=5, solid_capstyle="round", zorder=1)
    if base["wer"] > 0:
        ax.axhline(ALLOWED * base["wer"], color="#555555", lw=0.8, ls=":", zorder=1)
    curves: dict[str, list[dict]] = {}
    for one in points[1:]:
        curves.setdefault(one["policy"], []).append(one)
    for policy, own in curves.items():
        _curve(ax, policy, base, own)
    ax.plot(base["remaining"], base["wer"], "h", color="black", ms=6, ls="none", label=UNPRUNED, zorder=5)
    _scaled(ax, points)
    ax.set_title(str(place).replace(": ", ":\n"), loc="left", fontweight="bold", fontsize=7.5)
    ax.set_xlabel("MACs left (%)")


def look(policy: str) -> dict[str, Any]:
    """Colour and marker of a policy, the same in all figures of speech."""
    number_of = {name: i for i, name in enumerate((*POLICIES, LONGER))}
    i = number_of.get(policy.removesuffix(AT_INPUT), len(number_of) - 1)
    return {"color": (*style.COLOURS, "#777777")[i], "marker": (*style.MARKERS, "*")[i]}


def _curve(ax: Axes, policy: str, base: dict, own: list[dict]) -> None:
    fixed = [one for one in own if one["budget"] == "fixed"]
    varied = [one for one in own if one["budget"] != "fixed"]
    colour, marker = look(policy)["color"], look(policy)["marker"]
    if policy == LONGER or policy.endswith(AT_INPUT):
        x, y = [one["remaining"] for one in fixed], [one["wer"] for one in fixed]
        bars = [
            [max(0.0, one["wer"] - one["low"]) for one in fixed],
            [max(0.0, one["high"] - one["wer"]) for one in fixed],
        ]
        ax.errorbar(x, y, yerr=bars, fmt=marker, color=colour, mfc="white", label=policy, capsize=2, elinewidth=0.8)
    else:
        line = [base, *fixed]
        x, y = [one["remaining"] for one in line], [one["wer"] for one in line]
        ax.fill_between(x, [one["low"] for one in line], [one["high"] for one in line], color=colour, alpha=0.07, lw=0)
        ax.plot(x, y, color=colour, lw=1.2, zorder=3)
        ax.plot(x[1:], y[1:], marker, color=colour, label=policy, zorder=4, ls="-", lw=1.2)
    if varied:
        x, y = [one["remaining"] for one in varied], [one["wer"] for one in varied]
        ax.plot(x, y, marker, color=colour, ms=3, mfc="white", ls="none", zorder=5)


def _scaled(ax: Axes, points: list[dict]) -> None:
    """A logarithmic axis with plain numbers, where no error rate is zero."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    lowest = min(one["wer"] for one in points)
    if lowest <= 0:
        return
    ax.set_yscale("log")
    bottom = max(0.5 * lowest, 0.95 * min(one["low"] if one["low"] > 0 else 0 for one in points))
    top = min(2 * max(one["wer"] for one in points), 1.05 * max(one["high"] for one in points))
    if not top > bottom:  # without intervals
        bottom, top = 0.75 * lowest, 1.3 * max(one["wer"] for one in points)
    ax.set_ylim(bottom, top)
    within = (1, 2, 5) if top > 10 * bottom else (1, 1.5, 2, 3, 4, 5, 7)
    ax.set_yticks([step for e in range(-1, 4) for n in within if bottom <= (step := n * 10**e) <= top])
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 1 if value < 1 else 0)))
    ax.yaxis.set_minor_formatter(NullFormatter())


def seen(rows: _seen.Rows) -> str:
    """Of every place the error rate unpruned, and the lowest and the highest of the pruned ones."""
    return "; ".join(f"{place}: {_said(own)}" for (place,), own in _seen.parts(rows, "place").items())


def _said(rows: _seen.Rows) -> str:
    base, *pruned = rows
    ends = _seen.extent(pruned, "wer", lambda row: f"{row['policy']} at {float(row['keep_rate']):g}", 1)
    return f"{number(float(base['wer']), 1)} % of words wrong unpruned; pruned {ends}"
