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


def main(kind: str, draw: Callable[[Plan, str, str, Path], dict], argv: list[str] | None = None) -> None:
    """`draw(plan, study, name, stem)` writes stem.<suffix> files and returns the record's `results`."""
    parser = argparse.ArgumentParser(prog=f"python -m audioprune.steps.{kind}")
    parser.add_argument("--study", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--key", required=True, help="the key it was planned with")
    parser.add_argument("--log", type=Path)
    arguments = parser.parse_args(argv)
    study, name = arguments.study, arguments.name
    with log_to(arguments.log, f"{kind} {study} {name}"):
        plan, started = Plan(main=False), time.time()
        key = plan.exhibit_key(study, kind, name)
        if key != arguments.key:
            raise UserError("code, configuration or data were changed after this was planned; run Snakemake again")
        results = draw(plan, study, name, study_folder(study) / name)
        write_exhibit_record(study, kind, name, key, results, provenance.stamp(started))
