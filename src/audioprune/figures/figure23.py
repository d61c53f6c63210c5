"""P0 Figure 23: AST-MP, by all tokens' attention, at several keep-rates."""

from __future__ import annotations

from audioprune.figures import _traced

TITLE = "Patches that AST-MP keeps at several keep-rates"
CAPTION = (
    "AST-MP with topk by the attention of all tokens, and mean pooling; the same test clips at every traced keep-rate: "
    "the input, and the patches left after each pruning block (the others dark). Time runs right, frequency up."
)


def needs(study) -> list:
    return _traced.first_runs(_traced.traces(study, tasks=("environmental", "keyword"), families=("ast-mp",)))


def draw(results):
    return _traced.draw(results, needs(results))
