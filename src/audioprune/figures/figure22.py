"""P0 Figure 22: AST, by the class token's attention, at several keep-rates."""

from __future__ import annotations

from audioprune.figures import _traced

TITLE = "Patches that AST keeps at several keep-rates"
CAPTION = (
    "AST with topk by the class token's attention, the same test clips at every traced keep-rate: the input, and "
    "the patches left after each pruning block (the others dark). Time runs right, frequency up."
)


def needs(study) -> list:
    return _traced.first_runs(_traced.traces(study, tasks=("environmental", "keyword"), families=("ast",)))


def draw(results):
    return _traced.draw(results, needs(results))
