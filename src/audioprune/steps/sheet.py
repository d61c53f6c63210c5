"""Draw the exhibits of a list one after another in this process; those that fail do not hold up the others.

    python -m audioprune.steps.sheet --list FILE [--log FILE]

FILE is written while planning (see audioprune.planning.sheets).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from audioprune import registry
from audioprune.errors import UserError
from audioprune.planning.cells import RESULTS
from audioprune.planning.plan import Plan, study_folder
from audioprune.steps._exhibit import exhibit
from audioprune.steps._run import log_to


def sheet(exhibits: list[list[str]]) -> list[str]:
    """Draw each of [study, kind, name, key], its log where a job of its own would leave it; returns what failed."""
    plan, failed = Plan(main=False), []
    for study, kind, name, key in exhibits:
        draw = getattr(registry.get("steps", kind), kind)
        log = RESULTS / "logs" / "exhibits" / study_folder(study).relative_to(RESULTS) / f"{name}.log"
        try:
            with log_to(log, f"{kind} {study} {name}"):
                exhibit(plan, study, kind, name, key, draw)
        except SystemExit as left:
            if left.code != 1:  # a signal
                raise
            failed.append(f"{study} {name}")
    return failed


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m audioprune.steps.sheet", description=__doc__)
    parser.add_argument("--list", type=Path, required=True, help="the exhibits, as written while planning")
    parser.add_argument("--log", type=Path, help="file that errors also go to")
    arguments = parser.parse_args(argv)
    exhibits = json.loads(arguments.list.read_text(encoding="utf-8"))["exhibits"]
    with log_to(arguments.log, f"sheet of {len(exhibits)}", stderr=False):
        if failed := sheet(exhibits):
            raise UserError(f"{len(failed)} of {len(exhibits)} exhibits were not drawn: {', '.join(failed)}")


if __name__ == "__main__":
    main()
