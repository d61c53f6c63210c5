"""Claims and exhibits say the same of one study: folds, seeds, selections, recipes, and designs that are not equal.

Every part of every claim that rests on cells is met in the exhibit that shows it (the map is `_shown.SHOWN`), or, where
none does, is computed again from the files. No part is left out, and none is not run where an exhibit has a number.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy.stats import spearmanr

import tests.fakes.again as _again
from audioprune import registry
from audioprune.claims.claim import load
from audioprune.claims.ledger import judge
from audioprune.claims.verdict import Judged, Part
from audioprune.results.study import Results
from audioprune.tables import claims as claims_table
from tests.fakes.again import Found, left_out
from tests.fakes.crossed import AST, MAE, NOT_MADE, NOT_TIMED, NOTHING_SHARED, P2, crossed
from tests.fakes.shown import (
    BLOCK,
    DISCARDED,
    MODEL,
    P0_RECIPE,
    PAIR,
    RATED,
    SHOWN,
    TRACED,
    UNPRUNED,
    exhibit,
    judged_rows,
    number,
    planned,
    rows,
    said,
)

CLAIMS = {claim.name: claim for claim in load() if claim.sources[0].status}  # not those of anyone's own


@cache
def judged(name: str) -> Judged:
    return judge(CLAIMS[name], crossed()[0])


def parts(name: str) -> list[Part]:
    """Those that rest on cells that are there."""
    return [part for part in judged(name).of("cells") if part.verdict != "not-run"]


# --- what no exhibit shows -----------------------------------------------------------------------------------------

DROPS = rf"(?P<first>\S+) against {MODEL}"
FIRST = {"backbone": "$first"}
GROUP, SPAN = r", (?P<group>G\d)", r", blocks (?P<from>\d+) to (?P<last>\d+)"
ONE_SCORE = r", both ranked by (?P<score>\w+)"


def _difference_of_drops(claim, groups: dict):
    """Unpruned minus pruned, of the first model and of the second."""
    sides = planned("evaluate", groups, (FIRST | UNPRUNED, FIRST, UNPRUNED, {}))
    return _again.contrast(sides, lambda x: (x[0] - x[1]) - (x[2] - x[3])), sides


def _difference_of_slopes(claim, groups: dict):
    """Drops by the share that is pruned, with none of nothing; of keep-rates that both models are planned at."""
    where = {"kind": "evaluate", "dataset": groups["dataset"], "method": "topk", "shelf": False}
    both = [set(_again.side(**where, backbone=groups[one])["keep_rate"]) for one in ("first", "backbone")]
    rates = sorted(set(claim.cells.keep_rates).intersection(*both))
    at = [UNPRUNED, *({"keep_rate": rate} for rate in rates)]
    sides = planned("evaluate", groups, (*(FIRST | one for one in at), *at))
    x, n = [0.0, *(1 - rate for rate in rates)], len(at)

    def slope(values: np.ndarray) -> np.ndarray:
        drops = values[:1] - values  # (points, ...)
        return np.polyfit(x, drops.reshape(n, -1), 1)[0].reshape(drops.shape[1:])

    return _again.contrast(sides, lambda values: slope(values[:n]) - slope(values[n:])), sides


def _two_tests(first: str, second: str) -> Callable:
    def again(claim, groups: dict):
        sides = planned("evaluate", groups, (P0_RECIPE | {"test": first}, P0_RECIPE | {"test": second}))
        return _again.contrast(sides, lambda x: x[0] - x[1]), sides

    return again


STAGES = {"G1": (0, 1, 2, 3), "G2": (4, 5, 6), "G3": (7, 8, 9)}  # blocks from 0, each ends with the one that prunes


def _blocks(groups: dict) -> tuple[int, ...]:
    """Those over which a part is a mean: it names one, the first and the last, or a group."""
    if "block" in groups:
        return (int(groups["block"]),)
    stage = STAGES.get(groups.get("group", ""), ())
    if "last" not in groups:
        return stage
    blocks = tuple(range(int(groups["from"]), int(groups["last"]) + 1))
    assert not stage or blocks == stage[:-1]  # without the one that prunes
    return blocks


def _two_models(column: str, factor: float = 1.0) -> Callable:
    def again(claim, groups: dict):
        blocks = _blocks(groups)
        own, n = planned("tokens", groups, (FIRST | _by(groups, "first", "$first_rate"), _by(groups))), len(blocks)
        sides = [side for side in own for _ in blocks]
        found = _again.tokens(sides, column, blocks * 2, lambda x: x[:n].mean(0) - x[n:].mean(0))
        return _again.scaled(found, factor), sides

    return again


def _by(groups: dict, backbone: str = "backbone", rate: str = "$keep_rate") -> dict:
    """A side's keep-rate, and the method where both sides rank by one score: topk names only what is not its own."""
    method = "topk" if groups.get("score") == _again.OWN_SCORE[groups[backbone]] else f"topk.{groups.get('score')}"
    return {"keep_rate": rate} | ({"method": method} if "score" in groups else {})


