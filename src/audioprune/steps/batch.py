"""Make the cells of a job one after another in this process; a failing cell does not stop the others.

    python -m audioprune.steps.batch --job FILE [--log FILE] [--gpus N]

FILE is written by Snakemake's main process (see audioprune.planning.jobs).
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

from audioprune import registry
from audioprune.cells.cell import Cell
from audioprune.errors import UserError
from audioprune.planning import jobs
from audioprune.steps._run import arguments, at_work, log_to, run_cell


def batch(cells: Sequence[tuple[Cell, str]]) -> list[str]:
    """Make every cell, its log where a job of its own would leave it; returns the names of those that failed.

    `cells` are cells, each with the fingerprint of its code as it was planned.
    """
    failed: list[str] = []
    shared: dict[str, Any] = {}
    for cell, code in cells:
        name = f"{cell.kind}/{cell.address}"
        make = getattr(registry.get("steps", cell.kind), cell.kind)
        try:
            with log_to(cell.log, name):
                run_cell(cell, code, make, shared)
        except SystemExit as left:
            if left.code != 1:  # a signal
                raise
            failed.append(name)
        if cell is cells[0][0]:  # what it has loaded stays, and need not be looked through for garbage again and again
            gc.collect()
            gc.freeze()
    return failed


def main(argv: list[str] | None = None) -> None:
    given = arguments("batch", argv)
    with at_work(given, f"batch, {given.job}", stderr=False):
        cells = jobs.read(given.job).cells
        if failed := batch(cells):
            raise UserError(f"{len(failed)} of {len(cells)} cells were not made: {', '.join(failed)}")


if __name__ == "__main__":
    main()
