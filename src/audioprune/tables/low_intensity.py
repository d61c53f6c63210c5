"""Low-intensity tokens that survive all stages, AudioMAE against AST (paper.md 3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audioprune import registry
from audioprune.cells.query import value_of
from audioprune.exhibits.headline import Question, Rows
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.results.estimate import Estimate
from audioprune.results.token_contrasts import contrast
from audioprune.results.tokens import Group, analysed, groups, means
from audioprune.tables._rows import adjusted
from audioprune.tables._tokens import PROTOCOL, measured, notes, where
from audioprune.wording import number

if TYPE_CHECKING:
    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Low-intensity tokens that survive"
CAPTION = (
    "Low-intensity tokens (clusters C1 and C2 of the patch mean) after the last pruning stage, as a share of all "
    "survivors and as a share of the input's low-intensity tokens; means over test clips. Padding has low intensity "
    "and is counted, as released; beside it stand the shares of the survivors that are padding, that the clip's end "
    "cuts through, and that have low intensity without being padding. Differences are AudioMAE minus the model of the "
    "row, both at this keep-rate, on the same clips. A selection blind to intensity would keep the share K / N of the "
    "input's low-intensity tokens."
)


def _confounded(rows: Rows) -> str:
    """That the two rank by different scores; and what each keeps under the other's, where the study has that."""
    said = (
        "AudioMAE ranks by the global and AST by the class-token score, so that the score may explain this as well as "
        "the model"
    )
    for family, score in (("audiomae", "cls"), ("ast", "global")):
        own = [row for row in rows if (row["family"], row["score"]) == (family, score)]
        own = [row for row in own if row["keep_rate"] == min(one["keep_rate"] for one in own)]
        shares = [f"{number(share, 1)} % on {row['dataset']}" for row in own if (share := _value(row)) is not None]
        said += f"; {NAMED[family]} ranked by {score}: {', '.join(shares)} of its kept tokens" if shares else ""
    return f"{said}."


def _value(row: Mapping[str, Any]) -> float | None:
    return row["low_of_kept"].value if isinstance(row["low_of_kept"], Cell) else None


def _padded(rows: Rows) -> str:
    """How much of what is kept at the lowest keep-rate is padding or in part so, where it is more than a hundredth."""
    rate = min(row["keep_rate"] for row in rows)
    told = []
    for row in (row for row in rows if row["keep_rate"] == rate and "padding_of_kept" in row):
        padding, cut = (row[f"{kind}_of_kept"].value or 0 for kind in ("padding", "cut"))
        if padding + cut > 1:
            what = f"{number(padding, 1)} % padding, {number(cut, 1)} % cut by the clip's end"
            told.append(f"{row['backbone']} by {row['score']} on {row['dataset']}, {what}")
    return f"Padding counts as low intensity. Of the kept tokens: {'; '.join(told)}." if told else ""


def _caution(rows: Rows) -> str:
    return " ".join(filter(None, (_confounded(rows), _padded(rows))))


NAMED = {"audiomae": "AudioMAE", "ast": "AST"}
HEADLINE = Question(
    question="Does AudioMAE keep more low-intensity tokens than AST at keep-rate {rate}?",
    above="Their share of AudioMAE's kept tokens minus that of AST's, in points",
    difference="low_of_kept_audiomae_minus_this",
    of={"method": "topk", "family": "ast", "score": "cls"},
    caution=_caution,
)
OURS = "audiomae"  # the family that others are compared with
RELEASED = ("low_of_kept", "low_of_input")
SHARES = (*RELEASED, "low_inside_of_kept", "low_inside_of_input", "padding_of_kept", "cut_of_kept")
RANKS = "Models rank by the score named; AudioMAE in the differences ranks by its own, global score."


