"""A study's token analyses: which models were analysed (`groups`), and the means over their clips (`means`).

Everything is computed from the rows by clip that `tokens` cells leave. Folds and seeds of a model are pooled; intervals
are a bootstrap over source recordings crossed with seeds, as those of evaluations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audioprune import registry
from audioprune.cells.query import value_of
from audioprune.labels import method_label, score_of
from audioprune.results.estimate import DRAWS, NAN, Estimate
from audioprune.results.evaluations import variants
from audioprune.results.study import Results

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from audioprune.cells.query import Asked, Cells
    from audioprune.results.study import Result
    from audioprune.statistics.bootstrap import Design
    from audioprune.statistics.sums import Sums

Key = tuple[str, str, str, float, str, tuple[int, ...], str, str]  # the first fields of a group


@dataclass(frozen=True)
class Group:
    """One model, as fine-tuned with one pruning: its folds and seeds, and which of them are there."""

    backbone: str
    dataset: str
    method: str  # with options: topk.cls
    keep_rate: float
    score: str  # by which topk ranks; that of the backbone for an unpruned model
    blocks: tuple[int, ...]  # that prune; empty for an unpruned model
    variant: str  # other settings, where models of the study differ in them
    signal: str  # what makes a patch signal: given, auto or truth
    cells: tuple[str, ...]  # paths of those that are there
    folds: int
    seeds: int
    missing: int
    why: str

    @property
    def family(self) -> str:
        return registry.backbone(self.backbone).family.name

    @property
    def model(self) -> tuple[str, ...]:
        """What its keep-rates have in common."""
        return self.dataset, self.backbone, self.method, self.variant, self.signal


def analysed(
    study: Cells,
    *,
    tasks: Sequence[str] = (),
    families: Sequence[str] = (),
    score: str = "",
    own: bool = False,
    pruned: bool | None = True,
) -> list:
    """A study's `tokens` cells under right labels, of topk or of unpruned models (or both), that are as wanted.

    families: and those that are like them; score: the attention by which topk ranks, global in either form; own: that
    of the backbone only.
    """
    return [
        c
        for c in study.cells("tokens", label_map="right")
        if value_of(c, "method") in {True: ("topk",), False: ("none",), None: ("topk", "none")}[pruned]
        and (not tasks or study.dataset(value_of(c, "dataset")).task in tasks)
        and (not families or _is_of(value_of(c, "backbone"), families))
        and (not score or value_of(c, "method") == "none" or ranked_by(c).removesuffix("_literal") == score)
        and (not own or "score" not in c.inputs["trace"].settings.pruning.options)
    ]


def _is_of(backbone: str, families: Sequence[str]) -> bool:
    """Whether a backbone is of one of these families, or of one that is like it."""
    family = registry.backbone(backbone).family
    return not {family.name, family.like}.isdisjoint(families)


def ranked_by(cell: Asked) -> str:
    """The attention by which a traced model's topk ranks; the backbone's own for an unpruned model."""
    backbone = value_of(cell, "backbone")
    return score_of(backbone, cell.inputs["trace"].settings.pruning) or registry.backbone(backbone).family.score


def groups(results: Results, cells: Iterable[Result]) -> list[Group]:
    """Folds and seeds put together, in the order of the study, each model's keep-rates falling."""
    traces = [r.inputs["trace"] for r in results.cells("tokens")]
    variant = results.cached("variants of traces", lambda _: variants(traces))
    found: dict[Key, list[Result]] = {}
    for r in cells:
        trace = r.inputs["trace"]
        pruning, trained = trace.settings.pruning, trace.inputs["finetune"].settings
        blocks = tuple(pruning.blocks) if pruning.method != "none" else ()
        key = (trained.model.backbone, trained.dataset, method_label(pruning), pruning.keep_rate, ranked_by(r), blocks)
        found.setdefault((*key, variant[trace.path], r.settings.tau), []).append(r)
    made = []
    for model, own in found.items():
        tuned = [r.inputs["trace"].inputs["finetune"].settings for r in own]
        whys = [r.why for r in own if not r.ok]
        size = (len({t.fold for t in tuned}), len({t.seed for t in tuned}), len(whys), "; ".join(dict.fromkeys(whys)))
        made.append(Group(*model, tuple(r.path for r in own if r.ok), *size))
    first = {g.model: i for i, g in reversed(list(enumerate(made)))}
    return sorted(made, key=lambda g: (first[g.model], -g.keep_rate))


