"""Numbers of a finished report, picked at random, made again from nothing but what the report says.

    python -m tests.yardstick.remake ROOT --study demo --copy FOLDER [--numbers 10] [--seed 0]

ROOT is a checkout with a finished study. The cells to which a number's links lead are deleted in FOLDER, a copy of
ROOT, and made again by the commands that the report prints; then everything is drawn again there. Exit code 1 where a
number is another one than before. Timings differ by nature: rows that rest on them are not picked.
"""

from __future__ import annotations

import argparse
import random
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from audioprune.cells.kinds import KINDS
from tests import pages
from tests.pages import Shown

TIMED = ("throughput/", "pace/")


def picked(page: str, count: int, seed: int) -> list[tuple[Shown, dict[str, str]]]:
    """(number, {its cells: their commands}), each of another exhibit as long as there are such."""
    rng = random.Random(seed)
    of = {name: [one for one in pages.numbers(page, name) if one.links] for name in pages.tables(page)}
    order = [name for name, found in of.items() if found]
    rng.shuffle(order)
    found: dict[tuple[str, ...], tuple[Shown, dict[str, str]]] = {}
    while len(found) < count and order:
        name = order.pop(0)
        one = of[name].pop(rng.randrange(len(of[name])))
        made = pages.cells(page, one)
        if made and not any(cell.startswith(TIMED) for cell in made):
            found[one.place] = (one, made)
        order += [name] * bool(of[name])
    return list(found.values())


def delete(root: Path, cells: Iterable[str]) -> None:
    for cell in cells:
        shutil.rmtree(root / "results" / "cells" / cell)


def differing(chosen: Iterable[Shown], page: str) -> list[str]:
    """What stands on a page in place of a number; nothing: all stand there as they did."""
    said = []
    for one in chosen:
        there = [new.text for new in pages.numbers(page, one.exhibit) if new.place == one.place]
        if one.text not in there:
            said.append(f"{' / '.join(one.place[:3])}: {one.text}, now {', '.join(there) or 'not there'}")
    return said


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--study", required=True)
    parser.add_argument("--copy", type=Path, required=True, help="a folder that is not there yet")
    parser.add_argument("--numbers", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    report = f"results/{given.study}/report.html"
    page = (given.root / report).read_text(encoding="utf-8")
    chosen = picked(page, given.numbers, given.seed)
    shutil.copytree(given.root, given.copy, symlinks=True)
    commands = {cell: command for _, made in chosen for cell, command in made.items()}
    delete(given.copy, commands)
    for drawn in (*(f"cells/{name}" for name, kind in KINDS.items() if kind.draws), given.study):
        shutil.rmtree(given.copy / "results" / drawn)  # else what is up to date would be compared with itself
    for one, made in chosen:
        print(f"{' / '.join(one.place[:3])}: {one.text}", *(f"  {cell}" for cell in made), sep="\n", flush=True)
    for command in (*commands.values(), f"snakemake {report}"):
        print(f"$ {command}", flush=True)
        subprocess.run(shlex.split(command), cwd=given.copy, check=True, stdout=subprocess.DEVNULL)
    wrong = differing([one for one, _ in chosen], (given.copy / report).read_text(encoding="utf-8"))
    print(f"{len(chosen) - len(wrong)} of {len(chosen)} numbers, of {len(commands)} cells made again, are as they were")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
