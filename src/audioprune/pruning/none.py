"""No pruning: every token stays, whatever the keep-rate."""

from __future__ import annotations

from audioprune.pruning._base import Tokens


def build(tokens: Tokens) -> None:
    """There is nothing to build: a backbone without a pruner never selects."""
