"""`audioprune why CELL`: the state of one cell, and how it differs from cells that were made earlier at its address.

A table, a figure or a report may be named by its cell or by its file (results/demo/table1.tex). For these, the command
also says whether the file is a true copy of the cell, and which input cells have to be made first, and why.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Collection, Iterator

from audioprune import records
from audioprune.cells.cell import RESULTS, Cell
from audioprune.cells.kinds import KINDS
from audioprune.cells.state import States
from audioprune.cli._output import print_json
from audioprune.cli.status import describe, siblings
from audioprune.errors import UserError
from audioprune.fingerprints.fingerprint import code_of_kind, counted_in
from audioprune.fingerprints.keyed import with_defaults
from audioprune.planning.exhibits import first_copy
from audioprune.planning.plan import Plan

SHOWN = 5  # nearest names, and cells that an exhibit waits for, in one message


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("why", help="why a cell would be made again", description=__doc__)
    parser.add_argument(
        "cell", help="path of a cell, with or without results/cells/ and its key, or of a table, figure or report"
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    plan, states = Plan(), States()
    reports = [report_of(cell, states) for cell in found(plan, arguments.cell)]
    if arguments.json:
        print_json(reports)
        return 0
    for report in reports:
        print("\n".join(_text(report)))
    return 0


def found(plan: Plan, asked: str) -> list[Cell]:
    """The planned cells of a name; raises UserError with the nearest ones where there is none."""
    if asked in plan.config.studies or (asked.startswith(f"{RESULTS}/") and not asked.startswith(f"{RESULTS}/cells/")):
        return [plan.named(asked)]
    wanted = asked.removeprefix("results/cells/").removesuffix("/record.json").strip("/")
    planned = [c for c in plan.cells.values() if wanted in (c.path, f"{c.kind}/{c.address}")]
    if not planned and (RESULTS / "cells" / wanted / records.RECORD).is_file():
        address = wanted.rpartition("/")[0]
        planned = [c for c in plan.cells.values() if f"{c.kind}/{c.address}" == address]
    if not planned:
        raise UserError(f"no study plans a cell {wanted!r}{_near(wanted, plan.cells.values())}")
    return planned


def _near(wanted: str, cells: Collection[Cell]) -> str:
    """A few of the names that are like a wrong one, or that it is a part of; else how a name is made up."""
    addresses = sorted({f"{cell.kind}/{cell.address}" for cell in cells})
    close = difflib.get_close_matches(wanted, addresses, n=SHOWN, cutoff=0.5)
    near = close or [address for address in addresses if wanted in address][:SHOWN]
    if near:
        others = f" near are also {', '.join(near[1:])}" if near[1:] else ""
        return f"; did you mean {near[0]!r}?{others}"
    return (
        "; a cell is named by kind and address, such as audio/esc50, or by the file of an exhibit, such as "
        f"results/table4.tex; kinds are {', '.join(KINDS)}; `audioprune status STUDY --all` lists the cells of a study"
    )


def report_of(cell: Cell, states: States) -> dict:
    """State of a cell and what differs from older ones; of an exhibit also its copy and the cells that it waits for."""
    report = {**describe(states, cell), "changes": changes(cell)}
    if KINDS[cell.kind].draws:
        copy = states.of_copy(cell)
        report["copy"] = {"file": str(first_copy(cell)), "state": copy.name, "why": copy.why}
        report["waits_for"] = [
            describe(states, one) | {"changes": [line for lines in changes(one).values() for line in lines]}
            for one in first_stale(cell, states)
        ]
    return report


def first_stale(cell: Cell, states: States) -> Iterator[Cell]:
    """Inputs of a cell, direct or indirect, that have to be made and whose own inputs are all there."""
    for one in [*cell.upstream().values()][:-1]:
        if not states.of(one).fresh and all(states.of(before).fresh for before in one.inputs.values()):
            yield one


def _text(report: dict) -> Iterator[str]:
    yield f"{report['cell']}\n  {report['state']}{': ' if report['why'] else ''}{report['why']}"
    for key, lines in report["changes"].items():
        yield f"  against {key}:" + ("" if lines else " nothing that enters the key differs")
        yield from (f"    {line}" for line in lines)
        if lines and all(line.startswith("code ") for line in lines):
            yield f"    only code differs; if it gives the same results: {accept_command(report['kind'])}"
    if (copy := report.get("copy")) and report["state"] == "done":
        yield f"  {copy['file']}: " + ("as its cell" if copy["state"] == "done" else f"{copy['state']}: {copy['why']}")
    if waits := report.get("waits_for", []):
        yield f"  waits for {len(waits)} cell{'s' * (len(waits) > 1)} whose own inputs are all there:"
        for one in waits[:SHOWN]:
            yield f"    {one['cell']}\n      {one['state']}: {one['why']}"
            yield from (f"        {line}" for line in one["changes"][:SHOWN])
        if len(waits) > SHOWN:
            yield f"    and {len(waits) - SHOWN} more: audioprune status"


def accept_command(kind: str) -> str:
    return f'audioprune accept {kind} --why "..."'


def changes(cell: Cell) -> dict[str, list[str]]:
    """{older key: lines saying what differs} for every finished cell at this cell's address."""
    found = {}
    for key in siblings(cell):
        old = records.read(cell.dir.with_name(key))
        settings = cell.settings.model_dump(mode="json")
        lines = _differences("", with_defaults(type(cell.settings), old["settings"]), settings)
        for name, upstream in cell.inputs.items():
            if (before := old["inputs"].get(name)) != upstream.key:
                lines.append(f"input {name}: {before or 'new'} -> {upstream.key} (audioprune why {upstream.path})")
        lines += [f"input {name}: gone" for name in sorted(old["inputs"].keys() - cell.inputs.keys())]
        for name, digest in cell.digests.items():
            if (before := old.get("digests", {}).get(name)) != digest:
                lines.append(f"data {name}: digest {before} -> {digest}")
        then, now = counted_in(old), code_of_kind(cell.kind, cell.plugins)[1]
        for module in sorted({*then, *now}):
            before, after = then.get(module), now.get(module)
            if before != after:
                lines.append(f"code {module}: {'new' if before is None else 'gone' if after is None else 'changed'}")
        found[key] = lines
    return found


def _differences(place: str, old: object, new: object) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for name in sorted({*old, *new})
            for line in _differences(f"{place}.{name}".lstrip("."), old.get(name), new.get(name))
        ]
    return [] if old == new else [f"{place}: {old} -> {new}"]
