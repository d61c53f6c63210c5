"""Environmental sounds: kinds, recordings, folds, and extents that hold the sound's energy."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from scipy.signal import stft

from audioprune.generators import _kinds, sounds
from audioprune.generators._synthesis import active_rms, stream
from audioprune.settings.data import GenerateSettings

SETTINGS = GenerateSettings(generator="sounds", clips=480)
KINDS = (*_kinds.EVALUATED, *_kinds.CORPUS_ONLY)
# The band in which nearly all of a kind's power must lie, whatever its parameters, in Hz.
BANDS = {
    "alarm": (900, 7000), "bell": (150, 5000), "bird": (1200, 7800), "clock": (1000, 7900), "crickets": (4000, 6700),
    "dog": (150, 5000), "drip": (200, 5500), "engine": (20, 4000), "footsteps": (0, 5500), "helicopter": (30, 4700),
    "knock": (60, 4000), "rain": (300, 7900), "siren": (400, 7800), "waves": (100, 7900), "whistle": (400, 5700),
    "wind": (0, 5000),
}  # fmt: skip


def test_there_are_at_least_ten_kinds_and_bands_for_all():
    assert len(sounds.KINDS) == 12
    assert set(KINDS) == set(BANDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_fits_its_clip_and_its_band(kind):
    low, high = BANDS[kind]
    lengths = set()
    for i in range(6):
        sound = _kinds.render(kind, 0, f"test/{i}", stream(0, kind, i), 40960)
        lengths.add(len(sound))
        assert 400 < len(sound) <= 40960
        assert np.isfinite(sound).all()
        assert active_rms(sound) == pytest.approx(1)
        power = np.abs(np.fft.rfft(sound)) ** 2
        f = np.fft.rfftfreq(len(sound), 1 / 16000)
        assert power[(f >= low) & (f <= high)].sum() > 0.95 * power.sum()
    assert len(lengths) > 1


@pytest.mark.parametrize("kind", _kinds.EVALUATED)
def test_a_recording_is_a_source_and_a_take_a_hearing_of_it(kind):
    def spectrum(recording, take):
        sound = _kinds.render(kind, 0, recording, stream(0, take), 40960)
        magnitude = np.abs(np.fft.rfft(np.resize(sound, 40960)))[:20480]
        return sound, np.log(magnitude.reshape(128, 160).mean(axis=1))

    (a, same), (b, other_take) = spectrum("r0", 0), spectrum("r0", 1)
    assert np.array_equal(a, _kinds.render(kind, 0, "r0", stream(0, 0), 40960))
    assert a.shape != b.shape or not np.array_equal(a, b)
    takes = [spectrum("r0", t)[1] for t in range(2, 6)]
    sources = [spectrum(f"r{r}", 10 + r)[1] for r in range(1, 9)]
    within = np.mean([np.mean((same - x) ** 2) for x in (other_take, *takes)])
    between = np.mean([np.mean((same - x) ** 2) for x in sources])
    assert within < between


def test_recordings_are_in_one_fold_each_and_folds_are_balanced(monkeypatch):
    monkeypatch.setattr(_kinds, "render", lambda *_: np.ones(400))
    monkeypatch.setattr(_kinds, "background", lambda _, n: np.ones(n))
    rows = [row for row, _ in sounds.clips(SETTINGS)]
    folds = {}
    for row in rows:
        folds.setdefault(row["recording"], set()).add(row["fold"])
        assert row["recording"].startswith(sounds.KINDS[row["labels"][0]])
    assert all(len(found) == 1 for found in folds.values())
    assert set(Counter(row["recording"] for row in rows).values()) == {2}
    assert set(Counter((row["labels"][0], row["fold"]) for row in rows).values()) == {10}
    assert len({row["clip"] for row in rows}) == 480


def test_extents_hold_the_energy_of_the_sound_and_little_else(monkeypatch):
    parts = []
    measure = sounds.extents_json
    monkeypatch.setattr(sounds, "extents_json", lambda a, b: parts.append((a, b)) or measure(a, b))
    for (row, _), _ in zip(sounds.clips(SETTINGS), range(36), strict=False):
        signal, noise = parts[-1]
        f, t, spectrum = stft(signal, 16000, nperseg=512, noverlap=384, boundary=None, padded=False)
        background = np.abs(stft(noise, 16000, nperseg=512, noverlap=384, boundary=None, padded=False)[2]) ** 2
        power = np.abs(spectrum) ** 2
        inside = np.zeros(power.shape, dtype=bool)
        for start, end, low, high in json.loads(row["extents"]):
            inside |= ((f >= low) & (f <= high))[:, None] & ((t >= start) & (t <= end))[None]
        above = np.where(power > background.mean(axis=1, keepdims=True), power, 0)
        assert above[inside].sum() > 0.9 * above.sum(), row["clip"]
        assert inside.mean() < 1
        # Outside, the signal does not pass the noise.
        assert power[~inside].sum() < background[~inside].sum() * 1.1, row["clip"]


def test_a_clip_depends_on_the_seed_and_its_number_only():
    whole = list(sounds.clips(GenerateSettings(generator="sounds", clips=14)))
    ((row, waveform),) = sounds.clips(SETTINGS, [13])
    assert row == whole[13][0]
    assert np.array_equal(waveform, whole[13][1])
    assert waveform.shape == (40960,)
    ((_, other),) = sounds.clips(GenerateSettings(generator="sounds", clips=14, seed=1), [13])
    assert not np.array_equal(other, waveform)
