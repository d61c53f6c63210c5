"""Accuracy when tokens of low or of high intensity are discarded after a block (released code: cluster discarding).

A clip that has no token left is wrong here. The released code skips it, so that the number of clips changes with what
is discarded (B19): those values stand beside ours, with the number of clips of both in the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.evaluations import DRAWS, LEVEL, tidy
from audioprune.queries import as_trained, value_of

if TYPE_CHECKING:
    from audioprune.statistics.bootstrap import Drawn

WHERE = ("backbone", "dataset", "discarded", "control", "block")
VALUES = ("metric", "value", "low", "high", "n", "value_skipped", "n_skipped", "tokens_left")
BELOW = ("below_control", "below_control_low", "below_control_high")  # control minus discarded, paired
COLUMNS = (*WHERE, *VALUES, *BELOW)


def needs(study) -> list:
    """Discards, of one recipe for each backbone and dataset, and what their models do unpruned."""
    first: dict[tuple, tuple] = {}
    found = [c for c in study.cells("discard") if first.setdefault(_place(c), _recipe(c)) == _recipe(c)]
    tuned = {c.inputs["finetune"].path for c in found}
    plain = [c for c in study.cells("evaluate", selection="last") if as_trained(c)]
    return [*found, *(c for c in plain if c.inputs["finetune"].path in tuned)]


def _place(cell) -> tuple[str, str]:
    return value_of(cell, "backbone"), value_of(cell, "dataset")


def _recipe(cell) -> tuple:
    tuned = cell.inputs["finetune"].settings
    return tuned.recipe, tuned.augment, tuned.split, tuned.initial


def unpruned(results) -> dict[tuple, float]:
    """{(backbone, dataset): value with nothing discarded}."""
    wanted = {c.path for c in needs(results) if c.kind == "evaluate"}
    rows = (row for row in tidy(results).itertuples() if wanted.issuperset(row.cells) and row.runs)
    return {(row.backbone, row.dataset): row.value for row in rows}


def points(results):
    """One row for each backbone, dataset, set, control and block, in percent, and what the control does better."""
    import pandas as pd

    rows = [row for place in places(results) for row in _rows(results, place)]
    return pd.DataFrame(rows, columns=COLUMNS)


def places(results) -> dict[tuple[str, str], list]:
    """{(backbone, dataset): its runs that are there}."""
    found: dict[tuple, list] = {}
    for r in needs(results):
        if r.kind == "discard" and r.ok:
            found.setdefault(_place(r), []).append(r)
    return found


def lost(results, backbone: str, dataset: str) -> dict[tuple[str, int], Drawn]:
    """{(discarded, after block): points by which as many tokens at random do better, draw by draw}."""
    groups = _groups(results, (backbone, dataset))
    return {key: _paired({c: _drawn(results.dataset(dataset), g) for c, g in own.items()}) for key, own in groups}


def _groups(results, place: tuple[str, str]) -> list[tuple[tuple[str, int], dict]]:
    """((discarded, block), {control: rows per clip of all runs})."""
    import pandas as pd

    runs = places(results)[place]
    frames = [r.frame().assign(seed=r.inputs["finetune"].settings.seed, run=i) for i, r in enumerate(runs)]
    found = pd.concat(frames).groupby(["discarded", "block"])
    return [((one, int(block)), dict(list(own.groupby("control")))) for (one, block), own in found]


def _rows(results, place: tuple[str, str]):
    facts = results.dataset(place[1])
    for (one, block), kinds in _groups(results, place):
        drawn = {control: _drawn(facts, group) for control, group in kinds.items()}
        for control, group in kinds.items():
            row = {**dict(zip(WHERE, (*place, one, bool(control), block), strict=True)), "metric": facts.metric}
            yield row | _values(facts, group, drawn[control]) | (_below(drawn) if not control else {})


def _values(facts, group, drawn) -> dict:
    """Means over runs, the interval of the pooled clips moved to stand around it."""
    import pandas as pd

    from audioprune.statistics.bootstrap import contrast, interval
    from audioprune.training.emptied import metric_of

    by_run = pd.DataFrame([metric_of(run, facts.metric) for _, run in group.groupby("run")])
    value, found = 100 * by_run["value"].mean(), interval(contrast((100, drawn)), level=LEVEL)
    shift = value - found.estimate
    sizes = {"n": int(by_run["n"].sum()), "n_skipped": int(by_run["n_skipped"].sum())}
    beside = {"value_skipped": 100 * by_run["value_skipped"].mean(), "tokens_left": group["tokens_left"].mean()}
    return {"value": value, "low": found.low + shift, "high": found.high + shift, **beside, **sizes}


def _paired(drawn: dict) -> Drawn:
    from audioprune.statistics.bootstrap import contrast

    return contrast((100, drawn[True]), (-100, drawn[False]))


def _below(drawn: dict) -> dict:
    from audioprune.statistics.bootstrap import interval

    found = interval(_paired(drawn), level=LEVEL)
    return dict(zip(BELOW, (found.estimate, found.low, found.high), strict=True))


def _drawn(facts, group):
    """The metric in every draw of recordings and seeds, emptied clips wrong."""
    import numpy as np

    from audioprune.statistics.bootstrap import draw
    from audioprune.statistics.units import unit_of

    there = ~group["emptied"].to_numpy(dtype=bool)
    if "correct" in group:
        right = (group["correct"].to_numpy(dtype=bool) & there).astype(int)
        group, metric = group.assign(numerator=right, denominator=1), "ratio"
    else:
        lowest = min(s.min() for s in group["scores"]) - 1
        scores = [s if t else np.full(len(s), lowest) for s, t in zip(group["scores"], there, strict=True)]
        group, metric = group.assign(scores=scores), facts.metric
    return draw(group.reset_index(drop=True), metric, unit=unit_of(facts), draws=DRAWS, seed=0)
