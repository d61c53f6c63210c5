"""A transformer encoder with a CTC head, pruned: waveforms in, a unit or the blank for every column of time out.

Letters: B clips, L samples, n columns of a clip, N those of the longest, D width, V output units, of which 0 is the
blank. Tokens are pruned after attention and its residual (in a post-norm block after its norm, too) and before the MLP,
as in the classifiers; the head reads all n columns, which are made anew from the tokens (audioprune.models.columns).

An auxiliary head, Linear(LayerNorm(.)), reads the tokens that enter block depth // 4. It is trained in every arm, so
that arms differ in what they prune by alone, and read only by a policy that ranks by it: 1 - p(blank) of each token,
which is carried along by later blocks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from audioprune.errors import UserError
from audioprune.facts.tokens import keep_count
from audioprune.models import columns
from audioprune.models.policy import asks_head, merges
from audioprune.models.pruner import Pruning
from audioprune.models.ragged import Layer, Ragged, reduced, through
from audioprune.settings.speech import Restore

BLANK = 0


@dataclass(frozen=True)
class Heard:
    """What a model makes of a batch."""

    logits: Tensor  # (B, N, V)
    columns: list[int]  # n of each clip
    tokens: list[list[int]]  # of each clip: how many entered each block, and left the last
    kept: list[Tensor]  # of each clip: the numbers of the tokens that are left, of a run its first
    stages: list[list[Tensor]]  # of each clip: the same after each selection; what is left where there was none
    auxiliary: Tensor | None = None  # (B, N, V): where it was asked for


class Listener(nn.Module, ABC):
    """What every family has around its blocks: a front end, layers, what follows them, and an auxiliary head.

    The pruning policy may be set anew, as may `restore`; `at_input` says to how many of n tokens it prunes before block
    0 instead of at blocks.
    """

    pruning: Pruning
    restore: Restore
    at_input: Callable[[int], int] | None
    auxiliary: nn.Sequential  # LayerNorm, Linear
    eager: bool

    @property
    @abstractmethod
    def layers(self) -> Sequence[Layer]:
        """Its blocks."""

    @abstractmethod
    def columns(self, samples: int) -> int:
        """n of a clip of so many samples."""

    @abstractmethod
    def read(self, wave: Tensor) -> Tensor:
        """What the front end reads of a waveform (L,), one row a step in time: it does not depend on the weights."""

    @abstractmethod
    def front(self, clips: Sequence[Tensor]) -> Ragged:
        """Clips as `read` gives them -> tokens before block 0."""

    @abstractmethod
    def macs(
        self, samples: int, columns: int, tokens: Sequence[int], *, scored: Sequence[int] = (), blank: int = 0
    ) -> int:
        """MACs of one clip (see profiling.ctc_macs)."""

    @abstractmethod
    def learn(self, waves: Sequence[Tensor]) -> None:
        """Get ready for training, which these clips are a sample of."""

    @abstractmethod
    def classified(self, x: Tensor) -> Tensor:
        """Columns after the last block (B, N, D) -> logits (B, N, V)."""

    @property
    def keep_rate(self) -> float:
        return self.pruning.keep_rate

    @keep_rate.setter
    def keep_rate(self, value: float) -> None:
        self.pruning.keep_rate = value

    def forward(self, clips: Sequence[Tensor], *, auxiliary: bool = False) -> Heard:
        """Clips as `read` gives them; `auxiliary`: whether the auxiliary head's logits are wanted."""
        tokens = self.front(clips)
        wide = tokens.lengths
        pruning, layers = self.pruning, self.layers
        if self.at_input is not None and pruning.keep_rate < 1:
            tokens = self._at_input(tokens, self.at_input)
        states, counts, said, by_head = [], [tokens.lengths], None, None
        for i, layer in enumerate(layers):
            policy = pruning.at(i) if self.at_input is None else None
            if i == len(layers) // 4 and (auxiliary or asks_head(pruning.pruner)):
                by_head = self.auxiliary(tokens.x)
                said = by_head.detach().double().softmax(-1)[..., 1:].sum(-1)  # (B, N): 1 - p(blank), without ties
                if tokens.lengths != wide:
                    by_head = columns.taken(Ragged(by_head, tokens.clips), wide, columns.merged)
            if policy is not None:
                if asks_head(policy) and said is None:
                    raise UserError(
                        f"block {i} prunes by what the auxiliary head says, which reads the tokens of block "
                        f"{len(layers) // 4}: give blocks from that one on"
                    )
                states.append(tokens)
            tokens = through(layer, tokens, policy, keep_rate=pruning.keep_rate, block=i, eager=self.eager, said=said)
            counts.append(tokens.lengths)
        states.append(tokens)
        logits = self.classified(self.restored(states, wide))
        if self.restore == "blank" and not merges(pruning.pruner):
            gone = columns.gone(tokens, wide)
            never = logits.new_full(logits.shape[-1:], -torch.inf)
            never[BLANK] = 0
            logits = torch.where(gone[..., None], never, logits)
        kept = [clip.patch_ids[0] for clip in tokens.clips]
        stages = [[state.clips[i].patch_ids[0] for state in states[1:]] or [kept[i]] for i in range(len(wide))]
        return Heard(logits, wide, [list(one) for one in zip(*counts, strict=True)], kept, stages, by_head)

    def restored(self, states: Sequence[Ragged], wide: list[int]) -> Tensor:
        """Columns (B, N, D) of the tokens that entered each selecting block, and of those that are left."""
        if states[-1].lengths == wide:
            return states[-1].x
        if merges(self.pruning.pruner):
            return columns.taken(states[-1], wide, columns.merged)
        if self.restore == "nearest":
            return columns.taken(states[-1], wide, columns.nearest)
        return columns.carried(states)

    def _at_input(self, tokens: Ragged, count: Callable[[int], int]) -> Ragged:
        policy = self.pruning.pruner
        assert policy is not None
        parts = []
        for i, n in enumerate(tokens.lengths):
            alone = Ragged(tokens.x[i : i + 1, :n], tokens.clips[i : i + 1])
            rate = (count(n) - 0.5) / n  # of which exactly count(n) are kept
            assert keep_count(rate, n) == count(n)
            parts.append(reduced(alone, policy, keep_rate=rate, block=0, seen=[None]))
        x = nn.utils.rnn.pad_sequence([part.x[0] for part in parts], batch_first=True)
        return Ragged(x, tuple(part.clips[0] for part in parts))
