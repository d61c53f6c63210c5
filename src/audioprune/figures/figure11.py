"""P0 Figure 11: ratio A of AudioMAE, clip by clip, on speakers or multi-label clips."""

from __future__ import annotations

from audioprune.figures import _ratio_a
from audioprune.results.tokens import OTHERS, analysed

TITLE = "Distribution of ratio A over clips, AudioMAE on speakers or multi-label clips"
CAPTION = _ratio_a.CAPTION


def needs(study) -> list:
    return analysed(study, tasks=OTHERS, families=("audiomae",), score="global")


def draw(results):
    return _ratio_a.draw(results, needs(results))
