"""The explorer of results: every evaluation as a row that can be found, sorted and opened, and every cell behind it.

Made of the table `evaluations` and of the study's records, and of nothing else. The anchors are permanent: of a cell
`cell-<key>`, of a row `result-<key of its first cell>`. All of it is in the page's HTML; the script report/explorer.js
reads `data` and adds filters, sorting and details.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from audioprune.cells.provenance import code
from audioprune.exhibits import display
from audioprune.exhibits.table import CLEAR, Cell, Row, Table
from audioprune.results import costs
from audioprune.wording import clean, number

if TYPE_CHECKING:
    from audioprune.results.study import Result, Results

TABLE = "evaluations"  # the exhibit that it is made of
FILTERS = {
    "backbone": "Backbone", "dataset": "Dataset", "method": "Method", "trained": "Trained at",
    "keep_rate": "Evaluated at", "blocks": "Blocks", "score": "Score", "test": "Test",
}  # fmt: skip
AS_EVALUATED = "as evaluated"


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval, as far as there is one."""

    value: float | None
    low: float | None
    high: float | None

    def text(self, signed: bool = False) -> str:
        """'12.0 [6.0, 18.0]'; empty without a value."""
        if self.value is None:
            return ""
        ends = [number(end, 1, signed) for end in (self.low, self.high) if end is not None]
        return number(self.value, 1, signed) + (f" [{', '.join(ends)}]" if len(ends) == 2 else "")


@dataclass(frozen=True)
class Evaluation:
    """One row: what was evaluated, what came out, what it is compared with, and the cells it rests on."""

    anchor: str
    backbone: str
    dataset: str
    method: str
    trained: str  # how it was pruned in training
    keep_rate: str
    blocks: str
    score: str
    test: str  # a perturbation of tokens
    selection: str
    variant: str  # other settings of the recipe
    metric: str
    value: Interval
    why: str  # it is not there
    delta: Interval  # to `against`, in points
    changed: tuple[int, int] | None  # clips that only it has right, and only its reference
    p: float | None  # of no difference, adjusted by Holm over the table
    gmacs: float | None
    n: int  # clips
    runs: int
    folds: int
    seeds: int
    at_chance: str  # what the unpruned model knows, where that is too little
    against: str  # anchor of its reference
    cells: tuple[str, ...]  # anchors
    counted: tuple[str, ...]  # anchors of the cells in which its MACs were counted

    @property
    def said(self) -> str:
        """What a link to it says."""
        trained = "" if self.trained == AS_EVALUATED else f", trained {self.trained}"
        return f"{self.backbone} on {self.dataset}, {self.method} at {self.keep_rate}{trained}"

    @property
    def clear(self) -> bool:
        """Whether the difference excludes zero, adjusted."""
        return self.p is not None and self.p <= CLEAR


@dataclass(frozen=True)
class Card:
    """A cell: what it is made with and of, where it lies, and how it is made again."""

    anchor: str
    kind: str
    address: str
    key: str
    record: str  # path of its record
    files: str  # beside it
    log: str
    command: str
    settings: str  # JSON
    inputs: tuple[tuple[str, str], ...]  # (name, anchor)
    outcome: str  # what its record says came out, JSON; empty where it is long
    made: str  # when, on what, of which code; empty where it is not there
    why: str  # it is not there


@dataclass(frozen=True)
class Explorer:
    evaluations: tuple[Evaluation, ...]
    cards: tuple[Card, ...]
    filters: Mapping[str, str]  # field -> its name

    @property
    def kinds(self) -> dict[str, list[Card]]:
        """Cells by kind, in the order in which they are made."""
        found: dict[str, list[Card]] = {}
        for card in self.cards:
            found.setdefault(card.kind, []).append(card)
        return found

    @property
    def data(self) -> str:
        """What the script reads: JSON that holds no `<`, so that it may stand in a page."""
        rows = [asdict(one) for one in self.evaluations]
        fields = [*rows[0]] if rows else []
        held = {"filters": dict(self.filters), "fields": fields, "rows": [[*row.values()] for row in rows]}
        return embedded(held)

    @cached_property
    def by_cell(self) -> dict[str, Evaluation]:
        """{anchor of a cell: the row that it went into}."""
        return {cell: one for one in self.evaluations for cell in one.cells}


