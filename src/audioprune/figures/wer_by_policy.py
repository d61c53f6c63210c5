"""Word error rates of pruned recognisers: a row for each policy and keep-rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.results import recognitions
from audioprune.results.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Place
    from audioprune.results.study import Result, Results

TITLE = "Word error rates by policy"
CAPTION = (
    "Every policy at falling keep-rates, off the shelf, with the share of the encoder's MACs that remain. Filled: "
    "policies that look at the tokens; hollow: stride and pool, which do not; black: at random. Dotted line: the "
    "unpruned model. Bars: 95 %, bootstrap over speakers."
)
COLUMNS = ("place", "policy", "keep_rate", "wer", "low", "high", "encoder_remaining")


def needs(study: Cells) -> list:
    return study.cells("transcribe")


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    arms = needs(results)
    panels = {place: _rows(results, arms, place, own) for place, own in recognitions.places(arms).items()}
    frame = pd.DataFrame([row for rows in panels.values() for row in rows], columns=list(COLUMNS))
    shown = {place: rows for place, rows in panels.items() if any(row["policy"] != "none" for row in rows)}
    if not shown:
        missing = [arm.why for arm in arms if not arm.ok]
        return style.empty(next(iter(missing), "the study has no recogniser")), frame
    tall = max(map(len, shown.values()))
    fig, axes = style.figure(1, len(shown), height=0.9 + 0.2 * tall)
    for ax, (place, rows) in zip(axes[0], shown.items(), strict=True):
        _panel(ax, place, rows)
    return fig, frame


def _rows(results: Results, arms: Sequence[Result], place: Place, own: Sequence[Result]) -> list[dict]:
    """The unpruned arm, then by falling keep-rate every policy; arms that are not made are left out."""
    whole, rows = recognitions.unpruned(arms, place), []
    for arm in [*([whole] if whole else []), *sorted(own, key=lambda one: -one.settings.keep_rate)]:
        found = recognitions.wer(results, arm)
        if isinstance(found, Estimate):
            row = {"place": str(place), "policy": arm.settings.policy, "keep_rate": arm.settings.keep_rate}
            row |= {"wer": found.value, "low": found.low, "high": found.high, "encoder_remaining": float("nan")}
            if whole is not None and whole.ok:
                macs = [one.frame()["encoder_macs"].sum() for one in (arm, whole)]
                row["encoder_remaining"] = 100 * macs[0] / macs[1]
            rows.append(row)
    return rows


def _panel(ax: Axes, place: Place, rows: Sequence[dict]) -> None:
    pruned = [row for row in rows if row["policy"] != "none"]
    for row in rows:
        if row["policy"] == "none":
            ax.axvline(row["wer"], color="#555555", linestyle=":", linewidth=1)
    for y, row in enumerate(pruned):
        hollow = row["policy"] in recognitions.STATIC
        colour = "#000000" if row["policy"] == "random" else style.COLOURS[0]
        bars = [[row["wer"] - row["low"]], [row["high"] - row["wer"]]]
        ax.errorbar(row["wer"], y, xerr=bars, fmt="o", color=colour, mfc="white" if hollow else colour, linewidth=1)
    ax.set_yticks(range(len(pruned)), [_name(row) for row in pruned])
    ax.set_ylim(len(pruned) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.set_xlabel("word error rate (%)")
    where = "tokens within the sound" if place.within == "sound" else "tokens of the whole window"
    ax.set_title(f"{place.recogniser} on {place.dataset}\n{where}, block {', '.join(map(str, place.blocks))}")


def _name(row: dict) -> str:
    return f"{row['policy']}, {row['keep_rate']:g} ({row['encoder_remaining']:.0f} % MACs)"
