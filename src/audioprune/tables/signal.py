"""The signal threshold of each dataset and how much of it is signal: P0 Figure 4's captions (paper.md 2.2, B15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.tables._published import EXPLAINED, has_published, lookup, status
from audioprune.tables._tokens import PADDING, cells_of

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.results.study import Result, Results

TITLE = "How much of each dataset is signal"
CAPTION = (
    "The threshold τ, as given (by P0 for its datasets) or read from the histogram of normalised log-mel values (the "
    "lower edge of the second of ten equal bins), and the share of pixels and of patches above it: in the seeded "
    "sample whose histogram is drawn and in all evaluation clips (of all folds, as published: they are described, and "
    "nothing is trained with them). Patches that are not signal are background or padding."
)
PUBLISHED = ("figure4",)  # files of report/published that it shows
AMBIGUOUS = (
    "P0 calls its share an area and does not say whether of pixels or of patches; it is shown beside both. Its Table "
    "2 implies 66.2, 83.1, 66.6 and 92.7 % of tokens for spc2, esc50, voxceleb1 and as20k (docs/differences.md, B15)."
)


def needs(study: Cells) -> list:
    return study.cells("clusters")


def build(results: Results) -> Table:
    published = results.published("figure4")
    rows = [row for r in needs(results) for row in _rows(published, r)]
    told = (*([AMBIGUOUS] if has_published(rows) else []), PADDING) if rows else ()
    return Table(_columns(), tuple(rows), told, EXPLAINED, status(cells_of(rows)))


def _rows(published: pd.DataFrame, r: Result) -> Iterator[Row]:
    dataset = r.settings.dataset
    where = {"backbone": "", "dataset": dataset, "method": "", "keep_rate": None}
    tau, area = (lookup(published, metric=metric, **where) for metric in ("tau", "signal_area"))
    if not r.ok:
        yield Row({"dataset": dataset, "tau": Cell(why=r.why, **tau), "pixels": Cell(why=r.why, **area)}, dataset)
        return
    frame = r.frame("signal.csv")
    for (kind, value, over), own in frame.groupby(["tau", "value", "clips"], sort=False):
        shares = dict(zip(own["unit"], own["share"], strict=True))
        n = int(own["n"].iloc[0])
        row = {"dataset": dataset, "kind": kind, "clips": over, "n": n, "tau": Cell(float(value), **tau)}
        row |= {unit: 100 * float(share) for unit, share in shares.items()}
        shown = {unit: Cell(row[unit], **area) for unit in ("pixels", "patches")}
        yield Row(row | shown, dataset, (r.path,))


def _columns() -> tuple[Column, ...]:
    return (
        Column("kind", "Threshold", align="left"),
        Column("tau", "τ", decimals=3),
        Column("tau", "Published τ", part="published"),
        Column("clips", "Clips", align="left"),
        Column("n", "n", decimals=0),
        Column("pixels", "Of pixels", "%", 1),
        Column("patches", "Of patches", "%", 1),
        Column("background", "Background", "%", 1),
        Column("padding", "Padding", "%", 1),
        Column("patches", "Published area", "%", 0, part="published"),
        Column("pixels", "Pixels minus published", "points", 1, part="difference"),
        Column("patches", "Patches minus published", "points", 1, part="difference"),
    )
