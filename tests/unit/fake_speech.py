"""A study of speech with made transcripts: every policy, whose errors are given."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from fakes import Study

from audioprune.audio.store import write_store
from audioprune.results.study import Results
from audioprune.settings import AudioSettings, TranscribeSettings

_folders = []


def transcripts(errors: list[int], words: int = 10, **more) -> pd.DataFrame:
    n = len(errors)
    frame = pd.DataFrame({"clip": [f"c{i}" for i in range(n)], "recording": [f"s{i}" for i in range(n)]})
    frame = frame.assign(
        speaker=frame["recording"], words=words, errors=errors, substituted=errors, deleted=0, inserted=0
    )
    costs = {"encoder_macs": 100, "decoder_macs": 50, "kept": 1500, "kept_sound": 200, "sound": 200}
    return frame.assign(**costs | {"audio_seconds": 4.0, "text": ""} | more, runaway=False)


def study(folder: Path, arms: dict[tuple[str, float], pd.DataFrame], missing: tuple = ()) -> Results:
    made = Study(folder)
    audio = made.cell("audio", "commonvoice-100", AudioSettings(dataset="commonvoice-100"), files=[_sounds])
    cells = []
    for (policy, rate), frame in arms.items():
        own = TranscribeSettings(
            recogniser="whisper-base", dataset="commonvoice-100", policy=policy, keep_rate=rate, within="sound"
        )
        write = [lambda out, frame=frame: frame.to_parquet(out / "transcripts.parquet")]
        cells.append(
            made.cell(
                "transcribe", f"{policy}-{rate}", own, files=write, made=(policy, rate) not in missing, audio=audio
            )
        )
    return Results("speech", cells)


def _sounds(out: Path) -> None:
    """Three clips of a tone."""
    tone = 0.2 * np.sin(np.arange(16000) / 5)
    write_store(out, [({"clip": f"c{i}", "split": "test", "transcript": "one two"}, tone) for i in range(3)])


@cache
def speech() -> Results:
    """Ten clips; the unpruned recogniser and two policies with as many errors as their place in the list."""
    _folders.append(tempfile.TemporaryDirectory())
    arms = {
        (policy, 1.0 if policy == "none" else 0.5): transcripts([i] * 10)
        for i, policy in enumerate(("none", "topk", "stride", "pool"))
    }
    return study(Path(_folders[-1].name), arms)
