"""P0 Figure 8: normalised log-mel values of speaker and multi-label clips."""

from __future__ import annotations

from audioprune.figures import _histograms
from audioprune.results.tokens import OTHERS

TITLE = "Normalised log-mel values and the signal threshold, speakers or multi-label clips"
CAPTION = (
    "Histogram of the pixels of a seeded sample of evaluation clips; vertical lines are the thresholds between "
    "background and signal, with the share of pixels above them."
)


def needs(study) -> list:
    return _histograms.needs(study, OTHERS)


def draw(results):
    return _histograms.draw(results, needs(results))
