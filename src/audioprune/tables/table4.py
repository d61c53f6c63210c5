"""Perturbation tests: P0 Table 4. At every pruning block some kept tokens are exchanged for pruned ones.

I: kept signal for pruned signal; II: kept background for pruned background; III: kept background for pruned signal.
"I-shuffled" and so on are the same by labels shuffled within the clip: the control that P0 lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.cells.query import as_trained
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results.contrasts import difference
from audioprune.results.estimate import INTERVAL
from audioprune.results.evaluations import covered, tidy
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._rows import CHANGED, adjusted, cell_of, changed, heading, quantity

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Perturbation of the kept tokens"
CAPTION = (
    "Accuracy when kept tokens are exchanged for pruned ones at every pruning block, at inference, without training. "
    "Test I exchanges signal for signal, II background for background, III background for signal; the best-scored "
    "pruned tokens come in and the number of tokens stays. Controls (-shuffled) do the same "
    "by labels that are shuffled within each clip, so that they differ from the test in nothing but which patches are "
    "called signal. The change is against the same model unperturbed, and against the test's control."
)
PUBLISHED = ("table4",)  # files of report/published that it shows
SHUFFLED = "-shuffled"
TESTS = ("none", *(f"{test}{end}" for test in ("I", "II", "III") for end in ("", SHUFFLED)))
CAUTION = (
    "A patch counts as signal when its normalised mean is above the dataset's threshold. What P0 concludes from this "
    "table is withdrawn: its labels of signal and background look independent of where the patches lie."
)


def needs(study: Cells) -> list:
    """The perturbed evaluations, and the unperturbed ones of the same fine-tunings."""
    perturbed = [c for c in study.cells("evaluate") if c.settings.perturbation != "none"]
    tuned = {c.inputs["finetune"].path for c in perturbed}
    plain = [c for c in study.cells("evaluate", selection="last") if as_trained(c)]
    return [*perturbed, *(c for c in plain if c.inputs["finetune"].path in tuned)]


def build(results: Results) -> Table:
    frame = tidy(results)
    frame = frame[(frame["selection"] == "last") & (frame["trained"] == "")]
    published = results.published("table4")
    rows: list[Row] = []
    shown: list[Any] = []
    for (backbone, dataset, variant), group in frame.groupby(["backbone", "dataset", "variant"], sort=False):
        pruned = group.groupby(["keep_rate", "method"], sort=False)
        for (rate, method), tests in sorted(pruned, key=lambda item: -item[0][0]):
            if set(tests["perturbation"]) == {"none"}:
                continue
            by_test = {row.perturbation: row for row in tests.itertuples()}
            shown += by_test.values()
            for test in (t for t in TESTS if t in by_test):
                row, plain = by_test[test], by_test.get("none")
                where = {"backbone": backbone, "dataset": dataset, "method": method, "keep_rate": rate}
                beside = lookup(published, metric=row.metric, location=test, **where)
                cells = {**where, "variant": variant, "metric": row.metric, "n": row.n, "runs": row.runs}
                cells |= {"test": test.replace("none", "unperturbed"), "accuracy": quantity(row, **beside)}
                if test != "none" and plain is not None and plain.runs and row.runs:
                    cells["change"] = cell_of(difference(results, row, plain))
                control = by_test.get(f"{test}{SHUFFLED}")
                if control is not None and control.runs and row.runs:
                    cells["this_minus_control"] = cell_of(difference(results, row, control))
                rows.append(Row(cells, heading(group)))
    every = [cell for row in rows for cell in row.cells.values() if isinstance(cell, Cell)]
    notes = (CAUTION, f"Intervals: {INTERVAL}.", *covered(shown), CHANGED)
    return Table(_columns(), tuple(adjusted(rows)), notes, EXPLAINED, status(every))


def _columns() -> tuple[Column, ...]:
    return (
        Column("method", "Method", align="left"),
        Column("keep_rate", "Keep-rate", decimals=1),
        Column("test", "Test", align="left"),
        Column("accuracy", "Ours"),
        Column("accuracy", "95 % interval", part="interval"),
        Column("change", "Change", "points", signed=True),
        Column("change", "95 % interval", part="interval", signed=True),
        changed("change"),
        Column("this_minus_control", "Against control", "points", signed=True),
        Column("this_minus_control", "95 % interval", part="interval", signed=True),
        changed("this_minus_control"),
        Column("accuracy", "Published", part="published"),
        Column("accuracy", "Difference", "points", part="difference"),
    )
