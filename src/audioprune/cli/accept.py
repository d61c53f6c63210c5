"""`audioprune accept KIND --why "..."`: declare that changed code of a kind of cell gives the same results.

Records in workflow/accepted.yaml that the changed modules count as the old ones, for this kind only, so that existing
cells stay valid. Only differences of code are accepted: cells whose settings or data have changed are made again as
before. Commit the file; every report lists its entries.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from audioprune import records, registry
from audioprune.cells import provenance
from audioprune.cells.cell import Cell
from audioprune.cells.kinds import KINDS
from audioprune.cli._output import columns, print_json
from audioprune.errors import UserError
from audioprune.fingerprints import accepted, accepting, fingerprint
from audioprune.fingerprints.accepted import Acceptance, Change, Changes
from audioprune.fingerprints.accepting import Made
from audioprune.fingerprints.keys import key_of
from audioprune.locks.main import hold
from audioprune.planning.plan import Plan

NOTHING_TO_ACCEPT = {
    "fetch": "downloaded data is identified by its digest: no code is in its key",
    "report": "a report lists the accepted changes, so it is always written again",
}


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "accept", help="declare that changed code gives the same results", description=__doc__
    )
    kinds = [kind for kind in KINDS if kind not in NOTHING_TO_ACCEPT]
    parser.add_argument("kind", metavar="KIND", help=f"{', '.join(kinds)}")
    parser.add_argument("--why", required=True, help="how it is known that the results are the same")
    parser.add_argument(
        "--like", metavar="CELL", action="append", default=[],
        help="a cell whose old code counts, where cells were made with several; may be given several times",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print what would be recorded, and record nothing")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    kind, why = arguments.kind, arguments.why.strip()
    _check(kind, why)
    plan = Plan()
    older, current = made_before(plan, kind)
    covered = alike(older, arguments.like) if arguments.like else older
    before = accepted.changes_of(kind)
    changes = accepting.find(covered, before)
    undone = [cell for cell in current if _moved(cell, changes, before)]
    if undone and not arguments.like:
        raise UserError(
            f"{len(undone)} {kind} cells were made with the code as it stands, such as {undone[0].path}, and "
            f"{len(older)} with older code, such as {older[0].path}. One of the two has to be made again: keep the "
            f"older ones with --like {older[0].path}, or accept nothing and keep the new ones"
        )
    again = [*undone, *(cell for cell in older if cell not in covered)] if changes else []
    report = {
        "kind": kind,
        "why": why,
        "recorded": bool(changes) and not arguments.dry_run,
        "modules": {name: change.model_dump() for name, change in changes.items()},
        "covers": [cell.path for cell in covered] if changes else [],
        "made_again": [cell.path for cell in again],
        "also_in": _also_in(plan, kind, changes),
    }
    if report["recorded"]:
        _record(kind, why, changes)
    if arguments.json:
        print_json(report)
    else:
        _print(report, changes, covered)
    return 0


def _record(kind: str, why: str, changes: dict[str, Change]) -> None:
    git = provenance.git_state()
    date, commit, dirty = time.strftime("%Y-%m-%d"), git.get("commit", ""), git.get("dirty", False)
    entry = Acceptance(kind=kind, why=why, date=date, commit=commit, dirty=dirty, modules=changes)
    with hold(who="audioprune accept"):  # jobs that are planned already would refuse their code
        accepted.append(entry)
    fingerprint.forget()


def _also_in(plan: Plan, kind: str, changes: dict[str, Change]) -> list[str]:
    """Other kinds of cells whose code holds one of the changed modules: each is accepted by itself."""
    codes = {(cell.kind, cell.plugins) for cell in plan.cells.values()} if changes else set()
    found = {other for other, plugins in codes if changes.keys() & fingerprint.code_of_kind(other, plugins)[0].keys()}
    return [other for other in KINDS if other in found - {kind} - NOTHING_TO_ACCEPT.keys()]


def _check(kind: str, why: str) -> None:
    if kind in NOTHING_TO_ACCEPT:
        raise UserError(f"no change of code can be accepted for {kind!r}: {NOTHING_TO_ACCEPT[kind]}")
    if kind not in KINDS:
        raise UserError(
            f"there is no kind of cell {kind!r}{registry.nearest(kind, KINDS.keys() - NOTHING_TO_ACCEPT.keys())}"
        )
    if not why:
        raise UserError(
            '--why is empty: say how it is known that the results are the same, such as "same bits, test x"'
        )


def made_before(plan: Plan, kind: str) -> tuple[list[Made], list[Made]]:
    """(cells made with other code, cells made with the current code): the newest at each planned cell's address."""
    older: dict[str, Made] = {}
    current: dict[str, Made] = {}
    for cell in plan.cells.values():
        if cell.kind == kind and (made := _newest(cell)):
            (current if made.code == fingerprint.code_of_kind(kind, cell.plugins)[1] else older)[made.path] = made
    return list(older.values()), list(current.values())