def needs(study: Cells) -> list:
    """topk models on datasets where AudioMAE and an AST are both analysed, under whatever score the study has."""
    found = analysed(study, families=(OURS, "ast", "ast-mp"))
    families: dict[str, set] = {}
    for c in found:
        families.setdefault(value_of(c, "dataset"), set()).add(registry.backbone(value_of(c, "backbone")).family.name)
    compared = {dataset for dataset, own in families.items() if OURS in own and len(own) > 1}
    return [c for c in found if value_of(c, "dataset") in compared]


def build(results: Results) -> Table:
    found = groups(results, needs(results))
    place = {g.dataset: i for i, g in reversed(list(enumerate(found)))}
    shown = sorted(found, key=lambda g: (place[g.dataset], -g.keep_rate))
    rows = adjusted(row for group in shown for row in _rows(results, shown, group))
    told = (RANKS, *notes(results, shown), PROTOCOL) if rows else ()
    return Table(_columns(), tuple(rows), told)


def _rows(results: Results, shown: list[Group], group: Group) -> Iterator[Row]:
    own = _last(results, group)
    row = {**where(group), "family": group.family, "score": group.score, "variant": group.variant}
    row["n"] = own["low_of_input"].n if own else 0
    row["kept_fraction"] = 100 * own["kept_fraction"].value if own else None
    for share in SHARES if own else RELEASED:  # where nothing was run, these say why
        row[share] = measured(own.get(share), group, 100)
    other = _audiomae(shown, group)
    row["against"] = other.backbone if other else None
    for share in SHARES if own else ():
        if other is None:  # AudioMAE itself
            continue
        paired = contrast(results, share, (1, other, other.blocks[-1]), (-1, group, group.blocks[-1]))
        p = paired.chance() if isinstance(paired, Estimate) else None
        row[f"{share}_audiomae_minus_this"] = replace(measured(paired, group, 100), p=p)
    yield Row(row, "; ".join(filter(None, (f"{group.dataset}, keep-rate {group.keep_rate:g}", group.variant))))


def _last(results: Results, group: Group) -> dict:
    """Estimates after the last stage, by name."""
    if not group.cells:
        return {}
    found = means(results, group, "stages", ("stage",), (*SHARES, "kept_fraction"))
    last = max(stage for stage, _ in found)
    return {name: one for (stage, name), one in found.items() if stage == last}


def _audiomae(shown: list[Group], group: Group) -> Group | None:
    """AudioMAE by its own score, of the same size, dataset, keep-rate and settings; None for that model itself."""
    size = registry.backbone(group.backbone).size
    alike = (g for g in shown if g.family == OURS and registry.backbone(g.backbone).size == size)
    own = (g for g in alike if g.method == "topk" and g.cells)
    same = (group.dataset, group.keep_rate, group.blocks, group.signal)
    found = [g for g in own if (g.dataset, g.keep_rate, g.blocks, g.signal) == same and g != group]
    return next(iter(found), None)


def _columns() -> tuple[Column, ...]:
    """As many as a page holds; the CSV has the intervals and differences of all shares."""
    return (
        Column("backbone", "Backbone", align="left"),
        Column("score", "Ranked by", align="left"),
        Column("low_of_kept", "Of survivors", "%", 1),
        Column("low_of_kept", "95 % interval", part="interval", decimals=1),
        Column("low_of_kept_audiomae_minus_this", "AudioMAE − this", "points", 1, signed=True),
        Column("low_of_kept_audiomae_minus_this", "95 % interval", part="interval", decimals=1, signed=True),
        Column("padding_of_kept", "Kept padding", "%", 1),
        Column("cut_of_kept", "Kept cut", "%", 1),
        Column("low_inside_of_kept", "Without padding", "%", 1),
        Column("low_inside_of_kept_audiomae_minus_this", "AudioMAE − this", "points", 1, signed=True),
        Column("low_inside_of_kept_audiomae_minus_this", "95 % interval", part="interval", decimals=1, signed=True),
        Column("low_of_input", "Of input's", "%", 1),
        Column("kept_fraction", "K / N", "%", 1),
    )