def _over_blocks(column: str) -> Callable:
    def again(claim, groups: dict):
        blocks = _blocks(groups)
        sides = planned("tokens", groups, ({},)) * len(blocks)
        return _again.tokens(sides, column, blocks, lambda x: x.mean(0)), sides

    return again


def _discarded(claim, groups: dict):
    """Of an unpruned model, minus the same without its tokens of C1 and C2."""
    sides = [*planned("evaluate", groups, (UNPRUNED,)), *planned("discard", groups, ({},))]
    return _again.discarded(sides, int(groups["block"])), sides


def _slope_over_blocks(claim, groups: dict):
    """Of each clip, then the mean over clips."""
    blocks = range(12)
    sides = planned("tokens", groups, ({},)) * len(blocks)
    return _again.tokens(sides, "norm", blocks, lambda x: np.polyfit(blocks, x, 1)[0]), sides


def _along(claim, groups: dict):
    """Of keep-rate and drop, from Table 1: no interval."""
    wanted = {"backbone": groups["backbone"], "dataset": groups["dataset"], "method": "topk"}
    own = [r for r in _drops(claim) if all(r[key] == value for key, value in wanted.items())]
    return _ranks(claim, own, [float(r["keep_rate"]) for r in own])


def _too_few(claim, groups: dict):
    """Of so few keep-rates there is no correlation: what is said are the drops of Table 1."""
    wanted = {"backbone": groups["backbone"], "dataset": groups["dataset"], "method": "topk"}
    own = [r for r in _drops(claim) if all(r[key] == value for key, value in wanted.items())]
    told = re.findall(r"(\S+) at ([\d.]+)", groups["lost"].replace("\N{MINUS SIGN}", "-"))
    assert {float(rate): float(drop) for drop, rate in told} == pytest.approx(
        {float(r["keep_rate"]): float(r["drop"]) for r in own}, abs=0.005 + 1e-9
    )
    assert len(own) == len(told) == int(groups["points"]) < 4
    found, sides = _ranks(claim, own, [float(r["keep_rate"]) for r in own])
    return found._replace(value=None), sides


def _across(claim, groups: dict):
    """Of the number of classes and the drop at 0.5, from Table 1."""
    own = [r for r in _drops(claim) if r["keep_rate"] == "0.5"]
    return _ranks(claim, own, [registry.dataset(r["dataset"]).num_classes for r in own])


def _drops(claim) -> list[dict[str, str]]:
    return judged_rows(SHOWN["savings.within"][0], claim)


def _ranks(claim, own: list[dict[str, str]], x: list[float]):
    """Rank correlation of x and these rows' drops, and what they rest on."""
    rho, kept = spearmanr(x, [float(r["drop"]) for r in own]).statistic, []
    for r in own:
        where = {"backbone": r["backbone"], "dataset": r["dataset"]}
        pair = planned("evaluate", where, (UNPRUNED, {"keep_rate": float(r["keep_rate"])}))
        kept.append(_again.contrast(pair, lambda x: x[0] - x[1]))
    datasets = {r["dataset"]: found.n for r, found in zip(own, kept, strict=True)}
    cells = dict.fromkeys(cell for found in kept for cell in found.cells)
    return Found(rho, None, None, sum(datasets.values()), min(found.seeds for found in kept), tuple(cells)), []


