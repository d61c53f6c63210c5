"""Tables of ablations on a made-up study: every number equals one computed here from predictions and closed forms."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from audioprune.exhibits.table import Cell, Table
from audioprune.profiling.macs import count
from audioprune.results import contrasts
from audioprune.results.estimate import Absent
from audioprune.results.evaluations import pick, tidy
from audioprune.results.study import Results
from audioprune.tables import _ablation, baselines, blocks, matrix, off_the_shelf, ranking, scores
from tests.fakes.ablations import NOT_MADE, ablations
from tests.fakes.studies import shared

TABLES = (matrix, off_the_shelf, ranking, scores, baselines, blocks)


def right(address: str) -> np.ndarray:
    """Which clips an evaluation has right, both folds, whatever it was trained with."""
    found = []
    for r in ablations().cells("evaluate"):
        if r.address.replace("fold2", "fold1") == f"{address}/last":
            frame = r.predictions()
            found += [np.argmax(s) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)]
    assert len(found) == 160
    return np.array(found)


def accuracy(backbone: str, trained: str, evaluated: str, baseline: str = "matched") -> float:
    return 100 * right(f"{backbone}/esc10/{trained}-{baseline}/fold1-seed0/eval-{evaluated}").mean()


def rows(table: Table, backbone: str = "audiomae-tiny", **wanted) -> list[dict]:
    found = [row.cells for row in table.rows]
    return [c for c in found if c["backbone"] == backbone and all(c.get(k) == v for k, v in wanted.items())]


def row(table: Table, backbone: str = "audiomae-tiny", **wanted) -> dict:
    (found,) = rows(table, backbone, **wanted)
    return found


@pytest.mark.parametrize("module", TABLES, ids=lambda m: m.__name__.rpartition(".")[2])
def test_nothing_is_needed_of_a_study_without_the_ablation(module):
    assert module.needs(shared()) == []


@pytest.mark.parametrize("module", TABLES, ids=lambda m: m.__name__.rpartition(".")[2])
def test_a_table_of_its_own_cells_is_that_of_the_whole_study(module):
    """The report hands over every cell of the study, the table's own step only what it needs."""
    own = Results("mini", module.needs(ablations()), ablations().dataset)
    assert {c.path for c in module.needs(own)} == {c.path for c in module.needs(ablations())}
    shown = [{k: v for k, v in r.cells.items() if k != "variant"} for r in module.build(own).rows]
    assert shown == [{k: v for k, v in r.cells.items() if k != "variant"} for r in module.build(ablations()).rows]


def test_matrix_crosses_trained_and_evaluated_keep_rates():
    table = matrix.build(ablations())
    for trained, name in ((1.0, "none-kr1"), (0.7, "topk-kr0.7"), (0.5, "topk-kr0.5")):
        for evaluated, other in ((1.0, "none-kr1"), (0.7, "topk-kr0.7"), (0.5, "topk-kr0.5")):
            cell = row(table, trained_at=trained, shown="value")[f"evaluated_at_{evaluated:g}"]
            assert cell.value == pytest.approx(accuracy("audiomae-tiny", name, other))
            assert cell.low < cell.value < cell.high
            change = row(table, trained_at=trained, shown="this_minus_matched")[f"evaluated_at_{evaluated:g}"]
            if trained == evaluated:
                assert change is None
            else:
                matched = accuracy("audiomae-tiny", other, other)
                assert change.value == pytest.approx(cell.value - matched)
                assert change.low <= change.value <= change.high


def test_matrix_holds_nothing_else_than_topk_at_its_own_blocks():
    for c in matrix.needs(ablations()):
        for pruning in (c.settings.pruning, c.inputs["finetune"].settings.pruning):
            assert pruning.method in ("none", "topk")
            assert not pruning.options
            assert pruning.blocks == (3, 6, 9)
        assert c.inputs["finetune"].settings.augment.baseline == "matched"  # the other baseline is not crossed


def test_off_the_shelf_stands_beside_what_was_trained():
    table = off_the_shelf.build(ablations())
    own = row(table, method="random", keep_rate=0.5)
    unpruned = accuracy("audiomae-tiny", "none-kr1", "none-kr1")
    untrained = accuracy("audiomae-tiny", "none-kr1", "random-kr0.5")
    trained = accuracy("audiomae-tiny", "random-kr0.5", "random-kr0.5")
    assert own["untrained"].value == pytest.approx(untrained)
    assert own["drop"].value == pytest.approx(unpruned - untrained)
    assert own["trained"].value == pytest.approx(trained)
    assert own["trained_minus_untrained"].value == pytest.approx(trained - untrained)
    assert own["drop"].low < own["drop"].value < own["drop"].high
    assert row(table, method="random", keep_rate=0.7)["trained"] is None


def test_off_the_shelf_counts_macs_in_closed_form():
    found = row(off_the_shelf.build(ablations()), "ast-tiny", method="intensity", keep_rate=0.7)
    common = {"frames": 512, "num_classes": 10, "keep_rate": 0.7}
    assert found["gmacs"] == count("ast-tiny", method="intensity", **common).gmacs


