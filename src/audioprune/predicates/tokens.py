"""Claims about which tokens are kept, judged on the per-clip rows of a token analysis.

`low_of_kept`: share of the survivors in the intensity clusters C1 and C2; `ratio_b`: signal tokens kept of the
input's; `excess`: ratio B above K / N, what random selection keeps.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from audioprune.claims.claim import Claim, Verdict
from audioprune.claims.evidence import Evidence
from audioprune.claims.printed import printed_number
from audioprune.claims.verdict import Part
from audioprune.facts.tokens import BLOCKS
from audioprune.forensics.null_model import LARGEST, excess
from audioprune.predicates._parts import arithmetic, beside, chance, printed, shown
from audioprune.predicates._tokens import analysed, at_blocks, less, more
from audioprune.profiling.macs import patches_of
from audioprune.results.estimate import Estimate

ONLY = ("topk",)  # methods of which there are token analyses to judge
SCORES = ("cls", "global")
CONFOUND = (
    "the two rank by different scores, AudioMAE by the global and AST by the class-token score, which confounds the "
    "comparison"
)


def low_intensity(claim: Claim, evidence: Evidence) -> list[Part]:
    """After the last stage, a larger share of tokens has low intensity in the first family than in the second.

    Each family ranks by its own score; differences of models that rank by the same score are shown beside (paper.md 7).
    """
    first, second = claim.cells.backbones
    parts = []
    for rate in evidence.token_rates(claim.cells.keep_rates):
        wanted, last = [(first, rate), (second, rate)], at_blocks(BLOCKS[-1:])
        for part in analysed(claim, evidence, wanted, "low_of_kept", last, more):
            confounded = part.verdict != "not-run"
            parts.append(replace(part, evidence=f"{part.evidence}; {CONFOUND}") if confounded else part)
        for score in SCORES:
            found = analysed(claim, evidence, wanted, "low_of_kept", last, more, score=score)
            parts += [
                shown(beside(replace(part, name=f"{part.name}, both ranked by {score}")), "beside, with one score")
                for part in found
                if part.verdict != "not-run"
            ]
    return parts


def signal_kept_more(claim: Claim, evidence: Evidence) -> list[Part]:
    """The first family keeps more of the signal tokens than the second, at every stage."""

    first, second = claim.cells.backbones
    wanted = product(claim.cells.datasets, claim.cells.keep_rates, BLOCKS)
    parts = [part for one in wanted for part in printed(_printed_pair, evidence, *one)]
    for rate in evidence.token_rates(claim.cells.keep_rates):
        parts += analysed(claim, evidence, [(first, rate), (second, rate)], "ratio_b", at_blocks(BLOCKS), more)
    return parts


def background_kept(claim: Claim, evidence: Evidence) -> list[Part]:
    """Background is preferred: signal is kept less often than by random selection. What P0 prints is random selection
    itself, which supports neither."""
    (family,), parts = claim.cells.backbones, []
    for rate in claim.cells.keep_rates:
        for dataset in claim.cells.datasets:
            parts += printed(_printed_excess, evidence, dataset, rate)
    for rate in evidence.token_rates(claim.cells.keep_rates):
        parts += analysed(claim, evidence, [(family, rate)], "excess", at_blocks(BLOCKS), less)
    return parts


def proportional(claim: Claim, evidence: Evidence) -> list[Part]:
    """Ratio B falls in proportion to the keep-rate: it is K / N, as by random selection."""
    (family,), parts = claim.cells.backbones, []
    for rate in claim.cells.keep_rates:
        for dataset in claim.cells.datasets:
            parts += printed(_printed_distance, evidence, dataset, rate)
    for rate in evidence.token_rates(claim.cells.keep_rates):
        parts += analysed(claim, evidence, [(family, rate)], "excess", at_blocks(BLOCKS), _near_zero)
    return parts


def _near_zero(found: Estimate) -> tuple[Verdict, float | None]:
    """Whether the interval lies within what P0's own table is from K / N, beyond it, or neither."""
    within = LARGEST / 100
    sides = [chance(found, -within), chance(found, within)]
    tested = [p for p in sides if p is not None]
    if -within < found.low and found.high < within:
        return "supported", max(tested, default=None)
    beyond = found.low > within or found.high < -within
    return ("refuted" if beyond else "inconclusive"), max(tested, default=None)


def _printed_pair(evidence: Evidence, dataset: str, rate: float, block: int) -> Part:
    wanted = {"dataset": dataset, "keep_rate": f"{rate:g}", "location": str(block), "metric": "ratio_b"}
    ast = printed_number("table5", backbone="ast-b", **wanted)
    mae = printed_number("table2", backbone="audiomae-b", **wanted)
    text = f"{ast:.1f} % against {mae:.1f} % of the signal tokens"
    return arithmetic(f"{dataset} at {rate:g}, block {block}", ast > mae, text, ast - mae, "pp")


def _printed_excess(evidence: Evidence, dataset: str, rate: float) -> Part:
    """Inconclusive if the printed ratios are those of random selection."""
    far = _furthest(evidence, dataset, rate)
    verdict: Verdict = "inconclusive" if abs(far) <= LARGEST else "supported" if far < 0 else "refuted"
    text = f"printed ratio B at most {abs(far):.2f} points from random selection"
    return Part(f"{dataset} at {rate:g}", verdict, "arithmetic", text, far, unit="pp")


def _printed_distance(evidence: Evidence, dataset: str, rate: float) -> Part:
    far = _furthest(evidence, dataset, rate)
    text = f"ratio B at most {abs(far):.2f} points from K / N"
    return arithmetic(f"{dataset} at {rate:g}", abs(far) <= LARGEST, text, far, "pp")


def _furthest(evidence: Evidence, dataset: str, rate: float) -> float:
    """The printed ratio B that is furthest from K / N, minus that, in points."""
    patches, wanted = patches_of(evidence.facts(dataset).frames), {"dataset": dataset, "keep_rate": f"{rate:g}"}
    ratios = [printed_number("table2", location=str(b), metric="ratio_b", **wanted) for b in BLOCKS]
    return max((excess(ratio, patches, rate, stage) for stage, ratio in enumerate(ratios)), key=abs)
