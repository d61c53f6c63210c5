"""Claims about the attention to kept tokens (P0 Table 3) and about norms (Figures 7 and 10), from per-clip rows.

`gamma_s`, `gamma_b`: attention of kept signal and kept background tokens over that of pruned ones; `norm`:
residual over attention branch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from audioprune import registry
from audioprune.claims.claim import Claim
from audioprune.claims.evidence import Evidence
from audioprune.claims.verdict import Part
from audioprune.facts.tokens import BLOCKS
from audioprune.predicates._parts import arithmetic, beside, shown
from audioprune.predicates._tokens import Term, analysed, at_blocks, less, more, over_blocks, spelled
from audioprune.results import published
from audioprune.results.tokens import Group
from audioprune.statistics.slope import slope_factors

COLUMNS = ("gamma_s", "gamma_b")
STARTS = (0, *(block + 1 for block in BLOCKS[:-1]))
GROUPS = {
    f"G{i}": range(a, b + 1) for i, (a, b) in enumerate(zip(STARTS, BLOCKS), start=1)
}  # each ends where it prunes
BEFORE = {f"{group}, {spelled(blocks[:-1])}": blocks[:-1] for group, blocks in GROUPS.items()}
CHOSEN = "true by construction: the pruning block keeps the tokens of the highest scores"
UNPRUNED = "no token is removed yet, so this is not an effect of pruning"
UNTOUCHED = range(BLOCKS[0] + 1)  # blocks whose attention sees all tokens
ONLY = ("topk",)  # methods of which there are token analyses to judge


def above_one(claim: Claim, evidence: Evidence) -> list[Part]:
    """Kept tokens are attended to more than pruned ones, signal and background alike: in the blocks of each group
    before the one that prunes, where it does not follow from how tokens are chosen."""
    parts = []
    for dataset in claim.cells.datasets:
        if not (values := list(_printed(dataset).values())):
            continue
        text = f"{sum(v > 1 for v in values)} of {len(values)} printed ratios above 1, the least {min(values):.2f}"
        parts.append(arithmetic(dataset, min(values) > 1, text, min(values), "ratio"))
    above_one = partial(more, threshold=1.0)
    for column in COLUMNS:
        for rate in evidence.token_rates(claim.cells.keep_rates):
            looked_into = claim, evidence, [(claim.cells.backbones[0], rate)], column
            parts += analysed(*looked_into, over_blocks(BEFORE), above_one)
            chosen = [
                part for part in analysed(*looked_into, at_blocks(BLOCKS), above_one) if part.verdict != "not-run"
            ]
            parts += [shown(beside(part), CHOSEN) for part in chosen]
    return parts


def grows(claim: Claim, evidence: Evidence) -> list[Part]:
    """The ratio of attention does not fall as the keep-rate grows, in every group of blocks."""
    parts, rates = [], sorted(claim.cells.keep_rates)
    for dataset in claim.cells.datasets:
        if not (printed := _printed(dataset)):
            continue
        rows = sorted({key[:2] for key in printed})
        broken = [row for row in rows if any(printed[*row, a] > printed[*row, b] for a, b in pairwise(rates))]
        text = f"{len(rows) - len(broken)} of {len(rows)} printed rows grow"
        text += "".join(f", not {metric.replace('_', ' of ')} in {group}" for metric, group in broken)
        parts.append(arithmetic(dataset, not broken, text, unit="ratio"))
    for column in COLUMNS:
        parts += _larger_at_highest(claim, evidence, column, over_blocks(GROUPS))
    return parts


def norm_falls(claim: Claim, evidence: Evidence) -> list[Part]:
    """The ratio of the residual's norm to that of attention falls from block to block."""

    family, parts = claim.cells.backbones[0], []
    for rate in evidence.token_rates(claim.cells.keep_rates):
        parts += analysed(claim, evidence, [(family, rate)], "norm", _slope, less)
    return parts


def _slope(model: Group) -> dict[str, list[Term]]:
    """Least squares over all blocks."""
    blocks = range(registry.backbone(model.backbone).size.depth)
    factors = slope_factors(blocks).tolist()
    return {"slope": [(factor, model, block) for factor, block in zip(factors, blocks, strict=True)]}


def norm_falls_with_pruning(claim: Claim, evidence: Evidence) -> list[Part]:
    """That ratio is smaller at the lowest keep-rate than at the highest, in the blocks after the first removal. Up to
    and with the block that removes, attention sees all tokens: what differs there is training, and stands beside."""
    parts = _larger_at_highest(claim, evidence, "norm", _after)
    earlier = _larger_at_highest(claim, evidence, "norm", over_blocks({spelled(UNTOUCHED): UNTOUCHED}))
    return parts + [shown(beside(part), UNPRUNED) for part in earlier if part.verdict != "not-run"]


def _after(*models: Group) -> dict[str, list[Term]]:
    blocks = range(UNTOUCHED.stop, registry.backbone(models[0].backbone).size.depth)
    return over_blocks({spelled(blocks): blocks})(*models)


def _larger_at_highest(claim: Claim, evidence: Evidence, column: str, terms: Callable) -> list[Part]:
    family, planned = claim.cells.backbones[0], evidence.token_rates(claim.cells.keep_rates)
    rates = planned if len(planned) > 1 else claim.cells.keep_rates
    return analysed(claim, evidence, [(family, max(rates)), (family, min(rates))], column, terms, more)


def _printed(dataset: str) -> dict[tuple[str, str, float], float]:
    """{(metric, group, keep-rate): ratio} of P0's Table 3."""
    return {
        (row["metric"], row["location"], float(row["keep_rate"])): float(row["value"])
        for row in published.rows("table3")
        if row["dataset"] == dataset
    }
