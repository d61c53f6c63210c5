"""torchprofile on the eager kernel against the closed form: the same integers, for everything that can be built."""

from __future__ import annotations

import csv

import pytest
import torch
from torch import nn

from audioprune import registry
from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.profiling.macs import count
from audioprune.profiling.traced import profile
from audioprune.settings.costs import MacsSettings
from audioprune.settings.model import Model
from audioprune.steps import macs as step
from audioprune.steps._run import Job

OPTIONS = {
    "topk": [{"score": "global"}, {"score": "global_literal"}, {"score": "cls"}],
    "intensity": [{"variant": "fixed"}, {"variant": "as_released"}],
    "variation": [{"variant": "fixed"}, {"variant": "as_released"}],
    "tome": [{"r": 0}, {"r": 20}, {"r": 20, "proportional": False}],
}
METHODS = [(method, options) for method in registry.names("pruning") for options in [{}, *OPTIONS.get(method, [])]]


def both(backbone: str, **settings) -> tuple[int, int]:
    model = build_model(backbone, kernel="eager", **settings).to("meta")
    return profile(model, settings["frames"]), count(backbone, **settings).total


@pytest.mark.parametrize("backbone", [name for name in registry.names("backbones") if name.endswith("-tiny")])
@pytest.mark.parametrize(("method", "options"), METHODS)
def test_every_backbone_and_method(backbone, method, options):
    shape = {"frames": 256, "num_classes": 10, "depth": 3, "blocks": (0, 1, 2)}
    traced, closed = both(backbone, keep_rate=0.7, method=method, options=options, **shape)
    assert traced == closed
    base = count(backbone, **shape).total
    assert closed == base if method == "none" or options.get("r") == 0 else closed < base


@pytest.mark.parametrize(("backbone", "frames"), [("audiomae-tiny", 1024), ("ast-tiny", 128), ("ast-mp-tiny", 512)])
def test_every_keep_rate(backbone, frames):
    """Keep-rate 0.6 of 185 tokens, where a float32 ceil keeps 112 instead of 111, is among them."""
    model = build_model(backbone, frames=frames, num_classes=35, method="topk", keep_rate=0.3, kernel="eager").to(
        "meta"
    )
    for rate in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3):
        model.keep_rate = rate
        assert profile(model, frames) == count(backbone, frames=frames, num_classes=35, keep_rate=rate).total


def test_other_strides_patches_and_blocks():
    settings = {"frames": 256, "num_classes": 5, "method": "topk", "keep_rate": 0.5}
    for more in ({"stride": 10}, {"patch": 32, "stride": 32}, {"blocks": (0, 11)}, {"depth": 2, "blocks": (1,)}):
        traced, closed = both("ast-tiny", **settings, **more)
        assert traced == closed


def test_published_size_to_the_last_multiplication():
    """ViT-B on 128 frames at keep-rate 0.7: 3.720232 GMAC, on meta tensors and on real ones."""
    model = build_model("audiomae-b", frames=128, num_classes=35, method="topk", keep_rate=0.7, kernel="eager")
    assert profile(model, 128) == profile(model.to("meta"), 128) == 3720232305
    assert count("audiomae-b", frames=128, num_classes=35, keep_rate=0.7).total == 3720232305


@pytest.mark.parametrize(("stride", "r", "total"), [(10, 20, 115624276800), (16, 9, 43078291992)])
def test_token_merging_at_published_size(stride, r, total):
    """FastAST's cost on AudioSet, 88.43 % of 130.75 GMAC, is stride 10 with 20 merges in every block."""
    traced, closed = both(
        "ast-b", frames=1024, num_classes=527, stride=stride, method="tome", options={"r": r}, blocks=()
    )
    assert traced == closed == total


def test_a_constant_r_is_compared_with_the_unpruned_model(tmp_path):
    settings = MacsSettings(
        model=Model(backbone="audiomae-tiny", kernel="eager"),
        frames=128,
        num_classes=10,
        method="tome",
        options={"r": 3},
        keep_rates=(1.0, 0.5),
    )
    results = step.macs(Job("macs", "a", "k", settings, {}, tmp_path, tmp_path))["keep_rates"]
    base = count("audiomae-tiny", frames=128, num_classes=10, method="none").total
    merged = count("audiomae-tiny", frames=128, num_classes=10, method="tome", options={"r": 3}).total
    assert [results[rate]["macs"] for rate in ("1", "0.5")] == [base, merged]
    assert results["0.5"]["pct_remaining"] == pytest.approx(100 * merged / base)


def test_the_mode_of_the_model_is_left_as_it_was():
    model = build_model("audiomae-tiny", frames=128, num_classes=2, kernel="eager", drop_path=0.5).train()
    closed = count("audiomae-tiny", frames=128, num_classes=2).total
    assert (profile(model, 128), model.training) == (closed, True)


def test_the_fused_kernel_is_refused():
    model = build_model("audiomae-tiny", frames=128, num_classes=2, kernel="fused")
    with pytest.raises(UserError, match="kernel=eager"):
        profile(model, 128)


class Extra(nn.Module):
    """One operation more, of a kind of our choice."""

    def __init__(self, operation):
        super().__init__()
        self.weight, self.operation = nn.Parameter(torch.ones(1)), operation

    def forward(self, x):
        return self.operation(x + self.weight)


def test_an_operator_without_a_rule_is_refused_and_shape_arithmetic_is_not_counted():
    with pytest.raises(UserError, match="no rule for aten::cumsum"):
        profile(Extra(lambda x: x.cumsum(1)), 16)
    assert profile(Extra(lambda x: x.reshape(x.shape[1] * x.shape[2])), 16) == 0
    assert profile(Extra(lambda x: x * 2), 16) == 16 * 128


def test_the_step_writes_what_it_compared(tmp_path, monkeypatch):
    settings = MacsSettings(
        model=Model(backbone="ast-tiny", kernel="eager"), frames=128, num_classes=35, keep_rates=(1.0, 0.5)
    )
    job = Job("macs", "ast-tiny/128x35/topk", "k", settings, {}, tmp_path, tmp_path)
    results = step.macs(job)["keep_rates"]
    with open(tmp_path / "macs.csv", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    totals = [count("ast-tiny", frames=128, num_classes=35, keep_rate=rate).total for rate in (1.0, 0.5)]
    assert [(float(r["keep_rate"]), int(r["closed_form"]), r["difference"]) for r in rows] == [
        (1.0, totals[0], "0"),
        (0.5, totals[1], "0"),
    ]
    assert results["0.5"]["pct_remaining"] == pytest.approx(100 * totals[1] / totals[0])
    assert sum(results["0.5"]["items"].values()) == results["0.5"]["macs"] == totals[1]
    monkeypatch.setattr(step, "by_torchprofile", lambda settings: {1.0: totals[0], 0.5: totals[1] + 1})
    with pytest.raises(UserError, match=f"keep-rate 0.5: {totals[1]} in closed form, {totals[1] + 1} traced"):
        step.macs(job)
    fused = settings.model_copy(update={"model": Model(backbone="ast-tiny")})
    with pytest.raises(UserError, match="eager kernel only"):
        step.macs(Job("macs", "a", "k", fused, {}, tmp_path, tmp_path))