def by_clip(results: Results, group: Group, name: str) -> pd.DataFrame:
    """A file of the group's cells, one below the other, with the fine-tuning's seed; `name` such as 'stages'."""
    import pandas as pd

    found = [results.cell(path) for path in group.cells]
    seeds = [r.inputs["trace"].inputs["finetune"].settings.seed for r in found]
    return pd.concat([r.frame(f"{name}.parquet").assign(seed=s) for r, s in zip(found, seeds, strict=True)])


def clips_of(results: Results, group: Group) -> pd.DataFrame:
    """clip, recording, seed of every clip, and what its dataset's recordings are drawn within."""
    import pandas as pd

    from audioprune.statistics.units import unit_of

    within, parts = unit_of(results.dataset(group.dataset)).within, []
    for r in map(results.cell, group.cells):
        trace = r.inputs["trace"]
        own = r.frame("clips.parquet").assign(seed=trace.inputs["finetune"].settings.seed)
        if within:
            own[within] = trace.inputs["audio"].frame()[within].to_numpy()[own["row"]]
        parts.append(own)
    return pd.concat(parts, ignore_index=True)


def sums(results: Results, group: Group, name: str, by: Sequence[str], columns: Callable) -> tuple[list[tuple], Sums]:
    """Sums over clips, with draws, of columns(frame): names (value of `by`..., column) and what they sum to.

    columns: from the rows of file `name` to {column: values (rows,)}. Every clip must have the same rows.
    """
    import numpy as np

    from audioprune.statistics.sums import draw_sums
    from audioprune.statistics.units import unit_of

    frame, clips = by_clip(results, group, name), clips_of(results, group)
    found = columns(frame)
    place = {key: i for i, key in enumerate(zip(clips["seed"], clips["clip"], strict=True))}
    at = np.array([place[key] for key in zip(frame["seed"], frame["clip"], strict=True)])
    keys = list(frame.groupby(list(by), sort=False).indices.items())
    names: list[tuple] = []
    table = np.zeros((len(clips), len(keys) * len(found)))
    for key, rows in keys:
        for column, values in found.items():
            table[at[rows], len(names)] = np.asarray(values, dtype=float)[rows]
            names.append((*(key if isinstance(key, tuple) else (key,)), column))
    unit = unit_of(results.dataset(group.dataset))
    return names, draw_sums(clips, table, unit=unit, draws=DRAWS, seed=0)


def means(results: Results, group: Group, name: str, by: Sequence[str], columns: Sequence[str]) -> dict:
    """{(value of `by`..., column): Estimate} of means over clips; a clip whose value is NaN is skipped."""

    def make(results: Results) -> dict:
        clips: dict[tuple, int] = {}  # distinct ones

        def parts(frame: pd.DataFrame) -> dict[str, pd.Series]:
            for c in columns:
                own = frame[frame[c].notna()].groupby(list(by))["clip"]
                clips.update({(*key, c): one.nunique() for key, one in own})
            there = {f"n {c}": frame[c].notna() for c in columns}
            return {c: frame[c].fillna(0) for c in columns} | there

        names, found = sums(results, group, name, by, parts)
        where = {key: i for i, key in enumerate(names)}
        return {
            key: quotient(found, i, where[(*key[:-1], f"n {key[-1]}")], clips.get(key, 0), group)
            for key, i in where.items()
            if key[-1] in columns
        }

    return results.cached(f"means {name} {by} {columns} {group.cells}", make, of=group.cells)


def quotient(found: Sums, above: int, below: int, n: int, group: Group) -> Estimate:
    """One sum over another, as of a mean over clips, of which n are distinct."""
    import numpy as np

    draws, whole = found.draws[:, below], found.values[below]
    values = np.divide(found.draws[:, above], draws, out=np.full(len(draws), np.nan), where=draws > 0)
    value = float(found.values[above] / whole) if whole else NAN
    return drawn_from(value, values, n, found.design, group)


def drawn_from(value: float, draws: np.ndarray, n: int, design: Design, group: Group) -> Estimate:
    """What rests on all that is there of a group."""
    from audioprune.statistics.bootstrap import Drawn, note

    sizes = n, len(group.cells), design.seeds
    return Estimate(value, Drawn(value, draws, design), *sizes, group.cells, note=note(design.seeds))
