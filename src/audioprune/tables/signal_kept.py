"""Signal tokens kept at each stage: P0 Table 2, for topk models that rank by global attention (paper.md 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.exhibits.table import Table
from audioprune.results.tokens import analysed
from audioprune.tables import _retention
from audioprune.tables._published import EXPLAINED, status
from audioprune.tables._tokens import cells_of, notes

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Signal tokens kept at each stage"
CAPTION = (
    "Models pruned by topk with global attention. Ratio A: signal tokens that a pruning stage keeps, divided by all "
    "tokens that enter it; ratio B: the share of the input's signal tokens that are kept; means over test clips. K / "
    "N, the share of all tokens that are kept, is what ratio B would be if the selection were blind to signal; A if "
    "blind is what ratio A would be. Last, the share of the kept tokens that is padding (the CSV also has signal and "
    "background)."
)
PUBLISHED = ("table2",)  # files of report/published that it shows
CAUTION = (
    "P0's conclusions from its Table 2 are withdrawn: its ratio B equals K / N to within rounding, as it would with "
    "labels unrelated to the tokens. Ours use labels in the backbone's own token order."
)


def needs(study: Cells) -> list:
    return analysed(study, score="global")


def build(results: Results) -> Table:
    rows, shown = _retention.rows(results, needs(results), results.published("table2"))
    told = (CAUTION, _retention.DENOMINATOR, *notes(results, shown))
    return Table(_retention.columns(), tuple(rows), told, EXPLAINED, status(cells_of(rows)))
