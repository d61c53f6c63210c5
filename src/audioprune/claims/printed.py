"""Printed numbers that claims are compared with: values of report/published, looked up by their exact text."""

from __future__ import annotations

from audioprune import registry
from audioprune.results import published


class NotPrinted(LookupError):
    """The source prints no such value: what only printed numbers could decide is left out."""


def printed(name: str, **wanted: str) -> str | None:
    """The one printed value of report/published/<name>.csv with these texts; None if there is none."""
    found = [row["value"] for row in published.rows(name) if all(row[k] == v for k, v in wanted.items())]
    if len(found) > 1:
        raise ValueError(f"{len(found)} published values in {name} have {wanted}")
    return found[0] if found else None


def printed_number(name: str, **wanted: str) -> float:
    """The printed value as a number; raises NotPrinted if there is none."""
    found = printed(name, **wanted)
    if found is None:
        raise NotPrinted(f"{name} has no value with {wanted}")
    return float(found)


def published_drop(name: str, backbone: str, dataset: str, keep_rate: float, method: str = "topk") -> float | None:
    """Points that a published table loses from the unpruned model to a keep-rate; mAP is taken x 100."""
    metric = "map" if registry.dataset(dataset).metric == "map" else "top1"
    rows = [
        row
        for row in published.rows(name)
        if (row["backbone"], row["dataset"], row["metric"]) == (backbone, dataset, metric) and row["keep_rate"]
    ]
    values = {
        (row["method"], float(row["keep_rate"])): float(row["value"]) * (100 if row["unit"] == "fraction" else 1)
        for row in rows
    }
    base, pruned = values.get(("none", 1.0)), values.get((method, keep_rate))
    return None if base is None or pruned is None else base - pruned
