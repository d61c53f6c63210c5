"""Ranking against uniform retention at equal token counts, in word error rate (research question 1, which tokens)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from audioprune.exhibits.table import Column, Row, Table
from audioprune.results import recognitions
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.recognitions import STATIC
from audioprune.tables._rows import UNTESTED, cell_of

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.recognitions import Place
    from audioprune.results.study import Result, Results

TITLE = "Which tokens stay: ranking against uniform retention"
CAPTION = (
    "The error rate of each policy that looks at its tokens, and of a random choice, minus that of the best policy "
    "that looks at nothing (stride or pool), at the same number of tokens at the same blocks. Below zero: looking "
    "pays. Which static policy is best is chosen on one half of the speakers and judged on the other, and the reverse."
)
NOTES = (
    "Intervals: 95 %, bootstrap over speakers. p: exact permutation of speakers; Holm's adjustment over the keep-rates "
    "of a policy within a group.",
    "A difference matters from the larger of 0.5 points and a tenth of the unpruned error rate on. Verdict: supported "
    "where the interval lies below zero, refuted where it lies above zero or within what does not matter, else "
    "inconclusive.",
)
LEAST, SHARE = 0.5, 0.1  # points, and share of the unpruned error rate, from which on a difference matters


def needs(study: Cells) -> list:
    return study.cells("transcribe")


def build(results: Results) -> Table:
    arms = needs(results)
    rows = [row for place, own in recognitions.places(arms).items() for row in _rows(results, arms, place, own)]
    return Table(_columns(), tuple(rows), NOTES)


def _rows(results: Results, arms: Sequence[Result], place: Place, own: Sequence[Result]) -> Iterator[Row]:
    from audioprune.statistics.holm import family

    whole = recognitions.wer(results, recognitions.unpruned(arms, place))
    policies = [one for one in dict.fromkeys(arm.settings.policy for arm in own) if one not in STATIC]
    rates = sorted({arm.settings.keep_rate for arm in own}, reverse=True)
    for policy in policies:
        found = [(rate, *_compared(results, own, policy, rate)) for rate in rates]
        adjusted = family([p if isinstance(p, float) else None for _, _, p, _ in found])
        for (rate, contrast, p, chosen), holm in zip(found, adjusted, strict=True):
            cells = {
                "recogniser": place.recogniser,
                "dataset": place.dataset,
                "within": place.within,
                "policy": policy,
                "keep_rate": rate,
                "wer_minus_static": cell_of(contrast),
                "static": ", ".join(dict.fromkeys(chosen.values())),
                "p": UNTESTED if isinstance(p, Absent) else p,
                "p_why": p.why if isinstance(p, Absent) else None,
                "p_holm": holm,
            }
            if isinstance(contrast, Estimate) and isinstance(whole, Estimate):
                margin = max(LEAST, SHARE * whole.value)
                cells |= {"margin": margin, "verdict": verdict(contrast.low, contrast.high, margin)}
            yield Row(cells, str(place))


def _compared(
    results: Results, own: Sequence[Result], policy: str, rate: float
) -> tuple[Estimate | Absent, float | Absent | None, dict[str, str]]:
    """(policy minus static, p, static policies by half of the speakers)."""
    arm = recognitions.at(own, policy, rate)
    static = {one: recognitions.at(own, one, rate) for one in STATIC}
    there = {one: found for one, found in static.items() if found is not None and found.ok}
    if arm is None or not arm.ok or not there:
        missing = [one for one in (arm, *static.values()) if one is not None and not one.ok]
        return Absent(missing[0].why if missing else "no static policy is planned beside it"), None, {}
    frame, chosen = recognitions.best_static(there)
    return recognitions.against(results, arm, frame), recognitions.chance(recognitions.clips(arm), frame), chosen


def verdict(low: float, high: float, margin: float) -> str:
    """Of "the policy has fewer errors than the best static one", by the ends of its 95 % interval in points.

    An interval without width says that no transcript differs, and not how far others may.
    """
    if low == high:
        return "inconclusive"
    if high < 0:
        return "supported"
    if low > 0 or (low > -margin and high < margin):
        return "refuted"
    return "inconclusive"


def _columns() -> tuple[Column, ...]:
    return (
        Column("policy", "Policy", align="left"),
        Column("keep_rate", "Keep-rate"),
        Column("wer_minus_static", "Policy minus static", "points of WER", signed=True),
        Column("wer_minus_static", "95 % interval", part="interval", signed=True),
        Column("static", "Static policy", align="left"),
        Column("p", "p", decimals=4, floor=True),
        Column("p_holm", "Holm's p", decimals=4, floor=True),
        Column("margin", "Matters from", "points"),
        Column("verdict", "Fewer errors", align="left"),
    )
