"""`audioprune plan [TARGET ...]`: what would run, why, the expected hours of each stage, and how much it can tell.

Of a whole study that is not all there, the half-width to expect of the 95 % interval of each of its contrasts: from its
test clips and seeds, and from the share of clips that one of two models alone gets right, measured where both were
evaluated.
"""

from __future__ import annotations

import argparse
import contextlib
import math
from collections import defaultdict
from dataclasses import asdict
from typing import Any

from audioprune.cells.cell import DEFAULT_STUDY, Cell
from audioprune.cells.state import States
from audioprune.cli._output import columns, print_json
from audioprune.planning.cost import estimate
from audioprune.planning.exhibits import first_copy
from audioprune.planning.plan import Plan
from audioprune.planning.power import ASSUMED, Expected, expected
from audioprune.planning.power import told as told_power


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


def power_of(plan: Plan, targets: list[str], states: States) -> list[Expected]:
    """Of every target that is a whole study."""
    named = dict.fromkeys(DEFAULT_STUDY if target == "all" else target for target in targets)
    studies = [name for name in named if name in plan.config.studies]
    return [one for name in studies for one in expected(plan.study(name), lambda cell: states.of(cell).fresh)]


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
    power = power_of(plan, arguments.targets, states) if jobs else []
    if arguments.json:
        told = [asdict(one) | {"half_width": one.half_width} for one in power]
        print_json({"targets": arguments.targets, "jobs": jobs, "power": told})
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
    if power:
        header = ["contrast", "model", "dataset", "of", "clips", "seeds", "discordant", "points"]
        print(f"\n{columns(header, told_power(power), right=(4, 5, 6, 7))}")
        print(
            "half-widths to expect of 95 % intervals near zero. Discordant: clips that one of two models alone gets "
            f"right, {100 * ASSUMED:g} % where no records tell. Seeds that err on the same clips narrow it less\n"
        )
    for note in sorted({job["why"] for job in jobs if "not indexed" in job["why"]}):
        print(f"waits for you: {note}")
    print(f"GPU hours assume {arguments.tflops:g} TFLOP/s sustained (--tflops changes this). --all lists every cell")
    return 0
