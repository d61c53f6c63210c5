"""The thin tail of the steps that draw: find the planned cells again, draw from their records, leave a record.

python -m audioprune.steps.<table|figure|report> --study STUDY --name NAME --key KEY [--log FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from audioprune import provenance
from audioprune.errors import UserError
from audioprune.planning.plan import Plan, study_folder, write_exhibit_record
from audioprune.steps._run import log_to

Draw = Callable[[Plan, str, str, Path], dict]  # (plan, study, name, stem): writes stem.<suffix>, gives the `results`


def exhibit(plan: Plan, study: str, kind: str, name: str, key: str, draw: Draw) -> None:
    """Draw one, and leave its record. Raises UserError where it is no longer what was planned with `key`."""
    started = time.time()
    if plan.exhibit_key(study, kind, name) != key:
        raise UserError("code, configuration or data were changed after this was planned; run Snakemake again")
    results = draw(plan, study, name, study_folder(study) / name)
    write_exhibit_record(study, kind, name, key, results, provenance.stamp(started))


def main(kind: str, draw: Draw, argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog=f"python -m audioprune.steps.{kind}")
    parser.add_argument("--study", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--key", required=True, help="the key it was planned with")
    parser.add_argument("--log", type=Path)
    arguments = parser.parse_args(argv)
    with log_to(arguments.log, f"{kind} {arguments.study} {arguments.name}"):
        exhibit(Plan(main=False), arguments.study, kind, arguments.name, arguments.key, draw)
