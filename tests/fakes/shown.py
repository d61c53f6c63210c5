"""Which exhibit shows what a part of a claim says, as data: by predicate the words of its parts, and the row of a CSV.

Words are regular expressions; their groups say which model, keep-rate and block a part is of. `sides` are the models
that it compares, as rows of the plan of fake_crossed: what they have besides what the words say ($name: another group).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import pandas as pd

from audioprune import registry
from audioprune.exhibits import named
from audioprune.exhibits.figure_files import csv_of, draw_figure
from audioprune.exhibits.table_files import build_table
from audioprune.facts.tokens import BLOCKS
from tests.fakes.again import side
from tests.fakes.crossed import AST, P0, P2, crossed

MODEL = r"(?P<backbone>\S+) on (?P<dataset>[^\s,]+)"
RATED = rf"{MODEL} at (?P<keep_rate>[\d.]+)"
TRACED = r"(?P<backbone>\S+) at (?P<keep_rate>[\d.]+) on (?P<dataset>[^\s,]+)"
PAIR = rf"(?P<first>\S+) at (?P<first_rate>[\d.]+) against {TRACED}"
BLOCK = r", block (?P<block>\d+)"
DISCARDED = rf"tokens of C1 and C2 discarded, {MODEL}, after block (?P<block>\d+)"
NUMBERS = ("keep_rate", "first_rate", "block")
LEFT_OUT = {"001-5": 0.9}  # the keep-rate of a claim that does not say it

WHERE = {  # what tells rows of the plan apart, and what they have unless a part or a side says otherwise
    "evaluate": {"shelf": False, "test": "none", "selection": "last", "recipe": P2.base_lr},
    "tokens": {"recipe": P2.base_lr},
    "discard": {},
    "throughput": {"kernel": "eager"},
}
UNPRUNED, SAME = {"keep_rate": 1.0}, {}
P0_RECIPE = {"recipe": P0.base_lr}  # of all that is perturbed


@dataclass(frozen=True)
class Shown:
    """Parts that a row of an exhibit shows: in `column` of its CSV, with the interval beside."""

    name: str
    evidence: str
    exhibits: tuple[str, ...]  # the row stands in one of them
    column: tuple[str, str, str]  # value, low, high
    kind: str = "evaluate"
    sides: tuple[Mapping, ...] = (SAME,)
    row: Mapping = field(default_factory=dict)  # what it has besides what the words say
    minus: bool = False  # it shows the negative
    best: bool = False  # of several keep-rates the claim shows the best one alone
    own: bool = False  # on the claim's own datasets only
    of: str = ""  # the column of token analyses that it is of


def cell(name: str) -> tuple[str, str, str]:
    """The CSV columns of a table's quantity."""
    return name, f"{name}_low", f"{name}_high"


def _change(test: str) -> Shown:
    sides = P0_RECIPE | {"test": "none"}, P0_RECIPE | {"test": test}
    return Shown(RATED, "unperturbed minus ", ("table4",), cell("change"), sides=sides, row={"test": test}, minus=True)


def _gamma(word: str, column: str) -> Shown:
    shown = ("gamma", "low", "high")
    return Shown(
        TRACED + BLOCK, f"γ of {word} ", ("figure6", "figure9"), shown, "tokens", row={"kind": column}, of=column
    )


def _excess() -> Shown:
    return Shown(TRACED + BLOCK, "B − K/N ", ("table2",), cell("excess"), "tokens", of="excess")


LAST = {"selection": "last"}
SHOWN: dict[str, tuple[Shown, ...]] = {
    "savings.within": (
        Shown(
            MODEL, r"[\d.]+ % saved at (?P<keep_rate>[\d.]+), drop ", ("table1",), cell("drop"),
            sides=(UNPRUNED, SAME), row=LAST, best=True,
        ),
    ),
    "costs.remaining": (
        Shown(rf"drop of {MODEL}", "drop ", ("table1",), cell("drop"), sides=(UNPRUNED, SAME), row=LAST),
        Shown(rf"accuracy of {MODEL}", "", ("table1",), cell("accuracy"), row=LAST, own=True),
        Shown(
            rf"off the shelf: (?P<method>\S+) of {MODEL}", "drop ", ("off-the-shelf",), cell("drop"),
            sides=({"method": "none"}, {"shelf": True}), row={"keep_rate": ""},
        ),
    ),
    "ranking.attention_wins": (
        Shown(
            rf"attention against (?P<method>\S+) for {RATED}", "difference ",
            ("ranking",), cell("attention_minus_this"), sides=({"method": "topk"}, SAME),
        ),
        Shown(
            rf"{DISCARDED}, control", "points lost beyond as many at random: ",
            ("discard",), cell("below_control"), "discard", row={"discarded": "C1C2", "control": "False"},
        ),
    ),
    "ranking.cls_hurts": (
        Shown(
            RATED, "difference ", ("scores",), cell("own_score_minus_this"),
            sides=(SAME, {"method": "topk.cls"}), row={"score": "cls", "training": "as evaluated"},
        ),
    ),
    "perturbation.no_gain": (_change("III"),),
    "perturbation.background_costs": (_change("II"),),
    "throughput.about": (
        Shown(MODEL, "", ("table1",), cell("speed_up"), "throughput", row=LAST | {"keep_rate": 0.5, "method": "topk"}),
    ),
    "tokens.low_intensity": (
        Shown(
            PAIR + BLOCK, "low-intensity share of the kept ",
            ("low-intensity",), cell("low_of_kept_audiomae_minus_this"), "tokens",
            sides=({"backbone": "$first", "keep_rate": "$first_rate"}, SAME), row={"backbone": AST}, of="low_of_kept",
        ),
    ),
    "tokens.background_kept": (_excess(),),
    "tokens.proportional": (_excess(),),
    "attention.above_one": (_gamma("signal", "gamma_s"), _gamma("background", "gamma_b")),
}  # fmt: skip


