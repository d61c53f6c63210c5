"""P0 Figure 9: gamma of AudioMAE by block, on speakers or multi-label clips."""

from __future__ import annotations

from audioprune.figures import _gamma
from audioprune.results.tokens import OTHERS, analysed

TITLE = "Attention to kept over pruned tokens by block, AudioMAE on speakers or multi-label clips"
CAPTION = _gamma.CAPTION


def needs(study) -> list:
    return analysed(study, tasks=OTHERS, families=("audiomae",), score="global")


def draw(results):
    return _gamma.draw(results, needs(results))
