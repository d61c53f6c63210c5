"""Token measures at a block: of one model, or of several compared clip by clip.

A term is a factor, a model (a group of tokens) and a block. Terms are compared over the folds and seeds that all models
have, and over the clips that have the measure in all terms: a clip that keeps no signal token has no gamma of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from audioprune.results.contrasts import in_common, of_planned
from audioprune.results.estimate import DRAWS, Absent, Estimate
from audioprune.results.study import Result, Results
from audioprune.results.tokens import Group, by_clip, clips_of, quotient
from audioprune.wording import listed

if TYPE_CHECKING:
    import pandas as pd

FILES = {"gamma_s": "attention", "gamma_b": "attention", "norm": "blocks"}  # of a column that is not one of stages
Term = tuple[float, Group, int]


def contrast(results: Results, column: str, *terms: Term) -> Estimate | Absent:
    """Mean over clips of the sum of factor x column at a block; Absent where a model has no run, or no clip has it."""
    shared = shared_runs(results, [group for _, group, _ in terms])
    if isinstance(shared, Absent):
        return shared
    own = tuple((factor, group, block) for (factor, _, block), group in zip(terms, shared, strict=True))
    name = f"tokens {column} {[(factor, group.cells, block) for factor, group, block in own]}"
    found = results.cached(name, lambda results: _mean(results, column, own), of=shared[0].cells)
    made, most = len(shared[0].cells), max(len(group.cells) + group.missing for _, group, _ in terms)
    if isinstance(found, Estimate) and len(terms) > 1 and (left_out := of_planned(made, most)):
        found = replace(found, left_out="; ".join(filter(None, (left_out, found.left_out))))
    return found


def _mean(results: Results, column: str, terms: Sequence[Term]) -> Estimate | Absent:
    """Mean of terms that are reduced to the clips that they share."""
    import numpy as np

    from audioprune.statistics.sums import draw_sums
    from audioprune.statistics.units import unit_of

    first = terms[0][1]
    each = [factor * values(results, group, column, at) for factor, group, at in terms]
    clips = clips_of(results, first)
    index = list(zip(clips["seed"], clips["clip"], strict=True))
    if any(len(own) and set(own.index) != set(index) for own in each):
        return Absent("the models to compare were not analysed on the same clips")
    table = np.stack([own.reindex(index).to_numpy(dtype=float) for own in each])  # (terms, n), NaN: a clip has none
    total = table.sum(axis=0)
    there = ~np.isnan(total)
    all_sides, some = (clips["clip"][own].nunique() for own in (there, ~np.isnan(table).all(axis=0)))
    if not there.any():
        blocks = dict.fromkeys(str(block) for _, _, block in terms)
        where = f"block {terms[0][2]}" if len(blocks) == 1 else f"each of the blocks {listed(blocks)}"
        return Absent(f"no clip has {column} at {where}")
    unit = unit_of(results.dataset(first.dataset))
    columns = np.stack([np.where(there, total, 0), there], axis=1)
    n = int(clips["clip"][there].nunique())
    found = quotient(draw_sums(clips, columns, unit=unit, draws=DRAWS, seed=0), 0, 1, n, first)
    left_out = f"over the {all_sides} of {some} clips that have it on all sides" if some > all_sides else ""
    cells = tuple(dict.fromkeys(cell for _, group, _ in terms for cell in group.cells))
    return replace(found, cells=cells, left_out=left_out)


def values(results: Results, group: Group, column: str, block: int) -> pd.Series:
    """A column at a block by (seed, clip); attention ratios are of the score by which the model ranks."""
    frame = by_clip(results, group, FILES.get(column, "stages"))
    if "score" in frame:
        frame = frame[frame["score"] == group.score.partition("_")[0]]
    return frame[frame["block"] == block].set_index(["seed", "clip"])[column].astype(float)


def shared_runs(results: Results, groups: Sequence[Group]) -> list[Group] | Absent:
    """The groups, each with only the cells whose fold and seed exist in all groups."""
    kept = in_common([({_run(results.cell(path)): path for path in group.cells}, group.why) for group in groups])
    if isinstance(kept, Absent):
        return kept
    return [replace(group, cells=cells) for group, cells in zip(groups, kept, strict=True)]


def _run(tokens: Result) -> tuple[int, int]:
    tuned = tokens.inputs["trace"].inputs["finetune"].settings
    return tuned.fold, tuned.seed
