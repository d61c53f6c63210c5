"""The thin tail of every step: parse the cell, make it in a scratch folder, move it into place, write its record.

    python -m audioprune.steps.<kind> --cell JSON [--log FILE] [--gpus N]

JSON: {"kind", "address", "key", "code", "plugins": [module], "settings": {...}, "inputs": {name: folder},
"digests": {name: digest of data}, "out": folder, "resume": folder, "lease": path}, as
`audioprune.planning.cells.Cell.as_json` writes it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path

from audioprune import disk, leases, provenance, records
from audioprune.errors import UserError
from audioprune.planning.cells import code_of
from audioprune.planning.fingerprint import code_record
from audioprune.planning.freshness import Digests, state_of
from audioprune.settings import KINDS, Closed
from audioprune.steps._gpus import handed_out

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
    resume: Path  # folder for resume points, outliving a failed job; removed when the cell is in its place
    save_every_s: float = 60  # how often a resume point is due


def run_cell(cell: dict, make: Callable[[Job], dict]) -> Path:
    """Make one cell: `make(job)` writes files into job.out and returns the record's `results`.

    The unit that takes and gives back the cell's lease: its holder alone touches job.resume and the cell's folder.
    """
    final = Path(cell["out"])
    settings = KINDS[cell["kind"]].model_validate(cell["settings"])
    inputs = {name: Path(folder) for name, folder in cell["inputs"].items()}
    plugins, lease = tuple(cell["plugins"]), Path(cell["lease"])
    if code_of(cell["kind"], plugins) != cell["code"]:
        raise UserError("the code was changed after this job was planned; run Snakemake again")
    with told_once(cell), leases.hold(lease, str(final)) as held:
        records.clear_scratch(final)
        if made_meanwhile(final, lease, cell["key"]):
            return final
        log.debug("key %s, settings %s", cell["key"], records.canonical(cell["settings"]))
        started = time.time()
        with records.cell_folder(final) as scratch:
            every_s = float(os.environ.get("AUDIOPRUNE_SAVE_EVERY_S", "60"))
            resume = Path(cell["resume"])
            job = Job(cell["kind"], cell["address"], cell["key"], settings, inputs, scratch, resume, every_s)
            results = make(job)
            record = {
                "kind": job.kind,
                "address": job.address,
                "key": job.key,
                **code_record(job.kind, plugins),
                "settings": settings.model_dump(mode="json"),
                "inputs": {name: folder.name for name, folder in inputs.items()},
                "digests": cell["digests"],
                "results": results,
                "made": provenance.stamp(started),
                "files": records.listing(scratch),
            }
            records.write_json(scratch / records.RECORD, record)
            leases.keep_finished(lease, scratch)
            held.check()
        shutil.rmtree(job.resume, ignore_errors=True)
    return final


@contextlib.contextmanager
def told_once(cell: dict) -> Iterator[None]:
    """Signals end the cell in good order; a full disk and a killed worker are told in one message."""
    with stoppable(), disk.told(Path(cell["out"])):
        try:
            yield
        except BrokenExecutor as error:
            raise UserError(
                f"a worker process of this step was killed from outside ({error}); most often memory had run out. "
                "Nothing half-written stays; run Snakemake again, with fewer cores or more memory if it happens again"
            ) from None
        except SystemExit as stop:
            if isinstance(stop.code, int) and stop.code > 128:
                name, resume = signal.Signals(stop.code - 128).name, Path(cell["resume"])
                goes_on = f"goes on from {resume}" if resume.exists() else "begins anew"
                log.error("stopped by %s; run again, it %s", name, goes_on)
            raise


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Within it SIGTERM and SIGINT raise SystemExit(128 + signal), so that nothing half-written and no lease is left.

    Training catches them itself, to write a resume point first (see audioprune.training.resume).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number, frame) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def made_meanwhile(final: Path, lease: Path, key: str) -> bool:
    """Whether a job that was left over has made the cell since it was planned; its record is put back."""
    copy = leases.finished(lease)
    if not copy.exists() or not state_of(final, copy, key, Digests()).fresh:
        return False
    records.write_text(final / records.RECORD, copy.read_text(encoding="utf-8"))
    log.info("%s was finished by another process after this job was planned; it is not made again", final)
    return True


@contextlib.contextmanager
def log_to(path: Path | None, what: str, *, stderr: bool = True) -> Iterator[None]:
    """Send plain lines to standard error and to a log; end with exit code 1 and one message when something fails."""
    log.setLevel(logging.DEBUG)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)] if stderr else []
    for handler in handlers:
        handler.setLevel(logging.INFO)
    if path:
        with contextlib.suppress(OSError):  # a full disk is told where it matters
            path.parent.mkdir(parents=True, exist_ok=True)
            handlers.append(logging.FileHandler(path, mode="a"))  # a job left over may be writing to it
            handlers[-1].handleError = lambda record: None
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    try:
        yield
    except UserError as error:
        log.error("error in %s: %s", what, error)
        raise SystemExit(1) from None
    except Exception:
        log.exception("failed: %s", what)
        raise SystemExit(1) from None
    finally:
        for handler in handlers:
            log.removeHandler(handler)


def main(make: Callable[[Job], dict], argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog=f"python -m audioprune.steps.{make.__name__}")
    parser.add_argument("--cell", action="append", required=True, help="the cell as JSON; may be given several times")
    parser.add_argument("--log", type=Path, help="file that plain progress lines and errors also go to")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs of this machine that it needs for itself")
    arguments = parser.parse_args(argv)
    for cell in map(json.loads, arguments.cell):
        with log_to(arguments.log, f"{cell['kind']}/{cell['address']}"), handed_out(arguments.gpus):
            if slurm := provenance.slurm():
                log.info("SLURM %s", ", ".join(f"{name} {value}" for name, value in slurm.items()))
            run_cell(cell, make)
