"""`audioprune status [STUDY]`: every cell's state: done, missing, damaged, outdated, or made with other versions."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from audioprune import records
from audioprune.cells import provenance
from audioprune.cells.cell import DEFAULT_STUDY, Cell
from audioprune.cells.state import States
from audioprune.cli._output import columns, print_json
from audioprune.planning.plan import Plan

STATES = ("done", "other versions", "missing", "damaged", "outdated")


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("status", help="state of every cell of a study", description=__doc__)
    parser.add_argument("study", nargs="?", default=DEFAULT_STUDY)
    parser.add_argument("--all", action="store_true", help="list also the cells that are done")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    states = States()
    found = [describe(states, cell) for cell in Plan().everything(arguments.study).values()]
    if arguments.json:
        print_json({"study": arguments.study, "cells": found})
        return 0
    listed = [entry for entry in found if arguments.all or entry["state"] not in ("done", "missing")]
    if listed:
        print(columns(["state", "cell", "why"], [[e["state"], e["cell"], e["why"]] for e in listed]), "\n")
    counts = Counter((entry["kind"], entry["state"]) for entry in found)
    kinds = list(dict.fromkeys(entry["kind"] for entry in found))
    rows = [[kind, *(counts[kind, state] or "" for state in STATES)] for kind in kinds]
    print(columns(["kind", *STATES], rows, right=(1, 2, 3, 4, 5)))
    return 0


def describe(states: States, cell: Cell) -> dict:
    """State of one cell. `outdated`: not made, but an older cell exists at its address."""
    state = states.of(cell)
    name, why = state.name, state.why
    if name == "done" and (changed := other_versions(cell)):
        name, why = "other versions", changed
    elif name == "missing" and (older := siblings(cell)):
        name, why = "outdated", f"made before as {', '.join(older)}; see: audioprune why {cell.path}"
    return {"kind": cell.kind, "cell": cell.path, "state": name, "why": cell.note or why}


def other_versions(cell: Cell) -> str:
    """Which dependencies had other versions when the cell was made, as text."""
    then, now = records.read(cell.dir)["made"]["versions"], provenance.versions()
    return ", ".join(f"{name} {then[name]} -> {now[name]}" for name in now if name in then and then[name] != now[name])


def siblings(cell: Cell) -> list[str]:
    """Keys of finished cells at the same address that are not this one."""
    found = [p.parent for p in cell.dir.parent.glob(f"*/{records.RECORD}") if p.parent.name != cell.key]
    return [p.name for p in sorted(found) if _is_record(p)]


def _is_record(folder: Path) -> bool:
    try:
        return records.read(folder)["key"] == folder.name
    except (OSError, json.JSONDecodeError, KeyError):
        return False
