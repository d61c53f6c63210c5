"""Table 7 on the fake study: medians, quartiles and ratios against the raw timings."""

from __future__ import annotations

import pandas as pd
import pytest

from audioprune.exhibits.table import Cell
from audioprune.results.study import Results
from audioprune.settings.costs import ThroughputSettings
from audioprune.settings.model import Model
from audioprune.tables import throughput as speed
from tests.fakes.studies import DEVICE, Study, shared, throughput


def row(table, **wanted):
    (found,) = [r.cells for r in table.rows if all(r.cells[k] == v for k, v in wanted.items())]
    return found


@pytest.fixture(scope="module")
def table():
    return speed.build(shared())


@pytest.mark.parametrize(("kernel", "speed"), [("eager", 100.0), ("fused", 140.0)])
def test_median_quartiles_and_ratio_of_raw_timings(table, kernel, speed):
    found = row(table, backbone="ast-tiny", frames=512, keep_rate=0.7)
    raw = throughput(speed, kernel)
    seconds = raw[raw["keep_rate"] == 0.7]["seconds"]
    cell = found[f"{kernel}_samples_per_s"]
    assert cell.value == pytest.approx(16 / seconds.median())
    assert (cell.low, cell.high) == pytest.approx((16 / seconds.quantile(0.75), 16 / seconds.quantile(0.25)))
    assert found[f"{kernel}_speed_up"].value == pytest.approx(1 / 0.7)


def test_published_speed_up_is_a_ratio_of_published_rates(table):
    cell = row(table, backbone="audiomae-b", keep_rate=0.5)["eager_speed_up"]
    assert cell.published == pytest.approx(4650 / 2625)
    assert cell.difference == pytest.approx(2.0 - 4650 / 2625)
    assert cell.mark == "†"
    assert "withdrawn" in table.status
    assert row(table, backbone="audiomae-b", keep_rate=0.5)["published_samples_per_s"].published == 4650


def test_unpublished_models_have_no_published_columns(tmp_path):
    study = Study(tmp_path)
    settings = ThroughputSettings(
        model=Model(backbone="ast-tiny", kernel="eager"), frames=64, num_classes=10, keep_rates=(1.0, 0.7, 0.5),
        batch_size=16, device=DEVICE,
    )  # fmt: skip
    study.cell(
        "throughput", "x", settings, files=[lambda out: throughput(50.0, "eager").to_csv(out / "throughput.csv")]
    )
    table = speed.build(Results("s", study.cells))
    assert [c.header for c in table.layout().columns] == [
        "Method",
        "Keep-rate",
        "MACs",
        "MACs remaining",
        "Samples/s, eager",
        "Speed-up, eager",
    ]
    assert table.status == ""
    assert table.rows[0].group == f"ast-tiny, 64 frames, 10 classes: {DEVICE}, fp32, batches of 16"


def test_fastast_is_there_with_the_share_that_it_prints(tmp_path):
    study = Study(tmp_path)
    settings = ThroughputSettings(
        model=Model(backbone="ast-b", kernel="eager", stride=10), frames=1024, num_classes=527, method="tome",
        options={"r": 20}, keep_rates=(1.0, 0.5), batch_size=16, device=DEVICE,
    )  # fmt: skip
    raw = throughput(50.0, "eager")
    raw = raw[raw["keep_rate"].isin(settings.keep_rates)]
    study.cell("throughput", "x", settings, files=[lambda out: raw.to_csv(out / "throughput.csv")])
    table = speed.build(Results("s", study.cells))
    unpruned, merged = (r.cells for r in table.rows)
    assert table.rows[0].group == f"ast-b at stride 10, 1024 frames, 527 classes: {DEVICE}, fp32, batches of 16"
    assert (unpruned["method"], unpruned["keep_rate"], unpruned["remaining"]) == ("none", 1.0, 100)
    assert merged["method"] == "tome.r20"
    assert merged["keep_rate"] == Cell()  # so many in every block, at any keep-rate
    assert [round(c["gmacs"], 2) for c in (unpruned, merged)] == [130.75, 115.62]
    assert round(merged["remaining"], 2) == 88.43  # paper.md 5.3: what FastAST's 88.4 is best explained by
    assert unpruned["eager_samples_per_s"].published is None  # P0 has no model of this stride


def test_device_and_batch_are_named(table):
    assert {r.group for r in table.rows} >= {f"audiomae-b, 128 frames, 35 classes: {DEVICE}, fp32, batches of 16"}
    assert set(pd.Series([r.cells["device"] for r in table.rows])) == {DEVICE}


def test_timings_alone_are_enough():
    timings = [r for r in shared().cells("throughput") if r.settings.model.backbone == "audiomae-b"]
    table = speed.build(Results("s", timings))
    assert row(table, keep_rate=0.5)["eager_speed_up"].published == pytest.approx(4650 / 2625)
    assert speed.needs(shared()) == shared().cells("throughput")


def test_a_missing_timing_says_why(tmp_path):
    study = Study(tmp_path)
    settings = ThroughputSettings(
        model=Model(backbone="ast-tiny"),
        frames=64,
        num_classes=10,
        keep_rates=(1.0, 0.5),
        batch_size=16,
        device="other",
    )
    study.cell("throughput", "far", settings, made=False)
    rows = speed.build(Results("s", study.cells)).rows
    assert [r.cells["fused_speed_up"].why for r in rows] == ["throughput far is not made yet"] * 2
