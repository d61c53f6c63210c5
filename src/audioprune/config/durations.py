"""What `durations` asks about: whether its lengths are some of its models'."""

from __future__ import annotations

from collections.abc import Iterator

from audioprune import registry
from audioprune.config.asked import Checked, asked, model_errors
from audioprune.config.design import Config, Study
from audioprune.config.tested import Durations
from audioprune.facts.tokens import PATCH

FRAME = 0.01  # seconds


def errors_of(config: Config, place: str, study: Study, given: Durations, label: Checked) -> Iterator[str]:
    """Every error, with its place."""
    yield from model_errors(place, study, given, label)
    yield from _seconds(config, f"{place}.seconds", study, given)


def _seconds(config: Config, place: str, study: Study, given: Durations) -> Iterator[str]:
    if len(set(given.seconds)) < len(given.seconds):
        yield f"{place}: {list(given.seconds)} must be different"
    datasets = dict.fromkeys(dataset for _, _, dataset in asked(study, given))
    known = {name: config.datasets.get(name) or registry.dataset(name) for name in datasets if _known(config, name)}
    for j, seconds in enumerate(given.seconds):
        for name, facts in known.items():
            longest = facts.frames * FRAME
            if not PATCH * FRAME <= seconds <= longest:
                yield (
                    f"{place}.{j}: {seconds} s is not from {PATCH * FRAME:g} to {longest:g}, the length of models of "
                    f"{name!r}: a native length is whole columns of {PATCH} frames"
                )


def _known(config: Config, name: str) -> bool:
    return name in config.datasets or name in registry.names("datasets")
