"""What claims about kept tokens share: the models they need, names of columns, and the wording of estimates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from audioprune.claims.claim import Claim, Verdict
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.verdict import Part
from audioprune.predicates._parts import above, chance, each, measured, not_run
from audioprune.results.estimate import Estimate
from audioprune.results.tokens import Group

MEASURES = {  # columns of a token analysis: what they are called, and their unit once multiplied
    "low_of_kept": ("low-intensity share of the kept", 100, "pp"),
    "ratio_b": ("ratio B", 100, "pp"),
    "excess": ("B − K/N", 100, "pp"),
    "gamma_s": ("γ of signal", 1, "ratio"),
    "gamma_b": ("γ of background", 1, "ratio"),
    "norm": ("norm ratio", 1, "ratio"),
}
OPPOSITE: dict[Verdict, Verdict] = {"supported": "refuted", "refuted": "supported"}
Term = tuple[float, Group, int]  # factor, model, block
Judge = Callable[[Estimate], tuple[Verdict, float | None]]  # and the p-value of what it tests


def more(found: Estimate, threshold: float = 0.0) -> tuple[Verdict, float | None]:
    return above(found, threshold), chance(found, threshold)


def less(found: Estimate, threshold: float = 0.0) -> tuple[Verdict, float | None]:
    verdict, p = more(found, threshold)
    return OPPOSITE.get(verdict, verdict), p


def analysed(
    claim: Claim,
    evidence: Evidence,
    wanted: Sequence[tuple[str, float]],
    column: str,
    terms: Callable[..., Mapping[str, Sequence[Term]]],
    judge: Judge,
    score: str = "",
) -> list[Part]:
    """Parts of every dataset on which the models of all wanted (family, keep-rate) pairs are analysed.

    `terms(model, ...)`, given a model for each pair, returns {what is looked at: the sum that is judged}. Where a study
    looks into the models at other keep-rates only, that dataset decides nothing. `score`: by which all models rank;
    each by its own unless told.
    """
    families = tuple(dict.fromkeys(family for family, _ in wanted))

    def look(name: str, *own: str) -> list[Part]:
        models = [(own[families.index(family)], rate) for family, rate in wanted]
        if all(evidence.plans_tokens(backbone, name) for backbone, _ in models) and not all(
            evidence.plans_tokens(backbone, name, keep_rate=rate) for backbone, rate in models
        ):
            return []
        who = f"{' against '.join(f'{backbone} at {rate:g}' for backbone, rate in models)} on {name}"
        groups = [evidence.analysed(backbone, name, rate, score) for backbone, rate in models]
        absent = next((one for one in groups if isinstance(one, Missing)), None)
        if absent:
            return [not_run(who, absent)]
        found = {what: evidence.mean(column, *own) for what, own in terms(*groups).items()}
        return [_part(f"{who}, {what}", column, one, judge) for what, one in found.items()]

    return [part for dataset in claim.cells.datasets for part in each(claim, evidence, dataset, families, look)]


def _part(name: str, column: str, found: Estimate | Missing, judge: Judge) -> Part:
    if isinstance(found, Missing):
        return not_run(name, found)
    words, factor, unit = MEASURES[column]
    scaled = found.times(factor)
    text = f"{words} {scaled}{' points' if unit == 'pp' else ''}"
    verdict, p = judge(found)
    return measured(name, verdict, text, scaled, unit, p=p)


def at_blocks(blocks: Sequence[int]) -> Callable[..., dict[str, list[Term]]]:
    """One model at each block, or the first minus the second."""
    return over_blocks({f"block {b}": (b,) for b in blocks})


def over_blocks(named: Mapping[str, Sequence[int]]) -> Callable[..., dict[str, list[Term]]]:
    """The mean over each set of blocks, of one model or of the first minus the second."""

    def terms(*models: Group) -> dict[str, list[Term]]:
        return {
            name: [(sign / len(blocks), model, b) for sign, model in zip((1, -1), models) for b in blocks]
            for name, blocks in named.items()
        }

    return terms


def spelled(blocks: Sequence[int]) -> str:
    """'block 3', 'blocks 0 to 2', of blocks that follow one another."""
    return f"block {blocks[0]}" if len(blocks) == 1 else f"blocks {blocks[0]} to {blocks[-1]}"
