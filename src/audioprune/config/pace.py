"""Whether a study's `pace` names what there is, and times what the others are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from audioprune import registry
from audioprune.config.design import Pace, Study
from audioprune.config.recognitions import rates, unknown
from audioprune.facts import packed
from audioprune.facts.backbone import SIZES
from audioprune.facts.recogniser import CTC, RECOGNISERS


def errors_of(place: str, study: Study, given: Pace) -> Iterator[str]:
    """Every error, with its place."""
    yield from _with_baseline(f"{place}.keep_rates", given.keep_rates, 1.0)
    yield from _with_baseline(f"{place}.batchings", given.batchings, "padded")
    yield from rates(place, given.keep_rates)
    yield from _classifiers(place, study, given) if given.backbones else _recognisers(place, study, given)
    if "packed" in given.batchings:
        yield from _packed(place, given)


def _classifiers(place: str, study: Study, given: Pace) -> Iterator[str]:
    if given.recognisers:
        yield f"{place}: recognisers and backbones are timed in blocks of their own"
    if not given.datasets:
        yield f"{place}.datasets: name those on whose clips classifiers are timed"
    for j, name in enumerate(given.datasets):
        for backbone in given.backbones:
            if not any(name in g.datasets and backbone in g.backbones and 1.0 in g.keep_rates for g in study.grids):
                yield f"{place}.datasets.{j}: no grid trains {backbone} on {name} unpruned (keep-rate 1.0)"
    for j, value in enumerate(given.policies):
        if value not in (valid := registry.names("pruning")):
            yield unknown(f"{place}.policies.{j}", "pruning method", value, valid)
        elif min(given.keep_rates, default=1) < registry.method(value).least:
            yield f"{place}.policies.{j}: {value} keeps at least {registry.method(value).least:g} of a block's tokens"
    yield from _blocks(place, given, min(size.depth for size in SIZES.values()))


def _recognisers(place: str, study: Study, given: Pace) -> Iterator[str]:
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
    facts = RECOGNISERS | CTC
    timed = [facts[name] for name in given.recognisers or recognisers if name in facts]
    yield from _blocks(place, given, min((one.depth for one in timed), default=0))


def _packed(place: str, given: Pace) -> Iterator[str]:
    if not given.backbones:
        yield f"{place}.batchings: packed is for classifiers (backbones); recognisers have bucketed"
        return
    if given.precision not in packed.PRECISIONS:
        yield f"{place}.precision: {given.precision}, but {packed.NEEDS}"
    pruning = [one for one in given.policies if one in registry.names("pruning") and min(given.keep_rates) < 1]
    for backbone, value in product(given.backbones, pruning):
        if why := packed.refusal(registry.method(value), registry.backbone(backbone).family.score):
            yield f"{place}.policies.{given.policies.index(value)}, {backbone}: {why}"


def _blocks(place: str, given: Pace, depth: int) -> Iterator[str]:
    if given.blocks is not None and list(given.blocks) != sorted({b for b in given.blocks if 0 <= b < depth}):
        yield f"{place}.blocks: {list(given.blocks)} must be different, rising numbers from 0 to {depth - 1}"


def _with_baseline(place: str, values: tuple, baseline: object) -> Iterator[str]:
    if baseline not in values or len(set(values)) < len(values):
        yield f"{place}: {list(values)} must be different and hold {baseline!r}, the baseline of the same run"
