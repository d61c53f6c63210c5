"""A classifier that is timed: what it hears of a batch, what it costs by the closed form, and the step on clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from audioprune.audio.store import WaveformStore, write_store
from audioprune.cells import provenance
from audioprune.config.checks import errors_of
from audioprune.config.design import Pace
from audioprune.config.file import load
from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from audioprune.profiling.batchings import batches
from audioprune.profiling.macs import count
from audioprune.settings.costs import PaceSettings
from audioprune.settings.model import Pruning
from audioprune.steps import pace as step
from audioprune.steps._paced_classifier import PacedClassifier
from audioprune.steps._run import Job
from benchmarks._parts.packed import by_clip
from tests.fakes.cells import inputs

EVERY = ("single", "padded", "longest", "bucketed")
OWN = {
    "backbone": "audiomae-tiny",
    "dataset": "x",
    "policies": ("topk",),
    "keep_rates": (1.0, 0.5),
    "blocks": (3, 6, 9),
}
OWN |= {"batchings": EVERY, "bucket": 8}


def settings(**more) -> PaceSettings:
    return PaceSettings(**OWN | {"device": provenance.device()} | more)


def made() -> PacedClassifier:
    return PacedClassifier(build_model("audiomae-tiny", frames=128, num_classes=3).eval(), settings(), 3, -5.0, 4.0)


def cost(columns: int, rate: float, backbone: str = "audiomae-tiny", method: str = "topk") -> int:
    return count(backbone, frames=16 * columns, num_classes=3, method=method, keep_rate=rate).total


@torch.inference_mode()
def test_a_batch_is_as_long_as_its_longest_clip_and_padded_ones_as_the_model():
    subject = made()
    short, long = 0.1 * torch.randn(8000), 0.1 * torch.randn(16000)  # 48 and 98 frames: 3 and 7 columns
    assert [subject.window(one) for one in EVERY] == [None, 64, None, None]  # padded to the model, not to a clip
    assert [subject.tokens(n) for n in (100, 8000, 16000, 10**6)] == [8, 24, 56, 64]
    for rate in (1.0, 0.5):
        subject.choose("none" if rate == 1 else "topk", rate)
        both = [short, long]
        for waves, batching, columns in (([short], "single", 3), (both, "longest", 7), (both, "padded", 8)):
            features = subject.features(waves, batching)
            assert features.shape == (len(waves), 16 * columns, 128)
            assert subject.decode(subject.encode(features)) == [1] * len(waves)
            assert subject.executed(len(waves), [1]) == (len(waves) * cost(columns, rate), 0)
        assert subject.useful(8000, 1) == (cost(3, rate), 0)


@torch.inference_mode()
def test_a_clip_in_a_bucket_is_scored_as_alone():
    subject = made()
    subject.choose("topk", 0.5)
    waves = [0.1 * torch.randn(n) for n in (8000, 7950, 7900)]  # all of 3 columns
    together = subject.encode(subject.features(waves, "bucketed"))
    alone = torch.cat([subject.encode(subject.features([wave], "single")) for wave in waves])
    assert torch.allclose(together, alone, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize(
    ("backbone", "policy", "rate"),
    [
        ("ast-tiny", "none", 1.0),
        ("ast-tiny", "topk", 0.5),
        ("audiomae-tiny", "none", 1.0),
        ("audiomae-tiny", "intensity", 0.5),
    ],
)
def test_packed_clips_are_scored_and_cost_as_alone(backbone, policy, rate):
    """Columns 3, 7, 8 and, cut to the model's length, 8."""
    subject = PacedClassifier(
        build_model(backbone, frames=128, num_classes=3).eval(), settings(backbone=backbone), 3, -5.0, 4.0, by_clip
    )
    subject.choose(policy, rate)
    samples = (8000, 16000, 20800, 40000)
    waves = [0.1 * torch.randn(n) for n in samples]
    alone = torch.cat([subject.encode(subject.features([wave], "single")) for wave in waves])
    together = subject.encode(subject.features(waves, "packed"))
    assert torch.allclose(together, alone, atol=1e-5, rtol=0)
    each = [cost(columns, rate, backbone, policy) for columns in (3, 7, 8, 8)]
    assert subject.executed(4, [1] * 4) == (sum(each), 0)
    assert subject.executed(4, [1] * 4)[0] == sum(subject.useful(n, 1)[0] for n in samples)  # nothing is wasted


def test_packed_is_refused_where_its_kernel_is_not_before_anything_is_timed():
    own = settings(batchings=(*EVERY, "packed"), precision="bf16")
    with pytest.raises(UserError, match="packed needs a CUDA GPU and fp16 or bf16: use bucketed"):
        PacedClassifier(build_model("ast-tiny", frames=128, num_classes=3), own, 3, -5.0, 4.0)


