"""P0 Figure 2: which patches are kept, on environmental and keyword clips, for every backbone by its own score."""

from __future__ import annotations

from audioprune.figures import _traced

TITLE = "Patches that are kept"
CAPTION = (
    "Log-mel spectrograms of test clips: the input, and the patches left after each pruning block (the others dark). "
    "Time runs right, frequency up. Backbones on one dataset have the same clips; a patch is 16 frames "
    "(160 ms) by 16 mel bins."
)
RATE = 0.5  # keep-rate that is shown, or the traced one nearest to it


def needs(study) -> list:
    return _traced.nearest(_traced.traces(study, tasks=("environmental", "keyword")), RATE)


def draw(results):
    return _traced.draw(results, needs(results))