def test_topk_stands_by_the_backbones_own_score_and_by_another():
    table = off_the_shelf.build(ablations())
    for backbone in ("audiomae-tiny", "ast-tiny", "ast-mp-tiny"):
        methods = [c["method"] for c in rows(table, backbone, keep_rate=0.5)]
        other = {"audiomae-tiny": "topk.cls", "ast-tiny": "topk.global", "ast-mp-tiny": "topk.cls"}[backbone]
        assert sorted(m for m in methods if m.startswith("topk")) == ["topk", other]
    own = row(table, "ast-tiny", method="topk", keep_rate=0.5)
    assert own["trained"].value == pytest.approx(accuracy("ast-tiny", "topk-kr0.5", "topk-kr0.5"))
    assert row(table, "ast-tiny", method="topk.global", keep_rate=0.5)["trained"] is None


def test_ranking_compares_each_with_attention():
    table = ranking.build(ablations())
    assert [c["method"] for c in rows(table)] == [
        "topk",
        "random",
        "intensity",
        "intensity.as_released",
        "uniform",
    ]
    attention = right("audiomae-tiny/esc10/topk-kr0.5-matched/fold1-seed0/eval-topk-kr0.5")
    for method in ("random", "intensity", "intensity.as_released"):
        other = right(f"audiomae-tiny/esc10/{method}-kr0.5-matched/fold1-seed0/eval-{method}-kr0.5")
        own = row(table, method=method)
        assert own["attention_minus_this"].value == pytest.approx(100 * (attention.mean() - other.mean()))
        assert own["attention_minus_this"].low <= own["attention_minus_this"].value <= own["attention_minus_this"].high
    assert "attention_minus_this" in row(table, method="topk")
    assert row(table, method="topk")["attention_minus_this"] is None


def test_rankings_p_values_are_exact_and_adjusted_over_the_table():
    """By hand: signs of whole recordings' differences, flipped every way by convolution; Holm from the smallest."""
    table = ranking.build(ablations())
    tested = [row.cells for row in table.rows if row.cells.get("p") is not None]
    assert len(tested) == 6  # three of either backbone; what was not run is not tested
    attention = right("ast-tiny/esc10/topk-kr0.5-matched/fold1-seed0/eval-topk-kr0.5")
    other = right("ast-tiny/esc10/random-kr0.5-matched/fold1-seed0/eval-random-kr0.5")
    difference = (attention.astype(int) - other).reshape(-1, 2).sum(1)  # a recording has two clips
    chances = {0: 1.0}
    for step in difference[difference != 0]:
        found: dict[int, float] = {}
        for total, p in chances.items():
            for sign in (1, -1):
                found[total + sign * step] = found.get(total + sign * step, 0) + p / 2
        chances = found
    p = sum(chance for total, chance in chances.items() if abs(total) >= abs(difference.sum()))
    assert row(table, "ast-tiny", method="random")["p"] == pytest.approx(p)
    ordered = sorted(tested, key=lambda c: c["p"])
    largest = 0.0
    for i, own in enumerate(ordered):
        largest = max(largest, own["p"] * (len(ordered) - i))
        assert own["p_holm"] == pytest.approx(min(1.0, largest))


def test_clips_lost_and_gained_stand_beside_drops():
    """Counted from predictions; p by the interval's formula; Holm over all differences of the table."""
    table = blocks.build(ablations())
    before = right("audiomae-tiny/esc10/none-kr1-matched/fold1-seed0/eval-none-kr1")
    for rate in (0.7, 0.5):
        after = right(f"audiomae-tiny/esc10/none-kr1-matched/fold1-seed0/eval-topk-kr{rate}")
        own = row(table, keep_rate=rate, blocks="3, 6, 9")["drop"]
        assert (own.only_first, own.only_second) == ((before & ~after).sum(), (after & ~before).sum())
        assert (own.p < 0.05) == (own.low > 0 or own.high < 0)
    p = [cell.p for row in table.rows for cell in row.cells.values() if isinstance(cell, Cell) and cell.p is not None]
    smallest = min(p)
    (lowest,) = {
        cell.p_holm
        for row in table.rows
        for cell in row.cells.values()
        if isinstance(cell, Cell) and cell.p == smallest
    }
    assert lowest == pytest.approx(min(1, smallest * len(p)))


def test_what_cannot_be_tested_says_so_and_enters_no_family(monkeypatch):
    tested, why = ranking.build(ablations()), "5 groups of recordings: no p-value below 0.062 is possible"
    real = contrasts.chance

    def chance(results, first, second):
        return Absent(why) if second.method == "random" else real(results, first, second)

    monkeypatch.setattr(contrasts, "chance", chance)
    table = ranking.build(ablations())
    untested = row(table, "ast-tiny", method="random")
    assert (untested["p"], untested["p_why"], "p_holm" in untested) == ("not testable", why, False)
    assert f"Not testable: {why}." in table.notes
    left = [
        row.cells["p_holm"] / row.cells["p"] for row in table.rows if "p_holm" in row.cells and row.cells["p"] < 0.2
    ]
    assert max(left) == pytest.approx(4)  # of six, two could not be tested
    assert row(tested, "ast-tiny", method="random")["p"] < 1


