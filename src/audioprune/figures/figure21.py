"""P0 Figure 21: AudioMAE on environmental sounds at keep-rates 0.5 (a) and 0.7 (b)."""

from __future__ import annotations

from audioprune.figures import _traced

TITLE = "Patches that AudioMAE keeps on environmental sounds at keep-rates 0.5 and 0.7"
CAPTION = (
    "AudioMAE with topk on test clips of environmental sounds, each at keep-rates 0.5 (P0's panel a) and 0.7 (b): the "
    "input, and the patches left after each pruning block (the others dark). Time runs right, frequency up."
)


def needs(study) -> list:
    return _traced.first_runs(_traced.traces(study, tasks=("environmental",), families=("audiomae",), rates=(0.5, 0.7)))


def draw(results):
    return _traced.draw(results, needs(results))
