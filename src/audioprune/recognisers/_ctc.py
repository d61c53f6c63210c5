"""What families with a CTC head share: a policy put in, MACs of a clip, and transcribing one clip.

Letters: n columns of a clip, D width, V output units.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from audioprune import records, registry
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.facts.mel import SAMPLE_RATE
from audioprune.facts.recogniser import AUXILIARY, CTC
from audioprune.facts.tokens import entering
from audioprune.facts.units import Units
from audioprune.fingerprints.keyed import with_defaults
from audioprune.models.ctc import Listener
from audioprune.models.policy import make_policy
from audioprune.models.pruner import Pruning
from audioprune.settings import RecogniseSettings, TranscribeSettings

TOKENS = 1500  # ASSUME: of a clip, as policies are told; none of them asks


def listener(
    cell: Path, own: TranscribeSettings, store: WaveformStore, device: torch.device
) -> Callable[[str, Tensor], dict[str, Any]]:
    """What transcribes a clip, given its name and waveform (L,): a cell's trained recogniser, pruned as `own` says."""
    model, units = made(cell)
    put_in(model, own)
    return partial(transcribed, model.to(device).eval(), units=units, own=own, device=device)


def made(cell: Path) -> tuple[Listener, Units]:
    """A cell's trained recogniser, unpruned, and what it can say."""
    record = records.read(cell)
    taught = RecogniseSettings(**with_defaults(RecogniseSettings, record["settings"]))
    units = Units(taught.units, tuple(record["results"]["units"]))
    facts = CTC[taught.recogniser]
    model = registry.get("recognisers", facts.family).build(facts, units=len(units.names), strip=taught.strip)
    model.load_state_dict(load_file(cell / "last.safetensors"))
    return model.eval(), units


def put_in(model: Listener, own: RecogniseSettings | TranscribeSettings) -> None:
    """The policy of a cell's settings, in the place of the one that was there."""
    facts = CTC[own.recogniser]
    if wrong := [block for block in own.blocks if not 0 <= block < facts.depth]:
        raise UserError(f"blocks: {wrong[0]} is none of 0 to {facts.depth - 1}, which {facts.name} has")
    model.at_input = None
    if own.policy == "none":
        model.pruning = Pruning()
        return
    made = make_policy(own.policy, TOKENS, own.options)
    model.pruning = Pruning(made, blocks=own.blocks, keep_rate=own.keep_rate)
    model.restore = own.restore or "carried"
    if own.at_input:
        model.at_input = as_dear(model, own.blocks, own.keep_rate, facts.depth)


def as_dear(model: Listener, blocks: Sequence[int], keep_rate: float, depth: int) -> Callable[[int], int]:
    """n -> to how many tokens a clip is pooled before block 0, so that it costs what pooling at `blocks` does."""

    @cache
    def count(n: int) -> int:
        target = model.macs(0, n, entering(n, keep_rate, blocks, depth))
        return min(range(1, n + 1), key=lambda K: abs(model.macs(0, n, [K] * (depth + 1)) - target))

    return count


@torch.inference_mode()
def transcribed(
    model: Listener, clip: str, wave: Tensor, *, units: Units, own: TranscribeSettings, device: torch.device
) -> dict[str, Any]:
    """What is heard in one clip (L,) alone, and its cost. Its tokens are all its own: there is no padding to find."""
    if model.columns(len(wave)) < 1:
        raise UserError(
            f"{clip} has {len(wave)} samples, of which {own.recogniser} makes no column: take it out, or mend it (for "
            "files that cannot be used, bad_clips: set_aside)"
        )
    read = model.read(wave.to(device))
    started = time.perf_counter()
    made = model([read])
    best = made.logits[0].argmax(-1).tolist()
    text = units.transcript(best)
    seconds = time.perf_counter() - started
    n, tokens = made.columns[0], made.tokens[0]
    scored = own.blocks if own.policy == "topk" else ()
    blank = tokens[len(model.layers) // 4] if own.policy in AUXILIARY else 0
    return {
        "text": text,
        "seconds": seconds,
        "audio_seconds": len(wave) / SAMPLE_RATE,
        "units": sum(1 for one in text.split()) if units.kind == "words" else len(text),
        "sound": n,
        "kept": tokens[-1],
        "kept_sound": tokens[-1],
        "tokens": tokens,
        "survivors": made.kept[0].tolist(),
        "stages": [stage.tolist() for stage in made.stages[0]],
        "columns": best,
        "encoder_macs": model.macs(len(wave), n, tokens, scored=scored, blank=blank),
        "decoder_macs": 0,
        "runaway": False,
    }
