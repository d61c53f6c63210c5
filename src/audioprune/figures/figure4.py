"""P0 Figure 4: normalised log-mel values of keyword and environmental clips."""

from __future__ import annotations

from audioprune.figures import _histograms
from audioprune.results.tokens import MAIN

TITLE = "Normalised log-mel values and the signal threshold, keywords and environmental sounds"
CAPTION = (
    "Histogram of the pixels of a seeded sample of evaluation clips; vertical lines are the thresholds between "
    "background and signal, with the share of pixels above them."
)


def needs(study) -> list:
    return _histograms.needs(study, MAIN)


def draw(results):
    return _histograms.draw(results, needs(results))
