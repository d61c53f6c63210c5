"""`audioprune gc`: list what lies under results/ and belongs to no study any more, with sizes; --remove deletes it.

These are outdated cells, unfinished scratch folders, orphaned resume points, and logs and job files of cells that are
gone. Planned cells, cells that are being written and anything outside results/ are never touched; timings of other
devices, and cells of data that is not indexed here, are kept.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import asdict

from audioprune.cli._output import columns, print_json
from audioprune.locks.main import hold
from audioprune.planning.leftovers import Leftover, find, remove
from audioprune.planning.plan import Plan


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "gc", help="list or remove results that belong to no study any more", description=__doc__
    )
    parser.add_argument("--remove", action="store_true", help="remove what is listed, without asking")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    if not arguments.remove:
        return _report(find(Plan().cells), arguments)
    with hold(who="audioprune gc"):
        found = find(Plan().cells)
        for left in found:
            if not left.kept:
                remove(left)
    return _report(found, arguments)


def _report(found: list[Leftover], arguments: argparse.Namespace) -> int:
    if arguments.json:
        left = [asdict(one) | {"path": str(one.path), "removed": arguments.remove and not one.kept} for one in found]
        print_json({"leftovers": left, "bytes": sum(one.bytes for one in found if not one.kept)})
        return 0
    if not found:
        print("nothing to remove: everything under results/ belongs to a study")
        return 0
    stages = defaultdict(list)
    for one in found:
        stages[one.what, bool(one.kept)].append(one)
        state = f"kept: {one.kept}" if one.kept else "removed" if arguments.remove else ""
        print(f"{_size(one.bytes):>10}  {one.path}{f'  ({state})' if state else ''}")
    rows = [
        [what, "kept" if kept else "", len(own), _size(sum(o.bytes for o in own))]
        for (what, kept), own in stages.items()
    ]
    print("\n" + columns(["what", "", "number", "size"], rows, right=(2, 3)))
    if not arguments.remove:
        print(
            "nothing was removed; audioprune gc --remove removes all of this. Cells that only a change of code has"
            " outdated can be kept, if they are right: see audioprune why CELL and audioprune accept"
        )
    return 0


def _size(count: int) -> str:
    """1234 -> '1.2 kB'."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
