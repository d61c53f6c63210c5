"""What a made cell is of, read from its record: the dataset of an audio cell, the settings of a fine-tuning."""

from __future__ import annotations

from pathlib import Path

from audioprune import records, registry
from audioprune.facts.dataset import Dataset
from audioprune.fingerprints.keyed import with_defaults
from audioprune.settings.data import AudioSettings
from audioprune.settings.training import FinetuneSettings
from audioprune.sources import user


def facts_of(audio: Path) -> Dataset:
    """Facts of the dataset that an audio cell holds: a module's, or those that the user gave for a folder."""
    settings = AudioSettings(**with_defaults(AudioSettings, records.read(audio)["settings"]))
    if settings.user is not None:
        return user.facts(settings.dataset, settings.user)
    return registry.dataset(settings.dataset)


def finetuned(cell: Path) -> FinetuneSettings:
    """The settings a fine-tuning cell was made with."""
    return FinetuneSettings(**with_defaults(FinetuneSettings, records.read(cell)["settings"]))
