"""Uniform grid: keep tokens that are spread evenly over time and frequency, whatever their content.

All patches are put in one fixed order by ordered dithering (see models.dithering). The K survivors that come first in
this order stay, so later selections thin out the same grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.method import Method

if TYPE_CHECKING:
    from audioprune.facts.tokens import Tokens
    from audioprune.models.pruner import Pruner

FACTS = Method(name="uniform")


def build(tokens: Tokens) -> Pruner:
    from audioprune.models.dithering import Grid
    from audioprune.models.pruner import Pruner

    return Pruner(Grid(tokens))
