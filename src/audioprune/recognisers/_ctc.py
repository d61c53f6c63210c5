"""What families with a CTC head share: a policy put in, MACs of a clip, and transcribing one clip.

Letters: n columns of a clip, D width, V output units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from audioprune import records, registry
from audioprune.errors import UserError
from audioprune.facts.checks import check_blocks
from audioprune.facts.recogniser import AUXILIARY, CTC
from audioprune.facts.tokens import entering, keep_count
from audioprune.facts.units import Units
from audioprune.fingerprints.keyed import with_defaults
from audioprune.models.ctc import Listener
from audioprune.models.policy import InTime, make_policy
from audioprune.models.pruner import Pruning
from audioprune.models.runs import Runs
from audioprune.models.thresholds import Reaching, threshold
from audioprune.settings.speech import RecogniseSettings, TranscribeSettings

CALIBRATED = 500  # validation clips, at most, on which thresholds are set
AT_ONCE = 32  # clips that are heard at once
APART = 0.01  # shares further apart are not matched
TOKENS = 1500  # ASSUME: of a clip, as policies are told; none of them asks


@dataclass(frozen=True)
class Listening:
    """A cell's trained recogniser, pruned as an arm says; `calibrate` it where there is a threshold."""

    model: Listener
    units: Units
    own: TranscribeSettings
    device: torch.device

    def __call__(self, clip: str, wave: Tensor) -> dict[str, Any]:
        """What is heard in one clip (L,) alone, and its cost. Its tokens are all its own: there is no padding."""
        return transcribed(self.model, clip, wave.to(self.device), self.units, self.own)

    @torch.inference_mode()
    def calibrate(self, waves: Sequence[Tensor]) -> list[dict[str, Any]]:
        """Set the thresholds on clips (validation's), block after block with the earlier ones in force, so that as many
        tokens stay there as with the fixed share; what was set.
        """
        model, own, taus = self.model, self.own, dict[int, float]()
        if not waves:
            raise UserError("a threshold budget needs validation clips: a dataset that has them, or budgets: [fixed]")
        policy, rows = model.pruning.pruner, []
        assert isinstance(policy, InTime | Runs)
        clips = [model.read(wave.to(self.device)) for wave in waves[:CALIBRATED]]
        counts = [model.columns(len(wave)) for wave in waves[:CALIBRATED]]
        for block in own.blocks:
            scores: dict[int, list[Tensor]] = {}
            told = lambda at, score, scores=scores: scores.setdefault(at, []).append(score)  # noqa: E731
            taus[block] = -math.inf
            model.pruning = Pruning(
                Reaching(own.policy, policy, taus, told), blocks=tuple(taus), keep_rate=own.keep_rate
            )
            for first in range(0, len(clips), AT_ONCE):
                model(clips[first : first + AT_ONCE])
            counts = [keep_count(own.keep_rate, n) for n in counts]
            taus[block] = threshold(torch.cat(scores[block]), sum(counts))
            rows.append({"block": block, "tau": taus[block], "target": sum(counts), "clips": len(clips)})
        model.pruning = Pruning(Reaching(own.policy, policy, taus), blocks=own.blocks, keep_rate=own.keep_rate)
        return rows


def listener(cell: Path, own: TranscribeSettings, device: torch.device) -> Listening:
    model, units = made(cell)
    put_in(model, own)
    return Listening(model.to(device).eval(), units, own, device)


def made(cell: Path) -> tuple[Listener, Units]:
    """A cell's trained recogniser, unpruned, and what it can say."""
    record = records.read(cell)
    taught = RecogniseSettings(**with_defaults(RecogniseSettings, record["settings"]))
    units = Units(taught.units, tuple(record["results"]["units"]))
    facts = CTC[taught.recogniser]
    model = registry.get("recognisers", facts.family).build(facts, units=len(units.names), strip=taught.strip, seed=0)
    model.load_state_dict(load_file(cell / "last.safetensors"))
    return model.eval(), units


def budget_met(own: TranscribeSettings, measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares of all tokens that the fixed budget leaves after the last block, and that were left; more than a point
    apart they are not matched.
    """
    first = [one["tokens"][0] for one in measured]
    target = sum(entering(n, own.keep_rate, own.blocks, max(own.blocks) + 1)[-1] for n in first) / sum(first)
    achieved = sum(one["tokens"][-1] for one in measured) / sum(first)
    return {"target": target, "achieved": achieved, "matched": abs(target - achieved) <= APART}


def put_in(model: Listener, own: RecogniseSettings | TranscribeSettings) -> None:
    """The policy of a cell's settings, in the place of the one that was there."""
    facts, model.at_input = CTC[own.recogniser], None
    if own.policy == "none":
        model.pruning = Pruning()
        return
    check_blocks(own.blocks, facts.depth)
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
def transcribed(model: Listener, clip: str, wave: Tensor, units: Units, own: TranscribeSettings) -> dict[str, Any]:
    if model.columns(len(wave)) < 1:
        raise UserError(
            f"{clip} has {len(wave)} samples, of which {own.recogniser} makes no column: take it out, or mend it (for "
            "files that cannot be used, bad_clips: set_aside)"
        )
    made = model([model.read(wave)])
    best = made.logits[0].argmax(-1).tolist()
    n, tokens = made.columns[0], made.tokens[0]
    scored = own.blocks if own.policy == "topk" else ()
    blank = tokens[len(model.layers) // 4] if own.policy in AUXILIARY else 0
    macs = model.macs(len(wave), n, tokens, scored=scored, blank=blank)
    return {
        "text": units.transcript(best),
        "units": sum(1 for unit, _ in groupby(best) if unit),
        "sound": n,
        "kept": tokens[-1],
        "kept_sound": tokens[-1],
        "tokens": tokens,
        "survivors": made.kept[0].cpu().numpy().astype(np.int16),
        "stages": [stage.cpu().numpy().astype(np.int16) for stage in made.stages[0]] if own.policy != "none" else [],
        "columns": np.array(best, np.int16),
        "encoder_macs": macs,
        "encoder_macs_sound": macs,
        "decoder_macs": 0,
        "runaway": False,
    }
