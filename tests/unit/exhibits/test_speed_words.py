"""A speed-up is said for both kernels, with runs, warm-up and the machine's load."""

from __future__ import annotations

import pytest

from audioprune.exhibits import named
from audioprune.results import costs
from audioprune.results.study import Results
from audioprune.settings.costs import ThroughputSettings
from audioprune.settings.model import Model
from tests.fakes.studies import DEVICE, Study, shared, throughput


def timed(study: Study, kernel: str, runs: int, least: float, load: dict | None) -> None:
    """A timing whose model at 0.5 takes 1 / `least` of the time."""
    settings = ThroughputSettings(
        model=Model(backbone="ast-tiny", kernel=kernel), frames=64, num_classes=10, keep_rates=(1.0, 0.5),
        batch_size=16, warmup=2, runs=runs, device=DEVICE,
    )  # fmt: skip
    raw = throughput(100.0, kernel, runs)
    raw = raw[raw["keep_rate"].isin(settings.keep_rates)]
    raw["seconds"] = raw["seconds"].where(raw["keep_rate"] == 1, raw["seconds"] * 2 / least)
    files = [lambda out: raw.to_csv(out / "throughput.csv", index=False)]
    study.cell("throughput", kernel, settings, files=files, results={"load": load} if load else {})


def test_the_protocol_names_runs_warm_up_and_load(tmp_path):
    study = Study(tmp_path)
    timed(study, "eager", 5, 2, {"before": 0.26, "after": 1.94, "cores": 2})
    timed(study, "fused", 7, 2, {"before": 0.5, "after": 0.5, "cores": 2})
    cells = Results("s", study.cells).cells("throughput")
    assert costs.protocol(cells) == (
        "Speed-ups are medians of the ratio to the unpruned model timed in the same run: 5 or 7 runs after 2 warm-up "
        f"passes of every keep-rate, batches of 16 in fp32, on {DEVICE}, its load was 0.3 to 1.9 (mean over a minute, "
        "2 cores)."
    )
    timed(study, "eager", 5, 2, None)
    cells = Results("s", study.cells).cells("throughput")
    assert costs.protocol(cells).endswith("its load was not recorded of 1 of 3 timings.")
    assert costs.protocol([]) == ""


@pytest.mark.parametrize("name", ["table1", "table7"])
def test_wherever_a_speed_up_stands_it_is_for_both_kernels_with_its_protocol(name):
    table = named.get("table", name).build(shared())
    headers = {column.header for column in table.columns if column.part == "value"}
    assert {"Speed-up, eager", "Speed-up, fused"} <= headers
    assert any("15 runs after 3 warm-up passes" in note and "load" in note for note in table.notes)


def test_no_other_table_gives_a_speed_up_without_its_kernel():
    """But that of recognisers, which have one kernel each."""
    for name in {*named.names("table")} - {"pace"}:
        columns = named.get("table", name).build(shared()).columns
        speed_ups = [column.header for column in columns if column.header.startswith("Speed-up")]
        told = all(header.endswith(("eager", "fused")) for header in speed_ups)
        assert told or any(column.header == "Kernel" for column in columns), name
