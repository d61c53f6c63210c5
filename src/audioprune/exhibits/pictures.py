"""Pictures of pruned patches: a spectrogram, and what is left of it after each pruning block, the rest blank.

The patches come from traces, whose numbers follow the backbone's own order of tokens (their records say which); the
picture comes from the features. Where the generator of the audio put sound is outlined, and what the model says of the
clip stands beside its label, where these are known.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.exhibits.shades import shaded
from audioprune.facts.mel import HIGH_HZ, LOW_HZ, MEL_BINS, SAMPLE_RATE, SHIFT, mel
from audioprune.facts.tokens import token_order
from audioprune.labels import score_of
from audioprune.results import answers
from audioprune.results.sounding import known_patches
from audioprune.wording import clean

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.facts.dataset import Dataset
    from audioprune.results.study import Result

HEIGHT = 1.45  # inches, of one picture
BLANK = 240  # grey of a pruned patch, from 0 to 255: no shade of the spectrogram
WIDEST = 256  # columns of a picture: what can be seen at this size
RANGE = (2, 99.5)  # percentiles that are the darkest and the brightest shade
HERTZ = (250, 1000, 2000, 4000, 8000)
TRUTH = "#D55E00"  # the outline of where the generator put sound
RIGHT, WRONG = ("right", style.GREEN), ("wrong", style.RED)
PICTURE = ("backbone", "dataset", "clip", "score", "keep_rate", "said", "right")  # of all rows of one picture
COLUMNS = (*PICTURE, "block", "token", "time_index", "freq_index", "signal")


def stacked(shown: list[dict], why: str) -> tuple[Figure, DataFrame]:
    """A figure of pictures, one below the other, and the kept patches that it shows; `why`, where there is none."""
    import pandas as pd

    if not shown:
        return style.empty(why), pd.DataFrame(columns=COLUMNS)
    fig = style.blank(height=HEIGHT * len(shown), placed=True)  # to find places takes seconds
    rows = []
    for i, one in enumerate(shown):
        _draw_row(fig, 1 - i / len(shown), 1 / len(shown), one)
        rows += _tokens(one)
    return fig, pd.DataFrame(rows, columns=COLUMNS)


def picture(trace: Result, clips: DataFrame, clip: str, facts: Dataset, predictions: DataFrame | None) -> dict:
    """One clip of one trace: its spectrogram in dB, (T, 128), and kept patches by block on the (time, freq) grid.

    predictions are those of the traced model, None where it was not evaluated: what it says, and whether that is right.
    """
    import numpy as np

    tuned = trace.inputs["finetune"].settings
    at = clips["clip"].tolist().index(clip)
    row, features = int(clips["row"].iloc[at]), trace.inputs["features"].dir
    x = np.array(np.load(features / "fbank.npy", mmap_mode="r")[row], dtype=np.float32)  # (T, 128)
    natural = int(np.load(features / "frames.npy")[row])
    with np.load(trace.dir / "trace.npz") as saved:
        blocks = sorted(int(name.removeprefix("kept_")) for name in saved.files if name.startswith("kept_"))
        kept = {block: saved[f"kept_{block}"][at] for block in blocks}
    made = trace.record["results"]
    labels = ", ".join(facts.classes[int(c)] for c in clips["labels"].iloc[at])
    said, right = _said(predictions, clip, facts)
    padding = min(-(-natural // tuned.model.stride), made["time_patches"])
    extents = json.loads(trace.inputs["audio"].frame("clips.parquet")["extents"].iloc[row])
    return {
        "backbone": tuned.model.backbone,
        "dataset": tuned.dataset,
        "clip": clip,
        "labels": labels,
        "score": score_of(tuned.model.backbone, trace.settings.pruning),
        "keep_rate": trace.settings.pruning.keep_rate,
        "x": x * 10 / np.log(10),
        "said": said,
        "right": right,
        "signal": known_patches(extents, made["time_patches"], padding, tuned.model.patch, tuned.model.stride),
        "patch": tuned.model.patch,
        "stride": tuned.model.stride,
        "order": np.array(token_order(made["orientation"], made["time_patches"], made["freq_patches"])),  # (tokens, 2)
        "kept": {block: tokens[tokens >= 0] for block, tokens in kept.items()},  # -1: a prefix token, no patch
    }


def _said(predictions: DataFrame | None, clip: str, facts: Dataset) -> tuple[str, bool | None]:
    """The classes that a model says, and whether they are the clip's own; ("", None) where it was not evaluated."""
    import numpy as np

    own = None if predictions is None else predictions[predictions["clip"] == clip]
    if own is None or own.empty:
        return "", None
    found = answers.answer(np.asarray(own["scores"].iloc[0], dtype=float), [int(c) for c in own["labels"].iloc[0]])
    return (", ".join(facts.classes[c] for c in found[0]), found[1]) if found else ("nothing", False)


def kept_pixels(shape: tuple[int, int], places: np.ndarray, patch: int, stride: int) -> np.ndarray:
    """(T, 128) bool: pixels under at least one of the patches at `places` (K, 2)."""
    import numpy as np

    mask = np.zeros(shape, dtype=bool)
    for t, f in places:
        mask[t * stride : t * stride + patch, f * stride : f * stride + patch] = True
    return mask


