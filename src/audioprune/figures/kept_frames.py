"""Which tokens recognisers keep of two clips, and what is misheard: on the spectrogram, policy by policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from audioprune.audio.silence import silence
from audioprune.exhibits import style
from audioprune.exhibits.shades import shaded
from audioprune.facts.mel import HIGH_HZ, LOW_HZ, MEL_BINS, SAMPLE_RATE, SHIFT, mel
from audioprune.facts.recogniser import RECOGNISERS
from audioprune.figures import _clips, _seen, _words
from audioprune.results import recognitions
from audioprune.wording import clean, number

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Arm, Place
    from audioprune.results.study import Results

TITLE = "Tokens that recognisers keep, and what they mishear"
CAPTION = (
    "Two test clips, one with the median number of words and the one with the largest share of silence (frames more "
    "than 35 dB below its loudest): log-mel spectrogram, and below it the tokens that each policy leaves after every "
    "pruning block, at the keep-rate that stands there. Merged runs are bars, from their first token to the next run; "
    "shades alternate. Of a CTC head also the units that it gives, at their columns. Last the reference, and what was "
    "heard, unpruned and with each policy. Red: other words than were said; red with +: words that nobody said; grey, "
    "struck through: words that are missing."
)
POLICIES = ("stride", "topk", "adjacent")
MERGES = ("pool", "adjacent")
COLUMNS = ("place", "clip", "policy", "keep_rate", "stage", "token", "start_s", "end_s")
BLANK = 0  # the unit of a CTC head that is none
MOST = 2  # recognisers that are shown
WINDOW_S = 30.0  # of a Whisper
HERTZ = (250, 1000, 4000, 8000)
RANGE, WIDEST = (5, 99.7), 512  # percentiles that are its darkest and brightest shade, and columns, of a spectrogram
ROW, LINE, SOUND = 0.17, 0.165, 0.85  # inches: of a row of tokens, of a line of words, of a spectrogram


class Picture(NamedTuple):
    """One clip, as it is drawn."""

    place: Place
    clip: str
    chosen: str  # why this one
    seconds: float
    wave: np.ndarray
    rows: list[tuple[str, str, list[tuple[float, float]]]]  # policy, its name, spans of what stays
    units: list[tuple[str, list[tuple[float, str]]]]  # whose units, of a CTC head: (seconds at its column, unit)
    heard: list[tuple[str, list[tuple[str, str]]]]  # whose words, (word, how it is wrong)


def needs(study: Cells) -> list:
    return study.cells("transcribe")


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    every = recognitions.arms(results)
    pictures, rows = [], []
    for place, own in list(_shown(every).items())[:MOST]:
        for picture, told in _pictures(results, every, place, own):
            pictures.append(picture)
            rows += told
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    if not pictures:
        nothing = f"the study {results.study} has no transcripts with the kept tokens and their audio"
        why = next((arm.why for arm in every if arm.why), nothing)
        return style.empty(why), frame
    return _stacked(pictures), frame


def _shown(every: Sequence[Arm]) -> dict[Place, list[Arm]]:
    """{place: its arms at one keep-rate}: of each recogniser the place with most of the policies, within the sound
    before the whole window, adapted before off the shelf, and the keep-rate nearest to a half."""
    found: dict[str, tuple[Place, list[Arm]]] = {}
    for place, arms in recognitions.places(every).items():
        rates = sorted({one.keep_rate for one in arms if one.made}, key=lambda rate: (abs(rate - 0.5), rate))
        for rate in rates[:1]:
            own = [one for name in POLICIES if (one := recognitions.at(arms, name, rate)) and one.made]
            if own and (place.recogniser not in found or _rank(place, own) > _rank(*found[place.recogniser])):
                found[place.recogniser] = place, own
    return dict(found.values())


def _rank(place: Place, own: Sequence[Arm]) -> tuple:
    return len(own), place.within != "window", place.trained == recognitions.ADAPTED


def _pictures(
    results: Results, every: Sequence[Arm], place: Place, own: Sequence[Arm]
) -> Iterator[tuple[Picture, list[tuple]]]:
    store, base = _clips.opened(own[0]), recognitions.unpruned(every, place)
    frames = {arm.policy: _of_one_seed(recognitions.clips(results, arm)) for arm in own}
    if store is None or any("stages" not in frame for frame in frames.values()):
        return
    heard = dict(frames)
    if base is not None and base.made:
        heard = {"none": _of_one_seed(recognitions.clips(results, base)), **heard}
    first = next(iter(frames.values()))
    waves = {clip: _clips.waveform(store, clip) for clip in first.index}
    for clip, chosen in _two(first, waves):
        rows, told = [], []
        for arm in own:
            for stage, spans in enumerate(_spans(frames[arm.policy].loc[clip], arm)):
                rows.append((arm.policy, f"{arm.policy}, {arm.keep_rate:g}", [span[1:] for span in spans]))
                told += [(str(place), clip, arm.policy, arm.keep_rate, stage, *span) for span in spans]
        words = [("reference", [(word, "") for word in clean(first.loc[clip, "reference"]).split()])]
        words += [(_named(name), _words.heard(frame.loc[clip], place.recogniser)) for name, frame in heard.items()]
        arms = {"none": base, **{arm.policy: arm for arm in own}}
        units = [(f"{_named(name)}, units", _units(frame.loc[clip], arms[name])) for name, frame in heard.items()]
        wave, units = waves[clip], [one for one in units if one[1]]
        yield Picture(place, clip, chosen, len(wave) / SAMPLE_RATE, wave, rows, units, words), told


def _named(policy: str) -> str:
    return "unpruned" if policy == "none" else policy


def _units(row: Any, arm: Arm | None) -> list[tuple[float, str]]:
    """(seconds, unit) where the most probable unit of a column is another than in the one before, and not the blank."""
    if arm is None or "columns" not in row or "recognise" not in arm.made[0].inputs:
        return []
    names = arm.made[0].inputs["recognise"].record["results"]["units"]
    columns = [int(one) for one in row["columns"]]
    each = float(row["audio_seconds"]) / max(len(columns), 1)
    begins = [i for i, one in enumerate(columns) if one != BLANK and (i == 0 or columns[i - 1] != one)]
    return [((i + 0.5) * each, clean(names[columns[i]])) for i in begins]


def _of_one_seed(frame: DataFrame) -> DataFrame:
    return frame[frame["seed"] == frame["seed"].min()].set_index("clip")


def _two(frame: DataFrame, waves: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """The clip with the median number of words, and another: that with the largest share of silence."""
    order = frame.sort_values(["words", "audio_seconds"], kind="stable").index.tolist()
    median = order[len(order) // 2]
    quiet = {clip: silence(wave) for clip, wave in waves.items() if clip != median}
    found = [(median, f"the median number of words, {frame.loc[median, 'words']}")]
    if quiet:
        most = max(quiet, key=lambda clip: quiet[clip])
        found.append((most, f"the largest share of silence, {100 * quiet[most]:.0f} %"))
    return found


def _spans(row: Any, arm: Arm) -> Iterator[list[tuple[int, float, float]]]:
    """Of each selecting block: (token, seconds at which it starts, and ends) of all that stay and hold sound."""
    facts = RECOGNISERS.get(arm.place.recogniser)
    sound = int(row["sound"])
    each = WINDOW_S / facts.tokens if facts else float(row["audio_seconds"]) / max(row["tokens"])
    for stage in row["stages"]:
        tokens = [int(one) for one in stage if one < sound]
        ends = [*tokens[1:], sound] if arm.policy in MERGES else [one + 1 for one in tokens]
        yield [(token, token * each, end * each) for token, end in zip(tokens, ends, strict=True)]


# --- drawing -------------------------------------------------------------------------------------------------------


def _height(one: Picture) -> float:
    return (
        SOUND
        + 0.68
        + ROW * (len(one.rows) + len(one.units))
        + LINE * sum(len(_words.lines(words)) for _, words in one.heard)
    )


def _stacked(pictures: Sequence[Picture]) -> Figure:
    heights = [_height(one) for one in pictures]
    fig = style.blank(height=sum(heights))
    parts = fig.subfigures(len(pictures), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, one, height in zip(parts, pictures, heights, strict=True):
        _one(part, one, height)
    return fig


LEFT, RIGHT = 0.115, 0.985


def _one(fig: SubFigure, one: Picture, height: float) -> None:
    """Spectrogram, rows of tokens on the same axis of time, lines of words."""
    fig.text(0.01, 1 - 0.05 / height, str(one.place).replace(": ", ", "), va="top", fontsize=7.5, fontweight="bold")
    fig.text(0.01, 1 - 0.19 / height, f"{clean(one.clip)}: {one.chosen}", va="top", fontsize=7, color="#444444")
    top = 1 - 0.36 / height
    sound = fig.add_axes((LEFT, top - SOUND / height, RIGHT - LEFT, SOUND / height))
    _spectrogram(sound, one)
    below = ROW * (len(one.rows) + len(one.units))
    rows = fig.add_axes((LEFT, top - (SOUND + 0.03 + below) / height, RIGHT - LEFT, below / height), sharex=sound)
    _rows(rows, one)
    below = top - (SOUND + 0.03 + below + 0.31) / height
    _words.draw(fig, one.heard, left=0.01, top=below, line=LINE / height)


def _spectrogram(ax: Axes, one: Picture) -> None:
    import torch

    from audioprune.audio.fbank import log_mel, natural_frames

    wave = torch.from_numpy(one.wave)[None]
    frames = int(natural_frames(torch.tensor([wave.shape[1]]))[0])
    x = log_mel(wave, None, frames)[0][0].numpy()  # (F, 128)
    extent = (0, frames * SHIFT / SAMPLE_RATE, 0, MEL_BINS)
    shown = shaded(x, "magma", RANGE).transpose(1, 0, 2)[:, :: max(1, len(x) // WIDEST)]
    ax.imshow(shown, origin="lower", aspect="auto", extent=extent, interpolation="none")
    scale = MEL_BINS / (mel(HIGH_HZ) - mel(LOW_HZ))
    ax.set_yticks([(mel(hz) - mel(LOW_HZ)) * scale for hz in HERTZ], [f"{hz / 1000:g}" for hz in HERTZ])
    ax.set_ylabel("kHz", fontsize=7, labelpad=1)
    ax.tick_params(labelsize=6.5, length=2, pad=2, labelbottom=False)
    ax.set_xlim(0, one.seconds)
    ax.grid(False)


def _rows(ax: Axes, one: Picture) -> None:
    from audioprune.figures.wer_macs import look

    for i, (policy, _, spans) in enumerate(one.rows):
        colour = look(policy)["color"]
        bars = [(start, end - start) for start, end in spans]
        shades = [1.0, 0.45] if policy in MERGES else [1.0]
        for j, alpha in enumerate(shades):
            ax.broken_barh(bars[j :: len(shades)], (i + 0.12, 0.76), facecolor=colour, alpha=alpha, lw=0)
    for i, (_, units) in enumerate(one.units, start=len(one.rows)):
        for seconds, unit in units:
            ax.text(seconds, i + 0.55, unit, fontsize=5.8, ha="center", va="center", clip_on=True)
    names = [*(name for _, name, _ in one.rows), *(name for name, _ in one.units)]
    ax.set_ylim(len(names), 0)
    ax.set_yticks([i + 0.5 for i in range(len(names))], names)
    ax.set_xlabel("time (s)", fontsize=7, labelpad=1)
    ax.tick_params(labelsize=6.5, length=2, pad=2)
    ax.tick_params(axis="y", length=0)
    ax.grid(False)


def seen(rows: _seen.Rows) -> str:
    """Of every clip and policy how many tokens are left after each stage, and between which seconds the last lie."""
    told = []
    for (place, clip, policy, rate), own in _seen.parts(rows, "place", "clip", "policy", "keep_rate").items():
        stages = _seen.parts(own, "stage")
        left = ", ".join(str(len(of)) for of in stages.values())
        last = list(stages.values())[-1]
        start, end = min(float(row["start_s"]) for row in last), max(float(row["end_s"]) for row in last)
        told.append(
            f"{place}, {clip}, {policy} at {float(rate):g}: {left} tokens left, the last between {number(start, 2)} "
            f"and {number(end, 2)} s"
        )
    return "; ".join(told)
