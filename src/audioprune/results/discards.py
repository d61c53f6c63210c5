"""Accuracy when tokens of low or of high intensity are discarded after a block (released code: cluster discarding).

A clip that has no token left is wrong here. The released code skips it, so that the number of clips changes with what
is discarded (B19): those values stand beside ours, with the number of clips of both in the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audioprune.cells.query import as_trained, value_of
from audioprune.results.contrasts import of_planned
from audioprune.results.estimate import DRAWS, Absent, Estimate, combined
from audioprune.results.evaluations import measured, tidy
from audioprune.results.study import Results

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.facts.dataset import Dataset
    from audioprune.statistics.bootstrap import Drawn

WHERE = ("backbone", "dataset", "discarded", "control", "block")
VALUES = ("metric", "value", "low", "high", "n", "value_skipped", "n_skipped", "tokens_left")
BELOW = ("below_control", "below_control_low", "below_control_high")  # control minus discarded, paired
CHANGED = ("below_control_only_first", "below_control_only_second")  # clips that only the control has, and the other
COLUMNS = (*WHERE, *VALUES, *BELOW, *CHANGED)


def needs(study: Cells) -> list[Any]:
    """Discards, of one recipe for each backbone and dataset, and what their models do unpruned."""
    first: dict[tuple, tuple] = {}
    found = [c for c in study.cells("discard") if first.setdefault(_place(c), _recipe(c)) == _recipe(c)]
    tuned = {c.inputs["finetune"].path for c in found}
    plain = [c for c in study.cells("evaluate", selection="last") if as_trained(c)]
    return [*found, *(c for c in plain if c.inputs["finetune"].path in tuned)]


def _place(cell: Any) -> tuple[str, str]:
    return value_of(cell, "backbone"), value_of(cell, "dataset")


def _recipe(cell: Any) -> tuple:
    tuned = cell.inputs["finetune"].settings
    return tuned.recipe, tuned.augment, tuned.split, tuned.initial


def unpruned(results: Results) -> dict[tuple, float]:
    """{(backbone, dataset): value with nothing discarded}."""
    wanted = {c.path for c in needs(results) if c.kind == "evaluate"}
    rows = (row for row in tidy(results).itertuples() if wanted.issuperset(row.cells) and row.runs)
    return {(row.backbone, row.dataset): row.value for row in rows}


def points(results: Results) -> pd.DataFrame:
    """One row for each backbone, dataset, set, control and block, in percent, and what the control does better."""
    import pandas as pd

    rows = [row for place in places(results) for row in _rows(results, place)]
    return pd.DataFrame(rows, columns=COLUMNS)


def places(results: Results) -> dict[tuple[str, str], list]:
    """{(backbone, dataset): its runs that are there}."""
    found: dict[tuple, list] = {}
    for r in needs(results):
        if r.kind == "discard" and r.ok:
            found.setdefault(_place(r), []).append(r)
    return found


def lost(results: Results, backbone: str, dataset: str) -> dict[tuple[str, int], Estimate]:
    """{(discarded, after block): points by which as many tokens at random do better}."""
    found = _estimates(results, (backbone, dataset))
    return {key: combined((1, own[True]), (-1, own[False])) for key, own in found.items()}


def against_none(results: Results, backbone: str, dataset: str) -> dict[tuple[str, int], Estimate] | Absent:
    """{(discarded, after block): points lost against the same models with nothing discarded}."""
    of_discards = {r.inputs["finetune"].path for r in places(results)[backbone, dataset]}
    plain = [r for r in needs(results) if r.kind == "evaluate" and r.inputs["finetune"].path in of_discards]
    made = tuple(r.path for r in plain if r.ok)
    if len(made) < len(of_discards):
        return Absent(plain[0].why if plain else f"no evaluation of {backbone} on {dataset} with nothing discarded")
    own_place = [r for r in needs(results) if r.kind == "discard" and _place(r) == (backbone, dataset)]
    left_out = of_planned(len(of_discards), len(own_place))
    found = _estimates(results, (backbone, dataset))
    lost = {key: combined((1, measured(results, made)), (-1, own[False])) for key, own in found.items()}
    return {key: replace(one, left_out=left_out) for key, one in lost.items()}


def _estimates(results: Results, place: tuple[str, str]) -> dict[tuple[str, int], dict[bool, Estimate]]:
    """{(discarded, after block): {control: estimate, in percent}}."""

    def make(results: Results) -> dict:
        from audioprune.statistics.bootstrap import contrast, note
        from audioprune.statistics.units import unit_of

        facts, cells = results.dataset(place[1]), tuple(r.path for r in places(results)[place])
        made: dict[tuple[str, int], dict[bool, Estimate]] = {}
        for key, kinds in _groups(results, place):
            for control, group in kinds.items():
                drawn = contrast((100, _drawn(facts, group)))
                value, design = 100 * _by_run(facts, group)["value"].mean(), drawn.design
                sizes = design.clips, len(cells), design.seeds
                made.setdefault(key, {})[bool(control)] = Estimate(
                    value, drawn, *sizes, cells, note=note(design.seeds, unit_of(facts))
                )
        return made

    return results.cached(f"discards {place}", make)


def _groups(results: Results, place: tuple[str, str]) -> list[tuple[tuple[str, int], dict]]:
    """((discarded, block), {control: rows per clip of all runs})."""
    import pandas as pd

    runs = places(results)[place]
    frames = [r.frame().assign(seed=r.inputs["finetune"].settings.seed, run=i) for i, r in enumerate(runs)]
    found = pd.concat(frames).groupby(["discarded", "block"])
    return [((one, int(block)), dict(list(own.groupby("control")))) for (one, block), own in found]


def _rows(results: Results, place: tuple[str, str]) -> Iterator[dict]:
    facts, found, below = results.dataset(place[1]), _estimates(results, place), lost(results, *place)
    for key, kinds in _groups(results, place):
        for control, group in kinds.items():
            one, block = key
            row = {**dict(zip(WHERE, (*place, one, bool(control), block), strict=True)), "metric": facts.metric}
            row |= _values(facts, group, found[key][bool(control)])
            if not control:
                row |= dict(zip(BELOW, (below[key].value, *below[key].interval), strict=True))
                row |= dict(zip(CHANGED, below[key].changed or (None, None), strict=True))
            yield row


def _values(facts: Dataset, group: pd.DataFrame, found: Estimate) -> dict:
    """The mean over runs with its interval, and beside it the value without the clips that have no token left."""
    by_run = _by_run(facts, group)
    sizes = {"n": int(by_run["n"].sum()), "n_skipped": int(by_run["n_skipped"].sum())}
    beside = {"value_skipped": 100 * by_run["value_skipped"].mean(), "tokens_left": group["tokens_left"].mean()}
    return {"value": found.value, "low": found.low, "high": found.high, **beside, **sizes}


def _by_run(facts: Dataset, group: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    from audioprune.statistics.no_patch_left import metric_of

    return pd.DataFrame([metric_of(run, facts.metric) for _, run in group.groupby("run")])


def _drawn(facts: Dataset, group: pd.DataFrame) -> Drawn:
    """The metric in every draw of recordings and seeds, clips left without a patch wrong."""
    import numpy as np

    from audioprune.statistics.bootstrap import draw
    from audioprune.statistics.units import unit_of

    there = ~group["no_patch_left"].to_numpy(dtype=bool)
    if "correct" in group:
        group = group.assign(correct=group["correct"].to_numpy(dtype=bool) & there).reset_index(drop=True)
        return draw(group, "top1", unit=unit_of(facts), draws=DRAWS, seed=0)
    lowest = min(s.min() for s in group["scores"]) - 1
    scores = [s if t else np.full(len(s), lowest) for s, t in zip(group["scores"], there, strict=True)]
    group = group.assign(scores=scores).reset_index(drop=True)
    return draw(group, facts.metric, unit=unit_of(facts), draws=DRAWS, seed=0)
