"""Timing: order and number of passes, arithmetic switches, summaries, and refusal of another device."""

from __future__ import annotations

import os
import time

import pandas as pd
import pytest
import torch
from torch import nn

from audioprune.cells import provenance
from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.profiling.rounds import arithmetic
from audioprune.profiling.throughput import measure
from audioprune.profiling.timings import summary
from audioprune.settings.costs import ThroughputSettings
from audioprune.settings.model import Model
from audioprune.steps import _costed
from audioprune.steps import throughput as step
from audioprune.steps._run import Job

CPU = torch.device("cpu")


class Sleeper(nn.Module):
    """Takes as long as its keep-rate says, and remembers what it was asked."""

    def __init__(self):
        super().__init__()
        self.keep_rate, self.asked = 0.3, []

    def forward(self, x):
        assert not torch.is_grad_enabled()
        self.asked.append((self.keep_rate, tuple(x.shape), self.training))
        time.sleep(0.02 * self.keep_rate)
        return x


def test_every_round_holds_every_keep_rate_and_begins_with_another():
    model = Sleeper().train()
    rows = measure(model, frames=16, batch_size=3, keep_rates=(1.0, 0.5, 0.25), warmup=2, runs=3, device=CPU)
    rates = [rate for rate, shape, training in model.asked]
    assert {(shape, training) for _, shape, training in model.asked} == {((3, 16, 128), False)}
    assert len(rates) == 5 * 3
    assert rates[6:] == [1.0, 0.5, 0.25, 0.5, 0.25, 1.0, 0.25, 1.0, 0.5]
    assert [(rate, run) for rate, run, _ in rows] == list(zip(rates[6:], [0, 0, 0, 1, 1, 1, 2, 2, 2], strict=True))
    assert all(0.02 * rate <= seconds < 0.02 * rate + 0.5 for rate, _, seconds in rows)
    assert (model.keep_rate, model.training) == (0.3, True)


def test_a_baseline_is_required_and_counted_once():
    for keep_rates in ((0.5, 0.7), (1.0, 0.5, 1.0)):
        with pytest.raises(UserError, match=r"must be distinct and include 1\.0"):
            measure(Sleeper(), frames=16, batch_size=1, keep_rates=keep_rates, warmup=1, runs=2, device=CPU)


def test_summary_is_medians_quartiles_and_ratios_within_a_run():
    """The machine is ten times slower in the last run: medians bear it, run-by-run ratios do not see it."""
    base, half = [4.0, 4.0, 4.4, 4.0, 40.0], [2.0, 2.0, 2.2, 2.0, 20.0]
    rows = [(1.0, "fused", run, s) for run, s in enumerate(base)] + [
        (0.5, "fused", run, s) for run, s in enumerate(half)
    ]
    found = summary(pd.DataFrame(rows, columns=["keep_rate", "kernel", "run", "seconds"]), batch_size=8)
    assert found["keep_rate"].tolist() == [1.0, 0.5]
    row = found.iloc[1]
    assert (row.seconds, row.seconds_low, row.seconds_high, row.runs) == (2.0, 2.0, 2.2, 5)
    assert (row.samples_per_s, row.samples_per_s_low, row.samples_per_s_high) == (4.0, 8 / 2.2, 4.0)
    assert (row.speed_up, row.speed_up_low, row.speed_up_high) == (2.0, 2.0, 2.0)
    assert found.iloc[0].speed_up == 1.0
    with pytest.raises(ValueError, match="keep-rate 1 among them"):
        summary(pd.DataFrame(rows[5:], columns=["keep_rate", "kernel", "run", "seconds"]), 8)


def test_arithmetic_is_switched_and_given_back():
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    layer, x = nn.Linear(4, 4), torch.ones(2, 4)
    with arithmetic("bf16", CPU):
        assert layer(x).dtype == torch.bfloat16
    with arithmetic("fp32", CPU):
        assert layer(x).dtype == torch.float32
        assert not torch.backends.cuda.matmul.allow_tf32
        assert not torch.backends.cudnn.allow_tf32
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before
    for wrong, message in (("fp16", "needs a CUDA GPU"), ("tf32", "needs a CUDA GPU"), ("fp8", "is none of")):
        with pytest.raises(UserError, match=message), arithmetic(wrong, CPU):
            pass


def settings_for(device: str, kernel: str = "fused", **more) -> ThroughputSettings:
    return ThroughputSettings(
        model=Model(backbone="audiomae-tiny", kernel=kernel),
        frames=128,
        num_classes=10,
        keep_rates=(1.0, 0.5),
        batch_size=2,
        warmup=1,
        runs=2,
        device=device,
        **more,
    )


def test_the_step_leaves_raw_timings_and_names_its_device_and_load(tmp_path, monkeypatch):
    here, loads = provenance.device(), iter([(0.25, 9, 9), (1.5, 9, 9)])
    monkeypatch.setattr(step.os, "getloadavg", lambda: next(loads))
    job = Job("throughput", "a", "k", settings_for(here), {}, tmp_path, tmp_path)
    results = step.throughput(job)
    raw = pd.read_csv(tmp_path / "throughput.csv")
    assert list(raw.columns) == ["keep_rate", "kernel", "run", "seconds"]
    assert raw[["keep_rate", "run"]].to_numpy().tolist() == [[1.0, 0], [0.5, 0], [0.5, 1], [1.0, 1]]
    assert (raw["seconds"] > 0).all()
    assert set(raw["kernel"]) == {"fused"}
    assert results["device"] == here
    assert results["load"] == {"before": 0.25, "after": 1.5, "cores": os.cpu_count()}
    assert results["keep_rates"] == {
        f"{row.keep_rate:g}": row.drop("keep_rate").to_dict() for _, row in summary(raw, 2).iterrows()
    }
    by_run = raw.pivot(index="run", columns="keep_rate", values="seconds")
    assert results["keep_rates"]["0.5"]["speed_up"] == pytest.approx((by_run[1.0] / by_run[0.5]).median())


@pytest.mark.parametrize("kernel", ["eager", "fused"])
@pytest.mark.parametrize(("options", "tokens"), [({}, [64] * 4 + [32] * 3 + [16] * 3 + [8] * 2), ({"r": 3}, None)])
def test_token_merging_is_timed_beside_the_unpruned_model(tmp_path, monkeypatch, kernel, options, tokens):
    seen = []

    def watched(*arguments, **settings):
        model = build_model(*arguments, **settings)
        for block in model.blocks:
            block.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[1] - 1))
        return model

    monkeypatch.setattr(_costed, "build_model", watched)
    settings = settings_for(provenance.device(), kernel, method="tome", options=options)
    results = step.throughput(Job("throughput", "a", "k", settings, {}, tmp_path, tmp_path))
    assert list(results["keep_rates"]) == ["1", "0.5"]
    merged = tokens or [64 - 3 * block for block in range(12)]
    passes = [seen[i : i + 12] for i in range(0, len(seen), 12)]
    assert sorted(passes) == sorted([[64] * 12, merged] * 3)  # a round of warm-up and two that count


def test_another_device_is_refused(tmp_path):
    job = Job("throughput", "a", "k", settings_for("NVIDIA GeForce RTX 4090"), {}, tmp_path, tmp_path)
    with pytest.raises(UserError, match="is to be timed on 'NVIDIA GeForce RTX 4090', but this machine has"):
        step.throughput(job)
    assert list(tmp_path.iterdir()) == []
