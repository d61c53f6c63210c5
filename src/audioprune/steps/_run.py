"""The thin tail of every step: parse the cell, make it in a scratch folder, move it into place, write its record.

    python -m audioprune.steps.<kind> --cell JSON [--log FILE]

JSON: {"kind", "address", "key", "code", "settings": {...}, "inputs": {name: folder}, "out": folder, "resume": folder}.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audioprune import provenance, records
from audioprune.errors import UserError
from audioprune.settings import KINDS, Closed

log = logging.getLogger("audioprune")


@dataclass(frozen=True)
class Job:
    """What a step gets."""

    kind: str
    address: str
    key: str
    settings: Closed  # the kind's model in audioprune.settings
    inputs: dict[str, Path]  # folders of the cells it takes in, by name
    out: Path  # an empty scratch folder; what is left in it becomes the cell
    resume: Path  # folder for resume points, outliving a failed job; empty it when done


def run_cell(cell: dict, make: Callable[[Job], dict]) -> Path:
    """Make one cell: `make(job)` writes files into job.out and returns the record's `results`."""
    final = Path(cell["out"])
    settings = KINDS[cell["kind"]].model_validate(cell["settings"])
    inputs = {name: Path(folder) for name, folder in cell["inputs"].items()}
    started = time.time()
    with records.cell_folder(final) as scratch:
        job = Job(cell["kind"], cell["address"], cell["key"], settings, inputs, scratch, Path(cell["resume"]))
        results = make(job)
        record = {
            "kind": job.kind,
            "address": job.address,
            "key": job.key,
            "code": cell.get("code", ""),
            "settings": settings.model_dump(mode="json"),
            "inputs": {name: folder.name for name, folder in inputs.items()},
            "results": results,
            "made": provenance.stamp(started),
            "files": records.listing(scratch),
        }
        records.write_json(scratch / records.RECORD, record)
    return final


def main(make: Callable[[Job], dict], argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog=f"python -m audioprune.steps.{make.__name__}")
    parser.add_argument("--cell", action="append", required=True, help="the cell as JSON; may be given several times")
    parser.add_argument("--log", type=Path, help="file that plain progress lines and errors also go to")
    arguments = parser.parse_args(argv)
    log.setLevel(logging.INFO)
    log.addHandler(_handler(logging.StreamHandler(sys.stderr)))
    if arguments.log:
        arguments.log.parent.mkdir(parents=True, exist_ok=True)
        log.addHandler(_handler(logging.FileHandler(arguments.log, mode="w")))
    for text in arguments.cell:
        cell = json.loads(text)
        try:
            run_cell(cell, make)
        except UserError as error:
            log.error("error in %s %s: %s", cell["kind"], cell["address"], error)
            raise SystemExit(1) from None
        except Exception:
            log.exception("failed: %s %s", cell["kind"], cell["address"])
            raise SystemExit(1) from None


def _handler(handler: logging.Handler) -> logging.Handler:
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    return handler
