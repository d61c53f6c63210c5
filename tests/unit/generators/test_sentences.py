"""Spoken sentences: the grammar, transcripts, lengths."""

from __future__ import annotations

import json

import numpy as np
import pytest

from audioprune.errors import UserError
from audioprune.generators import sentences
from audioprune.settings.data import GenerateSettings

SETTINGS = GenerateSettings(generator="sentences", clips=40)


@pytest.fixture(scope="module")
def all_clips() -> list[tuple[dict, np.ndarray]]:
    return list(sentences.clips(SETTINGS))


def test_the_grammar_is_counted_through():
    assert sentences.SENTENCES == 6**5
    assert sentences.sentence(0) == "anna sees two green boats"
    assert sentences.sentence(1) == "anna sees two green tables"
    assert sentences.sentence(6**5 - 1) == "oscar wants many broken lamps"
    assert len({sentences.sentence(i) for i in range(6**5)}) == 6**5


def test_transcripts_are_sentences_of_the_grammar_and_all_different(all_clips):
    transcripts = [row["transcript"] for row, _ in all_clips]
    assert len(set(transcripts)) == 40
    for text in transcripts:
        assert all(word in place for word, place in zip(text.split(), sentences.GRAMMAR, strict=True))
    assert [row["split"] for row, _ in all_clips].count("test") == 10
    assert all(row["labels"] == [] for row, _ in all_clips)


def test_clips_are_as_long_as_their_sentence(all_clips):
    lengths = [len(waveform) / 16000 for _, waveform in all_clips]
    assert len(set(lengths)) > 30
    assert min(lengths) > 1.2
    assert max(lengths) < 5.12
    for (row, _), length in zip(all_clips, lengths, strict=True):
        extents = np.array(json.loads(row["extents"]))
        assert extents[:, 0].min() < 0.5
        assert length - 0.6 < extents[:, 1].max() <= length + 1e-4


def test_a_clip_depends_on_the_seed_and_its_number_only(all_clips):
    ((row, waveform),) = sentences.clips(SETTINGS, [33])
    assert row == all_clips[33][0]
    assert np.array_equal(waveform, all_clips[33][1])
    ((other, _),) = sentences.clips(GenerateSettings(generator="sentences", clips=40, seed=1), [33])
    assert other["transcript"] != row["transcript"]


def test_more_sentences_than_there_are_is_an_error():
    with pytest.raises(UserError, match="has 7776 sentences, 7777 clips were asked for"):
        next(sentences.clips(GenerateSettings(generator="sentences", clips=7777)))
