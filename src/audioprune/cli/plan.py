"""`audioprune plan [TARGET ...]`: what would run, why, and the expected hours of each stage."""

from __future__ import annotations

import argparse
import contextlib
import math
from collections import defaultdict
from typing import Any

from audioprune.cells.cell import Cell
from audioprune.cells.state import States
from audioprune.cli._output import columns, print_json
from audioprune.planning.cost import estimate
from audioprune.planning.exhibits import first_copy
from audioprune.planning.plan import Plan


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "plan", help="what would run, why, and the expected hours of each stage", description=__doc__
    )
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="target",
        default=["all"],
        help="all, a study, or a path such as results/table4.tex",
    )
    parser.add_argument("--tflops", type=_speed, default=100, help="sustained TFLOP/s of one GPU (default: 100)")
    parser.add_argument("--all", action="store_true", help="list every cell, not only totals by stage")
    parser.add_argument("--json", action="store_true")


def _speed(text: str) -> float:
    """TFLOP/s, by which hours are divided."""
    with contextlib.suppress(ValueError):
        if math.isfinite(speed := float(text)) and speed > 0:
            return speed
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, such as 100")


def run(arguments: argparse.Namespace) -> int:
    plan, states = Plan(), States()
    asked = {cell.path: cell for target in arguments.targets for cell in plan.asked(target)}
    wanted: dict[str, Cell] = {}
    for cell in asked.values():
        wanted |= cell.upstream()
    jobs: list[dict[str, Any]] = []
    for cell in wanted.values():
        state = states.of(cell)
        if not state.fresh:
            hours = estimate(cell, plan.planner.facts, arguments.tflops)
            jobs.append(
                {"stage": cell.kind, "cell": cell.path, "state": state.name, "why": cell.note or state.why, **hours}
            )
        elif cell.path in asked and not (state := states.of_copy(cell)).fresh:
            jobs.append({"stage": "copy", "cell": str(first_copy(cell)), "state": state.name, "why": state.why})
    if arguments.json:
        print_json({"targets": arguments.targets, "jobs": jobs})
        return 0
    stages = defaultdict(list)
    for job in jobs:
        stages[job["stage"]].append(job)
    rows = [
        [
            stage,
            len(found),
            sum(job["state"] == "damaged" for job in found) or "",
            f"{sum(job.get('gpu_hours', 0) for job in found):.1f}",
            f"{sum(job.get('core_hours', 0) for job in found):.2f}",
        ]
        for stage, found in stages.items()
    ]
    if not jobs:
        print(f"{' '.join(arguments.targets)}: nothing to do")
        return 0
    if arguments.all:
        print(
            columns(["stage", "state", "cell", "why"], [[j["stage"], j["state"], j["cell"], j["why"]] for j in jobs]),
            "\n",
        )
    print(columns(["stage", "jobs", "damaged", "GPU hours", "core hours"], rows, right=(1, 2, 3, 4)))
    for note in sorted({job["why"] for job in jobs if "not indexed" in job["why"]}):
        print(f"waits for you: {note}")
    print(f"GPU hours assume {arguments.tflops:g} TFLOP/s sustained (--tflops changes this). --all lists every cell")
    return 0
