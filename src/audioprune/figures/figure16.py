"""P0 Figure 16: AudioMAE on speaker clips at keep-rate 0.5."""

from __future__ import annotations

from audioprune.figures import _traced

TITLE = "Patches that AudioMAE keeps on speaker clips at keep-rate 0.5"
CAPTION = (
    "AudioMAE with topk at keep-rate 0.5 on test clips of speaker data: the input, and the patches left after each "
    "pruning block (the others dark). Time runs right, frequency up."
)


def needs(study) -> list:
    return _traced.first_runs(_traced.traces(study, tasks=("speaker",), families=("audiomae",), rates=(0.5,)))


def draw(results):
    return _traced.draw(results, needs(results))
