"""Discarding clusters of tokens: masks equal removal, controls match in count, clips without a patch are counted."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.fakes.cells as _cells
from audioprune.audio.features import FeatureStore
from audioprune.config.file import load
from audioprune.errors import UserError
from audioprune.fingerprints.keys import keyed_settings
from audioprune.models.discard import Discard
from audioprune.models.pruner import Pruning, Survivors
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from audioprune.settings.evaluation import DiscardSettings
from audioprune.settings.model import Pruning as PruningSettings
from audioprune.statistics.metrics import mean_average_precision
from audioprune.statistics.no_patch_left import metric_of
from audioprune.steps._run import Job
from audioprune.steps.discard import discard as step
from audioprune.tokens.discard import discard_clips, intervals
from tests import REPOSITORY

CPU = torch.device("cpu")
EDGES = [-0.6, -0.2, 0.1, 0.4]


@pytest.fixture(scope="module")
def clips() -> torch.Tensor:
    """Five clips with patches of all intensities; the last one is silent throughout."""
    generator = torch.Generator().manual_seed(0)
    levels = 0.5 * torch.randn(5, 8, 8, generator=generator)
    levels[4] = -2
    x = levels.repeat_interleave(16, 1).repeat_interleave(16, 2)
    return x + 0.3 * torch.randn(x.shape, generator=generator)


@torch.no_grad()
def removed(model, clip: torch.Tensor, block: int, stays: torch.Tensor) -> torch.Tensor:
    """One clip alone: all blocks up to `block`, then the tokens cut out, then the others."""
    e, state = model.tokens.prefix, {}
    handle = model.blocks[block].register_forward_hook(lambda _, given, out: state.update(x=out[0]))
    model(clip[None])
    handle.remove()
    x = torch.cat([state["x"][:, :e], state["x"][:, e:][:, stays]], dim=1)
    survivors = Survivors(torch.empty(0), torch.empty(0), e, e)
    for later in model.blocks[block + 1 :]:
        x, _ = later(x, survivors)
    if hasattr(model, "fc_norm"):
        return model.head(model.fc_norm(x[:, 1:].mean(1)))[0]
    return model.mlp_head(model.pool(model.v.norm(x), survivors))[0]


@pytest.mark.parametrize("kernel", ["eager", "fused"])
@pytest.mark.parametrize("backbone", ["audiomae-tiny", "ast-tiny", "ast-mp-tiny"])
def test_a_batch_with_masks_equals_one_clip_with_removal(clips, backbone, kernel):
    model = _cells.model_of(backbone, kernel=kernel)
    seen = list(
        discard_clips(
            model, range(5), lambda rows: clips[rows], keep=intervals(EDGES), blocks=(0, 5, 11), control_seed=0,
            device=CPU, batch_size=5,
        )
    )  # fmt: skip
    assert len(seen) == 3 * 2 * 2
    differ = 0
    for one in seen:
        low, high = intervals(EDGES)[one.discarded]
        reducer = Discard(low, high, seed=0 if one.control else None)
        stays = reducer.left(model.pixels(clips), one.block)
        assert one.left.tolist() == stays.sum(1).tolist()
        for number, scores in enumerate(one.scores):
            if stays[number].any() or backbone == "ast-tiny":
                alone = removed(model, clips[number], one.block, stays[number])
                np.testing.assert_allclose(scores, alone.numpy(), atol=2e-5)
        differ += np.abs(one.scores - model(clips).detach().numpy()).max() > 1e-3
    assert differ == (8 if backbone == "ast-tiny" else 12)  # after its last block AST has no use for patch tokens
    assert model.pruning.pruner is None  # as it was


def test_intervals_are_open_and_named_by_what_goes():
    assert intervals(EDGES) == {"C1C2": (-0.2, inf), "C4C5": (-inf, 0.1)}
    pixels = torch.tensor([[[0.0], [0.25], [0.5], [0.75]]])
    assert Discard(0.0, 0.75).left(pixels, 0).tolist() == [[False, True, True, False]]
    for wrong in ([0.1, 0.2, 0.3], [0.1, 0.3, 0.2, 0.4]):
        with pytest.raises(ValueError, match="not the four rising upper edges"):
            intervals(wrong)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.floats(-1, 1), st.integers(0, 3))
def test_the_control_drops_as_many_of_each_clip_whatever_their_intensity(seed, low, control):
    pixels = torch.randn(4, 20, 6, generator=torch.Generator().manual_seed(seed))
    by_mean, random = Discard(low, inf).left(pixels, 3), Discard(low, inf, seed=control).left(pixels, 3)
    assert random.sum(1).tolist() == by_mean.sum(1).tolist() == (pixels.mean(2) > low).sum(1).tolist()
    assert torch.equal(Discard(low, inf, seed=control).left(pixels[2:3], 3)[0], random[2])  # in any batch
    more = Discard(low - 0.5, inf, seed=control).left(pixels, 3)
    assert (more | ~random).all()  # fewer dropped are among more dropped


def test_controls_differ_by_seed_block_and_clip():
    pixels = torch.randn(2, 64, 4, generator=torch.Generator().manual_seed(0))
    drawn = [Discard(0.0, inf, seed=seed).left(pixels, block) for seed, block in ((0, 3), (1, 3), (0, 4))]
    for other in (drawn[1], drawn[2], Discard(0.0, inf).left(pixels, 3)):
        assert not torch.equal(drawn[0], other)
    picture = pixels[:1].expand(2, -1, -1) * torch.tensor([1.0, 2.0])[:, None, None]  # same signs, other clip
    assert not torch.equal(*Discard(0.0, inf, seed=0).left(picture, 3))


def test_what_is_gone_is_not_seen_again(clips):
    """A discarded patch's content before its block matters, after it nothing of it is left: block 0, one token."""
    model = _cells.model_of("audiomae-tiny")
    model.pruning = Pruning(Discard(inf, inf), blocks=(0,), keep_rate=0.0)
    out, survivors = model.survive(clips)
    assert survivors.sizes.sum(1).tolist() == [1] * 5  # the class token
    assert torch.isfinite(model(clips)).all()
    assert torch.equal(survivors.bias[:, 1:], torch.full((5, 64), -inf))
    assert torch.isfinite(out).all()


