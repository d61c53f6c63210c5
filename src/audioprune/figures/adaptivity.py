"""What a threshold makes of each clip: the share of its tokens that stays, against its silence and its pace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.figures import _clips, _seen
from audioprune.figures.wer_macs import look
from audioprune.results import adaptivity, recognitions
from audioprune.results.estimate import Absent, Estimate
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Arm, Place
    from audioprune.results.study import Results

TITLE = "What a threshold leaves of each clip"
CAPTION = (
    "Each point is a test clip, transcribed with one threshold for all clips: the share of its tokens that stays after "
    "the last pruning block, against its share of silence (frames more than 35 dB below its loudest) and the words "
    "spoken in a second. Horizontal line: what a fixed share leaves of the same policy, on average. ρ: Spearman's "
    "correlation, 95 %, bootstrap over speakers. Rows are policies, at the keep-rate whose cost the threshold matches."
)
AXES = {"silence": "silence (% of frames)", "words_per_s": "words in a second"}
COLUMNS = ("place", "policy", "keep_rate", "clip", "kept_share", "silence", "words_per_s", "fixed_share")
MOST, HEIGHT = 5, 1.95  # arms that are shown, inches of a row


def needs(study: Cells) -> list:
    """Transcripts with a threshold and with a fixed share, where any have a threshold."""
    every = study.cells("transcribe")
    if not any(cell.settings.budget == "threshold" for cell in every):
        return []
    return [cell for cell in every if cell.settings.policy != "none"]


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    every = recognitions.arms(results)
    varied = [
        (place, own, arm) for place, own in recognitions.places(every).items() for arm in own if arm.budget != "fixed"
    ]
    varied.sort(key=lambda one: (one[0].within != "sound", one[1].index(one[2])))
    shown = [one for one in varied if one[2].made and _clips.opened(one[2]) is not None][:MOST]
    if not shown:
        nothing = f"the study {results.study} has no threshold budget with its audio"
        why = next((one[2].why for one in varied if one[2].why), nothing)
        return style.empty(why), pd.DataFrame(columns=list(COLUMNS))
    fig, axes = style.figure(len(shown), len(AXES), height=HEIGHT * len(shown) + 0.1)
    parts = []
    for (place, own, arm), line in zip(shown, axes, strict=True):
        frame = _measured(results, place, own, arm)
        for ax, (column, label) in zip(line, AXES.items(), strict=True):
            _panel(ax, frame, arm, column, adaptivity.correlation(results, arm, frame, column, "kept_share"))
            ax.set_xlabel(label)
        line[0].set_ylabel("tokens that stay (%)")
        line[0].set_title(
            f"{arm.policy} at {arm.keep_rate:g}, {place}".replace(": ", ":\n"),
            loc="left",
            fontsize=7.5,
            fontweight="bold",
        )
        parts.append(frame)
    return fig, pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _measured(results: Results, place: Place, own: Sequence[Arm], arm: Arm) -> DataFrame:
    store, frame = _clips.opened(arm), adaptivity.shares(results, arm)
    assert store is not None
    fixed = recognitions.at(own, arm.policy, arm.keep_rate)
    kept = adaptivity.shares(results, fixed)["kept_share"].mean() if fixed is not None and fixed.made else None
    from audioprune.audio.silence import silence

    quiet = [silence(_clips.waveform(store, clip)) for clip in frame["clip"]]
    about: dict[str, Any] = {"place": str(place), "policy": arm.policy, "keep_rate": arm.keep_rate}
    return frame.assign(silence=quiet, fixed_share=kept, **about)


def _panel(ax: Axes, frame: DataFrame, arm: Arm, column: str, found: Estimate | Absent) -> None:
    scale = 100 if column == "silence" else 1
    colours = look(arm.policy)
    ax.plot(
        scale * frame[column],
        100 * frame["kept_share"],
        colours["marker"],
        color=colours["color"],
        ms=3.6,
        alpha=0.7,
        mew=0,
    )
    if (fixed := frame["fixed_share"].iloc[0]) is not None:
        ax.axhline(100 * fixed, color="#555555", lw=0.9, ls="--", zorder=1)
    ax.text(0.985, 0.04, _said(found), transform=ax.transAxes, ha="right", fontsize=7.5)
    ax.set_ylim(0, max(1.0, *(1.1 * 100 * frame["kept_share"])))
    ax.set_xlim(left=0)


def _said(found: Estimate | Absent) -> str:
    if isinstance(found, Absent):
        return f"ρ: {found.why}"
    ends = "" if found.drawn is None else f" [{number(found.low, 2)}, {number(found.high, 2)}]"
    return f"ρ = {number(found.value, 2)}{ends}"


def seen(rows: _seen.Rows) -> str:
    """Of every policy the least and the largest share that stays of a clip, beside what a fixed share leaves."""
    return "; ".join(
        f"{place}, {policy} at {float(rate):g}: share of tokens that stays {_share(own)}"
        for (place, policy, rate), own in _seen.parts(rows, "place", "policy", "keep_rate").items()
    )


def _share(rows: _seen.Rows) -> str:
    ends = _seen.extent(rows, "kept_share", lambda row: row["clip"])
    fixed = _seen.known(rows, "fixed_share")
    return ends + (f", with a fixed share {number(fixed[0][0], 2)}" if fixed else "")
