"""Masked autoencoding: what is hidden, what the loss is of, and what is kept."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from audioprune.models.build import load_checkpoint
from audioprune.settings.model import Model
from audioprune.settings.training import Augment, PretrainSettings
from audioprune.training.batches import generator
from audioprune.training.device import prepare
from audioprune.training.masked import MaskedAutoencoder, patch_targets, positions, random_visible
from audioprune.training.pretrain import pretrain
from tests.fakes.tiny_training import RECIPE, model, stores


def test_visible_patches_are_a_random_fifth_of_each_clip():
    visible = random_visible(256, 0.8, 64, generator(0, "visible"))
    assert visible.shape == (64, 51)
    assert (visible.diff(dim=1) > 0).all()  # ascending, so all different
    share = torch.zeros(256).index_add(0, visible.flatten(), torch.ones(64 * 51)) / 64
    assert share.mean() == pytest.approx(51 / 256)
    assert share.min() > 0.02  # no patch is favoured
    assert share.max() < 0.45
    assert torch.equal(visible, random_visible(256, 0.8, 64, generator(0, "visible")))
    with pytest.raises(ValueError, match="leaves none of 4 patches"):
        random_visible(4, 0.8, 1, generator(0))


def test_targets_have_mean_0_and_variance_1_in_each_patch():
    targets = patch_targets(5 + 3 * torch.randn(2, 6, 256, generator=generator(0)))
    torch.testing.assert_close(targets.mean(-1), torch.zeros(2, 6), atol=1e-5, rtol=0)
    torch.testing.assert_close(targets.var(-1), torch.ones(2, 6), atol=1e-4, rtol=0)


def test_positions_are_all_different_and_follow_the_token_order():
    time_major = positions(SimpleNamespace(orientation="time", time=32, freq=8), 16)
    freq_major = positions(SimpleNamespace(orientation="freq", time=32, freq=8), 16)
    assert time_major.shape == (256, 16)
    assert len(time_major.unique(dim=0)) == 256
    torch.testing.assert_close(time_major[3 * 8 + 5], freq_major[5 * 32 + 3])  # time 3, frequency 5
    torch.testing.assert_close(time_major[3 * 8 + 5, :8], time_major[3 * 8 + 6, :8])  # the half that tells the time
    with pytest.raises(ValueError, match="multiple of 4"):
        positions(SimpleNamespace(orientation="time", time=2, freq=2), 10)


def test_an_autoencoder_that_paints_nothing_has_the_loss_of_its_targets():
    autoencoder = MaskedAutoencoder(model(), decoder_width=8, decoder_depth=1)
    torch.nn.init.zeros_(autoencoder.decoder_pred.weight)
    x = torch.randn(3, 32, 128, generator=generator(0))
    loss = autoencoder(x, random_visible(16, 0.5, 3, generator(1)))
    assert loss.item() == pytest.approx(255 / 256, abs=1e-4)  # mean square of 256 pixels with unbiased variance 1


def test_the_encoder_sees_visible_patches_only_and_the_loss_is_of_hidden_ones():
    autoencoder = MaskedAutoencoder(model(), decoder_width=8, decoder_depth=1).eval()
    x = torch.randn(1, 32, 128, generator=generator(0))
    visible = torch.tensor([[0, 5, 9]])  # time-major: (0, 0), (0, 5), (1, 1)
    changed = x.clone()
    changed[:, :16, 16:32] = 3 * x[:, :16, 16:32] + 1  # patch (0, 1): hidden, and normalised away as a target
    torch.testing.assert_close(autoencoder(changed, visible), autoencoder(x, visible))
    changed[:, :16, 80:96] = 0.5  # patch (0, 5): visible
    assert (autoencoder(changed, visible) - autoencoder(x, visible)).abs() > 1e-4


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return stores(tmp_path_factory.mktemp("store"))


def test_masks_stay_on_in_pretraining(store, tmp_path):
    waveforms, features = store
    net, seen = model(family="ast"), []
    net.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["keep_patches"].shape[1]), with_kwargs=True
    )
    wanted = PretrainSettings(
        model=Model(backbone="ast-tiny"), objective="supervised", recipe=RECIPE, augment=Augment(mask_2d=0.3)
    )
    place = {"out": tmp_path, "resume": tmp_path / "resume", "key": "key", "device": prepare("ast-tiny")}
    pretrain(wanted, net, waveforms=waveforms, features=features, num_classes=2, **place)
    assert seen == [5] * RECIPE.epochs * 5  # int(0.7 x 2) time rows x int(0.7 x 8) frequency columns, every step


@pytest.mark.parametrize(("family", "objective"), [("audiomae", "mae"), ("ast", "supervised")])
def test_pretraining_learns_and_its_weights_load_as_an_official_checkpoint(store, tmp_path, family, objective):
    waveforms, features = store
    device = prepare(f"{family}-tiny")
    net = model(family=family, classes=2)
    wanted = PretrainSettings(
        model=Model(backbone=f"{family}-tiny"),
        objective=objective,
        recipe=RECIPE.model_copy(update={"epochs": 20, "batch_size": 6, "drop_path": 0.0}),
        augment=Augment(mask_2d=0.3 if objective == "supervised" else 0.0),
        mask_ratio=0.5,
        decoder_width=16,
    )
    weights, results = pretrain(
        wanted,
        net,
        waveforms=waveforms,
        features=features,
        num_classes=2,
        out=tmp_path,
        resume=tmp_path / "resume",
        key="key",
        device=device,
    )
    rows = np.genfromtxt(tmp_path / "history.csv", delimiter=",", names=True)
    assert (results["clips"], results["steps"]) == (24, 20 * 4)
    assert rows["train_loss"][-1] < 0.9 * rows["train_loss"][0]
    heads = set(net.rules.head.values())
    if objective == "mae":
        assert not any(name in heads or name.startswith("decoder") for name in weights)
        assert {"norm.weight", "norm.bias", "pos_embed", "cls_token"} < set(weights)
    fresh = model(family=family, classes=5)
    load_checkpoint(fresh, weights)
    for name, value in fresh.state_dict().items():
        if name not in heads:
            assert torch.equal(value, net.state_dict()[name]), name
