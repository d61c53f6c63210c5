"""Spoken words: what each clip says, who says it, and that it stands by itself."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from audioprune.errors import UserError
from audioprune.generators import words
from audioprune.generators._voices import VOICES
from audioprune.settings.data import GenerateSettings

SETTINGS = GenerateSettings(generator="words", clips=2000)


@pytest.fixture(scope="module")
def some() -> list[tuple[dict, np.ndarray]]:
    return list(words.clips(SETTINGS, range(40)))


def test_every_voice_says_every_word_equally_often():
    said = [words.utterance(0, number)[1:] for number in range(2000)]
    assert set(Counter((voice, word) for voice, word, _ in said).values()) == {10}
    assert len(set(said)) == 2000


def test_utterances_are_the_words_in_the_voices_and_all_differ():
    said = [words.utterance(0, number) for number in range(800)]
    for utterance, voice, word, _ in said:
        assert utterance.text == words.WORDS[word]
        assert utterance.voice == VOICES[voice].file
        assert 80 <= utterance.rate <= 450
        assert 0 <= utterance.pitch <= 99
    assert len({utterance for utterance, *_ in said}) == 800


def test_one_utterance_in_five_of_a_word_by_a_voice_tests(monkeypatch):
    monkeypatch.setattr(words, "say", lambda _: np.ones(4000))
    monkeypatch.setattr(words._kinds, "background", lambda _, n: np.ones(n))
    rows = [row for row, _ in words.clips(SETTINGS)]
    tests = Counter((row["speaker"], row["transcript"]) for row in rows if row["split"] == "test")
    assert len(tests) == 200
    assert set(tests.values()) == {2}
    assert Counter(row["split"] for row in rows) == {"train": 1600, "test": 400}


def test_no_utterance_is_heard_in_both_parts():
    said = [words.utterance(0, number)[0] for number in range(3200)]
    assert len(set(said)) == 3200


def test_rows(some):
    row, waveform = some[21]  # the second voice's second word
    assert row | {"extents": ""} == {
        "clip": "word-00021",
        "labels": [1],
        "fold": 0,
        "split": "train",
        "recording": "happy-belinda-00",
        "speaker": "belinda",
        "transcript": "happy",
        "extents": "",
    }
    assert waveform.shape == (16000,)
    assert waveform.dtype == np.float32


def test_a_clip_depends_on_the_seed_and_its_number_only(some):
    (row, waveform), (other, _) = words.clips(SETTINGS, [17, 3])
    assert row == some[17][0]
    assert other == some[3][0]
    assert np.array_equal(waveform, some[17][1])
    ((_, reseeded),) = words.clips(GenerateSettings(generator="words", clips=800, seed=1), [17])
    assert not np.array_equal(reseeded, waveform)
    ((_, fewer),) = words.clips(GenerateSettings(generator="words", clips=20), [17])
    assert np.array_equal(fewer, waveform)


def test_words_lie_about_the_middle_and_inside_the_clip(some):
    for row, waveform in some:
        extents = np.array(json.loads(row["extents"]))
        assert 0 <= extents[:, 0].min() < extents[:, 1].max() <= 1
        assert extents[:, 2:].min() >= 0
        assert extents[:, 2:].max() <= 8000
        assert 0.2 < (extents[:, 0].min() + extents[:, 1].max()) / 2 < 0.8
        assert np.abs(waveform).max() <= 0.9


def test_options_are_checked():
    def first(**options):
        return next(words.clips(GenerateSettings(generator="words", clips=1, options=options)))

    with pytest.raises(UserError, match="no option 'snr_hihg'; did you mean 'snr_high'"):
        first(snr_hihg=3)
    with pytest.raises(UserError, match="option 'shift' of generator 'words' must be float, not 'x'"):
        first(shift="x")
    loud, quiet = first(snr_low=60, snr_high=60)[1], first(snr_low=0.0, snr_high=0.0)[1]
    assert np.sqrt(np.mean(loud[:800] ** 2)) < 0.01 * np.sqrt(np.mean(quiet[:800] ** 2))