def test_clips_without_a_patch_are_wrong_or_skipped():
    rows = pd.DataFrame({"no_patch_left": [False, True, False, True], "correct": [True, True, False, False]})
    assert metric_of(rows, "top1") == {"value": 0.25, "n": 4, "value_skipped": 0.5, "n_skipped": 2}
    scored = rows.drop(columns="correct").assign(labels=[[0], [0], [0], [1]], scores=[[1, 0], [1, 0], [0, 1], [0, 1]])
    assert metric_of(scored, "top1") == metric_of(rows, "top1")
    none = metric_of(rows[rows.no_patch_left], "top1")
    assert (none["value"], none["n_skipped"]) == (0.0, 0)
    assert np.isnan(none["value_skipped"])
    with pytest.raises(ValueError, match="map needs the rows' scores"):
        metric_of(rows, "map")


def test_a_clip_without_a_patch_comes_last_in_an_average_precision():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(12, 3)), [[i % 3, (i + i // 3) % 3] for i in range(12)]
    no_patch_left = np.arange(12) % 4 == 0
    rows = pd.DataFrame({"no_patch_left": no_patch_left, "labels": labels, "scores": list(scores)})
    found = metric_of(rows, "map")
    last = np.where(no_patch_left[:, None], scores.min() - 1, scores)
    assert found["value"] == pytest.approx(mean_average_precision(last, labels))
    there = np.flatnonzero(~no_patch_left)
    assert found["value_skipped"] == pytest.approx(mean_average_precision(scores[there], [labels[i] for i in there]))
    assert (found["n"], found["n_skipped"]) == (12, 9)


def made(inputs, out: Path, edges=EDGES, **own) -> pd.DataFrame:
    out.mkdir()
    clusters = out / "clusters"
    clusters.mkdir()
    results = {"edges": {"mean": [min(edges) - 1, *edges, max(edges) + 1]}}
    (clusters / "record.json").write_text(json.dumps({"results": results}))
    job = Job("discard", "a", "k", DiscardSettings(**own), inputs | {"clusters": clusters}, out, out)
    results = step(job)
    rows = pd.read_parquet(out / "discarded.parquet")
    assert results["no_patch_left"] == rows["no_patch_left"].sum()
    return rows


def test_the_step_leaves_a_row_for_each_clip_block_set_and_control(tmp_path):
    inputs = _cells.inputs(tmp_path / "cells", "audiomae-tiny", PruningSettings())
    rows = made(inputs, tmp_path / "out", blocks=(0, 7))
    assert len(rows) == 8 * 2 * 2 * 2
    assert list(rows.columns) == [
        "clip", "recording", "speaker", "labels", "block", "discarded", "control", "tokens_left",
        "no_patch_left", "correct",
    ]  # fmt: skip
    assert not rows.duplicated(["clip", "block", "discarded", "control"]).any()
    assert sorted(set(rows["clip"])) == [f"c{row:02d}" for row in _cells.TEST]
    x = FeatureStore.open(inputs["features"]).fbank(np.array(_cells.TEST))
    model = _cells.model_of("audiomae-tiny")
    means = model.pixels(x).mean(2).numpy()
    for (kind, control, block), own in rows.groupby(["discarded", "control", "block"]):
        low, high = intervals(EDGES)[kind]
        inside = (means > low) & (means < high)
        assert own["tokens_left"].tolist() == inside.sum(1).tolist()
        if not control:
            alone = [removed(model, one, block, torch.tensor(keep)) for one, keep in zip(x, inside, strict=True)]
            assert own["correct"].tolist() == [
                int(scores.argmax()) == row % 3 for scores, row in zip(alone, _cells.TEST, strict=True)
            ]
    assert not rows["no_patch_left"].any()
    assert 0 < rows["correct"].mean() < 1
    assert made(inputs, tmp_path / "again", blocks=(0, 7)).equals(rows)


def test_all_tokens_gone_a_sample_of_clips_and_one_set(tmp_path):
    inputs = _cells.inputs(tmp_path / "cells", "ast-tiny", PruningSettings())
    rows = made(inputs, tmp_path / "out", edges=[7, 8, 9, 10], blocks=(3,), sets=("C1C2",), clips=3)
    assert len(rows) == 3 * 2
    assert rows["no_patch_left"].all()
    assert (rows["tokens_left"] == 0).all()


def test_multi_label_clips_keep_their_scores(tmp_path):
    inputs = _cells.inputs(tmp_path / "cells", "ast-tiny", PruningSettings(), task="multilabel")
    rows = made(inputs, tmp_path / "out", blocks=(2,), sets=("C4C5",))
    assert "correct" not in rows
    assert np.stack(list(rows["scores"])).shape == (16, 3)
    assert set(metric_of(rows[~rows.control], "map")) == {"value", "n", "value_skipped", "n_skipped"}


def test_only_an_unpruned_model_of_enough_blocks(tmp_path):
    pruned = _cells.inputs(tmp_path / "pruned", "ast-tiny", PruningSettings(method="topk", keep_rate=0.5))
    with pytest.raises(UserError, match=r"trained with topk at keep-rate 0\.5; take the fine-tuning at keep-rate 1"):
        made(pruned, tmp_path / "a")
    unpruned = _cells.inputs(tmp_path / "unpruned", "ast-tiny", PruningSettings())
    with pytest.raises(UserError, match=r"blocks \(12,\) are not all of 0 to 11"):
        made(unpruned, tmp_path / "b", blocks=(12,))


def test_a_cell_is_planned_from_a_fine_tuning_and_its_clusters():
    planner = Planner(load(REPOSITORY / "config.yaml"))
    tuned = study_of(planner, "demo").cells("finetune", keep_rate=1.0)[0]
    cell = planner.discard(tuned, tuple(range(12)))
    assert cell.address == f"{tuned.address}/discard/last"
    assert cell.inputs == {
        "finetune": tuned, "audio": tuned.inputs["audio"], "features": tuned.inputs["features"],
        "clusters": planner.clusters(tuned.settings.dataset),
    }  # fmt: skip
    assert keyed_settings("discard", cell.settings) == {}  # the whole sweep
    assert (cell.settings.blocks, cell.settings.sets) == (tuple(range(12)), ("C1C2", "C4C5"))
