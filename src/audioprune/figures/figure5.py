"""P0 Figure 5: ratio A of AudioMAE, clip by clip, on keywords and environmental sounds."""

from __future__ import annotations

from audioprune.figures import _ratio_a
from audioprune.results.tokens import MAIN, analysed

TITLE = "Distribution of ratio A over clips, AudioMAE on keywords and environmental sounds"
CAPTION = _ratio_a.CAPTION


def needs(study) -> list:
    return analysed(study, tasks=MAIN, families=("audiomae",), score="global")


def draw(results):
    return _ratio_a.draw(results, needs(results))