def explore(results: Results, table: Table | None) -> Explorer:
    """Of the table `evaluations`, where the study has it, and all cells of the results."""
    rows = [_evaluation(results, row) for row in table.rows] if table else []
    varied = {name: title for name, title in FILTERS.items() if len({getattr(one, name) for one in rows}) > 1}
    return Explorer(tuple(rows), tuple(_card(r) for r in results.all()), varied)


def anchor(path: str) -> str:
    """Of a cell, by its path or its key: what a link in the page leads to."""
    return f"cell-{path.rpartition('/')[2]}"


def command(path: str) -> str:
    """What makes a cell again, given its path."""
    return f"snakemake {shlex.quote(f'results/cells/{path}/record.json')}"


def embedded(held: object) -> str:
    """JSON for a script element: no character of it ends the element or opens a comment."""
    text = json.dumps(held, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _evaluation(results: Results, row: Row) -> Evaluation:
    at: dict[str, Any] = dict(row.cells)
    first = next(iter(at["cells"].split("; ")), "")
    value, delta = (at[name] if isinstance(at[name], Cell) else Cell() for name in ("value", "delta"))
    cells, against = (tuple(anchor(path) for path in at[name].split("; ") if path) for name in ("cells", "against"))
    changed = None if delta.only_first is None or delta.only_second is None else (delta.only_first, delta.only_second)
    said: dict[str, Any] = {name: clean(at[name]) for name in ("blocks", "test", "selection", "metric")}
    said |= {name: display.text(clean(at[name])) for name in ("backbone", "dataset", "score", "variant")}
    return Evaluation(
        anchor=_result(cells),
        method=display.method(clean(at["method"])),
        **said,
        trained=_trained(at["trained"]),
        keep_rate=_typed(at["keep_rate"]),
        value=_interval(value),
        why=clean(value.why),
        delta=_interval(delta),
        changed=changed,
        p=_rounded(delta.p_holm, 6),
        gmacs=_rounded(at["gmacs"], 6),
        **{name: at[name] for name in ("n", "runs", "folds", "seeds")},
        at_chance=clean(at["at_chance"]),
        against=_result(against),
        cells=cells,
        counted=tuple(map(anchor, costs.counted_in(results, results.cell(first)) if first else ())),
    )


def _result(cells: tuple[str, ...]) -> str:
    return f"result-{cells[0].removeprefix('cell-')}" if cells else ""


def _trained(label: str) -> str:
    """'topk-kr0.5' -> 'TopK at 0.5'; what was not pruned in training was trained unpruned."""
    method, _, rate = label.rpartition("-kr")
    return AS_EVALUATED if not label else "unpruned" if method == "none" else f"{display.method(method)} at {rate}"


def _typed(value: str | float) -> str:
    """A name, or a keep-rate, as it is typed."""
    return value if isinstance(value, str) else f"{value:g}"


def _interval(cell: Cell) -> Interval:
    return Interval(*(_rounded(end, 3) for end in (cell.value, cell.low, cell.high)))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or value != value else round(float(value), digits)


LONG = 1200  # characters of an outcome that are not shown


def _card(r: Result) -> Card:
    settings = r.settings.model_dump(mode="json")
    outcome = json.dumps(r.record.get("results", {}), ensure_ascii=False) if r.ok else ""
    return Card(
        anchor(r.key), r.kind, clean(r.address), r.key, f"results/cells/{r.path}/record.json",
        clean(", ".join(r.record.get("files", {}))),
        f"results/logs/{r.path}.log", command(r.path), clean(json.dumps(settings, ensure_ascii=False)),
        tuple((name, anchor(one.key)) for name, one in r.inputs.items()),
        clean(outcome) if len(outcome) < LONG else "", _made(r.record["made"]) if r.ok else "", clean(r.why),
    )  # fmt: skip


def _made(made: Mapping[str, Any]) -> str:
    return clean(f"{made['started']}, in {number(made['wall_s'], 1)} s on {made['device']}, code {code(made['git'])}")
