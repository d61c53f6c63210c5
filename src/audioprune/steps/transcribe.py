"""Transcripts of test clips by a recogniser whose encoder is pruned: errors, tokens and MACs of each clip.

Whisper, off the shelf: greedy decoding without timestamps in float32. No clip depends on another but by the thresholds
of a threshold budget, which the other half of the speakers sets. Cells of one process share all that lies before a
selection. Edits are counted between transcripts that its English normaliser has passed, as its authors do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jiwer
import pandas as pd
import torch
import whisper
from whisper.normalizers import EnglishTextNormalizer

from audioprune import records, registry
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.facts.mel import SAMPLE_RATE
from audioprune.facts.recogniser import CTC, RECOGNISERS, Recogniser
from audioprune.profiling import whisper_macs
from audioprune.progress import Progress
from audioprune.recognisers.whisper_arms import Arm, Kept, Windows, budget_met
from audioprune.recognisers.whisper_decoding import TOGETHER, Heard, heard
from audioprune.recognisers.whisper_weights import read
from audioprune.settings.speech import TranscribeSettings
from audioprune.statistics.halves import halves
from audioprune.steps._model import checkpoint_file
from audioprune.steps._run import Job, main
from audioprune.training.device import deterministic
from audioprune.training.splits import rows_of

FILE = "transcripts.parquet"


def transcribe(job: Job[TranscribeSettings]) -> dict:
    clips, measured, results, normal = (by_taught if "recognise" in job.inputs else by_whisper)(job)
    rows = []
    for about, one in zip(clips.to_dict("records"), measured, strict=True):
        reference, said = about["reference"], one["text"]
        rows.append(about | one | errors(normal(reference), normal(said), reference, said))
    frame = pd.DataFrame(rows)
    if not frame["words"].sum():
        raise UserError(f"the test clips of {job.settings.dataset} have no word of reference: no error rate is of none")
    with records.atomic(job.out / FILE) as path:
        frame.to_parquet(path, index=False)
    return {
        "wer": float(frame["errors"].sum() / frame["words"].sum()),
        **{name: int(frame[name].sum()) for name in ("words", "runaway", "encoder_macs", "decoder_macs")},
        "clips": len(frame),
        "empty": int((frame["text"] == "").sum()),
        **results,
    }


Normal = Callable[[str], str]
Transcribed = tuple[pd.DataFrame, list[dict], dict[str, Any], Normal]  # clips, what is measured of each, more


def by_taught(job: Job[TranscribeSettings]) -> Transcribed:
    """A recogniser with a CTC head, whose transcripts are written as those it learnt from: nothing is normalised."""
    own, store = job.settings, WaveformStore.open(job.inputs["audio"])
    facts = CTC[own.recogniser]
    family = registry.get("recognisers", facts.family)
    listen = family.listener(job.inputs["recognise"], own, deterministic(threads=1 if facts.small else 8))
    results: dict[str, Any] = {}
    if own.budget == "threshold":
        shown = WaveformStore.open(job.inputs["validation"]) if "validation" in job.inputs else store
        rows = rows_of(shown.clips, folds=1, split="nested")
        results["thresholds"] = listen.calibrate([torch.as_tensor(shown.waveform(int(row))) for row in rows.val])
    clips, waves = test_clips(store)
    progress, measured = Progress(f"transcribe/{job.address}", len(waves), "clips"), []
    for name, wave in zip(clips["clip"], waves, strict=True):
        measured.append(listen(name, wave))
        progress.add()
    if own.budget == "threshold":
        results["budget"] = family.budget_met(own, measured)
    return clips, measured, results, lambda text: " ".join(text.split())


def by_whisper(job: Job[TranscribeSettings]) -> Transcribed:
    own = job.settings
    model, windows, clips = opened(own.recogniser, job.inputs["checkpoint"], job.inputs["audio"])
    found, results = recognised(own, model, windows, clips["half"].tolist(), f"transcribe/{job.address}")
    return clips, [row(own, windows.facts, *one) for one in found], results, EnglishTextNormalizer()


@lru_cache(maxsize=1)
def opened(recogniser: str, checkpoint: Path, audio: Path) -> tuple[whisper.Whisper, Windows, pd.DataFrame]:
    """(the model, the test clips as its encoder meets them, one row for each): once for the cells of a process."""
    facts = RECOGNISERS[recogniser]
    device = deterministic(threads=1 if facts.small else 8)
    model = read(checkpoint_file(checkpoint), facts).to(device)
    clips, waves = test_clips(WaveformStore.open(audio))
    windows = Windows(model.encoder, facts, waves, clips["clip"].tolist())
    model.encoder = torch.nn.Identity()  # decoding is given encodings
    return model, windows, clips


def test_clips(store: WaveformStore) -> tuple[pd.DataFrame, list[torch.Tensor]]:
    """(a row for each, with its half of the speakers; waveforms (L,))."""
    clips = store.clips[store.clips["split"] == "test"]
    waves = [torch.as_tensor(store.waveform(place)) for place in clips.index]
    speakers = [named or cut for named, cut in zip(clips["speaker"], clips["recording"], strict=True)]
    half = halves(speakers)
    about = clips[["clip", "recording", "speaker", "transcript"]].rename(columns={"transcript": "reference"})
    seconds = [len(wave) / SAMPLE_RATE for wave in waves]
    return about.assign(audio_seconds=seconds, half=[half[one] for one in speakers]).reset_index(drop=True), waves


@torch.no_grad()
def recognised(
    own: TranscribeSettings, model: whisper.Whisper, windows: Windows, half: list[int], name: str
) -> tuple[list[tuple[Kept, Heard]], dict[str, Any]]:
    """(what was kept of each clip and heard in it, what the record says of a threshold budget)."""
    arm, progress, found = Arm(own, windows), Progress(name, len(half), "clips"), []
    results: dict[str, Any] = {"thresholds": arm.calibrate(half)} if own.budget == "threshold" else {}
    for first in range(0, len(half), TOGETHER):
        group = range(first, min(first + TOGETHER, len(half)))
        encodings, kept = zip(*(arm.encode(clip, half[clip]) for clip in group), strict=True)
        found += list(zip(kept, heard(model, encodings, fallback=own.fallback), strict=True))
        progress.add(len(group))
    if own.budget == "threshold":
        results["budget"] = budget_met(own, [one for one, _ in found])
    return found, results


def row(own: TranscribeSettings, facts: Recogniser, one: Kept, said: Heard) -> dict[str, Any]:
    """What is measured of a clip: tokens by their numbers and counts, and MACs of what was run, by their own counts.

    `encoder_macs_sound` are those of the same selections had there been no padding.
    """
    tokens, sound = one.tokens, one.sounding
    scored = own.blocks if own.policy == "topk" else own.blocks[:1] if own.thin == "attention" else ()
    left = [one.entered[block + 1] for block in _selecting(own)]
    return {
        "text": said.text,
        "units": said.units,
        "sound": one.sound,
        "kept": tokens[-1],
        "kept_sound": sound[-1],
        "tokens": tokens,
        "survivors": _short(one.entered[-1]),
        "stages": [_short(numbers) for numbers in left],
        "encoder_macs": whisper_macs.encoder(facts, tokens, scored=scored, made=one.made),
        "encoder_macs_sound": whisper_macs.encoder(facts, sound, scored=scored, made=one.sound),
        "decoder_macs": sum(whisper_macs.decoder(facts, tokens[-1], units) for units in said.decoded),
        "runaway": said.runaway,
    }


def _selecting(own: TranscribeSettings) -> tuple[int, ...]:
    """Blocks that fewer tokens leave than would without a selection; -1: fewer enter the first."""
    if own.at_input:
        return (-1,)
    return own.blocks[:1] if own.thin else own.blocks if own.policy != "none" else ()


def _short(numbers: torch.Tensor) -> Any:
    return numbers.to(torch.int16).cpu().numpy()


def errors(reference: str, heard: str, raw: str = "", raw_heard: str = "") -> dict:
    """Words of the reference, and the fewest edits that turn it into what was heard, by kind; and of raw texts."""
    substituted, deleted, inserted = _edits(reference, heard)
    return {
        "words": len(reference.split()),
        "substituted": substituted,
        "deleted": deleted,
        "inserted": inserted,
        "errors": substituted + deleted + inserted,
        "raw_words": len(raw.split()),
        "raw_errors": sum(_edits(raw, raw_heard)),
    }


def _edits(reference: str, heard: str) -> tuple[int, int, int]:
    if not reference.split():
        return 0, 0, len(heard.split())
    one = jiwer.process_words(reference, heard)
    return one.substitutions, one.deletions, one.insertions


if __name__ == "__main__":
    main(transcribe)
