"""Levels, spectra and decay of noise, by closed forms; and whose clips a clip's noise is made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.signal import welch

from audioprune.audio import disturb
from audioprune.audio.noise_of import Noise, Pool
from audioprune.errors import UserError

SECOND = 16000


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tone(length: int = SECOND) -> np.ndarray:
    return disturb.centred(0.1 * np.sin(2 * np.pi * 440 * np.arange(length) / SECOND))


def db(ratio: float) -> float:
    return 10 * np.log10(ratio)


@pytest.mark.parametrize("snr", [20.0, 10.0, 0.0, -5.0])
@pytest.mark.parametrize("make", [disturb.white, disturb.pink])
def test_the_ratio_is_exact(make, snr):
    x = tone()
    v = make(rng(), len(x))
    noise = disturb.factor(x, v, snr) * v
    assert db(np.mean(x**2) / np.mean(noise**2)) == pytest.approx(snr, abs=1e-9)


def test_the_noise_is_the_same_at_every_level():
    x, v = tone(), disturb.white(rng(), SECOND)
    assert disturb.factor(x, v, 0) == pytest.approx(10 * disturb.factor(x, v, 20), rel=1e-12)


def test_active_power_leaves_silence_out():
    """Half a second of a tone of power 0.005 and half of silence: frames that touch the tone only are active."""
    half = tone(SECOND // 2)
    x = np.concatenate([half, np.zeros(SECOND // 2)])
    assert disturb.power_of(x) == pytest.approx(0.0025)
    assert disturb.power_of(x, "active") == pytest.approx(0.005, rel=0.04)
    v = disturb.white(rng(), len(x))
    louder = disturb.factor(x, v, 0, "active") * v
    assert db(np.mean(louder**2) / 0.0025) == pytest.approx(db(disturb.power_of(x, "active") / 0.0025), abs=1e-9)
    assert disturb.power_of(tone(200), "active") == pytest.approx(np.mean(tone(200) ** 2))  # shorter than a frame


def test_no_power_no_ratio():
    with pytest.raises(ValueError, match="without power"):
        disturb.factor(np.zeros(100), disturb.white(rng(), 100), 0)


def test_white_is_flat_and_pink_falls_by_three_decibels_an_octave():
    for make, slope in ((disturb.white, 0.0), (disturb.pink, db(0.5))):
        spectra = [welch(make(rng(i), 4 * SECOND), SECOND, nperseg=4096) for i in range(20)]
        f, power = spectra[0][0], np.mean([p for _, p in spectra], axis=0)
        band = (f >= 100) & (f <= 4000)
        fitted = np.polyfit(np.log2(f[band]), 10 * np.log10(power[band]), 1)[0]
        assert fitted == pytest.approx(slope, abs=0.3)


def test_the_gain_control_is_as_loud_as_the_mixture_is_expected_to_be():
    x = tone()
    assert db(np.mean(disturb.louder(x, 0) ** 2) / np.mean(x**2)) == pytest.approx(3.0103, abs=1e-4)
    assert db(np.mean(disturb.louder(x, -5) ** 2) / np.mean(x**2)) == pytest.approx(6.1933, abs=1e-4)
    noises = [disturb.white(rng(i), SECOND) for i in range(50)]
    mixtures = [np.mean((x + disturb.factor(x, v, 0) * v) ** 2) for v in noises]
    assert np.mean(mixtures) == pytest.approx(np.mean(disturb.louder(x, 0) ** 2), rel=0.005)


@pytest.mark.parametrize("t60", [0.3, 0.6, 0.9])
def test_a_room_decays_by_sixty_decibels_in_its_time(t60):
    """The slope of Schroeder's backward integral; direct sound and tail have the same energy."""
    slopes = []
    for i in range(10):
        h = disturb.room(rng(i), t60)
        assert h[0] ** 2 == pytest.approx((h[1:] ** 2).sum())
        assert not h[1 : disturb.DIRECT].any()
        tail = h[disturb.DIRECT :]
        left = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1])
        at = np.arange(len(tail)) / SECOND
        early = at < t60 / 2
        slopes.append(np.polyfit(at[early], left[early], 1)[0])
    assert np.mean(slopes) * t60 == pytest.approx(-60, abs=1.5)


