"""P0 Figure 7: norm ratios by block and keep-rate, on keywords and environmental sounds."""

from __future__ import annotations

from audioprune.figures import _norms
from audioprune.results.tokens import MAIN, analysed

TITLE = "Norm of the residual stream over that of attention, keywords and environmental sounds"
CAPTION = _norms.CAPTION


def needs(study) -> list:
    return analysed(study, tasks=MAIN, pruned=None, own=True)


def draw(results):
    return _norms.draw(results, needs(results))
