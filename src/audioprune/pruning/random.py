"""Random pruning: a control that the published comparison does not have (see models.random_order)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.method import Method

if TYPE_CHECKING:
    from audioprune.facts.tokens import Tokens
    from audioprune.models.pruner import Pruner

FACTS = Method(name="random", runs_on=("patches", "frames"))


def build(tokens: Tokens, *, seed: int = 0) -> Pruner:
    from audioprune.models.pruner import Pruner
    from audioprune.models.random_order import RandomOrder

    return Pruner(RandomOrder(seed))
