"""What a report says of its study: the grid, what was made and when, by which code; and the models it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audioprune import registry
from audioprune.cells.kinds import KINDS
from audioprune.cells.provenance import code
from audioprune.cells.query import value_of
from audioprune.exhibits.table import Column, Row, Table
from audioprune.reporting.provenance import set_aside, spoken
from audioprune.version import __version__
from audioprune.wording import listed

if TYPE_CHECKING:
    from audioprune.results.study import Results

MODELS = (
    Column("backbone", "Backbone", align="left"),
    Column("width", "Width", decimals=0),
    Column("depth", "Blocks", decimals=0),
    Column("num_heads", "Heads", decimals=0),
    Column("pooling", "Predicts from", align="left"),
    Column("score", "TopK ranks by attention of", align="left"),
    Column("starts", "Fine-tuning starts from", align="left", wrap=True),
)
POOLING = {"mean": "mean of the patch tokens", "prefix": "class and distillation token"}
SCORE = {"global": "all tokens", "cls": "the class token"}


@dataclass(frozen=True)
class Facts:
    date: str  # of the newest data, YYYY-MM-DD; empty where nothing is made
    version: str
    commits: str  # by which the data were made


def facts(results: Results) -> Facts:
    made = [r.record["made"] for r in results.all() if r.ok and not KINDS[r.kind].draws]
    date = max((m["started"][:10] for m in made), default="")
    return Facts(date, __version__, listed(dict.fromkeys(code(m["git"]) for m in made)) if made else "none")


def lead(results: Results) -> tuple[str, ...]:
    """Sentences: the grid, what is there and what is not, what it took."""
    evaluated, cells = results.cells("evaluate"), results.all()
    backbones, datasets = (dict.fromkeys(value_of(r, what) for r in evaluated) for what in ("backbone", "dataset"))
    rates = sorted({r.settings.pruning.keep_rate for r in evaluated}, reverse=True)
    seeds = len({value_of(r, "seed") for r in evaluated})
    made = [r for r in cells if r.ok]
    devices = dict.fromkeys(r.record["made"]["device"] for r in made)
    aside = sum(len(frame) for frame in set_aside(results).values())
    often = f"{seeds} seeds" if seeds > 1 else "one seed"
    grid = f"{listed(backbones)} on {listed(datasets)}, at keep-rates {listed(f'{rate:g}' for rate in rates)}, {often}."
    there = (
        f"All {len(cells)} planned runs were made."
        if len(made) == len(cells)
        else f"{len(made)} of {len(cells)} planned runs were made; {len(cells) - len(made)} were not, see below."
    )
    wall = sum(r.record["made"]["wall_s"] for r in made)
    took = f"They took {spoken(wall)} in all on {listed(devices)}." if made else ""
    clips = f"{aside or 'No'} clip{'' if aside == 1 else 's'} {'was' if aside == 1 else 'were'} set aside."
    return tuple(filter(None, (grid if evaluated else "", f"{there} {took}".strip(), clips)))


def models(results: Results) -> Table | None:
    """Size, pooling, score and start of every backbone that is fine-tuned; None where none is."""
    starts: dict[str, dict[str, None]] = {}
    for r in results.all():
        if r.kind == "finetune":
            own = starts.setdefault(r.settings.model.backbone, {})
            own.setdefault(_start(r.settings.initial, r.inputs.get("checkpoint")))
    rows = []
    for name, own in starts.items():
        known = registry.backbone(name)
        size = {key: getattr(known.size, key) for key in ("width", "depth", "num_heads")}
        said = {"pooling": POOLING[known.family.pooling], "score": SCORE.get(known.family.score, known.family.score)}
        rows.append(Row({"backbone": name, **size, **said, "starts": "; ".join(own)}))
    return Table(MODELS, tuple(rows)) if rows else None


def _start(initial: str, checkpoint: object) -> str:
    if initial == "scratch" or checkpoint is None:
        return "random weights"
    kind, address = getattr(checkpoint, "kind", ""), getattr(checkpoint, "address", "")
    return f"pre-training {address}" if kind == "pretrain" else str(address)