def test_buckets_pad_nothing_and_the_gain_is_the_closed_form():
    """Columns 3, 3, 7 and 8: without padding 21 columns instead of 32."""
    subject = made()
    samples = (8000, 7900, 16000, 20800)
    groups = batches("bucketed", [subject.tokens(n) for n in samples], settings())
    assert sorted(len(batch.clips) for batch in groups) == [1, 1, 2]
    assert sum(batch.computed for batch in groups) == 8 * 21
    whole = 4 * cost(8, 1.0)
    alone = sum(subject.useful(n, 1)[0] for n in samples)
    assert whole / alone == pytest.approx(4 * cost(8, 1.0) / (2 * cost(3, 1.0) + cost(7, 1.0) + cost(8, 1.0)))


def test_the_step(tmp_path: Path):
    cells = inputs(tmp_path, "audiomae-tiny", Pruning())
    clips = WaveformStore.open(cells["audio"]).clips
    draw = np.random.default_rng(0)
    keep = ["clip", "labels", "split", "fold", "recording"]
    waves = [draw.uniform(-0.1, 0.1, 6000 + 1500 * i).astype(np.float32) for i in range(len(clips))]
    write_store(cells["audio"], list(zip(clips[keep].to_dict("records"), waves, strict=True)))
    out = tmp_path / "out"
    out.mkdir()
    own = settings(dataset="mine", warmup=1, runs=2, batch_size=3)
    results = step.pace(Job("pace", "a", "k", own, cells, out, tmp_path))
    assert results["clips"] == 8  # the test clips
    frame = pd.read_csv(out / "pace.csv")
    assert len(frame) == 4 * 2 * 2
    sums = frame.groupby(["batching", "policy"])["encoder_macs"].first()
    useful = frame.groupby("policy")["useful_encoder_macs"].first()
    for policy in ("none", "topk"):
        assert sums["single", policy] == sums["bucketed", policy] == useful[policy]
        assert sums["padded", policy] == 8 * cost(8, 1.0 if policy == "none" else 0.5)
        assert useful[policy] < sums["longest", policy] < sums["padded", policy]


# --- planning ---

CONFIG = load()


def with_block(**block):
    study = CONFIG.studies["mini"].model_copy(update={"pace": (Pace(**block),)})
    return CONFIG.model_copy(update={"studies": {"mini": study}})


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"backbones": ("ast-tiny",)}, "name those on whose clips classifiers are timed"),
        (
            {"backbones": ("ast-b",), "datasets": ("fsdd-digits",), "policies": ("topk",)},
            "no grid trains ast-b on fsdd-digits unpruned",
        ),
        ({"backbones": ("ast-tiny",), "datasets": ("fsdd-digits",)}, "no pruning method named 'stride'"),
        (
            {"backbones": ("ast-tiny",), "datasets": ("fsdd-digits",), "policies": ("topk",), "batchings": ("single",)},
            "must be different and hold 'padded', the baseline of the same run",
        ),
        (
            {"backbones": ("ast-tiny",), "datasets": ("fsdd-digits",), "policies": ("topk",), "keep_rates": (0.5,)},
            "must be different and hold 1.0, the baseline of the same run",
        ),
    ],
)
def test_refused(block, message):
    assert any(message in error for error in errors_of(with_block(**block)))


def test_packed_is_refused_with_all_reasons_at_once():
    block = {"backbones": ("audiomae-tiny", "ast-tiny"), "datasets": ("fsdd-digits",), "keep_rates": (1.0, 0.5)}
    block |= {"policies": ("topk", "tome", "uniform"), "batchings": ("padded", "packed")}
    place = "studies.mini.pace.0"
    assert errors_of(with_block(**block)) == [
        f"{place}.precision: fp32, but packed needs a CUDA GPU and fp16 or bf16: use bucketed",
        f"{place}.policies.0, audiomae-tiny: packed has no attention map, and topk ranks by one here (score global): "
        "use bucketed",
        *(
            f"{place}.policies.1, {backbone}: packed has no merging, and tome merges tokens: use bucketed"
            for backbone in ("audiomae-tiny", "ast-tiny")
        ),
    ]
    assert not errors_of(with_block(**block | {"precision": "bf16", "keep_rates": (1.0,)}))  # nothing is pruned
    assert not errors_of(with_block(**block | {"precision": "fp16", "policies": ("intensity", "random")}))
    told = errors_of(with_block(**block | {"backbones": (), "precision": "bf16"}))
    assert f"{place}.batchings: packed is for classifiers (backbones); recognisers have bucketed" in told


def test_one_cell_for_each_backbone_of_its_first_unpruned_fine_tuning():
    block = {"backbones": ("ast-tiny",), "datasets": ("fsdd-digits", "esc10"), "policies": ("topk",)}
    assert not errors_of(with_block(**block))
    found = study_of(Planner(with_block(**block)), "mini").cells("pace")
    assert {cell.inputs["finetune"].address for cell in found} == {
        "ast-tiny/fsdd-digits/none-kr1/fold1-seed0", "ast-tiny/esc10/none-kr1/fold1-seed0",
    }  # fmt: skip
    assert {cell.settings.bucket for cell in found} == {8}  # clips of equal columns
