"""A study of speech with made transcripts: arms whose errors are given, and one that has every kind of arm."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from audioprune.audio.store import write_store
from audioprune.facts.recogniser import RECOGNISERS
from audioprune.profiling import whisper_macs
from audioprune.results.recognitions import Arm, arms, at
from audioprune.results.study import Results
from audioprune.settings.data import AudioSettings
from audioprune.settings.speech import TranscribeSettings
from audioprune.statistics.halves import halves
from tests.fakes.studies import FakeCell, Study

_folders = []
SOUND, PADDING = 200, 1300


class How(NamedTuple):
    """What sets an arm of Whisper apart."""

    policy: str = "none"
    keep_rate: float = 1.0
    budget: str = "fixed"
    within: str = "sound"
    blocks: tuple[int, ...] = (2,)
    at_input: bool = False
    thin: str = ""
    thin_to: int = 0
    padding: str = "window"
    margin: int = 128
    fallback: bool = False


def transcripts(errors: list[int], words: int | list[int] = 10, **more) -> pd.DataFrame:
    """One clip of each speaker, with as many substitutions as given; columns of its arm as they are, unless given."""
    n = len(errors)
    frame = pd.DataFrame({"clip": [f"c{i}" for i in range(n)], "recording": [f"s{i}" for i in range(n)]})
    frame = frame.assign(
        speaker=frame["recording"], words=words, errors=errors, substituted=errors, deleted=0, inserted=0
    )
    said = list(frame["words"])
    heard = [" ".join(["other"] * one + ["word"] * (of - one)) for one, of in zip(errors, said, strict=True)]
    frame = frame.assign(text=heard, reference=[" ".join(["word"] * of) for of in said])
    frame = frame.assign(raw_errors=frame["errors"] + 1, raw_words=words, seconds=1.0, audio_seconds=4.0, units=12)
    frame["half"] = frame["speaker"].map(halves(frame["speaker"]))
    costs = {"encoder_macs": 100, "decoder_macs": 50, "kept": 1500, "kept_sound": 200, "sound": SOUND}
    frame = frame.assign(**costs | {"runaway": False} | more)
    if "encoder_macs_sound" not in frame:
        frame["encoder_macs_sound"] = frame["encoder_macs"]
    if "tokens" not in frame:
        kept = frame["kept"].tolist()
        frame["tokens"] = [[1500, 1500, 1500, *[one] * 4] for one in kept]
    return frame


def study(folder: Path, given: dict, missing: tuple = (), more: tuple = (), **inputs) -> Results:
    """given {How, or (policy, keep-rate) of one within the sound: transcripts}; `more` cells that it has too."""
    made = Study(folder)
    inputs.setdefault(
        "audio", made.cell("audio", "commonvoice-100", AudioSettings(dataset="commonvoice-100"), files=[_sounds])
    )
    cells = [*more]
    for i, (how, frame) in enumerate(given.items()):
        own = TranscribeSettings(recogniser="whisper-base", dataset="commonvoice-100", **How(*how)._asdict())
        write = [lambda out, frame=frame: frame.to_parquet(out / "transcripts.parquet")]
        cells.append(made.cell("transcribe", f"arm{i}", own, files=write, made=how not in missing, **inputs))
    return Results("speech", cells)


def arm(results: Results, policy: str, keep_rate: float = 1.0, budget: str = "fixed") -> Arm:
    found = at(arms(results), policy, keep_rate, budget)
    assert found is not None
    return found


def _sounds(out: Path) -> None:
    """Three clips of a tone."""
    tone = 0.2 * np.sin(np.arange(16000) / 5)
    write_store(out, [({"clip": f"c{i}", "split": "test", "transcript": "one two"}, tone) for i in range(3)])


@cache
def speech() -> Results:
    """Sixty clips of twelve speakers and every kind of arm; what looks at its tokens errs less, and costs a score."""
    _folders.append(tempfile.TemporaryDirectory())
    rng = np.random.default_rng(0)
    words = rng.integers(6, 14, 60)
    hard = rng.random(60)
    from tests.fakes import ctc as fake_ctc

    folder = Path(_folders[-1].name)
    given = {how: _made(how, words, hard) for how in _every()}
    of_ctc = fake_ctc.cells(folder / "ctc", restores=("carried", "nearest", "blank"))
    return study(folder, given, more=tuple(of_ctc), audio=audio(folder / "audio", next(iter(given.values()))))


def audio(folder: Path, clips: pd.DataFrame) -> FakeCell:
    """A tone for each clip, as long as its sound, its last third silent."""
    rows = [
        (
            {"clip": clip, "split": "test"},
            (0.3 * np.sin(0.3 * np.arange(n)) * (np.arange(n) < 2 * n / 3)).astype("float32"),
        )
        for clip, n in zip(clips["clip"], (16000 * clips["audio_seconds"]).astype(int), strict=True)
    ]
    write = [lambda out: write_store(out, rows)]
    return Study(folder).cell("audio", "commonvoice-100", AudioSettings(dataset="commonvoice-100"), files=write)


def _every():
    yield How()
    for policy in ("stride", "pool", "random", "topk", "intensity", "adjacent"):
        yield from (How(policy, rate) for rate in (0.5, 0.25))
    yield from (How("pool", rate, at_input=True) for rate in (0.5, 0.25))
    yield from (How(policy, 0.5, "threshold") for policy in ("topk", "adjacent"))
    yield from (How(policy, 0.5, within="window") for policy in ("stride", "topk"))
    yield from (How(thin="first", thin_to=count) for count in (640, 80))
    yield from (How(padding="none", margin=margin) for margin in (128, 0))
    yield How(padding="none", margin=0, fallback=True)


SKILL = {"none": 0.1, "topk": 0.16, "adjacent": 0.18, "intensity": 0.22, "stride": 0.24, "pool": 0.26, "random": 0.5}


def _made(how: How, words: np.ndarray, hard: np.ndarray) -> pd.DataFrame:
    """Errors by skill and hardness; tokens, survivors and MACs by what the arm keeps."""
    whisper, rng = RECOGNISERS["whisper-base"], np.random.default_rng([*map(ord, how.policy + how.budget)])
    lost = SKILL[how.policy] * (1 + 2 * (0.5 - how.keep_rate if how.keep_rate < 0.5 else 0))
    lost += {640: 0.02, 80: 0.3}.get(how.thin_to, 0) + (0.4 if how.padding == "none" and not how.fallback else 0)
    errors = rng.binomial(words, np.clip(2 * lost * hard, 0, 1))
    frame = transcripts(errors.tolist())
    sound = (100 + 3 * np.arange(len(words))).tolist()
    frame = frame.assign(words=words, speaker=[f"s{i % 12}" for i in range(len(words))], sound=sound)
    frame["recording"] = frame["speaker"]
    frame["half"] = frame["speaker"].map(halves(frame["speaker"]))
    frame["runaway"] = errors > 0.9 * words
    frame["inserted"] = np.where(frame["runaway"], errors, 0)
    frame["substituted"] = errors - frame["inserted"]
    frame["audio_seconds"] = frame["sound"] / 50
    rows = [_tokens(how, n, i) for i, n in enumerate(sound)]
    frame["stages"] = [[one] for one, _ in rows] if how.policy != "none" else [[] for _ in rows]
    frame["survivors"] = [one for one, _ in rows]
    frame["kept"] = [len(one) for one, _ in rows]
    frame["kept_sound"] = [kept for _, kept in rows]
    frame["tokens"] = [[1500] * 3 + [len(one)] * 4 if not how.at_input else [len(one)] * 7 for one, _ in rows]
    scored = how.blocks if how.policy == "topk" else ()
    frame["encoder_macs"] = [whisper_macs.encoder(whisper, own, scored=scored, made=1500) for own in frame["tokens"]]
    alone = [[n - 1500 + own for n in all_] for own, all_ in zip(frame["sound"], frame["tokens"], strict=True)]
    frame["encoder_macs_sound"] = [
        whisper_macs.encoder(whisper, own, scored=scored, made=n) for own, n in zip(alone, frame["sound"], strict=True)
    ]
    frame["decoder_macs"] = [whisper_macs.decoder(whisper, one, 12) for one in frame["kept"]]
    return frame


def _tokens(how: How, sound: int, clip: int) -> tuple[list[int], int]:
    """Numbers of the tokens that stay, and how many of them hold sound."""
    n = sound if how.within == "sound" else 1500
    rate = how.keep_rate * (0.7 + 0.6 * (clip % 7) / 6 if how.budget == "threshold" else 1)
    count = max(1, round(rate * n)) if how.policy != "none" else n
    order = np.random.default_rng(clip).permutation(n) if how.policy not in ("stride", "pool") else None
    kept = sorted((np.arange(count) * n // count if order is None else order[:count]).tolist())
    behind = list(range(n, 1500))
    if how.thin:
        behind = behind[:: max(1, len(behind) // how.thin_to)][: how.thin_to]
    if how.padding == "none":
        behind = behind[: how.margin]
    return kept + behind, sum(one < sound for one in kept)
