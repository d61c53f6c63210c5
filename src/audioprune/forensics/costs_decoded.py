"""Percentages of MACs, decoded: does a printed percentage remain, or is it saved? (paper.md 5.3)

Every percentage that is quoted from P2 fits, to the printed digit, the share that REMAINS: 100 x round(GMACs, 1) /
round(unpruned GMACs, 1) with AudioMAE's token count; FastAST's fits ToMe at stride 10 with r = 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audioprune import registry
from audioprune.facts.tokens import PATCH
from audioprune.profiling.macs import count
from audioprune.results.findings import Finding, half_unit, place, rows

TITLE = "Percentages of MACs: what remains, or what is saved"
ROUNDED = "GMACs rounded to one decimal, AudioMAE's tokens"
TOME = {"ToMe, r = 20 at stride 10": (20, 10), "ToMe, r = 9 at stride 16": (9, 16)}


@dataclass(frozen=True)
class Reading:
    """What a printed percentage is."""

    unit: str  # pct_remaining, pct_reduction or empty: fits neither
    rule: str  # how it was computed
    remaining: float  # percent that remains by that rule


def candidates(backbone: str, dataset: str, method: str, keep_rate: float | None) -> dict[str, float]:
    """Percent of the unpruned model's MACs that remains, by rule; the exact count of the model itself comes first."""
    if method == "tome":
        return {rule: _remaining(backbone, dataset, "tome", None, r, stride)[0] for rule, (r, stride) in TOME.items()}
    exact, *_ = _remaining(backbone, dataset, method, keep_rate)
    mae, pruned, base = _remaining("audiomae-b", dataset, method, keep_rate)
    return {
        f"exact, {backbone}": exact,
        "exact, audiomae-b": mae,
        ROUNDED: 100 * round(pruned, 1) / round(base, 1),
    }


def read(printed: str, remaining: dict[str, float]) -> Reading:
    """The reading that fits to half a printed unit: of several, the nearest. Remaining is looked at first."""
    value, within = float(printed), float(half_unit(printed)) + 1e-9
    for unit, shown in (("pct_remaining", remaining), ("pct_reduction", {k: 100 - v for k, v in remaining.items()})):
        rule = min(shown, key=lambda k: abs(shown[k] - value))
        if abs(shown[rule] - value) <= within:
            return Reading(unit, rule, remaining[rule])
    return Reading("", "", float("nan"))


def findings() -> list[Finding]:
    found = []
    for row in rows("p2", "macs_remaining"):
        rate = float(row["keep_rate"]) if row["keep_rate"] else None
        possible = candidates(row["backbone"], row["dataset"], row["method"], rate)
        reading = read(row["value"], possible)
        verdict = {"pct_remaining": "misread", "pct_reduction": "as expected"}.get(reading.unit, "not explained")
        exact = next(iter(possible.values()))
        found.append(
            Finding(
                "costs-decoded", "P2, quoted as reductions", place(row), f"{row['value']} % reduction",
                f"{row['value']} % remaining, {100 - float(row['value']):.1f} % reduction",
                float(row["value"]) - reading.remaining, "pct_remaining", verdict, row["status"],
                f"fits {reading.rule}: {reading.remaining:.2f} % remaining; exact {exact:.2f} %",
            )
        )  # fmt: skip
    return found


def _remaining(
    backbone: str, dataset: str, method: str, keep_rate: float | None, r: int = 0, stride: int = PATCH
) -> tuple[float, float, float]:
    """(percent that remains, GMACs, GMACs of the unpruned model)."""
    facts = registry.dataset(dataset)
    shape: dict[str, Any] = {"frames": facts.frames, "num_classes": facts.num_classes, "stride": stride}
    options = {"r": r} if method == "tome" else {}
    pruned = count(backbone, method=method, keep_rate=keep_rate or 1.0, options=options, **shape).gmacs
    base = count(backbone, method="none", **shape).gmacs
    return 100 * pruned / base, pruned, base