# {predicate: (words of a name, words of its evidence, what computes it from the claim and the groups of the words)}
AGAIN: dict[str, tuple[tuple[str, str, Callable], ...]] = {
    "sensitivity.loses_more": ((rf"{DROPS} at (?P<keep_rate>[\d.]+)", "difference in drops ", _difference_of_drops),),
    "sensitivity.steeper": ((DROPS, "difference in drops ", _difference_of_slopes),),
    "difficulty.grows": (
        (MODEL, "rank correlation .* of keep-rate and drop", _along),
        (MODEL, r"points lost: (?P<lost>.*); (?P<points>\d+) keep-rates are too few for a rank correlation", _too_few),
        ("across datasets", "rank correlation .* of classes and drop", _across),
    ),
    "perturbation.signal_matters_more": ((RATED, "test II minus test I: ", _two_tests("II", "I")),),
    "perturbation.signal_for_background_costs_more": ((RATED, "test II minus test III: ", _two_tests("II", "III")),),
    "tokens.signal_kept_more": ((PAIR + BLOCK, "ratio B ", _two_models("ratio_b", 100)),),
    "tokens.low_intensity": (
        (PAIR + BLOCK + ONE_SCORE, "low-intensity share of the kept ", _two_models("low_of_kept", 100)),
    ),
    "ranking.attention_wins": ((DISCARDED, "points lost: ", _discarded),),
    "attention.above_one": (
        (TRACED + GROUP + SPAN, "γ of signal ", _over_blocks("gamma_s")),
        (TRACED + GROUP + SPAN, "γ of background ", _over_blocks("gamma_b")),
    ),
    "attention.grows": (
        (PAIR + GROUP, "γ of signal ", _two_models("gamma_s")),
        (PAIR + GROUP, "γ of background ", _two_models("gamma_b")),
    ),
    "attention.norm_falls": ((rf"{TRACED}, slope", "norm ratio ", _slope_over_blocks),),
    "attention.norm_falls_with_pruning": ((PAIR + SPAN, "norm ratio ", _two_models("norm")),),
}


# --- what an exhibit shows -----------------------------------------------------------------------------------------


def shown_again(one, groups: dict) -> tuple[Found, list]:
    """From the files; of discarded tokens and of timings only what it rests on."""
    sides = planned(one.kind, groups, one.sides)
    combine = (lambda x: x[0]) if len(sides) == 1 else (lambda x: x[0] - x[1])
    if one.kind == "evaluate":
        return _again.contrast(sides, combine), sides
    if one.kind == "tokens":
        factor = 1 if one.of.startswith("gamma") else 100
        return _again.scaled(_again.tokens(sides, one.of, [groups["block"]] * len(sides), combine), factor), sides
    (own,) = sides
    cells = tuple(own[own["made"]]["path"])
    if one.kind == "throughput":
        return Found(None, None, None, 9, 1, cells), []
    clips = {clip for path in cells for clip in crossed()[0].cell(path).frame()["clip"]}
    return Found(None, None, None, len(clips), own[own["made"]]["seed"].nunique(), cells), []


def in_exhibit(one, groups: dict) -> tuple[Found, str]:
    """Value and interval of the one row, and its remark."""
    (row,) = rows(one, groups)
    value, low, high = (number(row[column]) for column in one.column)
    ends = (-value, -high, -low) if one.minus else (value, low, high)
    return Found(*ends, 0, 0, ()), row.get(f"{one.column[0]}_note", "")


def numbers(found: Part | Found):
    """Value and interval; what has none has none of the other side."""
    ends = (found.value, found.low, found.high)
    return tuple(end if end is None else pytest.approx(end, rel=1e-9, abs=1e-9) for end in ends)


def entries(part: Part, claim) -> list[tuple]:
    """Those of both maps whose words fit."""
    found = [(one, said(one.name, one.evidence, part, claim)) for one in SHOWN.get(claim.predicate, ())]
    found += [(again, said(name, text, part, claim)) for name, text, again in AGAIN.get(claim.predicate, ())]
    return [(one, groups) for one, groups in found if groups is not None]


@pytest.mark.parametrize("name", CLAIMS)
def test_every_part_is_what_an_exhibit_shows(name):
    for part in parts(name):
        ((one, groups),) = entries(part, CLAIMS[name])  # one of both maps
        again, sides = one(CLAIMS[name], groups) if callable(one) else shown_again(one, groups)
        assert (part.n, part.seeds) == (again.n, again.seeds), part
        assert sorted(part.cells) == sorted(again.cells), part
        if again.value is not None:
            assert numbers(part) == numbers(again), part
        if not callable(one):
            found, note = in_exhibit(one, groups)
            assert numbers(part) == numbers(found), part
            assert len(one.sides) == 1 or note == left_out(sides), part
        assert len(sides) < 2 or left_out(sides) in part.evidence, part


# --- nothing is skipped, and nothing is not run that an exhibit shows -------------------------------------------------

