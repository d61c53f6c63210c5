"""The comparisons that config.yaml fixes before any model is trained: their results and uncertainty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any

from audioprune.cells.contrasts import evaluations
from audioprune.exhibits.headline import Sentence
from audioprune.exhibits.table import CLEAR, Column, Row, Table
from audioprune.results import contrasts
from audioprune.results.estimate import Absent
from audioprune.results.evaluations import pick, rows_of
from audioprune.tables import _ablation
from audioprune.tables._rows import KEEP_RATE, adjusted, cell_of, change
from audioprune.wording import number, p_value

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Cells
    from audioprune.exhibits.headline import Rows
    from audioprune.results.study import Results
    from audioprune.settings.exhibits import Contrast
    from audioprune.settings.model import Pruning

TITLE = "Contrasts fixed beforehand"
CAPTION = (
    "Comparisons that the study's configuration names before any model is trained: the second side minus the first, "
    "which it is compared with, on the same test clips, so that below zero is a loss; and the clips that are lost and "
    "gained. Off the shelf, both sides are the unpruned model, pruned at evaluation only; these are tested, with "
    "Holm's adjustment over all of them. Models that were trained with their pruning are not tested; for them the "
    "table gives the loss that the data exclude."
)
DECLARED = True  # it is given the contrasts of the study
TESTED, BOUNDED = "Off the shelf, tested", "Trained with the pruning, not tested"
P = (
    f"p: two-sided, by the same bootstrap as the interval; p (Holm): adjusted over the tests of this table; {CLEAR:g} "
    "or less counts as a difference."
)
EXCLUDED = "Excluded loss: the one-sided 95 % upper bound of the difference; the data exclude a larger loss."


def needs(study: Cells) -> list:
    """Both sides of every contrast."""
    found = [
        cell for one in study.contrasts for side in (one.first, one.second) for cell in evaluations(study, one, side)
    ]
    return list({c.path: c for c in found}.values())


def build(results: Results) -> Table:
    frame = rows_of(results, needs(results))
    rows = [row for one in results.contrasts for row in _row(results, frame, one)]
    tested = adjusted(row for row in rows if row.group == TESTED)
    for row in tested:
        found: Any = row.cells["difference"]
        row.cells.update(p=found.p, p_holm=found.p_holm)
    bounded = [row for row in rows if row.group == BOUNDED]
    return Table(_columns(), (*tested, *bounded), (P, EXCLUDED, *_ablation.notes(frame.itertuples())))


def _row(results: Results, frame: pd.DataFrame, one: Contrast) -> Iterator[Row]:
    """One row; none where a side is not planned."""
    first, second = (_side(results, frame, one, pruning) for pruning in (one.first, one.second))
    found = contrasts.difference(results, first, second)
    if found is None:
        return
    cells: dict[str, Any] = {"backbone": one.backbone, "dataset": one.dataset}
    cells |= {"first": one.first.method, "second": one.second.method}
    cells["contrast"] = f"{_named(one.second.method)} − {_named(one.first.method)}"
    cells |= {"blocks": ", ".join(map(str, one.second.blocks)), "keep_rate": one.second.keep_rate}
    cells |= {"accuracy_first": _ablation.accuracy(first), "accuracy_second": _ablation.accuracy(second)}
    difference = cell_of(found)
    assert difference is not None
    if one.tested:
        yield Row(cells | {"difference": difference}, TESTED)
        return
    cells["difference"] = replace(difference, p=None)
    cells["excluded_loss"] = None if isinstance(found, Absent) or isnan(found.bounds[1]) else found.bounds[1]
    yield Row(cells, BOUNDED)


def _side(results: Results, frame: pd.DataFrame, one: Contrast, pruning: Pruning) -> Any:
    paths = tuple(c.path for c in evaluations(results, one, pruning))
    return pick(frame, cells=paths)


def _named(method: str) -> str:
    return "unpruned" if method == "none" else method


def _columns() -> tuple[Column, ...]:
    return (
        Column("backbone", "Model", align="left"),
        Column("contrast", "Contrast", align="left"),
        Column("blocks", "At blocks", align="left"),
        KEEP_RATE,
        Column("accuracy_first", "First", decimals=1),
        Column("accuracy_second", "Second", decimals=1),
        *change("difference"),
        Column("p", "p", p=True),
        Column("p_holm", "p (Holm)", p=True),
        Column("excluded_loss", "Excluded loss", "points", 1),
    )


def _said(rows: Rows) -> str:
    """How many of the tested contrasts differ, each with its size, and what the others exclude; nothing without any."""
    tested = [row for row in rows if row.get("p_holm") is not None]
    bounded = [row for row in rows if row.get("excluded_loss") is not None]
    found = [row for row in tested if row["p_holm"] <= CLEAR]
    sentences = []
    if tested:
        shown = "; ".join(_sentence(row) for row in tested)
        sentences.append(
            f"Of {len(tested)} contrasts off the shelf, {len(found)} differ (Holm, {100 * CLEAR:g} %): {shown}."
        )
    sentences += [
        f"{_place(row)}, trained with it: {_interval(row['difference'])}; a loss above "
        f"{number(row['excluded_loss'], 1)} points is excluded."
        for row in bounded
    ]
    return " ".join(sentences)


def _sentence(row: Any) -> str:
    cell = row["difference"]
    changed = "" if cell.only_first is None else f", {cell.only_first} clips lost, {cell.only_second} gained"
    return f"{_place(row)} {_interval(cell)} points{changed}, p {p_value(row['p_holm'])}"


def _place(row: Any) -> str:
    return f"{row['backbone']}, {row['contrast']} at blocks {row['blocks']} with {row['keep_rate']:g}"


def _interval(cell: Any) -> str:
    """Δ as the table shows it: the loss that the cell holds, with the other sign."""
    if cell.low is None or cell.high is None:
        return number(-cell.value, 1, signed=True)
    return f"{number(-cell.value, 1, signed=True)} [{number(-cell.high, 1)}, {number(-cell.low, 1)}]"


HEADLINE = Sentence(question="What do the contrasts say that were fixed before any model was trained?", said=_said)
