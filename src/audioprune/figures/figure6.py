"""P0 Figure 6: gamma of AudioMAE by block, on keywords and environmental sounds."""

from __future__ import annotations

from audioprune.figures import _gamma
from audioprune.results.tokens import MAIN, analysed

TITLE = "Attention to kept over pruned tokens by block, AudioMAE on keywords and environmental sounds"
CAPTION = _gamma.CAPTION


def needs(study) -> list:
    return analysed(study, tasks=MAIN, families=("audiomae",), score="global")


def draw(results):
    return _gamma.draw(results, needs(results))
