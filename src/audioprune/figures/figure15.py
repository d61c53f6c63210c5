"""P0 Figure 15: gamma of AST by block."""

from __future__ import annotations

from audioprune.figures import _gamma
from audioprune.results.tokens import analysed

TITLE = "Attention to kept over pruned tokens by block, AST"
CAPTION = _gamma.CAPTION


def needs(study) -> list:
    return analysed(study, families=("ast", "ast-mp"), own=True)


def draw(results):
    return _gamma.draw(results, needs(results))
