"""From estimates to parts of a verdict: rules shared by all predicates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import NormalDist, stdev, variance
from typing import Any, Literal

from audioprune.claims.claim import Claim, Verdict
from audioprune.claims.evidence import PAPER, Evidence, Missing, command_of
from audioprune.claims.printed import NotPrinted
from audioprune.claims.verdict import Part
from audioprune.results.estimate import Estimate

QUANTILE = NormalDist().inv_cdf(0.95)
FLOOR = 2  # draws on the other side, of both tails, at the least p-value that draws give


def above(found: Estimate, threshold: float = 0.0) -> Verdict:
    """Supported when the interval lies above the threshold, refuted when below, else inconclusive."""
    return "supported" if found.low > threshold else "refuted" if found.high < threshold else "inconclusive"


def non_inferior(found: Estimate, margin: float) -> Verdict:
    """Supported when the one-sided 95 % upper bound of a drop is below the margin, refuted when the lower is above."""
    from audioprune.statistics.noninferiority import verdict_of

    said = verdict_of(*found.bounds, margin)
    verdicts: dict[str, Verdict] = {"non-inferior": "supported", "inferior": "refuted"}
    return verdicts.get(said, "inconclusive")


def covering(found: Estimate, value: float) -> dict[str, Any]:
    """What a part says that holds an estimate against a printed value, and the p-value of that value."""
    return {"verdict": covers(found, value), "p": chance(found, value)}


def covers(found: Estimate, value: float) -> Verdict:
    """Whether the interval holds a value; inconclusive where there is no interval."""
    if math.isnan(found.low):
        return "inconclusive"
    return "supported" if found.low <= value <= found.high else "refuted"


def chance(
    found: Estimate, threshold: float = 0.0, way: Literal["either", "above", "below"] = "either"
) -> float | None:
    """p-value of a threshold, by what the interval is by; of what is counted in draws, where all of them lie on one
    side of it, by a normal tail.

    So many draws give no p-value below 2 / draws, which would leave any large family of contrasts open.
    """
    p = found.chance(threshold, way)
    if p is None or (found.drawn is not None and found.drawn.factors):
        return p
    draws = [one for one in found.draws.tolist() if one == one]
    if p > FLOOR / (1 + len(draws)):
        return p
    spread = stdev(draws)
    tail = 1 - NormalDist().cdf(abs(found.value - threshold) / spread) if spread else 0.0
    return min(p, tail * (2 if way == "either" else 1))


def settling(found: Estimate, margin: float, of_seeds: Sequence[float]) -> str:
    """What would put the one-sided bound on the margin, the drop staying as it is: more clips, or other things first.

    of_seeds: the drop of each seed. What they vary by, s^2 / S, no number of clips makes smaller.

    # ASSUME: s^2 is all training variance. Clips have a part in it, so that this errs towards asking for seeds.
    """
    from audioprune.statistics.noninferiority import clips_needed

    if len(of_seeds) < 2:
        return "one seed: the variance between trainings is not known, so no number of clips would settle it"
    training = variance(of_seeds) / len(of_seeds)
    of_clips = max(found.error**2 - training, 0.0)
    gap = abs(margin - found.value) / QUANTILE
    if gap**2 <= training or not of_clips:
        return f"the variance between {len(of_seeds)} seeds is too large: more clips would not settle it"
    clips = clips_needed(found.n * of_clips, 0.0, QUANTILE * (gap**2 - training) ** 0.5)
    return f"about {_rounded(clips)} clips would settle it, at {len(of_seeds)} seeds" if clips else ""


def _rounded(clips: int) -> str:
    """To two digits: more is not known."""
    return f"{float(f'{clips:.2g}'):,.0f}".replace(",", " ")


def measured(name: str, verdict: Verdict, evidence: str, found: Estimate, unit: str = "pp", **more: Any) -> Part:
    evidence += f", {found.left_out}" if found.left_out else ""
    return Part(
        name, verdict, "cells", evidence, found.value, found.low, found.high, unit, found.n, found.seeds, found.cells,
        found.changed,
        **more,
    )  # fmt: skip


def not_run(name: str, found: Missing, **more: Any) -> Part:
    return Part(name, "not-run", "cells", found.why, command=found.command, **more)


def arithmetic(name: str, holds: bool, evidence: str, value: float | None = None, unit: str = "", **more: Any) -> Part:
    """What published numbers say of themselves."""
    return Part(name, "supported" if holds else "refuted", "arithmetic", evidence, value, unit=unit, **more)


def printed(judge: Callable[..., Part], *what: Any) -> list[Part]:
    """The part that published numbers decide; nothing where they are not printed."""
    try:
        return [judge(*what)]
    except NotPrinted:
        return []


def beside(part: Part) -> Part:
    """The same parts, excluded from the verdict."""
    return replace(part, counted=False)


def shown(part: Part, why: str) -> Part:
    """A measurement that is no verdict, beside those that are, with the reason."""
    return part if part.verdict == "not-run" else replace(part, verdict="open", evidence=f"{part.evidence}; {why}")


def model(backbone: str, dataset: str, method: str = "topk") -> str:
    """'audiomae-b on esc50'; with its method, where that is not topk."""
    return f"{backbone} on {dataset}" + ("" if method == "topk" else f" with {method}")


def each(
    claim: Claim, evidence: Evidence, dataset: str, families: Sequence[str], judge: Callable[..., list[Part]]
) -> list[Part]:
    """Parts of `judge(dataset, backbone, ...)`, a backbone for each family, of every dataset that stands for one.

    A claim of published values says nothing of other data or models: what those show stands beside.
    """
    standing = evidence.standing(dataset, families)
    if not standing:
        return [not_run(dataset, evidence.absent(dataset, families))]
    parts: list[Part] = []
    elsewhere: dict[str, None] = {}
    for name, own in standing:
        found = judge(name, *(own[family] for family in families))
        if claim.tier == "published" and not evidence.itself(dataset, name, own.values()):
            elsewhere[f"{', '.join(own.values())} on {name}"] = None
            found = [beside(part) for part in found]
        parts += found
    if elsewhere:
        why = f"its values are judged on {dataset} at the published size only; beside it: {'; '.join(elsewhere)}"
        parts.insert(0, not_run(f"{dataset} itself", Missing(why, command_of(PAPER, evidence.exhibit))))
    return parts
