"""Whether a study's `pace` names what there is, and times what the others are compared with."""

from __future__ import annotations

from collections.abc import Iterator

from audioprune import registry
from audioprune.config.design import Pace, Study
from audioprune.config.recognitions import rates, unknown
from audioprune.facts.recogniser import CTC, RECOGNISERS


def errors_of(place: str, study: Study, given: Pace) -> Iterator[str]:
    """Every error, with its place."""
    recognisers = tuple(dict.fromkeys(name for one in study.recognitions for name in one.recognisers))
    datasets = tuple(dict.fromkeys(name for one in study.recognitions for name in one.datasets))
    if not study.recognitions:
        yield f"{place}: there are no `recognitions`, whose recognisers it times"
    for field, kind, valid in (
        ("recognisers", "recogniser under `recognitions`", recognisers),
        ("datasets", "dataset under `recognitions`", datasets),
        ("policies", "policy", registry.policies()),
    ):
        for j, value in enumerate(getattr(given, field)):
            if value not in valid:
                yield unknown(f"{place}.{field}.{j}", kind, value, valid)
    yield from _with_baseline(f"{place}.keep_rates", given.keep_rates, 1.0)
    yield from _with_baseline(f"{place}.batchings", given.batchings, "padded")
    yield from rates(place, given.keep_rates)
    facts = RECOGNISERS | CTC
    timed = [facts[name] for name in given.recognisers or recognisers if name in facts]
    depth = min((one.depth for one in timed), default=0)
    if given.blocks is not None and list(given.blocks) != sorted({b for b in given.blocks if 0 <= b < depth}):
        yield f"{place}.blocks: {list(given.blocks)} must be different, rising numbers from 0 to {depth - 1}"


def _with_baseline(place: str, values: tuple, baseline: object) -> Iterator[str]:
    if baseline not in values or len(set(values)) < len(values):
        yield f"{place}: {list(values)} must be different and hold {baseline!r}, the baseline of the same run"
