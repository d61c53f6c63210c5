"""A count of multiply-accumulates beside that of the unpruned model: as plain values, and as lines of text."""

from __future__ import annotations

from collections.abc import Mapping

from audioprune.cli._output import columns
from audioprune.profiling.macs import Macs


def beside(ours: Macs, base: Macs) -> dict:
    """Items and totals of both, blocks of ours, and what remains."""
    remaining = 100 * ours.total / base.total
    return {
        **_numbers(ours),
        "per_block": ours.per_block,
        "unpruned": _numbers(base),
        "pct_remaining": remaining,
        "pct_reduction": 100 - remaining,
    }


def itemised(report: dict, names: Mapping[str, str], counted: str) -> list[str]:
    """A table of what `beside` gave, the tokens (said to be `counted`) from stage to stage, and what remains."""
    base = report["unpruned"]
    rows = [
        [
            names[item],
            f"{macs:,}",
            f"{100 * macs / report['total']:.2f}",
            f"{base['items'][item]:,}",
            _share(macs, base["items"][item]),
        ]
        for item, macs in report["items"].items()
        if macs or base["items"][item]
    ]
    rows.append(
        ["total", f"{report['total']:,}", "100.00", f"{base['total']:,}", _share(report["total"], base["total"])]
    )
    header = ["item", "MACs", "% of total", "unpruned MACs", "% remaining"]
    tokens = [report["per_block"][0]["tokens_in"]]
    tokens += [row["tokens_out"] for row in report["per_block"] if row["tokens_out"] != row["tokens_in"]]
    return [
        columns(header, rows, right=(1, 2, 3, 4)),
        "",
        f"{counted}: {' -> '.join(map(str, tokens))}",
        f"{report['gmacs']:.4f} GMAC of {base['gmacs']:.4f} GMAC for one clip",
        f"remaining: {report['pct_remaining']:.2f} % of the unpruned model's MACs; "
        f"reduction: {report['pct_reduction']:.2f} %",
    ]


def _numbers(macs: Macs) -> dict:
    return {"items": macs.items, "total": macs.total, "gmacs": macs.gmacs}


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}" if whole else "-"
