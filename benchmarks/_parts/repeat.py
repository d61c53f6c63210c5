"""The same training to the same bits: twice, in two processes, and after a kill in the middle of an epoch."""

from __future__ import annotations

import logging
import signal
import subprocess
from pathlib import Path

import torch

from benchmarks._parts import made, training
from benchmarks._parts.given import Given
from benchmarks._parts.rows import Rows

MODEL = ("audiomae-tiny", "topk")
OTHERS = (("ast-tiny", "topk"), ("ast-tiny", "tome"))
CODES = {"SIGKILL": -signal.SIGKILL, "SIGTERM": 128 + signal.SIGTERM}


def run(given: Given, rows: Rows) -> None:
    folder = given.scratch / "repeat"
    made.cells(folder, *((24, 8) if given.quick else (48, 16)))
    here = ["fp32", "bf16", *(["fp16"] if torch.cuda.is_available() else [])]
    killed = [("SIGKILL", "fp32"), ("SIGTERM", "fp32"), *([("SIGKILL", "fp16")] if "fp16" in here else [])]
    others = {"again": training.start(folder, folder / "fp32-again", *MODEL, "fp32")}
    for name, precision in killed:
        others[name + precision] = training.start(folder, folder / f"{precision}-{name}", *MODEL, precision, name)
    whole: dict[str, dict[str, str]] = {}
    for precision in here:
        with rows.guarded(precision):
            whole[precision] = trained(folder, "whole", MODEL, precision)
            if precision != "fp32":
                equal(rows, f"{precision}: twice", trained(folder, "twice", MODEL, precision), whole[precision])
    for model in OTHERS[1:] if given.quick else OTHERS:
        with rows.guarded(" ".join(model)):
            one, two = (trained(folder, f"{'-'.join(model)}-{turn}", model, "fp32") for turn in "ab")
            equal(rows, f"{' with '.join(model)}, fp32: twice", one, two)
    _, said = finish(others["again"], given)
    with rows.guarded("fp32: in another process"):
        note = said if others["again"].returncode else ""
        equal(rows, "fp32: in another process", training.digests(folder / "fp32-again"), whole["fp32"], note)
    for name, precision in killed:
        with rows.guarded(f"{precision}: {name}"):
            code, said = finish(others[name + precision], given)
            rows.add(f"{precision}: {name} ends the process", code, "exit code", equals=CODES[name], note=said[-200:])
            resume(
                rows, folder / f"{precision}-{name}", f"{precision}: resumed after {name}", precision, whole[precision]
            )
    if "fp16" not in here:
        rows.needs_cuda("fp16: twice")
        rows.needs_cuda("fp16: resumed after SIGKILL")


def trained(folder: Path, name: str, model: tuple[str, str], precision: str) -> dict[str, str]:
    out = folder / f"{precision}-{name}"
    training.train(folder, out, training.settings_of(*model, precision))
    return training.digests(out)


def resume(rows: Rows, out: Path, what: str, precision: str, whole: dict[str, str]) -> None:
    rows.add(f"{what}: weights before", len(training.digests(out)), "files", equals=0)
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("audioprune")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        training.train(out.parent, out, training.settings_of(*MODEL, precision))
    finally:
        log.removeHandler(handler)
    resumed = next((line for line in told if line.startswith("resuming from")), "started anew")
    rows.add(f"{what}: goes on", resumed.startswith("resuming"), equals=True, note=resumed)
    equal(rows, what, training.digests(out), whole)


def equal(rows: Rows, what: str, one: dict[str, str], other: dict[str, str], note: str = "") -> None:
    """Whether two runs left the same files with the same bytes."""
    same = bool(one) and one == other
    note = note or f"{', '.join(one)}: SHA-256 {one.get('last', '')[:12]} and {other.get('last', '')[:12]}"
    rows.add(f"{what}: same bytes", same, equals=True, note=note)


def finish(process: subprocess.Popen, given: Given) -> tuple[int, str]:
    """Exit code and the end of what it said on standard error."""
    try:
        _, said = process.communicate(timeout=max(1, given.left - 5))
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
    return process.returncode, said.strip()[-400:]
