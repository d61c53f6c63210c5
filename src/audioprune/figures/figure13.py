"""P0 Figure 13: gamma of AudioMAE that ranks by the class token's attention, by block."""

from __future__ import annotations

from audioprune.figures import _gamma
from audioprune.results.tokens import analysed

TITLE = "Attention to kept over pruned tokens by block, AudioMAE-CLS"
CAPTION = _gamma.CAPTION


def needs(study) -> list:
    return analysed(study, families=("audiomae",), score="cls")


def draw(results):
    return _gamma.draw(results, needs(results))
