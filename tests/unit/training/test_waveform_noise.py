"""Training clips in noise: levels, shares and sources by hand, seeds, and that training without it is as it was."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from audioprune.audio import disturb
from audioprune.audio.fbank import log_mel
from audioprune.errors import UserError
from audioprune.settings.model import Pruning
from audioprune.settings.training import Augment
from audioprune.training.batches import order_of
from audioprune.training.waveform_noise import KINDS, WaveformNoise
from tests.fakes.tiny_training import stores, tuned
from tests.unit.training.test_batches import EVERYTHING, batches

ROWS = np.arange(4, 20)
LOUD = Augment(waveform_noise=1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    stores(folder)
    return folder


@pytest.fixture(scope="module")
def store(folder):
    return stores(folder)


def noise(waveforms, rows=ROWS, probability=1.0, seed=3) -> WaveformNoise:
    return WaveformNoise(waveforms, rows, probability, seed)


# Recorded before there was waveform noise: sums over the pixels and the first targets of batch (1, 2), and the loss of
# the last epoch of a pruned fine-tuning. Without the field all were the same bits.
RECORDED = {
    "nothing": (Augment(), 7984.31628159258, 2.0),
    "everything": (EVERYTHING, 10091.85090044071, 2.6965778470039368),
    "magnitude and mixup": (Augment(magnitude=True, mixup=0.5), 6613.699881858898, 1.5015135407447815),
}
LOSSES = {
    0.5551121532917023: Augment(),
    0.6188019067049026: Augment(magnitude=True, mixup=0.5, noise=True, mask_2d=0.2),
}


@pytest.mark.parametrize(("augment", "pixels", "targets"), RECORDED.values(), ids=RECORDED)
def test_batches_without_it_are_as_they_were(store, augment, pixels, targets):
    batch = batches(store, augment)(1, 2)
    assert float(batch.x.double().sum()) == pytest.approx(pixels, abs=0.01)
    assert float(batch.y[:, 0].sum()) == pytest.approx(targets, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_training_without_it_is_as_it_was(folder, tmp_path, loss):
    pruning = Pruning(method="topk", keep_rate=0.5, blocks=(1,))
    assert tuned(folder, tmp_path, augment=LOSSES[loss], pruning=pruning)["last"]["train_loss"] == pytest.approx(
        loss, rel=1e-4
    )


def test_other_draws_of_a_batch_stay_as_they_are(store):
    augment = Augment(mixup=0.5, mask_2d=0.4)
    plain, noisy = (
        batches(store, augment)(0, 1),
        batches(store, augment.model_copy(update={"waveform_noise": 1.0}))(0, 1),
    )
    assert torch.equal(plain.y, noisy.y)
    assert torch.equal(plain.keep_patches, noisy.keep_patches)
    assert not torch.equal(plain.x, noisy.x)


def test_the_level_of_what_is_added_is_the_level_that_was_drawn(store):
    """By the definition: ten times the logarithm of the powers' ratio, over the clip's own samples."""
    waveforms, _ = store
    x, lengths = waveforms.batch(ROWS)
    made = noise(waveforms, probability=0.5)
    seen = set()
    for epoch in range(4):
        y = made(x, lengths, ROWS, epoch)
        for row, length, before, after in zip(ROWS, lengths.tolist(), x.double(), y.double()):
            assert not after[length:].any()
            drawn = made.drawn(row, epoch)
            if drawn is None:
                assert torch.equal(before, after)
                continue
            kind, level = drawn
            clean = before[:length] - before[:length].mean()
            added = after[:length] - clean
            assert 10 * np.log10(float((clean**2).mean() / (added**2).mean())) == pytest.approx(level, abs=1e-3)
            assert 0 <= level <= 20
            seen.add(kind)
    assert seen == set(KINDS)


def test_half_of_the_clips_in_three_kinds_at_levels_from_0_to_20(store):
    made = noise(store[0], probability=0.5)
    drawn = [made.drawn(row, epoch) for row in ROWS for epoch in range(400)]
    found = [one for one in drawn if one is not None]
    assert len(found) / len(drawn) == pytest.approx(0.5, abs=0.02)
    share = pd.Series([kind for kind, _ in found]).value_counts(normalize=True)
    assert share.to_dict() == pytest.approx(dict.fromkeys(KINDS, 1 / 3), abs=0.025)
    levels = np.array([level for _, level in found])
    assert (levels.min(), levels.max()) == pytest.approx((0, 20), abs=0.1)
    assert levels.mean() == pytest.approx(10, abs=0.4)
    assert levels.std() == pytest.approx(20 / 12**0.5, abs=0.2)  # of a uniform draw


def test_it_depends_on_seed_epoch_and_clip_alone(store):
    waveforms, _ = store
    x, lengths = waveforms.batch(ROWS)
    whole = noise(waveforms)(x, lengths, ROWS, 2)
    some = np.array([17, 5, 9])
    y, own = waveforms.batch(some)
    part = noise(waveforms)(y, own, some, 2)
    for row, clip, length in zip(some, part, own.tolist()):
        assert torch.equal(clip[:length], whole[row - 4][:length])
    for other in (noise(waveforms)(x, lengths, ROWS, 3), noise(waveforms, seed=4)(x, lengths, ROWS, 2)):
        assert not any(torch.equal(a, b) for a, b in zip(other, whole))
    augment = EVERYTHING.model_copy(update={"waveform_noise": 0.5})
    walking = batches(store, augment)
    walked = {(epoch, step): walking(epoch, step).x for epoch in (0, 1) for step in range(4)}
    assert torch.equal(batches(store, augment)(1, 3).x, walked[1, 3])


def test_the_noise_of_training_is_none_of_test_clips(store):
    """Seeds of test clips are (seed, kind, draw, clip), such as (3, white, 0, c05)."""
    waveforms, _ = store
    clip = waveforms.clips.iloc[5]
    trained = noise(waveforms).noise.of("white", 0, clip, 5000)
    tested = disturb.white(np.random.default_rng(disturb.digest(3, "white", 0, clip["clip"])), 5000)
    assert abs(np.corrcoef(trained, tested)[0, 1]) < 0.06


def test_it_is_added_before_fbank_and_after_mixing(store):
    """The features are those of the mixture of two clips in noise, whose level counts from that mixture."""
    waveforms, features = store
    made = batches(store, Augment(mixup=1.0, waveform_noise=1.0))
    given, own = [], made.waveform_noise

    def watched(x, lengths, rows, epoch):
        given.append((x, lengths, rows, own(x, lengths, rows, epoch)))
        return given[-1][-1]

    made.waveform_noise = watched
    batch = made(1, 0)
    ((x, lengths, rows, y),) = given
    assert rows.tolist() == made.rows[order_of(16, 5, 3, 1)[0]].tolist()
    assert torch.equal(batch.x, features.normalise(log_mel(y, lengths, batch.x.shape[1])[0]))
    alone, _ = waveforms.batch(rows)
    assert not torch.allclose(x[:, :5000], alone[:, :5000])  # what noise is added to is mixed already


def speakers(n: int = 40) -> SimpleNamespace:
    """Recordings of two clips; four speakers, who are not named in the second half."""
    rows = [
        {"clip": f"c{i}", "recording": f"r{i // 2}", "speaker": f"s{i % 4}" if i < n // 2 else "", "labels": [0]}
        for i in range(n)
    ]
    seen: list[int] = []

    def waveform(row: int) -> np.ndarray:
        seen.append(row)
        return np.random.default_rng(row).standard_normal(2000)

    return SimpleNamespace(clips=pd.DataFrame(rows), waveform=waveform, seen=seen)


def test_babble_is_made_of_training_clips_of_other_speakers_and_recordings():
    found, rows = speakers(), np.arange(5, 38)
    made = noise(found, rows)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 2000), dtype=np.float32))
    heard = 0
    for row in rows:
        for epoch in range(8):
            found.seen.clear()
            made(x, torch.tensor([2000]), np.array([row]), epoch)
            babble = made.drawn(row, epoch)[0] == "babble"
            assert len(set(found.seen)) == (6 if babble else 0)
            heard += babble
            own = found.clips.iloc[row]
            for other in found.seen:
                assert other in rows
                assert found.clips["recording"][other] != own["recording"]
                assert not own["speaker"] or found.clips["speaker"][other] != own["speaker"]
    assert heard > 50


def test_too_few_training_clips_for_babble_are_told_before_any_is_trained_on():
    """Of seven clips by two speakers, four are of the other one."""
    table = speakers().clips.assign(speaker="a")
    table.loc[3:6, "speaker"] = "b"
    with pytest.raises(UserError, match=r"babble in the training clip 'c3' needs 6 training clips .* there are 3"):
        noise(SimpleNamespace(clips=table, waveform=None), np.arange(7))


def test_a_silent_clip_stays_as_it_is(store):
    waveforms, _ = store
    x = torch.full((1, 400), 0.25)
    assert torch.equal(noise(waveforms)(x, torch.tensor([400]), ROWS[:1], 0), x)
