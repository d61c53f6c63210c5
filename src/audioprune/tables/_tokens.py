"""Rows of tables on token analyses: cells, headings and notes of `analyses.groups`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Cell, Row
from audioprune.results.estimate import PERCENTILES, Absent, Estimate
from audioprune.results.tokens import Group, clips_of
from audioprune.tables._rows import extent
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.results.study import Results

SIGNAL = {
    "given": "A patch is signal when its normalised mean is above the threshold tau that is given for the dataset",
    "auto": "A patch is signal when its normalised mean is above tau, the lower edge of the second of ten equal bins "
    "of the pixels of the dataset's evaluation clips",
    "truth": "A patch is signal where the generator of the audio put any",
}
PADDING = (
    "A patch is padding when all its frames lie after the clip's end; it is then neither signal nor background. A "
    "patch that the clip's end cuts through counts as signal or background."
)
PROTOCOL = (
    "Clusters are fitted on the evaluation clips of all folds: the published protocol, kept on purpose. They describe "
    "these clips; no model is trained with them."
)


def measured(found: Estimate | Absent | None, group: Group, scale: float = 1.0, **published: Any) -> Cell:
    """Ours with its interval beside the published value, or why it is not there; a note if some runs are missing."""
    if not group.cells:
        return Cell(why=group.why, **published)
    if isinstance(found, Absent):
        return Cell(why=found.why, **published)
    if found is None or math.isnan(found.value):
        return Cell(note="no clip has it", **published)
    runs = len(group.cells)
    missing = f"{runs} of {runs + group.missing} runs; missing: {group.why}" if group.missing else ""
    low, high = (None if math.isnan(v) else scale * v for v in (found.low, found.high))
    return Cell(scale * found.value, low, high, note=found.left_out or missing, rests_on=found.cells, **published)


def headings(results: Results, shown: Iterable[Group]) -> dict[tuple, str]:
    """{model: 'ast-tiny on esc10: 160 clips, 2 of 5 folds'} and what else tells it from others."""
    by_model: dict[tuple, list[Group]] = {}
    for group in shown:
        by_model.setdefault(group.model, []).append(group)
    return {model: _heading(results, own) for model, own in by_model.items()}


def _heading(results: Results, own: list[Group]) -> str:
    clips = max((clips_of(results, group)["clip"].nunique() for group in own if group.cells), default=0)
    size = [f"{clips} clips"] if clips else []
    folds, seeds = (max(getattr(group, what) for group in own) for what in ("folds", "seeds"))
    size += extent(folds, results.dataset(own[0].dataset).folds, seeds)
    return "; ".join(filter(None, (": ".join(filter(None, (place(own[0]), ", ".join(size)))), own[0].variant)))


def place(group: Group) -> str:
    """'audiomae-tiny, topk by cls, on esc10'; the method only where it has options."""
    options = group.method.partition(".")[2]
    return f"{group.backbone}{f', topk by {options},' if options else ''} on {group.dataset}"


def where(group: Group) -> dict:
    """What every row says of its model."""
    return {"backbone": group.backbone, "dataset": group.dataset, "method": group.method, "keep_rate": group.keep_rate}


def facts(group: Group) -> dict:
    """What is in the CSV only."""
    return {"score": group.score, "variant": group.variant, "signal": group.signal}


def notes(results: Results, groups: Iterable[Group], *, labelled: bool = True) -> tuple[str, ...]:
    """What the intervals are and leave out; if `labelled`, what makes a patch signal, and how many there are."""
    shown = [g for g in groups if g.cells]
    if not shown:
        return ()
    found = [f"Intervals: {PERCENTILES}."]
    one = dict.fromkeys(place(g) for g in shown if g.seeds == 1)
    every = dict.fromkeys(map(place, shown))
    if one:
        told = "" if len(one) == len(every) else f" ({', '.join(one)})"
        found.append(f"One seed: training variance is not covered{told}.")
    if labelled:
        found += [*_defined(results, shown), PADDING, _kinds_note(results, shown)]
    return tuple(found)


def _defined(results: Results, shown: Iterable[Group]) -> Iterator[str]:
    """What makes a patch signal, with the threshold of each dataset."""
    for kind, text in SIGNAL.items():
        taus = {g.dataset: results.cell(g.cells[0]).record["results"]["tau"] for g in shown if g.signal == kind}
        own = [name if tau is None else f"{name}: τ = {number(tau, 3)}" for name, tau in taus.items()]
        if own:
            yield f"{text} ({', '.join(own)})."


def _kinds_note(results: Results, groups: Iterable[Group]) -> str:
    """How many of the traced clips' patches are of each kind, by dataset."""
    by_dataset: dict[str, list[Group]] = {}
    for group in groups:
        by_dataset.setdefault(group.dataset, []).append(group)
    told = [f"{name} {_kinds(results, own)}" for name, own in by_dataset.items()]
    return f"Shares of signal / background / padding among all patches: {'; '.join(told)}."


def _kinds(results: Results, own: list[Group]) -> str:
    """'45.1 / 34.9 / 20.0 %' of the clips of models on one dataset, each clip once."""
    import pandas as pd

    clips = pd.concat([clips_of(results, group) for group in own]).drop_duplicates("clip")
    signal, padding = (100 * clips[f"{kind}_input"].sum() / clips["patches"].sum() for kind in ("signal", "padding"))
    shares = (signal, 100 - signal - padding, padding)
    return f"{' / '.join(number(share, 1) for share in shares)} %"


def cells_of(rows: Iterable[Row]) -> list[Cell]:
    return [cell for row in rows for cell in row.cells.values() if isinstance(cell, Cell)]
