"""The frame of every step: read the job file, make its cell in a scratch folder, move it and its record into place.

    python -m audioprune.steps.<kind> --job FILE [--log FILE] [--gpus N]

FILE is written by Snakemake's main process (see audioprune.planning.jobs). Nothing is planned here.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

from audioprune import disk, records
from audioprune.cells import provenance
from audioprune.cells.cell import Cell
from audioprune.cells.kinds import KINDS
from audioprune.cells.state import Digests, state_of
from audioprune.errors import UserError
from audioprune.fingerprints.fingerprint import code_record
from audioprune.fingerprints.keys import code_of
from audioprune.locks import leases
from audioprune.locks.gpus import reserve_gpus
from audioprune.planning import jobs
from audioprune.settings.closed import Closed

log = logging.getLogger("audioprune")

Own = TypeVar("Own", bound=Closed)


@dataclass(frozen=True)
class Job(Generic[Own]):
    """What a step gets."""

    kind: str
    address: str
    key: str
    settings: Own  # the model of its kind in audioprune.settings
    inputs: dict[str, Path]  # folders of the cells it takes in, by name
    out: Path  # an empty scratch folder; what is left in it becomes the cell
    resume: Path  # folder for resume points, outliving a failed job; removed when the cell is in its place
    save_every_s: float = 60  # how often a resume point is due
    cells: tuple[Cell, ...] = ()  # everything it is made from, inputs first: for what is drawn
    shared: dict[str, Any] = field(default_factory=dict)  # by the cells that are made in one process


def run_cell(cell: Cell, code: str, make: Callable[[Job], dict], shared: dict[str, Any] | None = None) -> Path:
    """Make one cell: `make(job)` writes files into job.out and returns the record's `results`.

    `code` is the fingerprint that it was planned with. The unit that takes and gives back the cell's lease: its holder
    alone touches job.resume and the cell's folder.
    """
    if code_of(cell.kind, cell.plugins) != code:
        raise UserError("the code was changed after this job was planned; run Snakemake again")
    with one_message(cell), leases.hold(cell.lease, str(cell.dir)) as held:
        records.clear_scratch(cell.dir)
        if made_meanwhile(cell):
            return cell.dir
        settings = cell.settings.model_dump(mode="json")
        log.debug("key %s, settings %s", cell.key, records.canonical(settings))
        started = time.time()
        with records.cell_folder(cell.dir) as scratch:
            results = make(job_of(cell, scratch, shared))
            record = {
                "kind": cell.kind,
                "address": cell.address,
                "key": cell.key,
                **code_record(cell.kind, cell.plugins),
                "settings": settings,
                "inputs": {name: upstream.key for name, upstream in cell.inputs.items()},
                "digests": cell.digests,
                "results": results,
                "made": provenance.stamp(started),
                "files": records.listing(scratch),
            }
            records.write_json(scratch / records.RECORD, record)
            leases.keep_finished(cell.lease, scratch)
            held.check()
        shutil.rmtree(cell.resume, ignore_errors=True)
    return cell.dir


def job_of(cell: Cell, out: Path, shared: dict[str, Any] | None = None) -> Job:
    """What the step of a cell gets, with `out` as its scratch folder; shared: with cells of the same process."""
    inputs = {name: upstream.dir for name, upstream in cell.inputs.items()}
    every_s = float(os.environ.get("AUDIOPRUNE_SAVE_EVERY_S", "60"))
    drawn_from = tuple(cell.upstream().values())[:-1] if KINDS[cell.kind].draws else ()
    settings, resume = cell.settings, cell.resume
    own = {} if shared is None else shared
    return Job(cell.kind, cell.address, cell.key, settings, inputs, out, resume, every_s, drawn_from, own)


@contextlib.contextmanager
def one_message(cell: Cell) -> Iterator[None]:
    """Signals end the cell cleanly; a full disk or a killed worker is reported in one message."""
    with stoppable(), disk.one_message_if_full(cell.dir):
        try:
            yield
        except BrokenExecutor as error:
            raise UserError(
                f"a worker process of this step was killed from outside ({error}); most often memory had run out. "
                "Nothing half-written stays; run Snakemake again, with fewer cores or more memory if it happens again"
            ) from None
        except SystemExit as stop:
            if isinstance(stop.code, int) and stop.code > 128:
                name = signal.Signals(stop.code - 128).name
                goes_on = f"goes on from {cell.resume}" if cell.resume.exists() else "begins anew"
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

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def made_meanwhile(cell: Cell) -> bool:
    """Whether a job that was left over has made the cell since it was planned; its record is put back."""
    copy = leases.finished(cell.lease)
    if not copy.exists() or not state_of(cell.dir, copy, cell.key, Digests()).fresh:
        return False
    records.write_text(cell.record, copy.read_text(encoding="utf-8"))
    log.info("%s was finished by another process after this job was planned; it is not made again", cell.dir)
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
            handlers[-1].handleError = lambda record: None  # type: ignore[method-assign]
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


def arguments(prog: str, argv: list[str] | None = None) -> argparse.Namespace:
    """What every step is called with."""
    parser = argparse.ArgumentParser(prog=f"python -m audioprune.steps.{prog}")
    parser.add_argument("--job", type=Path, required=True, help="what it makes, as written by the main process")
    parser.add_argument("--log", type=Path, help="file that plain progress lines and errors also go to")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs of this machine that it needs for itself")
    return parser.parse_args(argv)


@contextlib.contextmanager
def at_work(given: argparse.Namespace, what: str, *, stderr: bool = True) -> Iterator[None]:
    """Logging, GPUs of its own, and a line that says which SLURM job this is."""
    with log_to(given.log, what, stderr=stderr), reserve_gpus(given.gpus):
        if slurm := provenance.slurm():
            log.info("SLURM %s", ", ".join(f"{name} {value}" for name, value in slurm.items()))
        yield


def main(make: Callable[[Job], dict], argv: list[str] | None = None) -> None:
    given = arguments(make.__name__, argv)
    with at_work(given, f"{make.__name__}, {given.job}"):
        ((cell, code),) = jobs.read(given.job).cells
        run_cell(cell, code, make)
