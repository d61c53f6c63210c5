"""Perturbation tests: P0 Table 4. At every pruning block some kept tokens are exchanged for pruned ones.

I: kept signal for pruned signal; II: kept background for pruned background; III: kept background for pruned signal.
"I-shuffled" and so on are the same by labels shuffled within the clip: the control that P0 lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from audioprune.cells.query import as_trained
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results.contrasts import difference
from audioprune.results.estimate import INTERVAL
from audioprune.results.evaluations import covered, tidy
from audioprune.tables._published import EXPLAINED, lookup, status
from audioprune.tables._rows import CHANGED, KEEP_RATE, VALUE, adjusted, cell_of, changed, heading, quantity
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Perturbation of the kept tokens"
CAPTION = (
    "Accuracy when kept tokens are exchanged for pruned ones at every pruning block, at inference, without training. "
    "Test I exchanges signal for signal, II background for background, III background for signal; the highest-scored "
    "pruned tokens are taken, and the number of tokens stays the same. Controls (-shuffled) do the same with labels "
    "shuffled within each clip, so that they differ from the test only in which patches are called signal. "
    "Differences: the row minus the same model unperturbed, and the test minus its control."
)
PUBLISHED = ("table4",)  # files of report/published that it shows
SHUFFLED = "-shuffled"
TESTS = ("none", *(f"{test}{end}" for test in ("I", "II", "III") for end in ("", SHUFFLED)))
CAUTION = (
    "P0's conclusions from this table are withdrawn: its labels of signal and background appear to be independent of "
    "where the patches lie."
)
LABELS = (
    "A patch counts as signal when its normalised mean is above τ, else as background, padding among it, as in P0's "
    "Algorithm 1; where τ is not given, it is read from the pixels of all evaluation clips, as P0 reads it. Shares of "
    "signal / other background / padding among their patches: {}."
)
KINDS = {"signal_share": "patches", "background_share": "background", "padding_share": "padding"}  # units of signal.csv


def needs(study: Cells) -> list:
    """The perturbed evaluations, and the unperturbed ones of the same fine-tunings."""
    perturbed = [c for c in study.cells("evaluate") if c.settings.perturbation != "none"]
    tuned = {c.inputs["finetune"].path for c in perturbed}
    plain = [c for c in study.cells("evaluate", selection="last") if as_trained(c)]
    labelled = {_place(c) for c in perturbed}
    clusters = [c for c in study.cells("clusters") if _place(c) in labelled]
    return [*perturbed, *(c for c in plain if c.inputs["finetune"].path in tuned), *clusters]


def _place(cell: Any) -> tuple:
    """Dataset and shape of patches of an evaluation, or of the clusters that it is labelled by."""
    if cell.kind == "clusters":
        return cell.settings.dataset, cell.settings.patch, cell.settings.stride
    tuned = cell.inputs["finetune"].settings
    return tuned.dataset, tuned.model.patch, tuned.model.stride


def build(results: Results) -> Table:
    frame = tidy(results)
    frame = frame[(frame["selection"] == "last") & (frame["trained"] == "")]
    published = results.published("table4")
    rows: list[Row] = []
    shown: list[Any] = []
    told: dict[str, str] = {}  # of each dataset
    for (backbone, dataset, variant), group in frame.groupby(["backbone", "dataset", "variant"], sort=False):
        pruned = group.groupby(["keep_rate", "method"], sort=False)
        for (rate, method), tests in sorted(pruned, key=lambda item: -item[0][0]):
            if set(tests["perturbation"]) == {"none"}:
                continue
            by_test = {row.perturbation: row for row in tests.itertuples()}
            labels = _labels(results, next(row for name, row in by_test.items() if name != "none"))
            told[dataset] = _told(dataset, labels)
            shown += by_test.values()
            for test in (t for t in TESTS if t in by_test):
                row, plain = by_test[test], by_test.get("none")
                where = {"backbone": backbone, "dataset": dataset, "method": method, "keep_rate": rate}
                beside = lookup(published, metric=row.metric, location=test, **where)
                cells = {**where, "variant": variant, "metric": row.metric, "n": row.n, "runs": row.runs, **labels}
                cells |= {"test": test.replace("none", "unperturbed"), "accuracy": quantity(row, **beside)}
                if test != "none" and plain is not None and plain.runs and row.runs:
                    cells["change"] = cell_of(difference(results, row, plain))
                control = by_test.get(f"{test}{SHUFFLED}")
                if control is not None and control.runs and row.runs:
                    cells["this_minus_control"] = cell_of(difference(results, row, control))
                rows.append(Row(cells, heading(group)))
    every = [cell for row in rows for cell in row.cells.values() if isinstance(cell, Cell)]
    labelled = [LABELS.format("; ".join(told.values()))] if told else []
    notes = (CAUTION, *labelled, f"Intervals: {INTERVAL}.", *covered(shown), CHANGED)
    return Table(_columns(), tuple(adjusted(rows)), notes, EXPLAINED, status(every))


def _labels(results: Results, row: Any) -> dict[str, float]:
    """tau, and the share of each kind of patch in percent, of a row's perturbed evaluations; what is known of them."""
    cell = results.cell(row.cells[0])
    kind = "auto" if cell.settings.tau is None else "given"
    found = {} if cell.settings.tau is None else {"tau": float(cell.settings.tau)}
    for clusters in results.cells("clusters"):
        if clusters.ok and _place(clusters) == _place(cell):
            frame = clusters.frame("signal.csv")
            own = frame[(frame["clips"] == "all") & (frame["tau"] == kind)].set_index("unit")
            found |= {"tau": float(own["value"].iloc[0])}
            found |= {name: 100 * float(own["share"][unit]) for name, unit in KINDS.items()}
    return found


def _told(dataset: str, labels: Mapping[str, float]) -> str:
    """'esc10 (τ = −0.400) 67.0 / 23.0 / 10.0 %'"""
    name = f"{dataset} (τ = {number(labels['tau'], 3)})" if "tau" in labels else dataset
    shares = [number(labels[kind], 1) for kind in KINDS if kind in labels]
    return f"{name} {' / '.join(shares)} %" if shares else name


def _columns() -> tuple[Column, ...]:
    return (
        Column("method", "Method", align="left"),
        KEEP_RATE,
        Column("test", "Test", align="left"),
        Column("accuracy", VALUE),
        Column("accuracy", "95 % interval", part="interval"),
        Column("change", "Minus unperturbed", "points", signed=True),
        Column("change", "95 % interval", part="interval", signed=True),
        changed("change"),
        Column("this_minus_control", "Minus control", "points", signed=True),
        Column("this_minus_control", "95 % interval", part="interval", signed=True),
        changed("this_minus_control"),
        Column("accuracy", "Published", part="published"),
        Column("accuracy", "Minus published", "points", part="difference"),
    )
