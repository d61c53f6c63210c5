"""Multiply-accumulates of one clip in any recogniser, itemised: of Whispers and of encoders with a CTC head alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from audioprune.facts.mel import SAMPLE_RATE
from audioprune.facts.recogniser import AUXILIARY, CTC, RECOGNISERS, Ctc
from audioprune.facts.tokens import entering
from audioprune.profiling import ctc_macs, whisper_macs
from audioprune.profiling.macs import ITEMS, Macs, block_items
from audioprune.settings.speech import Within

NAMES = {"front": "front end", **ITEMS, "head": "head and heads beside it", "decoder": "decoder"}
SECONDS = 30.0  # of a Whisper's window


def count(
    name: str,
    *,
    seconds: float,
    policy: str = "none",
    keep_rate: float = 1.0,
    blocks: Sequence[int] = (),
    within: Within = "window",
    units: int = 30,
    outputs: int = 29,
    strip: int = 4,
) -> Macs:
    """MACs of a clip of so many seconds that is heard alone.

    within    of a Whisper: whether all tokens of its padded window are pruned, or those that hold sound
    units     of a Whisper: of the transcript, the one that ends it included
    outputs   of a CTC head, the blank among them
    strip     frames of 10 ms of a token of strips
    """
    samples = round(seconds * SAMPLE_RATE)
    facts = (RECOGNISERS | CTC)[name]
    scored = blocks if policy == "topk" and keep_rate < 1 else ()
    if isinstance(facts, Ctc):
        family = ctc_macs.FAMILIES[facts.family]
        n = family.columns(strip, samples)
        tokens = entering(n, keep_rate, blocks, facts.depth)
        read = tokens[facts.depth // 4] if policy in AUXILIARY and keep_rate < 1 else 0
        more: dict[str, Any] = {"columns": n, "scored": scored, "blank": read}
        total = family.count(facts, strip, samples, outputs, tokens, **more)
        ends = {"final_norm": n * facts.width} if facts.final_norm else {}
        ends["head"] = n * facts.width * outputs + read * (facts.width + facts.width * outputs)
    else:
        sound = min(facts.tokens, -(-samples * facts.tokens // round(SECONDS * SAMPLE_RATE)))
        n = sound if within == "sound" else facts.tokens
        tokens = [facts.tokens - n + own for own in entering(n, keep_rate, blocks, facts.depth)]
        heard = whisper_macs.decoder(facts, tokens[-1], units)
        total = whisper_macs.encoder(facts, tokens, scored=scored) + heard
        ends = {"final_norm": tokens[-1] * facts.width, "decoder": heard}
    items = dict.fromkeys(NAMES, 0) | ends
    per_block = []
    for block, (entered, left) in enumerate(pairwise(tokens)):
        own = block_items(entered, left, facts.width, facts.heads, entered if block in scored else 0)
        per_block.append({"block": block, "tokens_in": entered, "tokens_out": left, **own})
        for item, macs in own.items():
            items[item] += macs
    items["front"] = total - sum(items.values())
    return Macs(items, per_block)
