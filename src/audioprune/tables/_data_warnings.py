"""Warnings about a dataset: processing of its audio, or properties of its splits, that affect what a result means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.facts.mel import SAMPLE_RATE, WINDOW
from audioprune.statistics.units import divided, unit_of
from audioprune.wording import listing

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.facts.dataset import Dataset

MOST = 0.5  # share of the audio, or of the input
MANY = 0.05  # share of the clips that were set aside
LOUD = 0.01  # share of the clips that were clipped


def warnings(facts: Dataset, clips: pd.DataFrame, stored: dict, measured: dict) -> Iterator[str]:
    """Sentences. clips: the waveform store's table; stored, measured: results of the cells `audio` and `features`."""
    told = [*_of_lengths(clips, measured), *_of_levels(clips, stored), *_of_splits(facts, clips)]
    yield from (f"Warning, {facts.name}: {sentence}." for sentence in told)


def _of_lengths(clips: pd.DataFrame, measured: dict) -> Iterator[str]:
    if measured["cut_share"] > MOST:
        yield (
            f"{measured['cut_share']:.0%} of the audio lies beyond the {measured['frames']} frames of the input and is "
            "cut off; a clip's label may not apply to what is left"
        )
    if measured["padded_share"] > MOST:
        yield f"{measured['padded_share']:.0%} of the input is padding, which can be pruned without losing any sound"
    if names := clips["clip"][clips["length"] < WINDOW].tolist():
        yield f"shorter than one frame of 25 ms, so that their input is almost all padding: {listing(names)}"


def _of_levels(clips: pd.DataFrame, stored: dict) -> Iterator[str]:
    aside, n = sum(stored.get("set_aside", {}).values()), len(clips)
    treated = stored.get("treated", {})  # to audio that the project makes nothing is done
    if aside > MANY * (n + aside):
        yield f"{aside / (n + aside):.0%} of the clips are set aside: all results are of the others"
    rates = clips["rate"][clips["rate"] > 0].clip(upper=SAMPLE_RATE)
    if rates.nunique() > 1:
        yield (
            f"{(rates < SAMPLE_RATE).mean():.0%} of the clips were sampled below 16 kHz, at {rates.min()} Hz or more, "
            "and have nothing above half of that; if classes differ in sampling rate, a model can tell them apart by "
            "it"
        )
    if scaled := treated.get("scaled"):
        yield (
            f"{scaled} clips had floating-point samples beyond full scale and were divided by their peak, or by 32768 "
            f"if the peak is more than 18 dB above full scale: {listing(clips['clip'][clips['divisor'] != 1].tolist())}"
        )
    if (clipped := treated.get("clipped", 0)) > LOUD * n:
        yield f"{clipped / n:.0%} of the clips have samples beyond full scale, cut to it"


def _of_splits(facts: Dataset, clips: pd.DataFrame) -> Iterator[str]:
    parts = clips["split"].where(clips["fold"] == 0, clips["fold"].astype(str))
    if shared := divided(zip(clips["recording"], parts, strict=True), unit_of(facts)):
        yield (
            "clips of one recording are in several splits or folds: accuracies are too high, and intervals treat "
            f"dependent clips as independent: {listing(shared)}"
        )
    tested = clips["labels"][clips["split"] == "test"]
    if len(tested) and facts.classes:
        missing = set(range(facts.num_classes)) - {int(label) for labels in tested for label in labels}
        if missing:
            yield f"no test clip, and so no result, for {listing([facts.classes[label] for label in sorted(missing)])}"
