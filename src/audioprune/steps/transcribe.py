"""Transcripts of test clips by a Whisper whose encoder is pruned, off the shelf: errors, tokens and MACs of each clip.

Greedy decoding without timestamps in float32, each clip alone in a window of 30 s, so that it depends on no other.
Edits are counted between transcripts that Whisper's English normaliser has passed, as its authors do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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
from audioprune.facts.recogniser import CTC, RECOGNISERS, Recogniser
from audioprune.profiling import whisper_macs
from audioprune.progress import Progress
from audioprune.recognisers.whisper import prune, sounding
from audioprune.settings import TranscribeSettings
from audioprune.steps._model import checkpoint_file
from audioprune.steps._run import Job, main
from audioprune.training.device import deterministic

UNITS = 224  # of a transcript, at most
RUNAWAY = 2.4  # compression ratio above which the library itself distrusts a transcript
FILE = "transcripts.parquet"


def transcribe(job: Job[TranscribeSettings]) -> dict:
    store = WaveformStore.open(job.inputs["audio"])
    listen, normal = (by_taught if "recognise" in job.inputs else by_whisper)(job, store)
    rows = [row for row in range(len(store)) if store.clips["split"].iloc[row] == "test"]
    progress, found = Progress(f"transcribe/{job.address}", len(rows), "clips"), []
    for row in rows:
        clip = store.clips.iloc[row]
        about = {name: clip[name] for name in ("clip", "recording", "speaker")}
        heard = listen(clip["clip"], torch.as_tensor(store.waveform(row)))
        found.append(about | heard | errors(normal(clip["transcript"]), normal(heard["text"])))
        progress.add()
    frame = pd.DataFrame(found)
    with records.atomic(job.out / FILE) as path:
        frame.to_parquet(path, index=False)
    return {
        "wer": float(frame["errors"].sum() / frame["words"].sum()),
        "words": int(frame["words"].sum()),
        "clips": len(frame),
        "runaway": int(frame["runaway"].sum()),
        "encoder_macs": int(frame["encoder_macs"].sum()),
    }


Listen = Callable[[str, torch.Tensor], dict]  # a clip's name and waveform (L,) -> what is heard, and its cost
Normal = Callable[[str], str]


def by_taught(job: Job[TranscribeSettings], store: WaveformStore) -> tuple[Listen, Normal]:
    """A recogniser with a CTC head, whose transcripts are written as those it learnt from: nothing is normalised."""
    facts = CTC[job.settings.recogniser]
    device = deterministic(threads=1 if facts.small else 8)
    family = registry.get("recognisers", facts.family)
    return family.listener(job.inputs["recognise"], job.settings, store, device), lambda text: " ".join(text.split())


def by_whisper(job: Job[TranscribeSettings], store: WaveformStore) -> tuple[Listen, Normal]:
    settings = job.settings
    facts = RECOGNISERS[settings.recogniser]
    device = deterministic(threads=1 if facts.small else 8)
    model = read(checkpoint_file(job.inputs["checkpoint"]), facts).to(device)
    blocks, rate = (settings.blocks, settings.keep_rate) if settings.policy != "none" else ((), 1.0)
    named = settings.policy if settings.policy != "none" else "stride"  # at keep-rate 1 any is the untouched model
    prune(model, named, rate, blocks, settings.within, **settings.options)

    def listen(name: str, wave: torch.Tensor) -> dict:
        if len(wave) > whisper.audio.N_SAMPLES:
            seconds = len(wave) / whisper.audio.SAMPLE_RATE
            raise UserError(
                f"{name} lasts {seconds:.1f} s, and a window of {facts.name} is 30 s: what lies behind would count as "
                "not heard; cut the clip and its transcript"
            )
        return transcribed(model, wave, facts, scored=_scored(settings))

    return listen, EnglishTextNormalizer()


def read(path: Path, facts: Recogniser) -> whisper.Whisper:
    """An official checkpoint as a float32 model in evaluation mode; UserError where it is another one."""
    try:
        model = whisper.load_model(str(path), device="cpu")
    except Exception as error:  # of pickle, of torch, of a dict that is none: whatever the file holds
        first = str(error).partition("\n")[0]
        raise UserError(f"{path} is no whole checkpoint of openai-whisper ({type(error).__name__}: {first})") from None
    dims = model.dims
    own = (dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer, dims.n_mels, dims.n_vocab)
    wanted = (facts.width, facts.heads, facts.depth, facts.mels, facts.units)
    if own != wanted:
        raise UserError(f"{path} is another Whisper than {facts.name}: width, heads, depth, mels, units are {own}")
    return model.float().eval()


@torch.no_grad()
def transcribed(model: whisper.Whisper, wave: torch.Tensor, facts: Recogniser, *, scored: tuple[int, ...]) -> dict:
    """What is heard in one clip, and its cost; `sound` and `kept_sound` are tokens before and after the encoder."""
    device = model.device
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(wave), facts.mels).to(device)
    options = whisper.DecodingOptions(language="en", without_timestamps=True, fp16=False, sample_len=UNITS)
    started = time.perf_counter()
    result: Any = model.decode(mel, options)
    seconds = time.perf_counter() - started
    encoder = model.encoder
    sound, units = sounding(mel[None]), len(result.tokens) + 1  # and the one that ends
    return {
        "text": result.text,
        "seconds": seconds,
        "audio_seconds": len(wave) / whisper.audio.SAMPLE_RATE,
        "units": units,
        "sound": sound,
        "kept": encoder.tokens[-1],
        "kept_sound": int((encoder.kept < sound).sum()),
        "encoder_macs": whisper_macs.encoder(facts, encoder.tokens, scored=scored),
        "decoder_macs": whisper_macs.decoder(facts, encoder.tokens[-1], units),
        "runaway": bool(result.compression_ratio > RUNAWAY or len(result.tokens) >= UNITS),
    }


def errors(reference: str, heard: str) -> dict:
    """Words of the reference, and the fewest edits that turn it into what was heard, by kind."""
    if not reference:
        inserted = len(heard.split())
        return {"words": 0, "substituted": 0, "deleted": 0, "inserted": inserted, "errors": inserted}
    one = jiwer.process_words(reference, heard)
    kinds = {"substituted": one.substitutions, "deleted": one.deletions, "inserted": one.insertions}
    return {"words": len(reference.split()), **kinds, "errors": sum(kinds.values())}


def _scored(settings: TranscribeSettings) -> tuple[int, ...]:
    return settings.blocks if settings.policy == "topk" else ()


if __name__ == "__main__":
    main(transcribe)
