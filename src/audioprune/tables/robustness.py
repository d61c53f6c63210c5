"""What noise costs pruned and unpruned models (research question 2)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.headline import Sentence
from audioprune.exhibits.table import Column, Row, Table
from audioprune.results import noise, noise_judged, robustness
from audioprune.results.estimate import INTERVAL, Absent
from audioprune.results.noise_judged import Judged
from audioprune.results.noise_rule import MARGIN
from audioprune.results.robustness import FEWEST, FLOOR, Robust
from audioprune.tables._rows import KEEP_RATE, cell_of
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.exhibits.headline import Rows
    from audioprune.results.noise import Model
    from audioprune.results.study import Results

TITLE = "Pruning and robustness to noise"
CAPTION = (
    "Accuracy (or mAP) on clean test clips and in noise, a mean over kinds that add noise and over all levels. "
    "Loss: clean minus noise. More than unpruned: the loss minus that of the unpruned model on the same clips in the "
    "same noise; above zero, pruning costs more in noise than it does clean. More than random: the same against a "
    "random choice of as many tokens, on the same weights; above zero, noise misleads the ranking."
)
NOTES = (
    f"Intervals: {INTERVAL}; the unpruned model is in the same draws, and all conditions of a clip stay together. Of "
    "logits and of relative errors: percentiles of the same draws.",
    "In logits: the same difference of losses with the logit of every accuracy, since a point near the end of the "
    "scale is worth more than one in its middle. Relative errors: errors over those of the unpruned model, all levels "
    "of a kind together, a mean over kinds. Flips: clips that are right when clean and wrong in noise.",
    f"A kind and level counts where the unpruned model's interval lies above {FLOOR:g} times chance; what the floor "
    f"leaves out is named in the data. With fewer than {FEWEST} that count nothing is concluded. The gain control and "
    "reverberation are in no mean.",
    f"Verdicts, of models trained with topk and, against random, of topk off the shelf. Supported: the interval lies "
    f"above zero. Refuted: the one-sided 95 % upper bound lies below {MARGIN:g} point; against random, the interval "
    "lies below zero. Inconclusive: all else. Partly: in logits it is the contrary. Adjusted by Holm for all models of "
    "one question.",
    "Trained with noise: in every epoch a training clip was, with probability 0.5, in white or pink noise or in babble "
    "of other training clips, at 0 to 20 dB. The pruned model is compared with the unpruned one that was trained so, "
    "too; these rows enter no verdict.",
    "No published comparison of token pruning in noise was found for audio, and none for images with a table for each "
    "method: no value here has a printed one beside it.",
)
HOW = {True: "Off the shelf", False: "Trained with it"}


def needs(study: Cells) -> list:
    return [*noise.needs(study), *noise.trained_with_noise(study)]


def build(results: Results) -> Table:
    asked = {
        one.model: (question, one)
        for question in ("degrades", "misled")
        for one in noise_judged.judged(results, question)
    }
    rows = [_row(one, *asked.get(_model(one), ("", None))) for one in robustness.every(results)]
    return Table(_columns(), tuple(rows), NOTES)


def _model(one: Robust | tuple[Model, Absent]) -> Model:
    return one.model if isinstance(one, Robust) else one[0]


def _row(one: Robust | tuple[Model, Absent], question: str, judged: Judged | None) -> Row:
    model = _model(one)
    cells: dict[str, Any] = {
        "backbone": model.backbone,
        "dataset": model.dataset,
        "variant": model.variant,
        "training": "with noise" if model.with_noise else "on clean clips",
        "method": model.method,
        "keep_rate": None if model.unpruned else model.keep_rate,
        "pruned": "" if model.unpruned else HOW[model.shelf],
    }
    if not isinstance(one, Robust):
        return Row(cells | {"clean": cell_of(one[1])}, model.heading)
    cells |= {
        "clean": cell_of(one.clean),
        "noisy": cell_of(one.noisy),
        "loss": cell_of(one.drop),
        "interaction": cell_of(one.interaction),
        "logit": cell_of(one.logit),
        "relative_error": cell_of(one.relative_error),
        "flips": one.flips,
        "selection": cell_of(one.selection),
        "n": None if isinstance(one.clean, Absent) else one.clean.n,
        "conditions": len(one.counted.conditions),
        "left_out": one.counted.said or None,
    }
    if judged is not None and judged.outcome is not None:
        cells |= {"question": question, "verdict": judged.outcome.verdict, "told": judged.outcome.told or None}
        cells |= {"p": judged.p, "p_holm": judged.adjusted}
    return Row(cells, model.heading)


def _columns() -> tuple[Column, ...]:
    return (
        Column("method", "Method", align="left"),
        KEEP_RATE,
        Column("pruned", "Pruned", align="left"),
        Column("clean", "Clean", decimals=1),
        Column("noisy", "In noise", decimals=1),
        Column("loss", "Loss", "points", decimals=1, signed=True),
        Column("interaction", "More than unpruned", "points", signed=True),
        Column("interaction", "95 % interval", part="interval", signed=True),
        Column("logit", "In logits", signed=True),
        Column("logit", "95 % interval", part="interval", signed=True),
        Column("relative_error", "Relative error"),
        Column("flips", "Flips", "%", decimals=1),
        Column("selection", "More than random", "points", signed=True),
        Column("selection", "95 % interval", part="interval", signed=True),
        Column("conditions", "Conditions"),
        Column("verdict", "Verdict", align="left"),
    )


# --- what a report says first -----------------------------------------------------------------------------------------

ASKED = {
    "degrades": "{backbone} on {dataset}, trained with {method} at {rate}",
    "misled": "{backbone} on {dataset}, {method} at {rate} off the shelf against random",
}
SAID = {
    "degrades": ("lose more to noise than the unpruned model", "interaction"),
    "misled": ("lose more to it than a random choice of as many tokens", "selection"),
}


def _said(rows: Rows) -> str:
    """How many trained models lose more in noise than unpruned, and how many rankings more than random, all named."""
    return " ".join(filter(None, (_counted(rows, question) for question in SAID)))


def _counted(rows: Rows, question: str) -> str:
    own = [row for row in rows if row.get("question") == question]
    if not own:
        return ""
    found, (said, key) = Counter(row["verdict"] for row in own), SAID[question]
    others = [f"{found[name]} {name}" for name in ("partly", "refuted", "inconclusive") if found[name]]
    what = "models trained with topk" if question == "degrades" else "models pruned off the shelf by topk"
    shown = "; ".join(_shown(row, question, key) for row in own)
    rest = f" ({', '.join(others)})" if others else ""
    return f"{found['supported']} of {len(own)} {what} {said}{rest}: {shown}."


def _shown(row: Any, question: str, key: str) -> str:
    cell, rate = row[key], f"{row['keep_rate']:g}"
    model = ASKED[question].format(backbone=row["backbone"], dataset=row["dataset"], method=row["method"], rate=rate)
    ends = ", ".join(number(end, 1, signed=True) for end in (cell.low, cell.high) if end is not None)
    return f"{model} {number(cell.value, 1, signed=True)} [{ends}] points"


HEADLINE = Sentence(question="Does pruning degrade robustness to noise?", said=_said)
