"""No pruning: every token stays, whatever the keep-rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.method import Method

if TYPE_CHECKING:
    from audioprune.facts.tokens import Tokens

FACTS = Method(name="none", ranks=False)


def build(tokens: Tokens) -> None:
    """There is nothing to build: a backbone without a pruner never selects."""