SHOWN_PARTS = {
    "savings.within": 8,
    "costs.remaining": 10,
    "ranking.attention_wins": 19,
    "ranking.cls_hurts": 2,
    "perturbation.no_gain": 4,
    "perturbation.background_costs": 2,
    "throughput.about": 3,
    "tokens.low_intensity": 5,
    "tokens.background_kept": 24,
    "tokens.proportional": 24,
    "attention.above_one": 46,
}
AGAIN_PARTS = {
    "sensitivity.loses_more": 8,
    "sensitivity.steeper": 2,
    "difficulty.grows": 5,
    "perturbation.signal_matters_more": 4,
    "perturbation.signal_for_background_costs_more": 4,
    "tokens.signal_kept_more": 9,
    "attention.grows": 23,
    "attention.norm_falls": 4,
    "attention.norm_falls_with_pruning": 4,
    "tokens.low_intensity": 1,
    "ranking.attention_wins": 12,
    "attention.above_one": 48,
}


def test_all_parts_are_in_one_of_both_maps():
    shown: Counter[str] = Counter()
    again: Counter[str] = Counter()
    for name, claim in CLAIMS.items():
        for part in parts(name):
            ((one, _),) = entries(part, claim)
            (again if callable(one) else shown)[claim.predicate] += 1
    assert (shown, again) == (SHOWN_PARTS, AGAIN_PARTS)
    assert (set(SHOWN_PARTS), set(AGAIN_PARTS)) == (set(SHOWN), set(AGAIN))


@pytest.mark.parametrize("name", CLAIMS)
def test_every_number_of_an_exhibit_is_judged(name):
    """In all rows of a claim's models, datasets, methods and keep-rates; savings are judged by the best of them."""
    claim = CLAIMS[name]
    for one in SHOWN.get(claim.predicate, ()):
        named = [said(one.name, one.evidence, part, claim) for part in parts(name)]
        met = [row for groups in named if groups is not None for row in rows(one, groups)]
        wanted = judged_rows(one, claim)
        assert all(row in wanted for row in met)
        assert one.best or all(row in met for row in wanted)


BAND, NO = "that saves 47.4 to 52.4 % of the MACs", "the study mini has no"
STATISTIC = "with tokens ranked by variation"
ELSEWHERE = "its values are judged on {} at the published size only; beside it: ast-tiny on "
AT_HALF = "at 0.5 against {} at 0.5 on fsdd-digits, block"
NOT_RUN: dict[str, dict[str, str]] = {
    "000-1": {"voxceleb1": NO},
    "000-2": {f"{MAE} {AT_HALF.format(AST)} 9": NOTHING_SHARED},
    "000-3": {"spc2": NO},
    "000-6": {"as20k itself": ELSEWHERE.format("as20k")},
    "000-7": {"esc50 itself": ELSEWHERE.format("esc50")},
    "000-8": {"spc2 itself": ELSEWHERE.format("spc2")},
    "000-9": {"spc2 itself": ELSEWHERE.format("spc2")},
    "000-10": {"as20k itself": ELSEWHERE.format("as20k")},
    "000-11": {"esc50 itself": ELSEWHERE.format("esc50")},
    "001-4": {"as20k": "is only timed"},
    "001-5": {"as20k itself": ELSEWHERE.format("as20k")},
    "001-6": {
        f"variation for {MAE} on fsdd-digits": STATISTIC,
        f"variation for {MAE} on esc10mix": STATISTIC,
        f"variation for {AST} on fsdd-digits": STATISTIC,
        f"variation for {AST} on esc50": STATISTIC,
        f"variation for {AST} on esc10mix": STATISTIC,
        f"attention against variation for {MAE} on esc50 at 0.5": NOTHING_SHARED,
        f"attention against intensity for {AST} on fsdd-digits at 0.5": NOT_MADE,
    },
    "P0-1": {f"{MAE} on esc50": BAND},
    "P0-3": {
        f"{MAE} at 0.7 against {MAE} at 0.5 on esc10mix, G3": "no clip has gamma_b at each of the blocks 7, 8 and 9"
    },
    "P0-11": {f"{AST} {AT_HALF.format(MAE)} {block}": NOTHING_SHARED for block in (3, 6, 9)},
    "P0-13": {f"{MAE} on esc10mix": NOT_TIMED},
}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_is_not_run_no_exhibit_shows_either(name):
    """The exhibit says the same reason, where it has a place for it."""
    absent = {part.name: part for part in judged(name).of("cells") if part.verdict == "not-run"}
    assert set(absent) == set(NOT_RUN.get(name, {}))
    for part in absent.values():
        assert NOT_RUN[name][part.name] in part.evidence
        assert (part.cells, part.value, bool(part.command)) == ((), None, True)
        for one, groups in entries(part, CLAIMS[name]):
            if callable(one) or (one.best and "keep_rate" not in groups):
                continue
            if part.evidence.startswith("no clip has ") and one.of not in part.evidence:
                continue  # the name is that of another column's part, too
            for row in rows(one, groups):
                assert row.get(one.column[0], "") == ""
                assert row[f"{one.column[0]}_why"] == part.evidence


