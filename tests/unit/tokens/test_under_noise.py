"""What a selection does under noise, where it is known: a tone in low-passed noise, rankings that know the truth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audioprune import records
from audioprune.audio.disturbed import Disturbed
from audioprune.audio.features import FeatureStore, write_features
from audioprune.audio.noise_of import Noise, Pool
from audioprune.audio.store import WaveformStore, write_store
from audioprune.facts.noise import Condition
from audioprune.models.build import build_model
from audioprune.tokens.under_noise import hear

RATE, TONE, CUT = 16000, 3000, 500  # Hz: samples a second, of the clip, and where the noise ends
SNRS = (10.0, 0.0, -10.0)


def mel(hertz: float) -> float:
    """Of a filter bank's scale (HTK): 1127 ln(1 + f / 700)."""
    return 1127 * np.log(1 + hertz / 700)


def row_of(hertz: float) -> float:
    """Of sixteen mel bins; 128 bins between 20 Hz and 8 kHz."""
    return 8 * (mel(hertz) - mel(20)) / (mel(8000) - mel(20))


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory) -> Disturbed:
    """A tone of 3 kHz for 1.28 s, which is 126 frames; the noise is a recording without anything above 500 Hz."""
    folder = tmp_path_factory.mktemp("clip")
    time = np.arange(round(1.28 * RATE)) / RATE
    write_store(folder, [({"clip": "tone", "labels": [0]}, (0.1 * np.sin(2 * np.pi * TONE * time)).astype(np.float32))])
    store = WaveformStore.open(folder)
    write_features(folder, store, 128)
    records.write_json(folder / "stats.json", {"mean": 0.0, "std": 0.5})
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(4 * RATE))
    spectrum[np.fft.rfftfreq(4 * RATE, 1 / RATE) > CUT] = 0
    low = np.fft.irfft(spectrum)
    pool = Pool("hum", store.clips, np.array([0]), lambda row: low)
    return Disturbed(store, FeatureStore.open(folder), Noise(0, 1, {"environment": pool}, "tones"))


def test_the_clip_dominates_where_the_tone_is_and_the_noise_where_it_is(disturbed):
    """The tone lies in the sixth row of patches, the noise in the first two."""
    assert 5 < row_of(TONE) < 6
    assert 1.5 < row_of(CUT) < 2
    for snr in SNRS:
        signal = disturbed.of([0], Condition("environment", snr, 0))[1][0]  # (8, 8): time, frequency
        assert signal[:7, 5].all()
        assert not signal[:7, :2].any()


def heard(disturbed: Disturbed, seen) -> list:
    """A model that keeps the loudest half of the patches, once; `seen` gives what it is shown of a noisy clip."""
    model = build_model(
        "ast-tiny", frames=128, num_classes=2, method="intensity", keep_rate=0.5, blocks=(1,), width=16, depth=2,
        num_heads=2,
    )  # fmt: skip

    def shown(rows, condition):
        x, signal = disturbed.of(rows, condition)
        return seen(x, signal), signal

    asked = [Condition("environment", snr, 0) for snr in SNRS]
    given = {"clean": disturbed.features.raw, "disturbed": shown, "device": torch.device("cpu")}
    return [one for one in hear(model, [0], asked, **given) if one.condition is not None]


def test_a_ranking_by_clean_energy_has_no_drift_and_one_by_dominance_none_below_zero(disturbed):
    """The first keeps what it keeps of the clean clip, whatever the noise; the second as much signal as there is room
    for, which no other choice of as many patches can pass."""
    clean = disturbed.features.raw([0])
    for one in heard(disturbed, lambda x, signal: clean):
        assert one.overlap.item() == 1
        assert one.on_signal.item() == one.clean_on_signal.item() > one.all_signal.item()
    for one in heard(disturbed, lambda x, signal: signal.float().repeat_interleave(16, 1).repeat_interleave(16, 2)):
        assert one.on_signal.item() == pytest.approx(min(1, one.all_signal.item() / 0.5))
        assert one.on_signal.item() >= one.clean_on_signal.item()


def test_a_ranking_by_what_is_heard_drifts_towards_loud_noise(disturbed):
    drift = [one.on_signal.item() - one.clean_on_signal.item() for one in heard(disturbed, lambda x, signal: x)]
    assert drift[-1] < 0
    assert drift == sorted(drift, reverse=True)
