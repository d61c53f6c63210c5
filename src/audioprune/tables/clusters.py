"""Levels of intensity and variation, C1 to C5: their edges and shares beside the released ones (paper.md 3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.tables._published import EXPLAINED, has_published, lookup, status
from audioprune.tables._tokens import PADDING, PROTOCOL, cells_of

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Result, Results

TITLE = "Clusters of intensity and variation"
CAPTION = (
    "k-means on the means (intensity) and standard deviations (variation) of all patches of a dataset's evaluation "
    "clips (of all folds, as released): each cluster's upper edge in normalised log-mel, its share of the patches and "
    "how much of it is padding. Shares in brackets are rounded down to whole percents, as the released figure prints "
    "them."
)
PUBLISHED = ("clusters",)  # files of report/published that it shows
RELEASED = "Released: the values of the released scripts for their data."
STATISTICS = {"mean": "intensity", "std": "variation"}


def needs(study: Cells) -> list:
    return study.cells("clusters")


def build(results: Results) -> Table:
    published = results.published("clusters")
    rows = [row for r in needs(results) for row in _rows(published, r)]
    told = (PROTOCOL, PADDING, *([RELEASED] if has_published(rows) else [])) if rows else ()
    return Table(_columns(), tuple(rows), told, EXPLAINED, status(cells_of(rows)))


def _rows(published: pd.DataFrame, r: Result) -> Iterator[Row]:
    dataset = r.settings.dataset
    where = {"backbone": "", "dataset": dataset, "method": "", "keep_rate": None}
    if not r.ok:
        yield Row({"dataset": dataset, "cluster": "C1", "upper": Cell(why=r.why)}, dataset)
        return
    for statistic, own in r.frame().groupby("statistic", sort=False):
        group = f"{dataset}: {STATISTICS[statistic]}, {r.record['results']['clips']} clips"
        least = lookup(published, metric=f"{statistic}_cluster_edge", location="lower edge of C1", **where)
        fixed = {"dataset": dataset, "statistic": statistic}
        yield Row(
            {**fixed, "cluster": "lower edge", "upper": Cell(float(own["lower"].iloc[0]), **least)}, group, (r.path,)
        )
        for one in own.itertuples():
            upper = lookup(
                published, metric=f"{statistic}_cluster_edge", location=f"upper edge of {one.cluster}", **where
            )
            share = lookup(published, metric=f"{statistic}_cluster_share", location=one.cluster, **where)
            row = {**fixed, "cluster": one.cluster, "upper": Cell(one.upper, **upper), "centre": one.centre}
            row |= {"patches": one.patches, "share": Cell(100 * one.share, **share), "percent": f"[{one.percent}]"}
            row["padding"] = 100 * one.padding / own["patches"].sum()
            yield Row(row, group, (r.path,))


def _columns() -> tuple[Column, ...]:
    return (
        Column("cluster", "Cluster", align="left"),
        Column("upper", "Upper edge", decimals=4),
        Column("upper", "Released", decimals=4, part="published"),
        Column("upper", "Minus released", decimals=4, part="difference"),
        Column("centre", "Centre", decimals=4),
        Column("share", "Share", "%", 1),
        Column("percent", "Rounded down", "%"),
        Column("padding", "Padding", "%", 1),
        Column("share", "Released", "%", 1, part="published"),
        Column("share", "Minus released", "points", 1, part="difference"),
    )
