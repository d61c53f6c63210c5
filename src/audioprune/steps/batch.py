"""Make the cells of a list one after another in this process; those that fail do not keep the others from being made.

    python -m audioprune.steps.batch --list FILE [--log FILE] [--gpus N]

FILE is written while planning (see audioprune.planning.batches).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from audioprune import provenance, registry
from audioprune.errors import UserError
from audioprune.planning.cells import RESULTS
from audioprune.steps._gpus import handed_out
from audioprune.steps._run import log, log_to, run_cell


def batch(cells: list[dict]) -> list[str]:
    """Make every cell, its log where a job of its own would leave it; returns the names of those that failed."""
    failed = []
    for cell in cells:
        name, kind = f"{cell['kind']}/{cell['address']}", cell["kind"]
        make = getattr(registry.get("steps", kind), kind)
        try:
            with log_to(RESULTS / "logs" / name / f"{cell['key']}.log", name):
                run_cell(cell, make)
        except SystemExit as left:
            if left.code != 1:  # a signal
                raise
            failed.append(name)
    return failed


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m audioprune.steps.batch", description=__doc__)
    parser.add_argument("--list", type=Path, required=True, help="the cells, as written while planning")
    parser.add_argument("--log", type=Path, help="file that plain progress lines and errors also go to")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs of this machine that it needs for itself")
    arguments = parser.parse_args(argv)
    cells = json.loads(arguments.list.read_text(encoding="utf-8"))["cells"]
    with log_to(arguments.log, f"batch of {len(cells)}", stderr=False), handed_out(arguments.gpus):
        if slurm := provenance.slurm():
            log.info("SLURM %s", ", ".join(f"{name} {value}" for name, value in slurm.items()))
        failed = batch(cells)
        if failed:
            raise UserError(f"{len(failed)} of {len(cells)} cells were not made: {', '.join(failed)}")


if __name__ == "__main__":
    main()
