"""From estimates to parts of a verdict: the rules that all predicates share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from audioprune.claims.claim import Verdict
from audioprune.claims.evidence import Evidence, Missing
from audioprune.claims.printed import NotPrinted
from audioprune.claims.verdict import Part
from audioprune.results.estimate import Estimate


def above(found: Estimate, threshold: float = 0.0) -> Verdict:
    """Supported when the interval lies above the threshold, refuted when below, else inconclusive."""
    return "supported" if found.low > threshold else "refuted" if found.high < threshold else "inconclusive"


def non_inferior(found: Estimate, margin: float) -> Verdict:
    """Supported when the one-sided 95 % upper bound of a drop is below the margin, refuted when the lower is above."""
    from audioprune.statistics.noninferiority import verdict_of

    said = verdict_of(*found.bounds, margin)
    verdicts: dict[str, Verdict] = {"non-inferior": "supported", "inferior": "refuted"}
    return verdicts.get(said, "inconclusive")


def covers(found: Estimate, value: float) -> Verdict:
    """Whether the interval holds a value; inconclusive where there is no interval."""
    if math.isnan(found.low):
        return "inconclusive"
    return "supported" if found.low <= value <= found.high else "refuted"


def settling(found: Estimate, margin: float) -> int | None:
    """How many clips would put the one-sided bound on the margin, the drop staying as it is; None: no number would."""
    from audioprune.statistics.noninferiority import clips_needed

    return clips_needed(found.n * found.error**2, found.value, margin) if found.error > 0 else None


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


def model(backbone: str, dataset: str, method: str = "topk") -> str:
    """'audiomae-b on esc50'; with its method, where that is not topk."""
    return f"{backbone} on {dataset}" + ("" if method == "topk" else f" with {method}")


def each(evidence: Evidence, dataset: str, families: Sequence[str], judge: Callable[..., list[Part]]) -> list[Part]:
    """Parts of `judge(dataset, backbone, ...)`, a backbone for each family, of every dataset that stands for one."""
    standing = evidence.standing(dataset, families)
    if not standing:
        return [not_run(dataset, evidence.absent(dataset, families))]
    return [part for name, own in standing for part in judge(name, *(own[family] for family in families))]