def said(name: str, evidence: str, part, claim) -> dict | None:
    """What a part says it is of; None where its words are others. Of one that was not run there is its name alone."""
    ran = part.verdict != "not-run"
    found, more = re.fullmatch(name, part.name), re.match(evidence, part.evidence) if ran else None
    if not found or (ran and not more):
        return None
    groups = found.groupdict() | (more.groupdict() if more else {})
    if claim.predicate == "costs.remaining" and "off the shelf" not in part.name:
        groups["keep_rate"] = LEFT_OUT.get(claim.name) or claim.cells.keep_rates[0]
    return {key: float(value) if key in NUMBERS else value for key, value in groups.items()}


def planned(kind: str, groups: Mapping, sides: tuple[Mapping, ...]) -> list[pd.DataFrame]:
    """The sides of a part as they were planned."""
    return [_planned(kind, {**groups, **{key: groups.get(str(v)[1:], v) for key, v in own.items()}}) for own in sides]


def _planned(kind: str, wanted: Mapping) -> pd.DataFrame:
    own = {key: wanted.get(key, value) for key, value in WHERE[kind].items()}
    if kind in ("evaluate", "tokens"):
        rate = wanted.get("keep_rate", 1.0)
        own |= {"keep_rate": rate, "method": wanted.get("method", "topk" if rate < 1 else "none")}
    return side(kind=kind, backbone=wanted["backbone"], dataset=wanted["dataset"], **own)


def rows(shown: Shown, groups: Mapping) -> list[dict[str, str]]:
    """The rows of its exhibits that a part names."""
    names = ("backbone", "dataset", "method", "keep_rate", "block")
    known, found = {"method": "topk"} | {key: groups[key] for key in names if key in groups}, []
    for name in shown.exhibits:
        for row in exhibit(name):
            wanted = {"variant": variant(shown, row), **known, **shown.row}
            if all(key not in row or _same(row[key], value) for key, value in wanted.items()):
                found.append(row)
    return found


def variant(shown: Shown, row: Mapping[str, str]) -> str:
    """How an exhibit names the recipe of the sides, where models of a backbone and dataset have two."""
    kinds = crossed()[1][lambda plan: plan["kind"] == (shown.kind if shown.kind == "tokens" else "evaluate")]
    own = kinds[(kinds["backbone"] == row["backbone"]) & (kinds["dataset"] == row["dataset"])]
    recipe = shown.sides[-1].get("recipe", P2.base_lr)
    return f"base_lr={recipe:g}" if own["recipe"].nunique() > 1 else ""


def number(text: str) -> float | None:
    return float(text) if text else None


def _same(text: str, value: object) -> bool:
    return float(text or "nan") == value if isinstance(value, float) else text == str(value)


@cache
def exhibit(name: str) -> list[dict[str, str]]:
    """The lines of a table's or a figure's CSV."""
    if name in named.names("table"):
        text = build_table(named.get("table", name), crossed()[0]).csv()
    else:
        text = csv_of(draw_figure(named.get("figure", name), crossed()[0])[1])
    return list(csv.DictReader(io.StringIO(text)))


def judged_rows(shown: Shown, claim) -> list[dict[str, str]]:
    """All rows with a number that a claim can mean: of its models, their datasets, its methods and keep-rates."""
    found = []
    for name in shown.exhibits:
        for row in exhibit(name):
            wanted = {"variant": variant(shown, row), **shown.row}
            fits = all(key not in row or _same(row[key], value) for key, value in wanted.items())
            if fits and row.get(shown.column[0]) and _of_claim(shown, claim, row):
                found.append(row)
    return found


STANDS_FOR = {"spc2": "fsdd-digits", "esc50": "esc50", "voxceleb1": "fsdd-speakers", "as20k": "esc10mix"}


def _of_claim(shown: Shown, claim, row: Mapping[str, str]) -> bool:
    cells = claim.cells
    rates = (LEFT_OUT[claim.name],) if claim.name in LEFT_OUT else cells.keep_rates
    datasets = set(cells.datasets) if shown.own else {STANDS_FOR[name] for name in cells.datasets}
    methods = {method + option for method in cells.methods for option in ("", ".as_released", ".r9")}
    return (
        registry.backbone(row["backbone"]).family.name in cells.backbones
        and row["dataset"] in datasets
        and ("method" not in row or row["method"] in methods)
        and (not row.get("keep_rate") or float(row["keep_rate"]) in rates)
        and ("kind" not in row or int(row["block"]) in BLOCKS)  # a figure has all blocks, claims are of stages
    )
