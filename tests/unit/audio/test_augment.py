"""Augmentations: what they change, what they leave, how they are distributed, and that a seed decides."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audioprune.audio import augment as A


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_beta_10_10():
    draws = A.beta_10_10(4000, seeded()).numpy()
    assert stats.kstest(draws, stats.beta(10, 10).cdf).pvalue > 0.01
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert draws.std() == pytest.approx(1 / np.sqrt(84), abs=0.005)


def test_magnitude_scales_each_clip_by_its_own_factor():
    waveforms = torch.randn(3000, 4, generator=seeded(1))
    factor = A.magnitude(waveforms, seeded()) / waveforms
    assert torch.allclose(factor, factor[:, :1].expand_as(factor), rtol=1e-4)
    assert stats.kstest(factor[:, 0].numpy() - 0.5, stats.beta(10, 10).cdf).pvalue > 0.01


def test_roll_is_circular_within_the_clips_own_samples():
    lengths = torch.tensor([5, 8, 3] * 200)
    waveforms = torch.arange(1.0, 9.0).repeat(600, 1) * (torch.arange(8) < lengths[:, None])
    rolled = A.roll_waveform(waveforms, lengths, seeded())
    shifts = set()
    for row, length in enumerate(lengths.tolist()):
        own = rolled[row, :length].tolist()
        shift = own.index(1.0)
        assert own == np.roll(np.arange(1.0, length + 1), shift).tolist()
        assert (rolled[row, length:] == 0).all()
        shifts.add((length, shift))
    assert shifts == {(n, k) for n in (3, 5, 8) for k in range(n)}


def test_mixup_formula_with_a_longer_and_a_shorter_second_clip():
    first = torch.tensor([[1.0, 2.0, 3.0, 6.0], [2.0, 4.0, 0.0, 0.0]])
    second = torch.tensor([[1.0, 3.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    weight = torch.tensor([0.25, 0.5])
    labels, other = torch.eye(2), torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    mixture, mixed = A.mixup(first, torch.tensor([4, 2]), labels, second, torch.tensor([2, 5]), other, weight)
    padded = np.array([-1.0, 1.0, 0.0, 0.0])
    row = 0.25 * (np.array([1, 2, 3, 6]) - 3.0) + 0.75 * padded
    assert np.allclose(mixture[0], row - row.mean())
    row = 0.5 * np.array([-1.0, 1.0]) + 0.5 * np.array([-2.0, -1.0])
    assert np.allclose(mixture[1], [*(row - row.mean()), 0, 0])
    assert mixed.tolist() == [[0.25, 0.75], [0.5, 1.0]]


def test_mixup_switched_off_leaves_everything():
    waveforms, labels = torch.randn(6, 10, generator=seeded(1)), torch.eye(6)
    lengths = torch.full((6,), 10)
    partner, weight = A.draw_mixup(6, 6, 0.0, seeded())
    mixture, mixed = A.mixup(waveforms, lengths, labels, waveforms[partner], lengths, labels[partner], weight)
    assert torch.equal(mixture, waveforms)
    assert torch.equal(mixed, labels)


def test_mixup_draws():
    partner, weight = A.draw_mixup(8000, 10, 0.5, seeded())
    assert (weight < 1).float().mean().item() == pytest.approx(0.5, abs=0.03)
    assert stats.kstest(weight[weight < 1].numpy(), stats.beta(10, 10).cdf).pvalue > 0.01
    assert stats.chisquare(partner.bincount(minlength=10).numpy()).pvalue > 0.01


def test_specaug_masks_one_band_and_one_span_with_zero():
    x = torch.full((500, 64, 128), -7.0)
    out = A.specaug(x, 24, 20, seeded())
    assert set(out.unique().tolist()) == {-7.0, 0.0}
    masked = out == 0
    for clip in masked:
        band, span = clip.all(0), clip.all(1)
        assert torch.equal(clip, band[None, :] | span[:, None])
        for run in (band, span):
            where = run.nonzero().flatten()
            assert len(where) == 0 or int(where[-1] - where[0]) + 1 == len(where)
    bands, spans = masked.all(1).sum(1), masked.all(2).sum(1)
    assert set(bands.tolist()) == set(range(24))
    assert set(spans.tolist()) == set(range(20))
    assert stats.chisquare(bands.bincount(minlength=24).numpy()).pvalue > 0.01


def test_specaug_off_switches():
    x = torch.randn(8, 64, 128, generator=seeded(1))
    assert torch.equal(A.specaug(x, 0, 0, seeded()), x)
    only_freq = A.specaug(x, 48, 0, seeded()) == 0
    assert not only_freq.all(2).any()
    assert only_freq.all(1).any()
    only_time = A.specaug(x, 0, 48, seeded()) == 0
    assert not only_time.all(1).any()
    assert only_time.all(2).any()


def test_specaug_wider_than_the_clip_stays_inside_it():
    out = A.specaug(torch.ones(200, 16, 128), 48, 192, seeded())
    assert ((out == 0).all(2).sum(1) < 16).all()


def test_specaug_draws_are_torchaudios():
    """Width and start have the distribution of torchaudio's mask_along_axis."""
    from torchaudio.functional import mask_along_axis

    ours = (A.specaug(torch.ones(2000, 16, 128), 48, 0, seeded()) == 0).all(1)
    torch.manual_seed(0)
    theirs = torch.stack([(mask_along_axis(torch.ones(1, 128, 4), 48, 0.0, 1) == 0)[0].all(1) for _ in range(2000)])
    assert stats.ks_2samp(ours.sum(1).numpy(), theirs.sum(1).numpy()).pvalue > 0.01
    first = [m.float().argmax(1)[m.any(1)].numpy() for m in (ours, theirs)]
    assert stats.ks_2samp(*first).pvalue > 0.01