def test_what_was_not_run_says_why():
    own = row(ranking.build(ablations()), method="uniform")
    assert own["accuracy"].value is None
    assert own["accuracy"].why == own["attention_minus_this"].why == NOT_MADE
    assert any(NOT_MADE in text for _, text in ranking.build(ablations()).layout().footnotes)


def test_scores_show_the_other_score_and_mean_pooling():
    table = scores.build(ablations())
    own = row(table, score="cls", training="as evaluated", keep_rate=0.5)
    by_class = accuracy("audiomae-tiny", "topk.cls-kr0.5", "topk.cls-kr0.5")
    by_all = accuracy("audiomae-tiny", "topk-kr0.5", "topk-kr0.5")
    assert own["accuracy"].value == pytest.approx(by_class)
    assert own["own_score_minus_this"].value == pytest.approx(by_all - by_class)
    shelf = row(table, "ast-tiny", score="global", training="off the shelf", keep_rate=0.7)
    ours = accuracy("ast-tiny", "none-kr1", "topk-kr0.7")
    assert shelf["own_score_minus_this"].value == pytest.approx(
        ours - accuracy("ast-tiny", "none-kr1", "topk.global-kr0.7")
    )
    pooled = row(table, "ast-mp-tiny", score="global", training="as evaluated", keep_rate=0.5)
    mean = accuracy("ast-mp-tiny", "topk-kr0.5", "topk-kr0.5")
    assert pooled["ast_minus_this"].value == pytest.approx(accuracy("ast-tiny", "topk-kr0.5", "topk-kr0.5") - mean)
    assert pooled["ast_minus_this"].low <= pooled["ast_minus_this"].value <= pooled["ast_minus_this"].high


def test_both_baselines_and_both_drops():
    table = baselines.build(ablations())
    matched = accuracy("audiomae-tiny", "none-kr1", "none-kr1")
    released = accuracy("audiomae-tiny", "none-kr1", "none-kr1", "paper")
    pruned = accuracy("audiomae-tiny", "topk-kr0.7", "topk-kr0.7")
    own = row(table, method="topk", keep_rate=0.7)
    assert own["drop_matched"].value == pytest.approx(matched - pruned)
    assert own["drop_paper"].value == pytest.approx(released - pruned)
    assert {c["backbone"] for c in (r.cells for r in table.rows)} == {"audiomae-tiny"}  # the only one with both
    assert [c["name"] for c in rows(table)][:2] == ["unpruned, matched", "unpruned, as released"]
    assert not any("neither masks" in note for note in table.notes)


def test_blocks_are_compared_with_the_papers():
    table = blocks.build(ablations())
    own = row(table, blocks="1, 4, 7", keep_rate=0.5)
    early = accuracy("audiomae-tiny", "none-kr1", "topk.blocks1_4_7-kr0.5")
    assert own["accuracy"].value == pytest.approx(early)
    assert own["paper_blocks_minus_this"].value == pytest.approx(
        accuracy("audiomae-tiny", "none-kr1", "topk-kr0.5") - early
    )
    common = {"frames": 512, "num_classes": 10, "method": "topk"}
    full = count("audiomae-tiny", keep_rate=1.0, **common).gmacs
    less = count("audiomae-tiny", keep_rate=0.5, blocks=(1, 4, 7), **common).gmacs
    assert own["mac_reduction"] == pytest.approx(100 * (1 - less / full))
    assert own["mac_reduction"] > row(table, blocks="3, 6, 9", keep_rate=0.5)["mac_reduction"]


def test_differences_are_of_the_runs_that_both_sides_have():
    """A row of both folds against one of the first fold alone: only the first counts on either side."""
    kept = [
        c
        for c in ablations().cells("evaluate")
        if not (c.settings.pruning.method == "random" and c.inputs["finetune"].settings.fold == 2)
    ]
    results = Results("mini", kept, ablations().dataset)
    frame = tidy(results)
    frame = frame[(frame["backbone"] == "ast-tiny") & (frame["trained"] == "")]
    one, both = pick(frame, method="random"), pick(frame, method="topk", keep_rate=0.5)
    assert (one.runs, both.runs) == (1, 2)
    attention = right("ast-tiny/esc10/topk-kr0.5-matched/fold1-seed0/eval-topk-kr0.5")[:80]
    other = right("ast-tiny/esc10/random-kr0.5-matched/fold1-seed0/eval-random-kr0.5")[:80]
    found = _ablation.difference(results, both, one)
    assert found.value == pytest.approx(100 * (attention.mean() - other.mean()))
    assert found.low <= found.value <= found.high


def test_csv_has_every_part_in_full_precision():
    table = ranking.build(ablations())
    lines = list(csv.DictReader(io.StringIO(table.csv())))
    assert float(lines[1]["attention_minus_this"]) == rows(table)[1]["attention_minus_this"].value
    assert {"attention_minus_this_low", "attention_minus_this_high", "p", "p_holm", "accuracy_why"} <= set(lines[0])
