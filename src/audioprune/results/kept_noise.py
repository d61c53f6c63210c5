"""How a selection changes with the noise: agreement with that of the clean clip, and whether it chases the noise.

J is |K and K'| / |K or K'| of the patches left after a selecting block, of all patches of the input: those that
survived every selection so far. By chance two choices of as many patches agree by J_0. Drift is the share of kept
patches on signal under noise minus that of what the clean clip keeps, by the same mask: below zero, noise is preferred.
Clips that are all signal or all noise say nothing of either, and are skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audioprune.facts.noise import ADDED
from audioprune.results import noise, robustness
from audioprune.results.estimate import DRAWS, Absent, Estimate
from audioprune.results.noise import Condition, Model

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from audioprune.results.study import Results

FEWEST = 5  # conditions without which ranks say nothing
NAMES = ("overlap", "on_signal", "clean_on_signal", "drift")


@dataclass(frozen=True)
class Kept:
    """Means over clips of one model, block and condition, from 0 to 1."""

    model: Model
    block: int
    condition: Condition
    patches: int  # of the input
    kept: int
    overlap: Estimate
    beyond: float | None  # (J - J_0) / (1 - J_0); None where as many are kept as there are
    on_signal: Estimate  # share of the kept patches on signal, minus that of all patches
    clean_on_signal: Estimate  # the same of what the clean clip keeps
    drift: Estimate
    skipped: int  # clips, over all runs, without both signal and noise


def kept(results: Results) -> list[Kept]:
    """Of every model that keeps whole patches, kinds that add noise."""
    return results.cached(
        "kept in noise", lambda results: [one for m in noise.models(results) for one in _of(results, m)]
    )


def lost(results: Results, model: Model, condition: Condition) -> Estimate | Absent:
    """Points of accuracy (or mAP) from the clean clips to those in one condition."""
    runs = noise.shared(model)
    return runs if isinstance(runs, Absent) else robustness.lost(results, model, runs, (condition,))


def with_loss(results: Results, stages: Sequence[Kept]) -> float | None:
    """Spearman's rank correlation, over a model's conditions, of the agreement at one block with what is lost.

    Near -1: the less of the clean selection is kept in a condition, the more accuracy it costs. It describes, and does
    not say which causes which: louder noise lowers both. None of fewer than five conditions, and where all agree alike.
    """
    from audioprune.statistics.correlation import spearman

    costs = [(one.overlap.value, lost(results, one.model, one.condition)) for one in stages]
    pairs = [(round(overlap, 9), round(cost.value, 9)) for overlap, cost in costs if isinstance(cost, Estimate)]
    if len(pairs) < FEWEST or any(len(set(side)) == 1 for side in zip(*pairs, strict=True)):
        return None
    return spearman(*map(list, zip(*pairs, strict=True)))


def _of(results: Results, model: Model) -> list[Kept]:
    import numpy as np
    import pandas as pd

    runs = noise.shared(model)
    if isinstance(runs, Absent):
        return []
    cells = [model.made[run] for run in runs]
    about = cells[0].record["results"]
    if not about["blocks"]:
        return []
    parts = [noise.frame(cell).assign(seed=cell.inputs["finetune"].settings.seed) for cell in cells]
    whole = pd.concat(parts, ignore_index=True)
    found = []
    for condition in (one for one in model.conditions if one[0] in ADDED):
        own = whole[(whole["kind"] == condition[0]) & (whole["level"] == condition[1])]
        clips, columns, counts = _by_clip(own)
        means = _means(results, model, clips, columns)
        skipped = int(len(clips) - np.nansum(columns["there"][:, 0]))
        for b, block in enumerate(about["blocks"]):
            sizes = about["patches"], int(counts[b])
            own_means = {name: means[name, b] for name in NAMES}
            found.append(
                Kept(
                    model, int(block), condition, *sizes, own_means["overlap"],
                    _beyond(own_means["overlap"].value, *sizes), own_means["on_signal"], own_means["clean_on_signal"],
                    own_means["drift"], skipped,
                )
            )  # fmt: skip
    return found


def _beyond(overlap: float, patches: int, kept: int) -> float | None:
    from audioprune.statistics.overlap import beyond_chance

    return beyond_chance(overlap, patches, kept) if 0 < kept < patches else None


def _by_clip(own: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, np.ndarray], np.ndarray]:
    """One row for each clip and seed, draws of noise averaged: columns (N, b), and patches that blocks keep (b,)."""
    import numpy as np

    own = own.sort_values(["seed", "clip", "draw"], kind="stable")
    draws = own["draw"].nunique()
    first = own[own["draw"] == own["draw"].min()].reset_index(drop=True)

    def stacked(name: str) -> np.ndarray:
        values = np.stack([np.asarray(one, dtype=float) for one in own[name]])
        return values.reshape(len(first), draws, -1)

    everything = own["all_signal"].to_numpy(dtype=float).reshape(len(first), draws, 1)
    both = (everything > 0) & (everything < 1)
    on, clean = stacked("on_signal"), stacked("clean_on_signal")
    with np.errstate(invalid="ignore"):
        share = np.where(both, 1.0, 0.0).mean(axis=1)

        def mean(values: np.ndarray) -> np.ndarray:
            """Over the draws that have signal and noise, times their share, so that sums over clips are weighted so."""
            return np.where(both, values, 0.0).mean(axis=1)

        columns = {
            "overlap": stacked("overlap").mean(axis=1),
            "on_signal": mean(on - everything),
            "clean_on_signal": mean(clean - everything),
            "drift": mean(on - clean),
            "there": share,
        }
    return first[["clip", "recording", "speaker", "seed"]], columns, stacked("kept").mean(axis=(0, 1))


def _means(
    results: Results, model: Model, clips: pd.DataFrame, columns: dict[str, np.ndarray]
) -> dict[tuple[str, int], Estimate]:
    """{(name, block's number): mean over clips}: sums of one drawing, over the clips that have it."""
    import numpy as np

    from audioprune.statistics.bootstrap import Drawn, note
    from audioprune.statistics.sums import draw_sums
    from audioprune.statistics.units import unit_of

    blocks = columns["overlap"].shape[1]
    table = np.concatenate([*(columns[name] for name in NAMES), columns["there"], np.ones((len(clips), 1))], axis=1)
    unit = unit_of(results.dataset(model.dataset))
    found = draw_sums(clips, table, unit=unit, draws=DRAWS, seed=0)
    made, cells = {}, tuple(r.path for r in model.cells if r.ok)
    for i, name in enumerate(NAMES):
        last = -1 if name == "overlap" else -2
        for b in range(blocks):
            with np.errstate(divide="ignore", invalid="ignore"):
                value = float(found.values[i * blocks + b] / found.values[last])
                draws = found.draws[:, i * blocks + b] / found.draws[:, last]
            design = found.design
            made[name, b] = Estimate(
                value, Drawn(value, draws, design), design.clips, len(cells), design.seeds, cells,
                note=note(design.seeds, unit),
            )  # fmt: skip
    return made
