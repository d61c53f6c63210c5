"""Table 1 on the fake study: every number equals one computed here from predictions, closed form or published file."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.exhibits import forms, latex
from audioprune.exhibits.table import Cell, Table
from audioprune.profiling.macs import count
from audioprune.results import published
from audioprune.tables import keep_rates
from tests.fakes.studies import predictions, shared


@pytest.fixture(scope="module")
def table() -> Table:
    return keep_rates.build(shared())


def cells(table: Table, backbone: str, dataset: str, method: str, rate: float) -> dict:
    key = (backbone, dataset, method, rate)
    (found,) = [
        row.cells
        for row in table.rows
        if tuple(row.cells[k] for k in ("backbone", "dataset", "method", "keep_rate")) == key
    ]
    return found


def accuracy(address: str) -> float:
    (r,) = [r for r in shared().cells("evaluate") if r.address == address]
    frame = r.predictions()
    return 100 * np.mean([np.argmax(s) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)])


def test_rows_fall_in_keep_rate_within_each_model(table):
    rows = [
        (r.cells["method"], r.cells["keep_rate"]) for r in table.rows if r.group.startswith("ast-tiny on fsdd-digits")
    ]
    assert rows == [("none", 1.0), ("topk", 0.7), ("topk", 0.5), ("random", 0.5)]


def test_accuracy_interval_and_drop(table):
    pruned = cells(table, "ast-tiny", "fsdd-digits", "topk", 0.5)
    value = accuracy("ast-tiny/fsdd-digits/topk-kr0.5/fold1-seed0/last")
    unpruned = accuracy("ast-tiny/fsdd-digits/none-kr1/fold1-seed0/last")
    assert pruned["accuracy"].value == pytest.approx(value)
    assert pruned["accuracy"].low < value < pruned["accuracy"].high
    assert pruned["drop"].value == pytest.approx(unpruned - value)
    assert "drop" not in cells(table, "ast-tiny", "fsdd-digits", "none", 1.0)


@pytest.mark.parametrize(
    ("backbone", "dataset", "frames", "classes"), [("ast-tiny", "esc10", 512, 10), ("audiomae-b", "spc2", 128, 35)]
)
def test_macs_are_those_of_the_closed_form(table, backbone, dataset, frames, classes):
    full, pruned = (
        count(backbone, frames=frames, num_classes=classes, method=m, keep_rate=r).gmacs
        for m, r in (("none", 1.0), ("topk", 0.7))
    )
    found = cells(table, backbone, dataset, "topk", 0.7)
    assert found["gmacs"] == full - (full - pruned)
    assert found["mac_reduction"] == pytest.approx(100 * (1 - pruned / full))


def test_published_values_stand_only_beside_the_published_model(table):
    printed = published.load("table1")
    at = (printed["dataset"] == "spc2") & (printed["metric"] == "top1") & (printed["keep_rate"] == 0.7)
    (value,) = printed[at]["value"]
    found = cells(table, "audiomae-b", "spc2", "topk", 0.7)["accuracy"]
    assert (found.published, found.source, found.mark) == (value, "P0", "†")
    assert found.difference == pytest.approx(found.value - value)
    others = [r.cells["accuracy"].published for r in table.rows if r.cells["backbone"] != "audiomae-b"]
    assert set(others) == {None}


def test_withdrawn_status_is_said_with_the_caption_and_at_the_mark(table):
    assert "withdrawn" in table.status
    assert any(mark == "†" and "withdrawn" in text for mark, text in table.layout().footnotes)


def test_best_test_weights_stand_only_beside_published_values(table):
    found = cells(table, "audiomae-b", "spc2", "none", 1.0)
    best = accuracy("audiomae-b/spc2/none-kr1/fold1-seed0/best_test")
    assert found["best_test"] == pytest.approx(best)
    assert found["optimism"] == pytest.approx(best - found["accuracy"].value)
    assert all("best_test" not in r.cells for r in table.rows if r.cells["dataset"] != "spc2")


def test_what_was_not_run_says_why_beside_the_published_value(table):
    found = cells(table, "audiomae-b", "spc2", "topk", 0.5)["accuracy"]
    assert found.value is None
    assert found.published == 97.28
    assert "needs checkpoint-audiomae-b" in found.why
    assert "not run: needs checkpoint-audiomae-b" in forms.html(table)


def test_throughput_is_the_eager_kernels_and_the_speed_up_both(table):
    found = cells(table, "ast-tiny", "esc10", "topk", 0.5)
    assert found["samples_per_s"].value == pytest.approx(200.0)
    assert found["speed_up"].value == pytest.approx(2.0)
    assert found["speed_up_fused"].value == pytest.approx(2.0)
    assert "samples_per_s" not in cells(table, "ast-tiny", "fsdd-digits", "random", 0.5)


def test_heading_says_metric_clips_and_folds(table):
    groups = {r.group for r in table.rows}
    assert "ast-tiny on esc10: top-1 accuracy, %; 160 clips, 2 of 5 folds" in groups
    assert "audiomae-tiny on birds: mAP × 100; 60 clips" in groups


def test_forms_show_the_same_numbers(table):
    value = f"{accuracy('ast-tiny/fsdd-digits/topk-kr0.5/fold1-seed0/last'):.1f}"
    low_high = cells(table, "ast-tiny", "fsdd-digits", "topk", 0.5)["accuracy"]
    shown = f"{value} [{low_high.low:.1f}, {low_high.high:.1f}]"
    for text in (
        forms.html(table),
        latex.render(table, name="table1", title="T", caption="C"),
        forms.typst(table),
    ):
        assert shown in text
    assert repr(low_high.value) in table.csv()


def test_needs_leaves_perturbed_evaluations_out():
    class Plan:
        def cells(self, kind, **wanted):
            return shared().cells(kind, **wanted)

    found = keep_rates.needs(Plan())
    assert {c.kind for c in found} == {"evaluate", "macs", "throughput"}
    assert {c.settings.perturbation for c in found if c.kind == "evaluate"} == {"none"}


def test_fake_predictions_are_wrong_as_often_as_asked():
    frame = predictions("spc2", 0.8, seed=1)
    right = np.mean([np.argmax(s) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)])
    assert right == pytest.approx(0.8, abs=0.06)


def test_cells_hold_plain_numbers(table):
    for row in table.rows:
        for value in row.cells.values():
            assert isinstance(value, Cell | float | int | str | type(None))
