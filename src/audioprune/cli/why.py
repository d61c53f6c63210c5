"""`audioprune why CELL`: the state of one cell, and what differs from the cells made before at its address."""

from __future__ import annotations

import argparse

from audioprune import records, registry
from audioprune.cells.cell import RESULTS, Cell
from audioprune.cells.state import States
from audioprune.cli._output import print_json
from audioprune.cli.status import describe, siblings
from audioprune.errors import UserError
from audioprune.fingerprints.fingerprint import code_of_kind, counted_in
from audioprune.fingerprints.keyed import with_defaults
from audioprune.planning.plan import Plan


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("why", help="why a cell would be made again", description=__doc__)
    parser.add_argument("cell", help="path of a cell, with or without results/cells/ and its key")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    plan, states = Plan(), States()
    wanted = arguments.cell.removeprefix("results/cells/").removesuffix("/record.json").strip("/")
    planned = [c for c in plan.cells.values() if wanted in (c.path, f"{c.kind}/{c.address}")]
    if not planned and (RESULTS / "cells" / wanted / records.RECORD).is_file():
        address = wanted.rpartition("/")[0]
        planned = [c for c in plan.cells.values() if f"{c.kind}/{c.address}" == address]
    if not planned:
        addresses = {f"{c.kind}/{c.address}" for c in plan.cells.values()}
        raise UserError(f"no study plans a cell {wanted!r}{registry.nearest(wanted, addresses)}")
    reports = [{**describe(states, cell), "changes": changes(cell)} for cell in planned]
    if arguments.json:
        print_json(reports)
        return 0
    for report in reports:
        print(f"{report['cell']}\n  {report['state']}{': ' if report['why'] else ''}{report['why']}")
        for key, lines in report["changes"].items():
            print(f"  against {key}:" + ("" if lines else " nothing that is keyed differs"))
            for line in lines:
                print(f"    {line}")
            if lines and all(line.startswith("code ") for line in lines):
                print(f"    only code differs; where it gives the same results: {accept_command(report['kind'])}")
    return 0


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
