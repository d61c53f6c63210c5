"""What a pruning method is. No torch.

A method is a module of audioprune.pruning: `FACTS = Method(...)`, and `build(tokens, **options)`, whose keyword
arguments are its options with their defaults, and which imports torch inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = str | int | float | bool
VARIANTS = ("fixed", "as_released")  # of ranking by a statistic of the patch


@dataclass(frozen=True)
class Method:
    """Facts of a pruning method.

    ranks          whether it keeps the tokens of highest rank, so that Algorithm 1 has ranks to swap by
    scored         whether it ranks by attention received, whose mean over heads and queries costs MACs
    merges         whether tokens that go are merged into others instead of thrown away
    least          the smallest keep-rate it can leave at one block
    constant       the option, if any, by which so many tokens go in every block, whatever keep-rate and blocks say
    loses_prefix    (option, value) by which the released gather loses the prefix tokens
    runs_on        what it can prune: patches of a spectrogram, frames of a recogniser's encoder, or both
    choices        the words that an option may be; others are of the kind of their default, counts where that is None
    """

    name: str
    ranks: bool = True
    scored: bool = False
    merges: bool = False
    least: float = 0.0
    constant: str = ""
    loses_prefix: tuple[str, Value] | None = None
    runs_on: tuple[Literal["patches", "frames"], ...] = ("patches",)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def is_constant(self, options: Mapping[str, object]) -> bool:
        """Whether these options name how many tokens go in every block."""
        return options.get(self.constant) is not None

    def loses(self, options: Mapping[str, object]) -> bool:
        """Whether the prefix tokens are lost at the first selection."""
        return self.loses_prefix is not None and options.get(self.loses_prefix[0]) == self.loses_prefix[1]
