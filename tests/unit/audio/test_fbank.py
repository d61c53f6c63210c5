"""The front end against torchaudio's Kaldi implementation, recorded tensors and its own definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.audio.fbank import fbank, log_mel, natural_frames, normalise
from audioprune.audio.truth import bin_hertz
from tests import REPOSITORY

PARITY = REPOSITORY / "tests" / "fixtures" / "parity"
LOG_EPSILON = float(np.log(np.float32(2**-23)))


def noise(batch: int, samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def kaldi(waveform: torch.Tensor) -> torch.Tensor:
    from torchaudio.compliance.kaldi import fbank as reference

    return reference(
        waveform[None],
        htk_compat=True,
        use_energy=False,
        window_type="hanning",
        num_mel_bins=128,
        dither=0.0,
        frame_shift=10,
        sample_frequency=16000,
    )


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(400, 20_000), min_size=1, max_size=5),
    loudness=st.sampled_from([1e-3, 0.1, 1.0]),
    seed=st.integers(0, 1000),
)
def test_batched_fbank_is_kaldis(lengths, loudness, seed):
    waveforms = noise(len(lengths), max(lengths), seed) * loudness
    for row, length in enumerate(lengths):
        waveforms[row, length:] = 0
    ours = fbank(waveforms, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        reference = kaldi(waveforms[row, :length])
        assert len(reference) == natural_frames(torch.tensor([length])).item()
        assert (ours[row, : len(reference)] - reference).abs().max() < 1e-4


def test_tone_and_click_are_kaldis():
    time = torch.arange(16000) / 16000
    tone = 0.5 * torch.sin(2 * torch.pi * 440 * time) + noise(1, 16000)[0] * 1e-3
    click = torch.zeros(16000)
    click[8000] = 1.0
    for waveform in (tone, click):
        assert (fbank(waveform[None])[0] - kaldi(waveform)).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("name", "mean", "std", "frames"),
    [("audiomae_esc50_kr0.5", -6.6268077, 5.358466, 512), ("audiomae_spc2_kr1.0", -6.845978, 5.5654526, 128)],
)
def test_front_end_gives_the_recorded_features(name, mean, std, frames):
    with np.load(PARITY / f"{name}.npz") as recorded:
        for clip in (0, 1):
            waveform = torch.from_numpy(recorded[f"waveform{clip}"])
            x, _ = log_mel(waveform[None], None, frames)
            assert np.abs(normalise(x[0], mean, std).numpy() - recorded["fbank"][clip]).max() < 1e-4


def fit_length(x: torch.Tensor, frames: int) -> torch.Tensor:
    """(F, 128) -> (frames, 128): the first frames, or padded on the right with the clip's own minimum."""
    return torch.nn.functional.pad(x[:frames], (0, 0, 0, max(0, frames - len(x))), value=float(x.min()))


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 9000), min_size=1, max_size=6), frames=st.sampled_from([16, 32, 64]))
def test_log_mel_of_a_batch_is_log_mel_of_each_clip(lengths, frames):
    waveforms = noise(len(lengths), max(lengths)) + 0.3
    for row, length in enumerate(lengths):
        waveforms[row, length:] = 0
    x, natural = log_mel(waveforms, torch.tensor(lengths), frames)
    assert x.shape == (len(lengths), frames, 128)
    assert natural.tolist() == natural_frames(torch.tensor(lengths)).tolist()
    for row, length in enumerate(lengths):
        clip = waveforms[row, :length]
        alone = fit_length(fbank((clip - clip.mean())[None])[0], frames)
        assert torch.allclose(x[row], alone, atol=1e-3)


@pytest.mark.parametrize(
    ("samples", "frames"), [(1, 1), (399, 1), (400, 1), (559, 1), (560, 2), (16000, 98), (80000, 498), (160000, 998)]
)
def test_natural_frame_counts(samples, frames):
    assert natural_frames(torch.tensor([samples])).item() == frames


def test_padding_is_the_clips_own_minimum():
    quiet = torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
    y, natural = log_mel(quiet, None, 64)
    assert natural.item() == 23
    assert (y[0, 23:] == y[0, :23].min()).all()


def test_samples_beyond_the_length_and_the_mean_do_not_matter():
    waveforms = noise(2, 8000)
    lengths = torch.tensor([5000, 8000])
    clean = waveforms.clone()
    clean[0, 5000:] = 0
    dirty = clean + 0.25  # the offset also fills what lies beyond the length
    assert torch.allclose(log_mel(clean, lengths, 64)[0], log_mel(dirty, lengths, 64)[0], atol=2e-3)


def test_cutting_takes_the_mean_of_the_whole_clip():
    waveform = torch.cat([torch.zeros(8000), torch.ones(8000)])[None]
    x, natural = log_mel(waveform, None, 16)
    assert natural.item() == 98
    assert torch.equal(x[0], fbank(waveform - 0.5)[0, :16])


def test_clip_shorter_than_a_window_gives_one_frame():
    waveform = noise(1, 100)
    x, natural = log_mel(waveform, None, 16)
    padded = torch.nn.functional.pad(waveform - waveform.mean(), (0, 300))
    assert natural.tolist() == [1]
    assert torch.allclose(x[0, 0], kaldi(padded[0])[0], atol=1e-4)


def test_silence_is_the_logarithm_of_epsilon():
    assert torch.allclose(fbank(torch.zeros(1, 1000)), torch.tensor(LOG_EPSILON))


@pytest.mark.parametrize("bin_", [20, 64, 120])
def test_a_tone_at_a_bins_centre_is_loudest_there(bin_):
    time = torch.arange(16000, dtype=torch.float64) / 16000
    tone = torch.sin(2 * torch.pi * bin_hertz(bin_) * time).float()
    assert abs(int(fbank(tone[None])[0].mean(0).argmax()) - bin_) <= 1


def test_normalisation():
    assert normalise(torch.tensor([3.0, -1.0]), -1.0, 2.0).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("lengths", [[0, 500], [500, 1001]])
def test_impossible_lengths_are_refused(lengths):
    with pytest.raises(ValueError, match="between 1 and 1000"):
        log_mel(torch.zeros(2, 1000), torch.tensor(lengths), 16)