def test_noise_is_added_then_rolled():
    x = torch.arange(40.0)[None, :, None].repeat(600, 1, 128) * 100  # a frame is told by its hundreds
    out = A.noise(x, seeded())
    shifts = set()
    for clip, before in zip(out, x, strict=True):
        shift = int((clip[:, 0] < 50).nonzero()[0])
        shifts.add((shift + 10) % 40 - 10)
        added = clip.roll(-shift, 0) - before
        assert added.min() >= -1e-3
        assert added.max() <= 0.1 + 1e-3
    assert shifts == set(range(-10, 10))


def test_noise_strength_is_uniform_over_clips():
    added = A.noise(torch.zeros(1500, 16, 128), seeded())
    strength = added.flatten(1).mean(1) * 20  # mean of U(0,1) is a half, and a tenth of it is added
    assert stats.kstest(strength.numpy(), "uniform").pvalue > 0.01
    assert added.flatten(1).std(1).max() > 0


@pytest.mark.parametrize(
    ("time", "p", "kept"), [(32, 0.3, 110), (64, 0.3, 220), (8, 0.3, 25), (64, 0.2, 306), (8, 0, 64)]
)
def test_mask_2d_keeps_the_published_counts(time, p, kept):
    assert A.mask_2d(time, 8, p, seeded(), 3).shape == (3, kept)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 64), st.sampled_from([0.1, 0.3, 0.5]), st.integers(0, 99))
def test_mask_2d_keeps_whole_rows_and_columns_in_time_major_order(time, p, seed):
    kept = A.mask_2d(time, 8, p, seeded(seed), 4)
    assert (kept.diff(dim=1) > 0).all()
    for clip in kept:
        rows, columns = sorted(set((clip // 8).tolist())), sorted(set((clip % 8).tolist()))
        assert len(rows) == int(time * (1 - p))
        assert len(columns) == int(8 * (1 - p))
        assert rows[-1] < time
        assert clip.tolist() == [8 * row + column for row in rows for column in columns]


def test_mask_2d_is_uniform_and_refuses_to_keep_nothing():
    kept = A.mask_2d(8, 8, 0.5, seeded(), 4000)
    assert stats.chisquare(torch.bincount(kept.flatten() // 8, minlength=8).numpy() / 4).pvalue > 0.001
    with pytest.raises(ValueError, match="leaves nothing"):
        A.mask_2d(2, 8, 0.6, seeded(), 1)


def test_a_seed_decides_everything():
    waveforms, x = torch.randn(4, 50, generator=seeded(1)), torch.randn(4, 32, 128, generator=seeded(2))
    lengths = torch.full((4,), 50)

    def run(seed: int) -> list[torch.Tensor]:
        g = seeded(seed)
        return [
            A.magnitude(waveforms, g),
            A.roll_waveform(waveforms, lengths, g),
            *A.draw_mixup(4, 100, 0.5, g),
            A.specaug(x, 24, 24, g),
            A.noise(x, g),
            A.mask_2d(32, 8, 0.3, g, 4),
        ]

    assert all(torch.equal(a, b) for a, b in zip(run(3), run(3), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(run(3), run(4), strict=True))


def test_inputs_are_never_written_to():
    waveforms, x = torch.randn(4, 50, generator=seeded(1)), torch.randn(4, 32, 128, generator=seeded(2))
    before = waveforms.clone(), x.clone()
    lengths = torch.full((4,), 50)
    A.magnitude(waveforms, seeded())
    A.roll_waveform(waveforms, lengths, seeded())
    A.mixup(waveforms, lengths, torch.eye(4), waveforms, lengths, torch.eye(4), torch.full((4,), 0.5))
    A.specaug(x, 24, 24, seeded())
    A.noise(x, seeded())
    assert torch.equal(waveforms, before[0])
    assert torch.equal(x, before[1])
