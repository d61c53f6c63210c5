"""P0 Figure 10: norm ratios by block and keep-rate, on speakers or multi-label clips."""

from __future__ import annotations

from audioprune.figures import _norms
from audioprune.results.tokens import OTHERS, analysed

TITLE = "Norm of the residual stream over that of attention, speakers or multi-label clips"
CAPTION = _norms.CAPTION


def needs(study) -> list:
    return analysed(study, tasks=OTHERS, pruned=None, own=True)


def draw(results):
    return _norms.draw(results, needs(results))
