"""`audioprune checkpoints [--targets]`: copy the pre-trained tiny backbones, with records, into workflow/checkpoints.

For each row of workflow/sources.yaml with `pretraining`: the weights of that pre-training are copied, beside them the
records of the cells that made them, and the row gets their digest. The cells must have been made; `make checkpoints`
makes them and then runs this command. --targets prints which cells these are.
"""

from __future__ import annotations

import argparse
import re
import shutil
from typing import Any

from audioprune import records
from audioprune.cells.cell import Cell
from audioprune.cells.state import States
from audioprune.cli._output import print_json
from audioprune.errors import UserError
from audioprune.planning.plan import Plan
from audioprune.sources import catalogue, content, stored

WEIGHTS = "checkpoint.safetensors"  # as the step leaves them


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "checkpoints", help="copy pre-trained tiny backbones into the repository", description=__doc__
    )
    parser.add_argument(
        "--targets", action="store_true", help="only print which cells make them (paths of their records)"
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    plan, rows = Plan(), catalogue.load()
    cells = {name: plan.planner.pretrained(rows[name].pretraining, _backbone(name)) for name in stored.names()}
    if arguments.targets:
        print(*(cell.record for cell in cells.values()), sep="\n")
        return 0
    states = States()
    if missing := [cell.path for cell in cells.values() if not states.of(cell).fresh]:
        raise UserError(f"not made yet: {', '.join(missing)}; run: make checkpoints")
    digests = {name: store(name, cell) for name, cell in cells.items()}
    text = catalogue.FILE.read_text(encoding="utf-8")
    for name, digest in digests.items():
        text = entered(text, name, digest, stored.weights_of(name).stat().st_size)
    records.write_text(catalogue.FILE, text)
    if arguments.json:
        print_json(digests)
    else:
        print(*(f"{name} {digest}" for name, digest in digests.items()), sep="\n")
    return 0


def _backbone(source: str) -> str:
    return source.removeprefix(catalogue.CHECKPOINT)


def store(name: str, cell: Cell) -> str:
    """Copies a cell's weights and the records of all that made them; returns the content digest."""
    weights = stored.weights_of(name)
    weights.parent.mkdir(exist_ok=True)
    shutil.copyfile(cell.dir / WEIGHTS, weights)
    made = [records.read(one.dir) | {"plugins": list(one.plugins)} for one in cell.upstream().values()]
    records.write_json(weights.with_suffix(".json"), made)
    return content.digest_of({weights.name: records.sha256_file(weights)})


def entered(text: str, name: str, digest: str, size: int) -> str:
    """workflow/sources.yaml with the digest and size of one row."""
    row = re.search(rf"^{re.escape(name)}:\n(?:[ #].*\n|\n)*", text, flags=re.MULTILINE)
    if row is None:
        raise UserError(f"workflow/sources.yaml has no row {name!r}")
    new = re.sub(r"^  content: .*$", f"  content: {digest}", row[0], flags=re.MULTILINE)
    new = re.sub(r"^  bytes: .*$", f"  bytes: {size}", new, flags=re.MULTILINE)
    return text.replace(row[0], new)
