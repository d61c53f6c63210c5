"""audioprune.fbank: from a file to what a model takes, against Kaldi's front end and the workflow's own features."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import torch
import torchaudio

import audioprune
from audioprune.audio.features import FeatureStore, write_features
from audioprune.audio.store import WaveformStore, write_store
from audioprune.errors import UserError
from audioprune.records import write_json


@pytest.fixture
def tone(tmp_path):
    """1.2 s of a tone in noise, whole steps of 16 bits, in stereo at 16 kHz; and its samples."""
    rng = np.random.default_rng(0)
    sound = 0.2 * np.sin(2 * np.pi * 440 * np.arange(19200) / 16000) + 0.02 * rng.standard_normal(19200)
    samples = np.rint(sound * 32768).astype(np.int16)
    soundfile.write(tmp_path / "tone.wav", np.stack([samples, samples], axis=1), 16000)
    return tmp_path / "tone.wav", samples.astype(np.float32) / 32768


def test_it_is_kaldis_of_the_mono_waveform_normalised_as_published(tone):
    path, samples = tone
    x = audioprune.fbank(path, frames=64, dataset="esc50")
    assert (x.shape, x.dtype) == ((1, 64, 128), torch.float32)
    waveform = torch.from_numpy(samples - samples.mean())[None]
    kaldi = torchaudio.compliance.kaldi.fbank(
        waveform, htk_compat=True, sample_frequency=16000, use_energy=False, window_type="hanning", num_mel_bins=128,
        dither=0.0, frame_shift=10,
    )[:64]  # fmt: skip
    assert (x[0] - (kaldi + 6.6268077) / (2 * 5.358466)).abs().max() < 1e-4


def test_it_is_what_the_workflow_computes(tone, tmp_path):
    path, samples = tone
    write_store(tmp_path, [({"clip": "tone"}, samples)])
    write_features(tmp_path, WaveformStore.open(tmp_path), 128)
    write_json(tmp_path / "stats.json", {"mean": -5.0, "std": 4.0})
    ours = FeatureStore.open(tmp_path).fbank([0])
    assert torch.equal(audioprune.fbank(str(path), frames=128, mean=-5.0, std=4.0), ours)


def test_a_model_takes_it(tone):
    from audioprune.models.build import build_model

    model = build_model("audiomae-tiny", frames=128, num_classes=3)
    assert model(audioprune.fbank(tone[0], frames=128, dataset="spc2")).shape == (1, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, 'give dataset="as20k" or another'),
        ({"mean": -5.0}, "or mean= and std="),
        ({"mean": -5.0, "std": 0}, "std=0 is not above 0"),
        ({"mean": "loud", "std": 4.0}, "mean='loud' is not a number"),
        ({"dataset": "esc5"}, "did you mean 'esc50'"),
        ({"dataset": "demo-words"}, "demo-words has no published mean"),
        ({"dataset": "esc50", "mean": 1.0}, "not both"),
        ({"dataset": "esc50", "frames": 998}, "take 992 or 1008"),
        ({"dataset": "esc50", "frames": "512"}, "frames='512' is not a positive whole number"),
    ],
)
def test_what_is_not_said_or_not_known(tone, given, message):
    with pytest.raises(UserError, match=message):
        audioprune.fbank(tone[0], **given)


def test_files_that_cannot_be_used(tmp_path):
    (tmp_path / "text.wav").write_text("not audio")
    for file, message in (
        (tmp_path / "text.wav", "text.wav: "),
        (tmp_path / "no.wav", "missing"),
        (5, "5 is not the path"),
    ):
        with pytest.raises(UserError, match=message):
            audioprune.fbank(file, dataset="esc50")
