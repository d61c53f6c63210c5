"""espeak-ng behind its process: the same utterance is the same samples, whatever was said before."""

from __future__ import annotations

import os
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest

from audioprune.errors import UserError
from audioprune.generators import _speech, corpus
from audioprune.generators._speech import Espeak, Utterance, say
from audioprune.generators._voices import VOICES

SAID = [
    Utterance("seven", "gmw/en-US+f4", 170, 55),
    Utterance("stop", "gmw/en-US+klatt3", 150, 40),
    Utterance("happy", "gmw/en-GB-scotland+m3", 190, 45, 80),
]


@pytest.fixture
def espeak():
    started = Espeak()
    yield started
    started.close()


def test_an_utterance_is_the_same_in_any_order_and_process(espeak):
    first = [espeak.say(u) for u in SAID]
    again = [espeak.say(u) for u in (SAID[1], SAID[0], SAID[0], SAID[2])]
    other = Espeak()
    backwards = [other.say(u) for u in reversed(SAID)]
    other.close()
    assert np.array_equal(again[0], first[1])
    assert np.array_equal(again[1], first[0])
    assert np.array_equal(again[2], first[0])
    assert np.array_equal(again[3], first[2])
    assert all(np.array_equal(a, b) for a, b in zip(first, reversed(backwards), strict=True))


def test_every_setting_is_heard(espeak):
    base = Utterance("seven", "gmw/en-US+f4", 170, 50, 50)
    samples = espeak.say(base)
    assert espeak.rate == 22050
    assert samples.dtype == np.int16
    assert 0.2 < len(samples) / espeak.rate < 1.2
    for change in ({"text": "eleven"}, {"voice": "gmw/en-US+m3"}, {"pitch": 80}, {"range": 90}, {"rate": 120}):
        assert not np.array_equal(espeak.say(Utterance(**{**vars(base), **change})), samples)
    assert len(espeak.say(Utterance("seven", "gmw/en-US+f4", 100))) > 1.3 * len(samples)


@pytest.mark.parametrize("voice", [*VOICES, *corpus.VOICES], ids=lambda voice: voice.id)
def test_a_voices_files_exist_as_they_are_written(voice):
    # espeak-ng says nothing about a variant that it lacks and speaks with the plain accent.
    accent, variant = voice.file.split("+")
    data = Path(espeakng_loader.get_data_path())
    family, name = accent.split("/")
    assert name.lower() in (found.lower() for found in os.listdir(data / "lang" / family))
    assert variant in os.listdir(data / "voices" / "!v")


@pytest.mark.parametrize("voice", [*VOICES, *corpus.VOICES], ids=lambda voice: voice.id)
def test_no_voice_has_breath(voice):
    # espeak-ng 1.52 makes breath from memory that it never set: such voices differ from process to process.
    variant = Path(espeakng_loader.get_data_path()) / "voices" / "!v" / voice.file.split("+")[1]
    assert "breath" not in [line.split()[0] for line in variant.read_text().splitlines() if line.strip()]


def test_all_voices_sound_the_same_in_every_process():
    heard = []
    for _ in range(4):
        fresh = Espeak()
        heard.append([fresh.say(Utterance("happy house", voice.file)).tobytes() for voice in (*VOICES, *corpus.VOICES)])
        fresh.close()
    assert heard[0] == heard[1] == heard[2] == heard[3]


def test_voices_differ_from_one_another(espeak):
    spoken = {espeak.say(Utterance("seven", voice.file)).tobytes() for voice in (*VOICES, *corpus.VOICES)}
    assert len(spoken) == len(VOICES) + len(corpus.VOICES) == 30
    assert len({voice.id for voice in (*VOICES, *corpus.VOICES)}) == 30


def test_speech_comes_at_16_khz_trimmed_and_at_unit_level(espeak):
    pcm, waveform = espeak.say(SAID[0]).astype(float), say(SAID[0])
    loud = np.flatnonzero(np.abs(pcm) > 0.005 * np.abs(pcm).max())
    assert len(waveform) == pytest.approx((loud[-1] - loud[0] + 128) * 16000 / 22050, abs=320)
    assert np.sqrt(np.mean(waveform**2)) == pytest.approx(1, rel=1e-6)
    power = np.abs(np.fft.rfft(waveform)) ** 2
    original = np.abs(np.fft.rfft(pcm[loud[0] : loud[-1] + 1])) ** 2
    ours = power[np.fft.rfftfreq(len(waveform), 1 / 16000) < 1000].sum() / power.sum()
    f = np.fft.rfftfreq(loud[-1] - loud[0] + 1, 1 / 22050)
    assert ours == pytest.approx(original[f < 1000].sum() / original[f < 8000].sum(), abs=0.01)


def test_an_unknown_voice_and_an_empty_text_are_errors(espeak):
    with pytest.raises(UserError, match=r"could not speak .*gmw/nowhere"):
        espeak.say(Utterance("seven", "gmw/nowhere"))
    with pytest.raises(UserError, match="could not speak"):
        espeak.say(Utterance("", "gmw/en-US"))
    assert len(espeak.say(SAID[0])) > 0  # and the process goes on


def test_a_long_path_to_the_data_is_no_obstacle(espeak, tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 90) / ("e" * 90)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(espeakng_loader.get_data_path())
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(deep / "espeak-ng-data"))
    far = Espeak()
    assert np.array_equal(far.say(SAID[0]), espeak.say(SAID[0]))
    far.close()


def test_a_library_that_is_missing_or_has_no_data_is_one_clear_error(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(tmp_path / "espeak-ng-data"))
    with pytest.raises(UserError, match="reinstall the package espeakng-loader"):
        Espeak()
    monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: str(tmp_path / "libespeak-ng.so"))
    with pytest.raises(UserError, match=r"could not be started from .*libespeak-ng\.so"):
        Espeak()
    assert "Traceback" not in capfd.readouterr().err


def test_the_speaking_process_ends_with_its_owner():
    started = Espeak()
    process = started.process
    started.close()
    assert process.returncode == 0


def test_one_speaking_process_serves_a_whole_process():
    assert _speech._espeak_here() is _speech._espeak_here()
