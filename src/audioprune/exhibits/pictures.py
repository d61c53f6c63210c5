"""Pictures of pruned patches: a spectrogram, and what is left of it after each pruning block, the rest blank.

The patches come from traces, whose numbers follow the backbone's own order of tokens (their records say which); the
picture comes from the features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits import style
from audioprune.exhibits.shades import shaded
from audioprune.facts.mel import HIGH_HZ, LOW_HZ, MEL_BINS, SAMPLE_RATE, SHIFT, mel
from audioprune.facts.tokens import token_order
from audioprune.labels import score_of
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
COLUMNS = ("backbone", "dataset", "clip", "score", "keep_rate", "block", "token", "time_index", "freq_index")


def stacked(shown: list[dict], why: str) -> tuple[Figure, DataFrame]:
    """A figure of pictures, one below the other, and the kept patches that it shows; `why`, where there is none."""
    import pandas as pd

    if not shown:
        return style.empty(why), pd.DataFrame(columns=COLUMNS)
    fig = style.blank(height=HEIGHT * len(shown))
    fig.set_layout_engine("none")  # places are known, and finding them takes seconds
    rows = []
    for i, one in enumerate(shown):
        _draw_row(fig, 1 - i / len(shown), 1 / len(shown), one)
        rows += _tokens(one)
    return fig, pd.DataFrame(rows, columns=COLUMNS)


def picture(trace: Result, clips: DataFrame, clip: str, facts: Dataset) -> dict:
    """One clip of one trace: its spectrogram in dB, (T, 128), and kept patches by block on the (time, freq) grid."""
    import numpy as np

    tuned = trace.inputs["finetune"].settings
    at = clips["clip"].tolist().index(clip)
    features = np.load(trace.inputs["features"].dir / "fbank.npy", mmap_mode="r")
    x = np.array(features[int(clips["row"].iloc[at])], dtype=np.float32)  # (T, 128)
    with np.load(trace.dir / "trace.npz") as saved:
        blocks = sorted(int(name.removeprefix("kept_")) for name in saved.files if name.startswith("kept_"))
        kept = {block: saved[f"kept_{block}"][at] for block in blocks}
    made = trace.record["results"]
    labels = ", ".join(facts.classes[int(c)] for c in clips["labels"].iloc[at])
    return {
        "backbone": tuned.model.backbone,
        "dataset": tuned.dataset,
        "clip": clip,
        "labels": labels,
        "score": score_of(tuned.model.backbone, trace.settings.pruning),
        "keep_rate": trace.settings.pruning.keep_rate,
        "x": x * 10 / np.log(10),
        "patch": tuned.model.patch,
        "stride": tuned.model.stride,
        "order": np.array(token_order(made["orientation"], made["time_patches"], made["freq_patches"])),  # (tokens, 2)
        "kept": {block: tokens[tokens >= 0] for block, tokens in kept.items()},  # -1: a prefix token, no patch
    }


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
        ax.set_title(title, fontsize=7.5, pad=3)
        if i == 0:
            ax.set_ylabel("kHz", fontsize=7, labelpad=1)
        else:
            ax.tick_params(labelleft=False)


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
    fixed = (one["backbone"], one["dataset"], one["clip"], one["score"], one["keep_rate"])
    return [
        (*fixed, block, int(token), int(places[token][0]), int(places[token][1]))
        for block, tokens in one["kept"].items()
        for token in sorted(tokens.tolist())
    ]