def test_where_no_clip_has_a_ratio_neither_the_figure_nor_a_part_has_one():
    """Of the mixtures no clip keeps background at block 9."""
    own = {"kind": "gamma_b", "backbone": MAE, "dataset": "esc10mix"}
    found = [row for name in ("figure6", "figure9") for row in exhibit(name) if own.items() <= row.items()]
    assert Counter(row["block"] for row in found) == {str(block): 2 for block in range(9)}  # at two keep-rates
    backgrounds = [part.name for part in judged("P0-2").of("cells") if part.evidence.startswith("γ of background")]
    assert f"{MAE} at 0.5 on esc10mix, block 6" in backgrounds
    assert not [name for name in backgrounds if name.endswith("on esc10mix, block 9")]


def test_what_discarding_costs_is_table_1_less_the_figure():
    whole = {(r["backbone"], r["dataset"]): r["accuracy"] or r["map"] for r in exhibit("table1") if _plain(r)}
    figure = [r for r in exhibit("discard") if (r["discarded"], r["control"]) == ("C1C2", "False")]
    wanted = {
        f"tokens of C1 and C2 discarded, {r['backbone']} on {r['dataset']}, after block {r['block']}": float(
            whole[r["backbone"], r["dataset"]]
        )
        - float(r["value"])
        for r in figure
    }
    found = {part.name: part.value for part in parts("001-6") if part.name in wanted}
    assert len(wanted) == 12
    assert found == pytest.approx(wanted)


def _plain(row: dict[str, str]) -> bool:
    """Unpruned, by the recipe of most models."""
    unpruned = float(row["keep_rate"] or 1) == 1 and row.get("selection", "last") == "last"
    return unpruned and row["variant"] in ("", f"base_lr={P2.base_lr:g}")


def test_differences_of_drops_are_those_of_table_1_where_both_models_have_all_runs():
    digits = {
        (r["backbone"], r["keep_rate"]): float(r["drop"])
        for r in _drops(CLAIMS["000-3"])
        if r["dataset"] == "fsdd-digits"
    }
    found = {part.name: part.value for part in parts("000-3") if "fsdd-digits" in part.name}
    wanted = {
        f"{MAE} against {AST} on fsdd-digits at {rate}": digits[MAE, rate] - digits[AST, rate]
        for rate in ("0.7", "0.5")
    }
    assert found == pytest.approx(wanted)


# --- several selections, and what the table of claims says -----------------------------------------------------------


def test_weights_chosen_otherwise_change_nothing():
    """Claims are judged by the last weights, whatever else was selected and evaluated."""
    results = crossed()[0]
    kept = [c for c in results.cells() if c.kind != "evaluate" or c.settings.selection == "last"]
    assert len(kept) < len(results.cells())
    alone = Results("mini", kept)
    for name in ("000-1", "000-3", "000-11", "001-4", "001-6", "P0-8", "P0-10"):
        assert judge(CLAIMS[name], alone).parts == judged(name).parts
        cells = [results.cell(cell) for part in parts(name) for cell in part.cells]
        assert {c.settings.selection for c in cells if c.kind == "evaluate"} == {"last"}


def test_the_table_of_claims_names_clips_seeds_and_cells_of_all_that_is_measured():
    table = csv.DictReader(io.StringIO(claims_table.build(crossed()[0]).csv()))
    lines = [line for line in table if line["basis"].startswith("measured") and line["says"] != "not-run"]
    assert set(CLAIMS) <= {line["claim"].partition(",")[0] for line in lines}
    for line in lines:
        assert int(line["clips"]) > 0
        assert int(line["seeds"]) in (1, 2)
        assert line["cells"]
    seeds = {line["claim"].partition(",")[0]: line["seeds"] for line in lines if line["basis"] == "measured"}
    assert seeds["000-2"] == seeds["P0-14"] == "2"  # of token analyses too
