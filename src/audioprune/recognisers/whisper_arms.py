"""Whisper's encoder, pruned in all the ways of a study: clips in, encodings out, each clip alone in its window.

What comes before the first selection is the same for all arms: it is computed once for a clip and kept, as far as there
is room (`Windows`), for all arms that one process makes. A fixed share needs no more than its clip. A threshold is set
on one half of the speakers, block after block with the earlier thresholds in force, so that as many tokens stay there
as with the fixed share, and used on the other half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
import whisper
from torch import Tensor

from audioprune.errors import UserError
from audioprune.facts.recogniser import Recogniser
from audioprune.facts.tokens import entering, keep_count
from audioprune.models.policy import make_policy
from audioprune.models.runs import Runs
from audioprune.models.thresholds import threshold
from audioprune.profiling import whisper_macs
from audioprune.recognisers import selecting
from audioprune.recognisers.whisper_states import State, at, before, begin, encoded, sounding
from audioprune.settings.speech import TranscribeSettings

if TYPE_CHECKING:
    from whisper.model import AudioEncoder

ROOM = 1 << 30  # bytes of states that are kept
HOP = 320  # samples of a token
SHORTEST = 400  # samples: one window of the transform
APART = 0.01  # shares further apart are not matched


@dataclass
class Windows:
    """Clips as a Whisper's encoder meets them, and what is known of them already."""

    encoder: AudioEncoder
    facts: Recogniser
    waves: Sequence[Tensor]  # 16 kHz, -1 to 1
    names: Sequence[str]
    kept: dict[tuple[int, int], State] = field(default_factory=dict)  # (clip, block) -> at its attention
    taken: int = 0

    def start(self, clip: int, margin: int | None = None) -> State:
        """A clip's tokens before block 0: of 30 s, or of the clip and a margin of so many tokens."""
        wave = self.waves[clip]
        _check(self.names[clip], len(wave), self.facts)
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(wave), self.facts.mels)[None]
        if margin is not None:
            mel = mel[..., : 2 * min(self.facts.tokens, -(-len(wave) // HOP) + margin)]
        return begin(self.encoder, mel.to(self.encoder.positional_embedding.device), sounding(mel))

    def furthest(self, clip: int, block: int) -> State:
        """The state of a clip's whole window that is known and lies furthest, before the attention of a block."""
        known = [own for own in range(block) if (clip, own) in self.kept]
        return self.kept[clip, known[-1]] if known else self.start(clip)

    def at(self, clip: int, block: int) -> State:
        """A clip's whole window at the attention of a block, nothing gone yet, with all that policies ask for."""
        if (clip, block) in self.kept:
            return self.kept[clip, block]
        state = self.furthest(clip, block)
        state = at(self.encoder, state, block, {state.sound, int(state.x.shape[1])} - {0})
        size = sum(one.numel() * one.element_size() for one in (state.x, state.mel, state.keys) if one is not None)
        if self.taken + size <= ROOM:
            self.kept[clip, block], self.taken = state, self.taken + size
        return state


@dataclass(frozen=True)
class Kept:
    """Which tokens of a clip there were, and stayed."""

    sound: int  # tokens that hold sound
    made: int  # tokens that the convolutions made
    entered: tuple[Tensor, ...]  # numbers of the tokens that entered each block, and that left the last

    @property
    def tokens(self) -> list[int]:
        return [len(numbers) for numbers in self.entered]

    @property
    def sounding(self) -> list[int]:
        """Of these, the tokens that hold sound."""
        return [int((numbers < self.sound).sum()) for numbers in self.entered]


class Arm:
    """One way of pruning, by its settings; `encode` a clip, after `calibrate` where there is a threshold."""

    def __init__(self, own: TranscribeSettings, windows: Windows):
        self.own, self.windows, self.facts = own, windows, windows.facts
        self.policy = None if own.policy == "none" else make_policy(own.policy, self.facts.tokens, own.options)
        self.margin = own.margin if own.padding == "none" else None
        self.taus: dict[int, dict[int, float]] = {}  # half of the speakers -> block -> the threshold of its clips

    def encode(self, clip: int, half: int = 0) -> tuple[Tensor, Kept]:
        """(what the decoder is given of a clip, (K, D), what was kept)."""
        state = self._pruned(clip, half)
        encoding, entered = encoded(self.windows.encoder, state)
        made = int(state.mel.shape[2]) // 2
        return encoding[0], Kept(state.sound, made, tuple(one[0] for one in entered))

    def _pruned(self, clip: int, half: int) -> State:
        own, policy = self.own, self.policy
        if own.thin:
            return selecting.thinned(self.windows.at(clip, own.blocks[0]), own.thin, own.thin_to)
        if policy is None and self.margin is None:
            return self.windows.furthest(clip, self.facts.depth)
        if policy is None:
            return self.windows.start(clip, self.margin)
        if own.at_input:
            assert isinstance(policy, Runs)
            return self._pooled(self.windows.start(clip, self.margin), policy)
        state: State | None = None
        for block in own.blocks:
            state, m = self._at(clip, block, state)
            if own.budget == "fixed":
                state = selecting.share(state, policy, own.keep_rate, m)
            else:
                state = selecting.reached(state, own.policy, policy, self.taus[half][block], m)
        assert state is not None
        return state

    def _pooled(self, state: State, policy: Runs) -> State:
        """Before block 0, at the cost of pooling at the blocks."""
        m, n = selecting.inside(state, self.own.within), int(state.x.shape[1])
        return selecting.pooled(state, policy, equal_cost(self.facts, n, m, self.own.keep_rate, self.own.blocks), m)

    def _at(self, clip: int, block: int, state: State | None) -> tuple[State, int]:
        """A clip at the attention of a pruning block, and how many of its tokens may go; no state: at the first."""
        assert self.policy is not None
        if state is None and self.margin is None:
            state = self.windows.at(clip, block)
            return state, selecting.inside(state, self.own.within)
        state = before(self.windows.encoder, state or self.windows.start(clip, self.margin), block)
        m = selecting.inside(state, self.own.within)
        return at(self.windows.encoder, state, block, selecting.wanted(self.policy, m) if m else ()), m

    def calibrate(self, halves: Sequence[int]) -> list[dict[str, Any]]:
        """Set the thresholds of the clips of either half (0 or 1 for each clip) on those of the other; what was set."""
        if set(halves) != {0, 1}:
            raise UserError(
                "a threshold is set on one half of the speakers and used on the other, and these clips are of one "
                "speaker: budgets: [fixed], or a dataset of several"
            )
        found = []
        for half in (0, 1):
            self.taus[half] = {}
            for row in self._set([clip for clip, own in enumerate(halves) if own != half]):
                self.taus[half][row["block"]] = row["tau"]
                found.append({"half": half, **row})
        return found

    def _set(self, clips: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Thresholds of these clips, block after block."""
        own, policy = self.own, self.policy
        assert policy is not None
        states: dict[int, State | None] = dict.fromkeys(clips)
        counts: dict[int, int] = {}
        for block in own.blocks:
            now = {clip: self._at(clip, block, states[clip]) for clip in clips}
            counts = {clip: keep_count(own.keep_rate, counts.get(clip, m)) for clip, (_, m) in now.items()}
            scores = [selecting.score(state, own.policy, policy, m) for state, m in now.values() if m]
            tau, target = threshold(torch.cat(scores), sum(counts.values())), sum(counts.values())
            yield {"block": block, "tau": tau, "target": target, "clips": len(clips)}
            states = {clip: selecting.reached(state, own.policy, policy, tau, m) for clip, (state, m) in now.items()}


def budget_met(own: TranscribeSettings, found: Sequence[Kept]) -> dict[str, Any]:
    """Shares of the tokens that may go which the fixed budget leaves after the last pruning block, and which were left;
    more than a point apart they are not matched.
    """
    first = [_may_go(own, one)[0] for one in found]
    target = sum(entering(n, own.keep_rate, range(len(own.blocks)), len(own.blocks))[-1] for n in first)
    left = sum(_may_go(own, one)[-1] for one in found)
    shares = {"target": target / max(1, sum(first)), "achieved": left / max(1, sum(first))}
    return {**shares, "matched": abs(shares["target"] - shares["achieved"]) <= APART}


def _may_go(own: TranscribeSettings, one: Kept) -> list[int]:
    return one.sounding if own.within == "sound" else one.tokens


@cache
def equal_cost(facts: Recogniser, n: int, m: int, keep_rate: float, blocks: tuple[int, ...]) -> int:
    """To how many of n tokens' m first pooling before block 0 must come, for one window to cost what it costs with
    pooling at `blocks`: the number whose MACs are nearest, of the encoder and of the keys and values that the decoder
    makes of what is left.
    """

    def cost(tokens: list[int]) -> int:
        return whisper_macs.encoder(facts, tokens, made=n) + whisper_macs.crossed(facts, tokens[-1])

    left = entering(m, keep_rate, blocks, facts.depth)
    wanted = cost([n - m + one for one in left])
    return min(range(left[-1], m + 1), key=lambda kept: abs(cost([n - m + kept] * (facts.depth + 1)) - wanted))


def _check(name: str, samples: int, facts: Recogniser) -> None:
    """UserError for a clip that does not fit into one window."""
    seconds = samples / whisper.audio.SAMPLE_RATE
    if samples > whisper.audio.N_SAMPLES:
        raise UserError(
            f"{name} lasts {seconds:.1f} s, and a window of {facts.name} is 30 s: what lies behind would count as not "
            "heard; cut the clip and its transcript"
        )
    if samples < SHORTEST:
        raise UserError(
            f"{name} has {samples} samples, and the transform of {facts.name} needs {SHORTEST}: take the clip out of "
            "the data, or say bad_clips: set_aside in config.yaml"
        )
