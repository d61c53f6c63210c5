"""Consistency between claims as worded: which cannot be true together, and which repeat others (paper.md 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from audioprune.claims.claim import Claim
from audioprune.claims.units import Quantity

Kind = Literal["contradiction", "duplicate", "restates", "same baseline"]


@dataclass(frozen=True)
class Relation:
    """Two or more claims that bear on each other."""

    kind: Kind
    ids: tuple[str, ...]
    text: str


def relations(claims: Sequence[Claim]) -> list[Relation]:
    """All of them: rows that are one claim, claims that restate another, contradictions, drops and baselines."""
    found = [Relation("duplicate", c.ids, f"the same claim in {len(c.ids)} rows") for c in claims if len(c.ids) > 1]
    found += [Relation("restates", (c.name, *c.restates), "says part of the same") for c in claims if c.restates]
    costs = [c for c in claims if "macs" in c.quantities]
    return found + _bands(claims, costs) + _orders(costs) + _baselines(costs)


def _reduction(claim: Claim) -> Quantity:
    return claim.quantities["macs"].to("pct_reduction")


def _bands(claims: Sequence[Claim], costs: Sequence[Claim]) -> list[Relation]:
    """A saving that is claimed for one cell, outside the band that is claimed for all."""
    found = []
    for general in (c for c in claims if {"least", "most"} <= set(c.quantities)):
        least, most = (general.quantities[name].to("pct_reduction") for name in ("least", "most"))
        for one in costs:
            covered = set(one.cells.backbones) <= set(general.cells.backbones)
            covered = (
                covered and set(one.cells.datasets) <= set(general.cells.datasets) and one.cells.methods == ("topk",)
            )
            if covered and not least <= _reduction(one) <= most:
                text = f"{_reduction(one)} at {_rate(one)}, {least.value:f} to {most.value:f} % by {general.name}"
                found.append(Relation("contradiction", (one.name, general.name), text))
    return found


def _orders(costs: Sequence[Claim]) -> list[Relation]:
    """Claims in which the higher of two keep-rates of one model and dataset saves more, which is impossible."""
    found = []
    for a, b in combinations(costs, 2):
        if (a.cells.backbones, a.cells.datasets, a.cells.methods) != (
            b.cells.backbones,
            b.cells.datasets,
            b.cells.methods,
        ):
            continue
        if len(a.cells.keep_rates) != 1 or len(b.cells.keep_rates) != 1:
            continue
        more, fewer = sorted((a, b), key=lambda c: -c.cells.keep_rates[0])
        if _reduction(fewer) < _reduction(more):
            text = "keeping more tokens would save more: "
            text += ", ".join(f"{_reduction(one)} at {_rate(one)}" for one in (more, fewer))
            found.append(Relation("contradiction", (more.name, fewer.name), text))
    return found


def _baselines(costs: Sequence[Claim]) -> list[Relation]:
    """Values and drops on one dataset lead back to one unpruned value, or contradict each other."""
    groups: dict[tuple, list[Claim]] = {}
    for claim in costs:
        if {"score", "drop"} <= set(claim.quantities):
            groups.setdefault((claim.cells.backbones, claim.cells.datasets), []).append(claim)
    found = []
    for (backbones, datasets), own in groups.items():
        implied = {c.name: (c.quantities["score"] + c.quantities["drop"]).value for c in own}
        kind: Kind = "same baseline" if len(set(implied.values())) == 1 else "contradiction"
        values = ", ".join(f"{value:f}" for value in dict.fromkeys(implied.values()))
        if len(own) > 1:
            text = f"value plus drop gives {values} for {backbones[0]} unpruned on {datasets[0]}"
            found.append(Relation(kind, tuple(implied), text))
    return found


def _rate(claim: Claim) -> str:
    return f"keep-rate {claim.cells.keep_rates[0]:g}" if claim.cells.keep_rates else "an unstated keep-rate"