def test_a_reverberant_clip_is_as_long_and_as_powerful_as_it_was():
    x = tone()
    y = disturb.reverberant(x, disturb.room(rng(), 0.6))
    assert len(y) == len(x)
    assert np.mean(y**2) == pytest.approx(np.mean(x**2), rel=1e-9)
    assert np.allclose(disturb.reverberant(x, np.array([1.0])), x)


# --- whose clips -----------------------------------------------------------------------------------------------------


def clips(n: int = 40) -> pd.DataFrame:
    rows = [
        {"clip": f"c{i}", "recording": f"r{i // 2}", "speaker": f"s{i % 4}", "labels": np.array([i % 5])}
        for i in range(n)
    ]
    return pd.DataFrame(rows)


def waveform(row: int) -> np.ndarray:
    return disturb.white(rng(row), 3000 + row)


def noise(rows=None, table=None, dataset="d", seed=7, wave=waveform) -> Noise:
    table = clips() if table is None else table
    pool = Pool(dataset, table, np.arange(len(table)) if rows is None else rows, wave)
    return Noise(seed, 3, dict.fromkeys(("babble", "other", "environment"), pool), "d")


@pytest.mark.parametrize("kind", ["white", "pink", "babble", "other"])
def test_a_realisation_is_of_its_clip_kind_draw_and_seed_alone(kind):
    table = clips()
    first = noise().of(kind, 0, table.iloc[3], SECOND)
    assert np.array_equal(first, noise().of(kind, 0, table.iloc[3], SECOND))
    assert abs(first.mean()) < 1e-12
    for other in (
        noise().of(kind, 1, table.iloc[3], SECOND),
        noise().of(kind, 0, table.iloc[4], SECOND),
        noise(seed=8).of(kind, 0, table.iloc[3], SECOND),
    ):
        assert not np.allclose(first, other)


def used(kind: str, n: Noise, clip) -> list[int]:
    seen: list[int] = []
    pool = n.pools[kind]
    watched = Pool(pool.dataset, pool.clips, pool.rows, lambda row: seen.append(row) or pool.waveform(row))
    Noise(n.seed, n.talkers, {kind: watched}, n.own).of(kind, 0, clip, 1000)
    return seen


def test_other_shares_neither_label_nor_recording_and_babble_no_speaker():
    table = clips()
    for row in range(len(table)):
        (other,) = used("other", noise(), table.iloc[row])
        assert table["labels"][other][0] != table["labels"][row][0]
        assert table["recording"][other] != table["recording"][row]
        voices = used("babble", noise(), table.iloc[row])
        assert len(set(voices)) == 3
        assert table["speaker"][row] not in set(table["speaker"][voices])


def test_a_source_stays_the_same_when_others_leave():
    table = clips()
    chosen = [used("other", noise(), table.iloc[row])[0] for row in range(10)]
    fewer = np.array(sorted({*chosen, *range(10)}))
    assert chosen == [used("other", noise(fewer), table.iloc[row])[0] for row in range(10)]


def test_another_dataset_is_used_whatever_its_labels():
    table = clips().assign(labels=[np.array([0])] * 40, speaker="s")
    assert len(used("environment", noise(dataset="elsewhere"), table.iloc[0])) == 1
    with pytest.raises(UserError, match="`other` of the clip 'c0' needs 1 clips of d, and 0 of its 40 share neither"):
        noise(table=table).of("other", 0, table.iloc[0], 100)


def test_silent_sources_are_passed_over_and_many_are_an_error():
    def silent(row: int) -> np.ndarray:
        return np.zeros(100) if row < 5 else waveform(row)

    table = clips()
    for row in range(40):
        assert noise(wave=silent).of("other", 0, table.iloc[row], 500).any()
    with pytest.raises(UserError, match="d: 10 clips that noise is made of are silent"):
        noise(wave=lambda row: np.zeros(100)).of("other", 0, table.iloc[0], 500)


def test_babble_has_equal_voices():
    voices = [a * disturb.white(rng(i), SECOND) for i, a in enumerate((0.01, 1.0, 100.0))]
    mixed = disturb.babble(rng(9), voices, SECOND)
    share = [np.max(np.fft.irfft(np.fft.rfft(mixed) * np.conj(np.fft.rfft(v / np.std(v))))) / SECOND for v in voices]
    assert share == pytest.approx([1, 1, 1], abs=0.03)  # the correlation with each at its offset
