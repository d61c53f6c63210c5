"""P0 Figure 12: AudioMAE whose tokens are ranked by the class token's attention."""

from __future__ import annotations

from audioprune.figures import _traced

TITLE = "Patches that AudioMAE keeps by the class token's attention"
CAPTION = (
    "AudioMAE with topk by the class token's attention, at keep-rate 0.7 on environmental and 0.5 on keyword clips (or "
    "the traced rate nearest to it), whichever the study has: the input, and the patches left after each pruning "
    "block. Compare Figure 2."
)


def needs(study) -> list:
    by_class = {"families": ("audiomae",), "options": {"score": "cls"}}
    sounds = _traced.traces(study, tasks=("environmental",), **by_class)
    words = _traced.traces(study, tasks=("keyword",), **by_class)
    return [*_traced.nearest(sounds, 0.7), *_traced.nearest(words, 0.5)]


def draw(results):
    return _traced.draw(results, needs(results))
