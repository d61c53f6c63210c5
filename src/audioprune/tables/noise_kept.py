"""Does noise change what is kept, and does the selection chase it?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.table import Column, Row, Table
from audioprune.results import kept_noise, noise
from audioprune.results.estimate import PERCENTILES
from audioprune.results.kept_noise import FEWEST
from audioprune.results.robustness import named
from audioprune.tables._rows import cell_of

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.kept_noise import Kept
    from audioprune.results.noise import Condition, Model
    from audioprune.results.study import Results

TITLE = "What is kept in noise"
CAPTION = (
    "Agreement: of the patches that a clip keeps clean or in noise, the share that it keeps both times (Jaccard), and "
    "what of it is beyond chance: 1 for the same choice, 0 for independent ones. A patch is signal where the clip is "
    "louder than the noise, each by itself. Excess: the share of kept patches on signal minus that of all patches, as "
    "the clean and as the noisy clip ranks them; drift is the second minus the first: below zero, the selection "
    "chases the noise. Lost: accuracy (or mAP) on clean clips minus that in the noise. Below each model: the rank "
    "correlation (Spearman) of a block's agreement with what is lost, over kinds and levels: near −1, accuracy falls "
    "most where the selection changes most."
)
NOTES = (
    f"Means over clips; intervals: {PERCENTILES}. Patches are those left of the whole input after a selecting block, "
    "every earlier selection included; excess, drift and what is beyond chance are those after the last one, the other "
    "blocks' in the data. Clips of signal or of noise alone say nothing of excess and drift, and are "
    "skipped; their number is in the data.",
    "The rank correlation describes, and tests nothing: louder noise changes the selection and costs accuracy, whether "
    f"or not one causes the other. It is left out with fewer than {FEWEST} kinds and levels, and where all are equal.",
    "A grid (uniform) keeps the same whatever it hears. The random control is seeded by a clip's content: noise draws "
    "it anew, so its agreement is that of chance.",
)


def needs(study: Cells) -> list:
    """Models in noise that select."""
    return [c for c in noise.needs(study) if c.kind == "noisy" and c.settings.pruning.method != "none"]


def build(results: Results) -> Table:
    by_row: dict[tuple[Model, Condition], list[Kept]] = {}
    for one in kept_noise.kept(results):
        by_row.setdefault((one.model, one.condition), []).append(one)
    blocks = sorted({one.block for own in by_row.values() for one in own})
    rows: list[Row] = []
    for model in dict.fromkeys(model for model, _ in by_row):
        own = [stages for (one, _), stages in by_row.items() if one is model]
        rows += [_row(results, stages) for stages in own]
        rows += _correlations(results, own)
    return Table(_columns(blocks), tuple(rows), NOTES)


def _said(model: Model) -> dict[str, Any]:
    return {
        "backbone": model.backbone,
        "dataset": model.dataset,
        "variant": model.variant,
        "method": model.method,
        "keep_rate": model.keep_rate,
        "pruned": "off the shelf" if model.shelf else "trained with it",
    }


def _correlations(results: Results, conditions: Sequence[Sequence[Kept]]) -> list[Row]:
    """One row below those of a model; none where no block has a correlation."""
    model = conditions[0][0].model
    found = {f"overlap_{own[0].block}": kept_noise.with_loss(results, own) for own in zip(*conditions, strict=True)}
    if not any(value is not None for value in found.values()):
        return []
    return [Row(_said(model) | {"condition": "rank correlation with lost"} | found, str(model))]


def _row(results: Results, stages: Sequence[Kept]) -> Row:
    """A model in one condition: agreement after each selecting block, the rest after the last one."""
    last = stages[-1]
    model = last.model
    cells = _said(model) | {
        "kind": last.condition[0],
        "level": last.condition[1],
        "condition": named(last.condition),
        "kept": last.kept,
        "patches": last.patches,
    }
    for one in stages:
        cells |= {f"overlap_{one.block}": cell_of(one.overlap), f"beyond_{one.block}": one.beyond}
        cells |= {f"drift_{one.block}": cell_of(one.drift, 100)} if one is not last else {}
    cells |= {
        "beyond": last.beyond,
        "clean_on_signal": cell_of(last.clean_on_signal, 100),
        "on_signal": cell_of(last.on_signal, 100),
        "drift": cell_of(last.drift, 100),
        "lost": cell_of(kept_noise.lost(results, model, last.condition)),
        "skipped": last.skipped,
    }
    return Row(cells, str(model))


def _columns(blocks: Sequence[int]) -> tuple[Column, ...]:
    return (
        Column("condition", "Noise", align="left"),
        *(Column(f"overlap_{block}", f"Agreement, block {block}") for block in blocks),
        Column("beyond", "Beyond chance"),
        Column("clean_on_signal", "Excess, clean", "points", decimals=1, signed=True),
        Column("on_signal", "Excess, in noise", "points", decimals=1, signed=True),
        Column("drift", "Drift", "points", decimals=1, signed=True),
        Column("drift", "95 % interval", part="interval", decimals=1, signed=True),
        Column("lost", "Lost", "points", decimals=1, signed=True),
    )