def _newest(cell: Cell) -> Made | None:
    """The newest cell with a planned cell's settings and data, made by any code."""
    records_there = sorted(cell.dir.parent.glob(f"*/{records.RECORD}"))
    found = [record for path in records_there if (record := _read(path)) and explains(cell, record)]
    if not found:
        return None
    newest = max(found, key=lambda record: record.get("made", {}).get("started", ""))
    roots = fingerprint.roots_of(cell.kind, cell.plugins)
    return Made(f"{cell.kind}/{cell.address}/{newest['key']}", roots, fingerprint.counted_in(newest))


def explains(cell: Cell, record: dict) -> bool:
    """Whether a record was made with a planned cell's settings and data, and the code and inputs that it lists."""
    try:
        code = fingerprint.digest(cell.kind, fingerprint.counted_in(record).items())
        return record["key"] == key_of(cell.kind, cell.settings, record["inputs"], cell.digests, code)
    except (KeyError, AttributeError, TypeError):
        return False


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def alike(older: list[Made], named: list[str]) -> list[Made]:
    """The cells whose code is that of the ones named, as far as they have modules in common."""
    chosen = {cell.path: cell for cell in older}
    paths = [name.removeprefix("results/cells/").removesuffix(f"/{records.RECORD}").strip("/") for name in named]
    if unknown := [path for path in paths if path not in chosen]:
        valid = ", ".join([*chosen][:3]) or "there is none"
        raise UserError(f"--like {unknown[0]} is not a cell made with older code; such cells: {valid}")
    codes = [chosen[path].code for path in paths]
    return [
        cell for cell in older if all(code.get(m, value) == value for code in codes for m, value in cell.code.items())
    ]


def _moved(cell: Made, changes: dict[str, Change], before: Changes) -> bool:
    """Whether a cell that is good now would not be after these changes."""
    return fingerprint.counted(cell.roots, accepted.indexed([changes], before)) != cell.code


def _print(report: dict, changes: dict[str, Change], older: list[Made]) -> None:
    kind = report["kind"]
    if not changes:
        print(f"nothing to accept: no {kind} cell of any study was made with other code")
        return
    counts = Counter(module for cell in older for module in cell.code if module in changes)
    rows = [[m, change.old[:12], change.new[:12], _also(change), counts[m]] for m, change in changes.items()]
    print(columns(["module", "old", "new", "and", "cells"], rows, right=(4,)), "\n")
    print(f"covers {len(older)} {kind} cells:")
    for path in report["covers"]:
        print(f"  {path}")
    for path in report["made_again"]:
        print(f"  to be made again, since it was made with other code: {path}")
    if report["also_in"]:
        print(f"the same modules are in the code of {', '.join(report['also_in'])}, which this does not cover")
    if report["recorded"]:
        print(f"written to {accepted.FILE.parent.name}/{accepted.FILE.name}; commit it. See: audioprune plan")
    else:
        print("nothing was written (--dry-run)")


def _also(change: Change) -> str:
    found = [f"+{name}" for name in change.brought] + [f"-{name}" for name in change.dropped]
    return " ".join(found)
