"""How long a finished study's report takes to draw: every table, every figure, then the report made from them.

    python -m benchmarks.drawing STUDY [--folder ROOT] [--only NAME ...] [--out FOLDER] [--profile]

ROOT holds the study's results/. Nothing of it is changed: everything is drawn into a folder of its own, by this code,
from the cells that the report was last planned with. Prints the seconds of each exhibit, of the clock and of this
process on a processor, the slowest first, and the sum.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import io
import os
import pstats
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audioprune import registry
from audioprune.cells.cell import RESULTS, Cell
from audioprune.cells.kinds import KINDS
from audioprune.planning import jobs
from audioprune.steps._run import job_of

ROOT = Path(__file__).resolve().parents[1]
READ = ("report", "docs", "workflow")  # what steps read of the repository, in their own folder


def cells(study: str, folder: Path) -> list[Cell]:
    """What the newest job of a study's report draws: its exhibits, then itself."""
    found = [path for path in (folder / jobs.FOLDER).glob("*.json") if _draws(path, study)]
    if not found:
        raise SystemExit(
            f"{folder / jobs.FOLDER} has no job of the report of {study}: make results/{study}/report.html"
        )
    ((report, _),) = jobs.read(max(found, key=lambda path: path.stat().st_mtime_ns)).cells
    return [*(cell for cell in report.inputs.values() if KINDS[cell.kind].draws), report]


def _draws(path: Path, study: str) -> bool:
    with path.open(encoding="utf-8") as file:
        return file.read(80).startswith(f'{{"cells":{{"report/{study}/')


@contextlib.contextmanager
def beside(folder: Path, out: Path) -> Iterator[None]:
    """Within it the working folder is `out`, and sees this repository and the cells that are not drawn."""
    made = folder.resolve() / RESULTS / "cells"
    (out / RESULTS / "cells").mkdir(parents=True)
    for kind in (one for one in made.iterdir() if one.name in KINDS and not KINDS[one.name].draws):
        (out / RESULTS / "cells" / kind.name).symlink_to(kind)
    for name in READ:
        (out / name).symlink_to(ROOT / name)
    with contextlib.chdir(out):
        yield


def drawn(cell: Cell, shared: dict[str, Any]) -> tuple[float, float]:
    """Seconds that its step took, of the clock and of the processor; shared: by exhibits of one process."""
    cell.dir.mkdir(parents=True)
    make: Any = getattr(registry.get("steps", cell.kind), cell.kind)
    clock, busy = time.perf_counter(), time.process_time()
    make(job_of(cell, cell.dir, shared))
    return time.perf_counter() - clock, time.process_time() - busy


def timed(study: str, folder: Path, out: Path, only: tuple[str, ...] = ()) -> dict[str, tuple[float, float]]:
    """{kind/name of an exhibit, and 'report': seconds, as of `drawn`}; all, or those named alone."""
    with beside(folder, out):
        chosen = [c for c in cells(study, folder) if not only or getattr(c.settings, "name", "") in only]
        shared: dict[str, Any] = {}
        exhibits = {f"{c.kind}/{c.settings.name}": drawn(c, shared) for c in chosen if c.kind != "report"}
        return exhibits | {c.kind: drawn(c, {}) for c in chosen if c.kind == "report"}  # in a process of its own


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study")
    parser.add_argument("--folder", type=Path, default=ROOT, help="holds the study's results/; this repository")
    parser.add_argument("--only", nargs="+", default=(), help="names of exhibits")
    parser.add_argument("--out", type=Path, help="an empty folder that keeps what is drawn")
    parser.add_argument("--profile", action="store_true", help="print what took the time, too")
    given = parser.parse_args(argv)
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as scratch:
        out = given.out or Path(scratch)
        with profile if given.profile else contextlib.nullcontext():
            seconds = timed(given.study, given.folder.resolve(), out.resolve(), tuple(given.only))
    for name, own in sorted(seconds.items(), key=lambda one: -one[1][1]):
        print(f"{own[0]:8.2f} s {own[1]:8.2f} s  {name}")
    clock, busy = (sum(own[i] for own in seconds.values()) for i in (0, 1))
    print(f"{clock:8.2f} s {busy:8.2f} s  all {len(seconds)}, on {os.cpu_count()} cores")
    if given.profile:
        text = io.StringIO()
        pstats.Stats(profile, stream=text).sort_stats("cumulative").print_stats(60)
        print(text.getvalue())


if __name__ == "__main__":
    main()
