"""Which traces and clips the paper's pictures of pruned patches show, mapped by kind of task to the study's datasets.

P0's numbers: 2 and 12 show its environmental and keyword data, 16 and 17 speakers, 18 and 19 tagging, 20 keywords,
21 environmental sounds, 22 and 23 AST. Figures 1 and 3 are drawings without data and have no module.
"""

from __future__ import annotations

from audioprune import registry
from audioprune.figures import _pictures
from audioprune.queries import as_trained, value_of

ROWS = 6  # pictures in a figure


def traces(study, *, tasks=(), families=(), rates=(), options=None) -> list:
    """Traces of topk models as trained, pruned: of these tasks, backbone families, keep-rates and options (or all)."""
    return [
        c
        for c in study.cells("trace", method="topk", options=options or {})
        if as_trained(c)
        and (not tasks or study.dataset(value_of(c, "dataset")).task in tasks)
        and (not families or registry.backbone(value_of(c, "backbone")).family.name in families)
        and (not rates or c.settings.pruning.keep_rate in rates)
    ]


def nearest(cells: list, rate: float) -> list:
    """Of each backbone and dataset the trace whose keep-rate is nearest to `rate`, the first run of it."""
    found: dict[tuple, object] = {}
    for c in cells:
        key = value_of(c, "backbone"), value_of(c, "dataset")
        if key not in found or _away(c, rate) < _away(found[key], rate):
            found[key] = c
    return list(found.values())


def _away(cell, rate: float) -> float:
    return abs(cell.settings.pruning.keep_rate - rate)


def first_runs(cells: list) -> list:
    """Of each backbone, dataset and keep-rate the first run: one fold and seed are enough to look at."""
    found: dict[tuple, object] = {}
    for c in cells:
        found.setdefault((value_of(c, "backbone"), value_of(c, "dataset"), c.settings.pruning.keep_rate), c)
    return list(found.values())


def draw(results, cells: list):
    """The figure of these traces: the same clips of a dataset in all of them, clip by clip."""
    wanted = {c.path for c in cells}
    found = [r for r in results.cells("trace") if r.path in wanted]
    why = next((r.why for r in found if not r.ok), "the study traces no such model")
    return _pictures.sheet(pictures(results, [r for r in found if r.ok]), why)


def pictures(results, found: list) -> list[dict]:
    """At most ROWS pictures: as many clips of every dataset as there is room for, each in all its traces."""
    by_dataset: dict[str, list] = {}
    for r in found:
        by_dataset.setdefault(value_of(r, "dataset"), []).append(r)
    shown: list[dict] = []
    for i, (dataset, own) in enumerate(by_dataset.items()):
        room = (ROWS - len(shown)) // (len(by_dataset) - i)
        clips = {r.path: r.frame() for r in own}
        common = set.intersection(*(set(frame["clip"]) for frame in clips.values()))
        frame = clips[own[0].path]
        turn = frame.groupby(frame["labels"].map(tuple)).cumcount()  # one clip of each class before a second one
        first = [clip for clip in frame["clip"].iloc[turn.argsort(kind="stable")] if clip in common]
        facts = results.dataset(dataset)
        for clip in first[: max(1, room // len(own))]:
            shown += [_pictures.picture(r, clips[r.path], clip, facts) for r in own]
    return shown[:ROWS]
