"""Which patches are kept: pictures of traced clips, by kind of task (P0 Figures 2, 12 and 16 to 23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from audioprune import registry
from audioprune.cells.query import as_trained, value_of
from audioprune.exhibits import pictures as drawing
from audioprune.facts.dataset import Task
from audioprune.figures import _seen
from audioprune.results import answers
from audioprune.settings.closed import Closed

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Asked, Cells
    from audioprune.results.study import Result, Results

ROWS = 6  # pictures in a figure


class Traced(Closed):
    """Traces of topk models as trained, pruned."""

    tasks: tuple[Task, ...] = Field((), description="kinds of task; none: all")
    families: tuple[str, ...] = Field((), description="of backbones; none: all")
    score: Literal["", "global", "cls"] = Field("", description="by which topk ranks; empty: the backbone's own")
    rates: tuple[float, ...] = Field((), description="keep-rates; none: all")
    near: float | None = Field(None, description="of each model the one trace with the keep-rate nearest to this")


class Shows(Closed):
    traces: tuple[Traced, ...]


def needs(study: Cells, shows: Shows) -> list:
    """The first run of each, one fold and seed being enough to look at; then what these models say of their clips."""
    found = [cell for wanted in shows.traces for cell in _chosen(traces(study, wanted), wanted.near)]
    return [*found, *filter(None, (answers.evaluation(study, trace) for trace in found))]


def _chosen(cells: list, near: float | None) -> list:
    return first_runs(cells) if near is None else nearest(cells, near)


def traces(study: Cells, wanted: Traced) -> list:
    """Traces of these tasks, families, keep-rates and scores."""
    return [
        c
        for c in study.cells("trace", method="topk", options={"score": wanted.score} if wanted.score else {})
        if as_trained(c)
        and (not wanted.tasks or study.dataset(value_of(c, "dataset")).task in wanted.tasks)
        and (not wanted.families or registry.backbone(value_of(c, "backbone")).family.name in wanted.families)
        and (not wanted.rates or c.settings.pruning.keep_rate in wanted.rates)
    ]


def nearest(cells: list, rate: float) -> list:
    """Of each backbone and dataset the trace whose keep-rate is nearest to `rate`, the first run of it."""
    found: dict[tuple, Any] = {}
    for c in cells:
        key = value_of(c, "backbone"), value_of(c, "dataset")
        if key not in found or _away(c, rate) < _away(found[key], rate):
            found[key] = c
    return list(found.values())


def _away(cell: Asked, rate: float) -> float:
    return abs(cell.settings.pruning.keep_rate - rate)


def first_runs(cells: list) -> list:
    """Of each backbone, dataset and keep-rate the first run."""
    found: dict[tuple, object] = {}
    for c in cells:
        found.setdefault((value_of(c, "backbone"), value_of(c, "dataset"), c.settings.pruning.keep_rate), c)
    return list(found.values())


def draw(results: Results, shows: Shows) -> tuple[Figure, DataFrame]:
    """The same clips of a dataset in all its traces, clip by clip."""
    wanted = {c.path for c in needs(results, shows)}
    found = [r for r in results.cells("trace") if r.path in wanted]
    why = next((r.why for r in found if not r.ok), "the study traces no such model")
    return drawing.stacked(pictures(results, [r for r in found if r.ok]), why)


def pictures(results: Results, found: list) -> list[dict]:
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
        said = {r.path: _predictions(results, r) for r in own}
        for clip in first[: max(1, room // len(own))]:
            shown += [drawing.picture(r, clips[r.path], clip, facts, said[r.path]) for r in own]
    return shown[:ROWS]


def _predictions(results: Results, trace: Result) -> DataFrame | None:
    """Of a trace's model; None where the study does not evaluate it, or has not yet."""
    found = answers.evaluation(results, trace)
    return found.predictions() if found is not None and found.ok else None


def seen(rows: _seen.Rows) -> str:
    """Of every picture what is said, how many patches are left after each block, and where the last of them lie."""
    return _seen.of_each(rows, ("backbone", "dataset", "clip", "keep_rate"), _said)


def _said(rows: _seen.Rows) -> str:
    blocks = _seen.parts(rows, "block")
    left = ", ".join(f"{len(own)} after block {block}" for (block,), own in blocks.items())
    last = list(blocks.values())[-1]
    times, bands = ([int(row[key]) for row in last] for key in ("time_index", "freq_index"))
    where = f"in columns {min(times)} to {max(times)} and bands {min(bands)} to {max(bands)}"
    right = {"True": "right", "False": "wrong"}.get(rows[0]["right"])
    said = f", called {rows[0]['said']}, which is {right}" if right else ""
    signal = sum(row["signal"] == "True" for row in last)
    where += f", {signal} of them with sound of the generator" if last[0]["signal"] else ""
    return f"{rows[0]['clip']}{said}, patches left: {left}, the last of them {where}, counted from zero"
