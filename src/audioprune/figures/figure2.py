"""Which patches are kept: P0 Figure 2's kind of picture, the spectrogram with pruned patches darkened.

The patches come from traces, whose numbers follow the backbone's own order of tokens (their records say which); the
picture comes from the features.
"""

from __future__ import annotations

from audioprune.audio.mel import HIGH_HZ, LOW_HZ, MEL_BINS, SAMPLE_RATE, SHIFT, mel
from audioprune.figures import _style
from audioprune.planning.cells import as_trained
from audioprune.tables._text import clean

TITLE = "Patches that are kept"
CAPTION = (
    "Log-mel spectrograms of test clips: the input, and the patches left after each pruning block (the others dark). "
    "Time runs right, frequency up. The same clips for every backbone; a patch is 16 frames (160 ms) by 16 mel bins."
)
ROWS = 6  # pictures in a figure
HEIGHT = 1.45  # inches, of one of them
RATE = 0.5  # keep-rate that is shown, or the traced one nearest to it
DARK = 0.15  # brightness of a pruned patch
LEVELS, WIDEST = 48, 256  # shades and columns of a picture: what can be seen at this size
HERTZ = (250, 1000, 2000, 4000, 8000)
COLUMNS = ("backbone", "dataset", "clip", "keep_rate", "block", "token", "time_index", "freq_index")  # of its data


def needs(study) -> list:
    return [c for c in study.cells("trace", method="topk") if as_trained(c)]


def draw(results):
    import pandas as pd

    shown = pictures(results)
    if not shown:
        why = next((r.why for r in results.cells("trace") if not r.ok), "the study traces no tokens")
        return _style.empty(why), pd.DataFrame(columns=COLUMNS)
    fig = _style.blank(height=HEIGHT * len(shown))
    fig.set_layout_engine("none")  # places are known, and finding them takes seconds
    rows = []
    for i, one in enumerate(shown):
        _draw_row(fig, 1 - i / len(shown), 1 / len(shown), one)
        rows += _tokens(one)
    return fig, pd.DataFrame(rows, columns=COLUMNS)


def pictures(results) -> list[dict]:
    """What is shown: for every dataset the same few clips, for every backbone traced on it."""
    by_dataset: dict[str, dict[str, object]] = {}
    for r in results.cells("trace"):
        tuned, rate = r.inputs["finetune"].settings, r.settings.pruning.keep_rate
        if not r.ok or rate == 1:
            continue
        chosen = by_dataset.setdefault(tuned.dataset, {})
        other = chosen.get(tuned.model.backbone)
        if other is None or abs(rate - RATE) < abs(other.settings.pruning.keep_rate - RATE):
            chosen[tuned.model.backbone] = r
    each = max(1, ROWS // max(1, sum(map(len, by_dataset.values()))))
    found = []
    for dataset, traces in by_dataset.items():
        clips = {backbone: r.frame() for backbone, r in traces.items()}
        common = set.intersection(*(set(frame["clip"]) for frame in clips.values()))
        first = next(iter(clips.values()))["clip"]
        for clip in [c for c in first if c in common][: min(each, 2)]:
            facts = results.dataset(dataset)
            found += [picture(r, clips[backbone], clip, facts) for backbone, r in traces.items()]
    return found[:ROWS]


def picture(trace, clips, clip: str, facts) -> dict:
    """One clip of one trace: its spectrogram in dB, (T, 128), and kept patches by block on the (time, freq) grid."""
    import numpy as np

    tuned = trace.inputs["finetune"].settings
    at = clips["clip"].tolist().index(clip)
    features = np.load(trace.inputs["features"].dir / "fbank.npy", mmap_mode="r")
    x = np.array(features[int(clips["row"].iloc[at])], dtype=np.float32)  # (T, 128)
    with np.load(trace.dir / "trace.npz") as saved:
        blocks = sorted(int(name.removeprefix("kept_")) for name in saved.files if name.startswith("kept_"))
        kept = {block: saved[f"kept_{block}"][at] for block in blocks}
    labels = ", ".join(facts.classes[int(c)] for c in clips["labels"].iloc[at])
    return {
        "backbone": tuned.model.backbone,
        "dataset": tuned.dataset,
        "clip": clip,
        "labels": labels,
        "keep_rate": trace.settings.pruning.keep_rate,
        "x": x * 10 / np.log(10),
        "patch": tuned.model.patch,
        "stride": tuned.model.stride,
        "order": order(trace.record["results"]),
        "kept": {block: tokens[tokens >= 0] for block, tokens in kept.items()},  # -1: an extra token, no patch
    }


def order(facts: dict):
    """Token -> patch, as a trace's record says: (tokens, 2) numpy, row i holds (time index, freq index) of token i.

    audio.patches.token_order says the same of tensors: a picture loads no torch, and a test holds the two alike.
    """
    import numpy as np

    time, freq = facts["time_patches"], facts["freq_patches"]
    i = np.arange(time * freq)
    pairs = {"time": (i // freq, i % freq), "freq": (i % time, i // time)}
    return np.stack(pairs[facts["orientation"]], axis=1)


def kept_pixels(shape: tuple[int, int], places, patch: int, stride: int):
    """(T, 128) bool: pixels under at least one of the patches at `places` (K, 2)."""
    import numpy as np

    mask = np.zeros(shape, dtype=bool)
    for t, f in places:
        mask[t * stride : t * stride + patch, f * stride : f * stride + patch] = True
    return mask


def _draw_row(fig, top: float, height: float, one: dict) -> None:
    """One picture below `top`: a heading, the input, then what is left after each pruning block."""
    import matplotlib as mpl
    import numpy as np

    x, blocks, places = one["x"], list(one["kept"]), one["order"]
    low, high = np.percentile(x, [2, 99.5])
    level = np.clip((x - low) / max(high - low, 1e-6), 0, 1)
    picture = mpl.colormaps["viridis"](np.round(level * LEVELS) / LEVELS, bytes=True)[..., :3]  # (T, 128, 3)
    names = (one["backbone"], one["dataset"], clean(one["labels"])[:60], f"keep-rate {one['keep_rate']:g}")
    fig.text(0.005, top - 0.03 * height, " · ".join(filter(None, names)), va="top", fontsize=8, fontweight="bold")
    width = 0.93 / (1 + len(blocks))
    for i, block in enumerate([None, *blocks]):
        shown, title = picture, f"input: {len(places)} patches"
        if block is not None:
            kept = places[one["kept"][block]]
            bright = kept_pixels(x.shape, kept, one["patch"], one["stride"])[..., None]
            shown = np.where(bright, picture, (picture * DARK).astype("uint8"))
            title = f"after block {block}: {len(kept)}"
        ax = fig.add_axes((0.06 + i * width, top - 0.76 * height, width - 0.02, 0.48 * height))
        _show(ax, shown, seconds=len(x) * SHIFT / SAMPLE_RATE)
        ax.set_title(title, fontsize=7.5, pad=3)
        if i == 0:
            ax.set_ylabel("kHz")
        else:
            ax.tick_params(labelleft=False)


def _show(ax, picture, *, seconds: float) -> None:
    """(T, 128, 3) with time to the right and frequency up, ticks on the mel scale."""
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
    fixed = (one["backbone"], one["dataset"], one["clip"], one["keep_rate"])
    return [
        (*fixed, block, int(token), int(places[token][0]), int(places[token][1]))
        for block, tokens in one["kept"].items()
        for token in sorted(tokens.tolist())
    ]
