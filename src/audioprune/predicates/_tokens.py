"""Estimates over per-clip rows of a token analysis, and the cells that a claim needs them from.

A frame has columns clip, recording, block and what is measured. The estimates know nothing of cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from audioprune.claims.claim import Claim, Verdict
from audioprune.claims.evidence import Estimate, Evidence, Missing, mean_interval
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import above, each, measured, not_run

if TYPE_CHECKING:
    import pandas as pd


MEASURES = {  # columns of a token analysis: what they are called, and their unit once multiplied
    "low_of_kept": ("low-intensity share of the kept", 100, "pp"),
    "ratio_b": ("ratio B", 100, "pp"),
    "excess": ("B − K/N", 100, "pp"),
    "gamma_s": ("γ of signal", 1, "ratio"),
    "gamma_b": ("γ of background", 1, "ratio"),
    "norm": ("norm ratio", 1, "ratio"),
}


class NoClips(ValueError):
    """No clip has what was asked for: a dataset without background, for one."""


OPPOSITE = {"supported": "refuted", "refuted": "supported"}


def mean(frame: pd.DataFrame, column: str, block: int) -> Estimate:
    """Mean over clips at one block, by a bootstrap over recordings; clips without a value are left out."""
    own = frame[frame["block"] == block].dropna(subset=[column])
    if own.empty:
        raise NoClips(f"no clip has {column} at block {block}")
    return mean_interval(own[column], own["recording"])


def paired(a: pd.DataFrame, b: pd.DataFrame, column: str, block: int) -> Estimate:
    """Mean over clips of a minus b at one block, on the clips that both have, by a bootstrap over recordings."""
    first, second = (f[f["block"] == block].dropna(subset=[column]).set_index("clip") for f in (a, b))
    clips = first.index.intersection(second.index)
    if not len(clips):
        raise NoClips(f"no clip has {column} at block {block} on both sides")
    return mean_interval(first.loc[clips, column] - second.loc[clips, column], first.loc[clips, "recording"])


def slope(frame: pd.DataFrame, column: str) -> Estimate:
    """Mean over clips of the least-squares slope of a column against the block."""
    import numpy as np

    table = frame.pivot(index="clip", columns="block", values=column).dropna()  # (n, blocks)
    x = np.asarray(table.columns, float) - np.mean(table.columns)
    groups = frame.drop_duplicates("clip").set_index("clip").loc[table.index, "recording"]
    return mean_interval(table.to_numpy() @ x / (x @ x), groups)


def below(found: Estimate, threshold: float = 0.0) -> Verdict:
    verdict = above(found, threshold)
    return OPPOSITE.get(verdict, verdict)


def analysed(
    claim: Claim,
    evidence: Evidence,
    wanted: Sequence[tuple[str, float]],
    column: str,
    judge: Callable[..., dict[str, tuple[Verdict, Estimate]]],
) -> list[Part]:
    """Parts of every dataset that has the column for all wanted (family, keep-rate) pairs.

    Where a study looks into the models at other keep-rates only, that dataset decides nothing.

    `judge(frame, ...)`, given a frame for each pair, returns {what was looked at: (verdict, estimate)}.
    """
    families = tuple(dict.fromkeys(family for family, _ in wanted))

    def look(name: str, *own: str) -> list[Part]:
        models = [(own[families.index(family)], rate) for family, rate in wanted]
        if all(evidence.plans_tokens(backbone, name) for backbone, _ in models) and not all(
            evidence.plans_tokens(backbone, name, keep_rate=rate) for backbone, rate in models
        ):
            return []
        who = f"{' against '.join(f'{backbone} at {rate:g}' for backbone, rate in models)} on {name}"
        frames = [evidence.tokens(backbone, name, rate, column) for backbone, rate in models]
        absent = next((one for one in frames if isinstance(one, Missing)), None)
        if absent:
            return [not_run(who, absent)]
        try:
            judged = judge(*frames)
        except NoClips as error:
            return [not_run(who, Missing(str(error), evidence.command))]
        words, factor, unit = MEASURES[column]
        scaled = [(what, verdict, found.times(factor)) for what, (verdict, found) in judged.items()]
        return [
            measured(f"{who}, {what}", verdict, f"{words} {found}{' points' if unit == 'pp' else ''}", found, unit)
            for what, verdict, found in scaled
        ]

    return [part for dataset in claim.cells.datasets for part in each(evidence, dataset, families, look)]
