"""The clip explorer: a few test clips of every dataset, their sound, what each model keeps of them and what it says.

Everything is read from cells: pictures from the features, sound from the audio, kept patches from the traces, answers
from the evaluations of the same models. A clip is heard only where its dataset has a credit in `credits`: its licence
lets it be handed on, or it is the user's own and the study says so. The rest is in the page without sound.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from audioprune.cells.query import value_of
from audioprune.exhibits import display
from audioprune.labels import method_label, score_of
from audioprune.reporting import clip_answers, clip_picture, clip_sound, clip_speech, explorer
from audioprune.reporting.clip_answers import Answer, Arm, Looked
from audioprune.reporting.clip_credits import credit_of
from audioprune.wording import clean

if TYPE_CHECKING:
    from audioprune.audio.store import WaveformStore
    from audioprune.results.study import Result, Results
    from audioprune.settings.exhibits import Credit

MOST = 24  # clips in a report


@dataclass(frozen=True)
class Clip:
    dataset: str
    name: str
    label: str
    seconds: float  # of what the model sees
    frames: int  # of the picture, padding included
    time: int  # patches along the one axis
    freq: int  # and along the other
    patch: int
    stride: int
    padding: int  # the first of the columns of patches that are padding; `time` where none is
    signal: str  # bits of the patches in which the generator put sound; empty where nothing is known
    picture: str  # WebP, base64
    sound: str  # Ogg Opus, base64; empty where it may not be heard
    credit: str
    answers: tuple[Answer, ...]

    @property
    def title(self) -> str:
        return f"{self.dataset}: {self.label}"


@dataclass(frozen=True)
class Clips:
    arms: tuple[Arm, ...]
    clips: tuple[Clip, ...]

    @property
    def data(self) -> str:
        """What the script reads beside the page: everything but pictures, sounds and words, which are in the page."""
        left_out = {"picture", "sound", "credit"}
        clips = [{key: value for key, value in asdict(one).items() if key not in left_out} for one in self.clips]
        return explorer.embedded(
            {"arms": [asdict(arm) for arm in self.arms], "clips": clips, "axis": clip_picture.axis()}
        )


def gather(results: Results, credits: Mapping[str, Credit]) -> Clips:
    """At most MOST clips, as many of each dataset that is traced or transcribed; of each class one before a second."""
    traced = clip_answers.runs(results)
    heard = clip_speech.arms(results)
    room = MOST // max(1, len(traced) + len(heard))
    arms: list[Arm] = []
    clips: list[Clip] = []
    for dataset, own in traced.items():
        numbers = range(len(arms), len(arms) + len(own))
        looked = [clip_answers.looked_into(results, one) for one in own]
        arms += map(_arm, own, looked)
        clips += _clips(results, own[0], looked, numbers, room, credits.get(dataset))
    for dataset, own in heard.items():
        numbers = range(len(arms), len(arms) + len(own))
        arms += [clip_speech.arm(one) for one in own]
        clips += _spoken(own, numbers, room, credits.get(dataset))
    return Clips(tuple(arms), tuple(clips))


def _arm(trace: Result, looked: Looked) -> Arm:
    pruning, backbone = trace.settings.pruning, value_of(trace, "backbone")
    stages = ("input", *(f"after block {block}" for block in looked.kept))
    score, rate = score_of(backbone, pruning), f"{pruning.keep_rate:g}"
    names = display.text(value_of(trace, "dataset")), display.text(backbone), display.method(method_label(pruning))
    return Arm(*names, rate, display.text(score), stages, explorer.anchor(trace.key))


def _clips(
    results: Results, first: Result, looked: list[Looked], numbers: range, room: int, credit: Credit | None
) -> Iterator[Clip]:
    """Of one dataset, whose models are traced on the same test clips; `first` is one of the traces."""
    import numpy as np

    from audioprune.audio.store import WaveformStore

    facts, made = results.dataset(value_of(first, "dataset")), first.record["results"]
    store, features = WaveformStore.open(first.inputs["audio"].dir), first.inputs["features"].dir
    values, natural = np.load(features / "fbank.npy", mmap_mode="r"), np.load(features / "frames.npy")
    for name, row, labels in clip_answers.chosen([one.clips for one in looked], room):
        x = np.array(values[row])  # (T, 128)
        padding = min(-(-int(natural[row]) // made["stride"]), made["time_patches"])
        answers = [one.answer(number, name, facts) for number, one in zip(numbers, looked, strict=True)]
        end = len(x) * clip_picture.HOP
        yield Clip(
            display.text(facts.name), clean(name), clean(", ".join(facts.classes[label] for label in labels)),
            round(end, 3), len(x),
            made["time_patches"], made["freq_patches"], made["patch"], made["stride"], padding,
            _signal(store.clips["extents"].iloc[row], made, padding), _base64(clip_picture.picture(x)),
            _sound(store, row, end, credit), _credit(first, name, credit), tuple(filter(None, answers)),
        )  # fmt: skip


def _spoken(arms: list[Result], numbers: range, room: int, credit: Credit | None) -> Iterator[Clip]:
    """Of one dataset of speech: transcripts instead of patches."""
    from audioprune.audio.store import WaveformStore

    store = WaveformStore.open(arms[0].inputs["audio"].dir)
    for row, name, answers in clip_speech.chosen(store, arms, numbers, room):
        x = clip_picture.log_mel(store.waveform(row))
        said = store.clips["transcript"].iloc[row]
        yield Clip(
            display.text(arms[0].settings.dataset), clean(name), clean(said),
            round(len(x) * clip_picture.HOP, 3), len(x),
            0, 0, 0, 0, 0, "", _base64(clip_picture.picture(x)),
            _sound(store, row, clip_speech.LONGEST, credit), _credit(arms[0], name, credit), answers,
        )  # fmt: skip


def _signal(extents: str, made: Mapping, padding: int) -> str:
    """Bits of the patches in which sound is known to be, padding left out."""
    from audioprune.results.sounding import known_patches

    grid = known_patches(json.loads(extents), made["time_patches"], padding, made["patch"], made["stride"])
    return "" if grid is None else clip_answers.bits(grid)


def _sound(store: WaveformStore, row: int, end: float, credit: Credit | None) -> str:
    """What of a clip the model sees, as base64; empty where it may not be heard."""
    if credit is None:
        return ""
    clip = store.clips.iloc[row]
    length = min(int(clip["length"]), int(end * clip_sound.SAMPLE_RATE))
    start = int(clip["offset"])
    return _base64(clip_sound.opus(store.samples[start : start + length]))


def _credit(made: Result, clip: str, credit: Credit | None) -> str:
    if credit is None:
        return "Not played: the licence of its source does not allow it to be handed on, or the study does not say so."
    return clean(credit_of(made.inputs["audio"], clip, credit))


def _base64(held: bytes) -> str:
    return base64.b64encode(held).decode()
