"""P0 Figure 14: ratio A of AST, clip by clip."""

from __future__ import annotations

from audioprune.figures import _ratio_a
from audioprune.results.tokens import analysed

TITLE = "Distribution of ratio A over clips, AST"
CAPTION = _ratio_a.CAPTION


def needs(study) -> list:
    return analysed(study, families=("ast", "ast-mp"), own=True)


def draw(results):
    return _ratio_a.draw(results, needs(results))
