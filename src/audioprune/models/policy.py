"""Policies of a recogniser's encoder: what prunes tokens that lie in the order of time.

Letters: B clips, n tokens entering a selecting block, D width. A policy is a module of audioprune.policies, or a
pruning method that runs on frames too; what it keeps stays in the order of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from audioprune import registry
from audioprune.errors import UserError
from audioprune.facts.method import Method
from audioprune.facts.options import option_names, refusal
from audioprune.facts.recogniser import AUXILIARY
from audioprune.facts.tokens import Attention, Tokens, keep_count
from audioprune.models.pruner import Pruner, Reducer, Survivors, View, advance, gather_kept
from audioprune.models.runs import Runs


@dataclass(frozen=True)
class InTime:
    """A pruner for tokens that lie in the order of time: what it keeps stays in that order.

    auxiliary   whether it is shown what a recogniser's auxiliary head says of the tokens of the input
    """

    pruner: Pruner
    auxiliary: bool = False
    released_gather, r = False, None

    @property
    def attention(self) -> Attention | None:
        return self.pruner.attention

    def reduce(
        self, x: Tensor, survivors: Survivors, *, keep_rate: float, block: int, seen: Tensor | None
    ) -> tuple[Tensor, Survivors]:
        count = keep_count(keep_rate, int(x.shape[1]))
        keep = self.pruner(View(block, count, 0, survivors.patch_ids, survivors.pixels, seen)).sort(dim=1).values
        return gather_kept(x, keep, 0), advance(survivors, keep)


def make_policy(name: str, tokens: int, options: dict[str, Any]) -> Reducer:
    """The reducer of a policy: a module of audioprune.policies, or a pruning method that runs on frames too."""
    if name not in registry.policies():
        raise UserError(f"no policy named {name!r}{registry.nearest(name, registry.policies())}")
    module = registry.policy_module(name)
    facts: Method = module.FACTS
    known = [one for one in option_names(module.build) if one not in facts.choices]  # which are about prefix tokens
    for option, value in options.items():
        if option not in known:
            raise UserError(f"policy {name!r} has no option {option!r}{registry.nearest(option, known)}")
        if wrong := refusal(facts, module.build, option, value):
            raise UserError(f"policy {name!r}: {wrong}")
    made = module.build(Tokens(prefix=0, orientation="time", time=tokens, freq=1, score="global"), **options)
    return InTime(made, name in AUXILIARY) if isinstance(made, Pruner) else made


def asks_head(policy: object) -> bool:
    """Whether a reducer is shown what an auxiliary head says."""
    return bool(getattr(policy, "auxiliary", False))


def merges(policy: object) -> bool:
    """Whether a reducer merges tokens that go into others; `policy` may be one with thresholds."""
    return isinstance(getattr(policy, "policy", policy), Runs)
