"""Batches: order, the stream of random draws, and the order and switches of augmentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from audioprune.audio import augment as ops
from audioprune.audio.features import FeatureStore, write_features
from audioprune.audio.patches import token_order
from audioprune.audio.store import WaveformStore, write_store
from audioprune.records import write_json
from audioprune.settings.training import Augment, Recipe
from audioprune.statistics.metrics import multi_hot
from audioprune.training.batches import Batches, order_of, seed_of, steps_of
from tests import REPOSITORY
from tests.fakes.tiny_training import FRAMES, stores

PARITY = REPOSITORY / "tests" / "fixtures" / "parity"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return stores(tmp_path_factory.mktemp("store"))


def batches(store, augment=None, target=1.0, seed=3, **changed) -> Batches:
    waveforms, features = store
    recipe = Recipe(**({"epochs": 4, "batch_size": 5, "shrink_start": 2, "shrink_epochs": 1} | changed))
    return Batches(
        features,
        waveforms,
        rows=np.arange(4, 20),
        targets=multi_hot(list(waveforms.clips["labels"]), 2),
        augment=augment or Augment(),
        recipe=recipe,
        target=target,
        seed=seed,
        device=torch.device("cpu"),
    )


def test_seeds_are_the_same_everywhere_and_differ_by_place():
    assert seed_of(0, "batch", 1, 2) == 4358033391051885418
    assert (
        len({seed_of(s, what, e, i) for s in (0, 1) for what in ("batch", "model") for e in (0, 1) for i in (0, 1)})
        == 16
    )


def test_an_epoch_sees_every_clip_once_in_nearly_equal_batches():
    order = order_of(23, 5, seed=1, epoch=0)
    assert steps_of(23, 5) == len(order) == 5
    assert sorted(np.concatenate(order)) == list(range(23))
    assert {len(batch) for batch in order} == {4, 5}
    assert [list(b) for b in order] == [list(b) for b in order_of(23, 5, seed=1, epoch=0)]
    assert [list(b) for b in order] != [list(b) for b in order_of(23, 5, seed=1, epoch=1)]


def test_without_augmentation_a_batch_is_the_normalised_store(store):
    made = batches(store)
    rows = made.rows[order_of(16, 5, 3, 0)[1]]
    batch = made(0, 1)
    assert torch.equal(batch.x, store[1].fbank(rows))
    assert batch.y.argmax(1).tolist() == [row % 2 for row in rows]
    assert batch.keep_patches is None


EVERYTHING = Augment(magnitude=True, roll="time", mixup=0.5, specaug_freq=48, specaug_time=16, mask_2d=0.3, noise=True)


def test_a_batch_depends_on_its_place_alone(store):
    jumping, walking = batches(store, EVERYTHING), batches(store, EVERYTHING)
    walked = {(epoch, step): walking(epoch, step) for epoch in (0, 1) for step in range(4)}
    for place in ((1, 3), (0, 0), (1, 0)):
        jumped = jumping(*place)
        assert torch.equal(jumped.x, walked[place].x)
        assert torch.equal(jumped.y, walked[place].y)
        assert torch.equal(jumped.keep_patches, walked[place].keep_patches)
    assert not torch.equal(batches(store, EVERYTHING, seed=4)(1, 0).x, jumping(1, 0).x)


def test_order_and_draws_differ_by_seed_epoch_and_step(store):
    orders = [tuple(np.concatenate(order_of(23, 5, seed, epoch))) for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(orders)) == 4
    masked = Augment(mask_2d=0.5, baseline="paper")
    drawn = [batches(store, masked, seed=s)(*place).keep_patches for s in (3, 4) for place in ((0, 0), (0, 1), (1, 0))]
    assert len({tuple(keep.flatten().tolist()) for keep in drawn}) == 6  # of patches, whoever the clips are


def test_features_from_waveforms_equal_the_store_s(store):
    quiet = batches(store, Augment(mixup=1e-9))  # goes through waveforms, and mixes nothing
    plain = batches(store)
    for step in range(3):
        torch.testing.assert_close(quiet(0, step).x, plain(0, step).x, atol=1e-4, rtol=0)
        assert torch.equal(quiet(0, step).y, plain(0, step).y)


def test_magnitude_shifts_log_energies_by_twice_the_log_gain(store):
    loud, plain = batches(store, Augment(magnitude=True))(0, 0).x, batches(store)(0, 0).x
    shift = ((loud - plain) * 2 * 3.0).flatten(1)  # back from normalised units
    gain = (shift.median(1).values / 2).exp()
    assert ((gain > 0.5) & (gain < 1.5)).all()
    assert gain.std() > 0.01
    same = (shift - shift.median(1, keepdim=True).values).abs() < 1e-3
    assert same.float().mean() > 0.95  # all but the pixels of filters without an FFT bin, which stay at the floor


def opened(folder: Path, waves: list[np.ndarray]) -> tuple[WaveformStore, FeatureStore]:
    """A store of these waveforms, of which each is a class of its own; features are not normalised."""
    write_store(folder, [({"clip": f"c{i}", "labels": [i]}, wave) for i, wave in enumerate(waves)])
    waveforms = WaveformStore.open(folder)
    write_features(folder, waveforms, FRAMES)
    write_json(folder / "stats.json", {"mean": 0.0, "std": 0.5})
    return waveforms, FeatureStore.open(folder)


def of_each(opened: tuple[WaveformStore, FeatureStore], rows: np.ndarray, augment: Augment, batch_size: int) -> Batches:
    waveforms, features = opened
    recipe = Recipe(epochs=1, batch_size=batch_size)
    targets = np.eye(len(waveforms), dtype=np.float32)
    return Batches(
        features, waveforms, rows=rows, targets=targets, augment=augment, recipe=recipe, target=1.0, seed=5,
        device=torch.device("cpu"),
    )  # fmt: skip


@pytest.mark.parametrize("mixup", [0.0, 1.0])
def test_clips_are_scaled_and_then_mixed_as_the_released_loader_does(tmp_path, monkeypatch, mixup):
    """Its fbank of two clips of other lengths, with the same three Beta draws: two gains and lambda."""
    recorded = np.load(PARITY / "mixup.npz")
    *gains, weight = recorded["beta"].tolist()
    made = of_each(
        opened(tmp_path, [recorded[f"waveform{i}"] / 32768 for i in (0, 1)]),
        np.arange(2), Augment(magnitude=True, mixup=mixup), 2,
    )  # fmt: skip
    order = torch.from_numpy(order_of(2, 2, 5, 0)[0])
    factor = iter(0.5 + np.array(gains))
    monkeypatch.setattr(ops, "magnitude", lambda waves, draw: waves * next(factor))
    monkeypatch.setattr(ops, "draw_mixup", lambda *given: (1 - order, torch.full((2,), weight)))
    batch = made(0, 0)
    for x, y, own in zip(batch.x, batch.y, order.tolist(), strict=True):
        name = f"fbank{own}{1 - own}" if mixup else f"fbank{own}"
        np.testing.assert_allclose(x.numpy(), recorded[name], rtol=0, atol=2e-3 if mixup else 1e-4)
        assert y[own] == (weight if mixup else 1)


def test_a_mixture_holds_both_clips_with_lambda_and_a_gain_of_their_own(tmp_path):
    """Each clip is a tone of its own, so that a mixture says whose it is, and how loud each of the two became."""
    hertz = 400 * 1.16 ** np.arange(20)
    time = np.arange(5440) / 16000
    clips = opened(tmp_path, [0.2 * np.sin(2 * np.pi * h * time) for h in hertz])
    rows = np.arange(4, 20)
    alone = clips[1].raw(np.arange(20)).numpy()[:, 10:20].mean(1)  # (clips, 128), where the tones are steady
    peak = alone.argmax(1)
    assert len(set(peak)) == 20
    made = of_each(clips, rows, Augment(magnitude=True, mixup=0.6), 8)
    gains, partners, alone_too = {"first": [], "second": []}, [], 0
    for epoch in range(6):
        for step, own in enumerate(order_of(16, 8, 5, epoch)):
            batch = made(epoch, step)
            for x, y, clip in zip(batch.x.numpy(), batch.y.numpy(), rows[own], strict=True):
                loud = np.exp((x[10:20].mean(0) - alone) / 2)  # (clips, 128) amplitude, each clip's own being 1
                other = [row for row in y.nonzero()[0] if row != clip]
                assert y.sum() == pytest.approx(1)
                partners += other
                alone_too += not other
                if other and abs(peak[clip] - peak[other[0]]) > 8:  # bands that do not overlap
                    gains["first"].append(loud[clip, peak[clip]] / y[clip])
                    gains["second"].append(loud[other[0], peak[other[0]]] / y[other[0]])
    assert set(partners) <= set(rows)
    assert len(set(partners)) > 12
    assert alone_too / 96 == pytest.approx(0.4 + 0.6 / 16, abs=0.15)  # or mixed with itself
    for found in gains.values():
        assert len(found) > 30
        assert min(found) > 0.5
        assert max(found) < 1.5
        assert np.mean(found) == pytest.approx(1, abs=0.06)
        assert np.std(found) == pytest.approx((4 * 21) ** -0.5, rel=0.35)  # of Beta(10, 10)
    assert abs(np.corrcoef(gains["first"], gains["second"])[0, 1]) < 0.4


def test_mixup_mixes_labels_that_still_sum_to_one(store):
    y = torch.cat([batches(store, Augment(mixup=1.0))(0, step).y for step in range(4)])
    torch.testing.assert_close(y.sum(1), torch.ones(16))
    mixed = (y > 0) & (y < 1)
    assert 2 < mixed.any(1).sum() < 16  # two clips of one class mix to that class


def test_specaug_fills_with_zero_before_normalisation_and_stops_at_shrink_start(store):
    made = batches(store, Augment(specaug_freq=48, specaug_time=16), target=0.5)
    filled = (0 - -6.0) / (2 * 3.0)
    assert (made(1, 0).x == filled).float().mean() > 0.05
    assert (made(2, 0).x == filled).sum() == 0
    stays = batches(store, Augment(specaug_freq=48, specaug_time=16, specaug_off="as_released"), target=0.5)
    assert (stays(2, 0).x == filled).float().mean() > 0.05


@pytest.mark.parametrize(("bins", "frames"), [(48, 0), (0, 16), (40, 4)])
def test_specaug_masks_bins_and_frames_as_far_as_each_is_asked_for(store, bins, frames):
    made = batches(store, Augment(specaug_freq=bins, specaug_time=frames))
    filled = torch.cat([made(epoch, step).x == (0 - -6.0) / (2 * 3.0) for epoch in (0, 1) for step in range(4)])
    band, span = filled.all(1).sum(1), filled.all(2).sum(1)  # (clips,) whole bins, and whole frames
    assert (band.max() < max(bins, 1), span.max() < max(frames, 1)) == (True, True)
    assert (band.max() > bins / 2, span.max() > frames / 4) == (bins > 0, frames > 0)


def test_masks_of_unpruned_runs_go_on_where_the_baseline_is_the_paper_s(store):
    """And those of pruned ones end all the same (B7)."""
    augment = Augment(mask_2d=0.4, specaug_freq=48, baseline="paper")
    unpruned, pruned = (batches(store, augment, target=target)(2, 0) for target in (1.0, 0.5))
    assert (unpruned.keep_patches is None, pruned.keep_patches is None) == (False, True)
    assert ((unpruned.x == 1).any(), (pruned.x == 1).any()) == (True, False)


def test_a_roll_alone_moves_each_clip_within_itself(tmp_path):
    """A click at the first sample is found at another place, which differs by clip."""
    wave = np.zeros(5440)
    wave[200] = 0.9
    made = of_each(opened(tmp_path, [wave] * 6), np.arange(6), Augment(roll="time"), 6)
    peaks = made(0, 0).x.amax(2).argmax(1)
    assert len(set(peaks.tolist())) > 3
    assert (of_each((made.waveforms, made.features), np.arange(6), Augment(), 6)(0, 0).x.amax(2).argmax(1) <= 1).all()


def test_mask_2d_keeps_a_grid_of_patches_and_stops(store):
    for orientation in ("time", "freq"):
        made = batches(store, Augment(mask_2d=0.4), target=0.5)
        made.orientation = orientation
        keep = made(0, 0).keep_patches  # time 2 -> 1 row, frequency 8 -> 4 columns
        assert keep.shape == (4, 4)
        place = token_order(orientation, FRAMES // 16, 8)[keep]  # (B, M, 2)
        assert all(len(clip[:, 0].unique()) == 1 and len(clip[:, 1].unique()) == 4 for clip in place)
        assert made(2, 0).keep_patches is None


def test_noise_is_added_after_normalisation(store):
    noisy, plain = batches(store, Augment(noise=True))(0, 0).x, batches(store)(0, 0).x
    for one, other in zip(noisy, plain, strict=True):
        differences = torch.stack([(one - other.roll(shift, 0)).abs().max() for shift in range(-10, 10)])
        assert differences.min() <= 0.1  # pixel noise below a tenth, once the roll is undone