def _draw_row(fig: Figure, top: float, height: float, one: dict) -> None:
    """One picture below `top`: a heading, the input, then what is left after each pruning block."""
    import numpy as np

    x, blocks, places = one["x"], list(one["kept"]), one["order"]
    picture = shaded(x, "viridis", RANGE)
    how = f"{one['score']} score, keep-rate {one['keep_rate']:g}"
    names = (one["backbone"], one["dataset"], _short(clean(one["labels"])), how)
    fig.text(0.005, top - 0.03 * height, " · ".join(filter(None, names)), va="top", fontsize=8, fontweight="bold")
    if one["right"] is not None:
        mark, colour = RIGHT if one["right"] else WRONG
        said = f"says {_short(clean(one['said']), 30)}: {mark}"
        fig.text(0.975, top - 0.03 * height, said, va="top", ha="right", fontsize=8, color=colour)
    outline = None if one["signal"] is None else outlined(one["signal"], one["patch"], one["stride"])
    width = 0.925 / (1 + len(blocks))
    for i, block in enumerate([None, *blocks]):
        ax = fig.add_axes((0.065 + i * width, top - 0.76 * height, width - 0.02, 0.48 * height))
        _show(ax, picture, seconds=len(x) * SHIFT / SAMPLE_RATE)
        title = f"input: {len(places)} patches"
        if block is not None:
            kept = places[one["kept"][block]]
            cover = np.full((*x.shape, 4), BLANK, dtype=np.uint8)
            cover[..., 3] = np.where(kept_pixels(x.shape, kept, one["patch"], one["stride"]), 0, 255)
            _show(ax, cover, seconds=len(x) * SHIFT / SAMPLE_RATE)
            title = f"after block {block}: {len(kept)}"
        if outline is not None:
            _surround(ax, outline)
        ax.set_title(title, fontsize=7.5, pad=3)
        if i == 0:
            ax.set_ylabel("kHz", fontsize=7, labelpad=1)
        else:
            ax.tick_params(labelleft=False)


def outlined(patches: np.ndarray, patch: int, stride: int) -> np.ndarray:
    """Edges of patches (time, freq) that have the set on one side alone -> (edges, 2, 2): ends in frames, mel bins."""
    import numpy as np

    found = []
    for t, f in np.argwhere(patches):
        (left, low), right, high = (t * stride, f * stride), t * stride + patch, f * stride + patch
        beside = {
            (t - 1, f): ((left, low), (left, high)),
            (t + 1, f): ((right, low), (right, high)),
            (t, f - 1): ((left, low), (right, low)),
            (t, f + 1): ((left, high), (right, high)),
        }
        found += [edge for (i, j), edge in beside.items() if not _within(patches, i, j)]
    return np.array(found).reshape(-1, 2, 2)


def _within(patches: np.ndarray, t: int, f: int) -> bool:
    return 0 <= t < patches.shape[0] and 0 <= f < patches.shape[1] and bool(patches[t, f])


def _surround(ax: Axes, edges: np.ndarray) -> None:
    """A line that is seen on bright and on dark: in white below its own colour."""
    import numpy as np
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    ends = edges.reshape(-1, 2) * np.array([SHIFT / SAMPLE_RATE, 1])  # seconds, mel bins
    line = Path(ends, np.tile([Path.MOVETO, Path.LINETO], len(edges)))
    for width, colour in ((2.0, style.ON_DARK), (1.0, TRUTH)):
        ax.add_patch(PathPatch(line, fill=False, edgecolor=colour, linewidth=width, capstyle="projecting"))


def _short(text: str, most: int = 52) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip(" ,") + "…"


def _show(ax: Axes, picture: np.ndarray, *, seconds: float) -> None:
    """(T, 128, 3 or 4) with time to the right and frequency up, ticks on the mel scale."""
    extent = (0, seconds, 0, MEL_BINS)
    shown = picture[:: max(1, len(picture) // WIDEST)].transpose(1, 0, 2)
    ax.imshow(shown, origin="lower", aspect="auto", extent=extent, interpolation="none")
    scale = MEL_BINS / (mel(HIGH_HZ) - mel(LOW_HZ))
    ax.set_yticks([(mel(hz) - mel(LOW_HZ)) * scale for hz in HERTZ], [f"{hz / 1000:g}" for hz in HERTZ])
    ax.set_xlabel("time (s)", fontsize=7, labelpad=1)
    ax.tick_params(labelsize=6.5, length=2, pad=2)
    ax.grid(False)


def _tokens(one: dict) -> list[tuple]:
    places = one["order"]
    fixed = tuple(one[name] for name in PICTURE)
    known = one["signal"]
    return [
        (
            *fixed,
            block,
            int(token),
            *map(int, places[token]),
            None if known is None else bool(known[tuple(places[token])]),
        )
        for block, tokens in one["kept"].items()
        for token in sorted(tokens.tolist())
    ]
