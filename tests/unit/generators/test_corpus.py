"""The pre-training corpus: its classes, and that nothing of the evaluated data is in it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from audioprune import registry
from audioprune.generators import _kinds, _voices, corpus, sentences, words
from audioprune.settings.data import GenerateSettings

SETTINGS = GenerateSettings(generator="corpus", clips=600, seed=1)


@pytest.fixture(scope="module")
def some() -> list[tuple[dict, np.ndarray]]:
    return list(corpus.clips(SETTINGS, range(24)))


def test_clips_are_multi_label_and_long(some):
    assert len(corpus.CLASSES) == len(set(corpus.CLASSES)) == 24
    for number, (row, waveform) in enumerate(some):
        assert row["clip"] == f"corpus-{number:06d}"
        assert row["split"] == "train"
        assert 1 <= len(row["labels"]) <= 4
        assert row["labels"] == sorted(set(row["labels"]))
        assert waveform.shape == (81920,)
        assert waveform.std() > 0.005


def test_all_classes_occur_alike(monkeypatch):
    monkeypatch.setattr(_kinds, "render", lambda *_: np.ones(400))
    monkeypatch.setattr(_kinds, "background", lambda _, n: np.ones(n))
    monkeypatch.setattr(corpus, "spoken", lambda _: np.ones(400))
    counts = Counter(label for row, _ in corpus.clips(SETTINGS) for label in row["labels"])
    assert set(counts) == set(range(24))
    assert min(counts.values()) > 0.5 * max(counts.values())


def test_no_word_voice_or_utterance_is_shared_with_the_evaluated_speech():
    evaluated = {*words.WORDS, *(word for place in sentences.GRAMMAR for word in place)}
    assert not evaluated & set(corpus.WORDS)
    assert not {v.file.split("+")[1] for v in _voices.VOICES} & {v.file.split("+")[1] for v in corpus.VOICES}
    pool = {
        corpus.pool(seed, word, voice, take)
        for seed in (0, 1)
        for word in range(len(corpus.WORDS))
        for voice in range(len(corpus.VOICES))
        for take in range(corpus.TAKES)
    }
    assert len(pool) > 0.95 * 2 * 8 * 10 * corpus.TAKES
    assert not pool & {words.utterance(0, number)[0] for number in range(800)}


def test_the_sounds_of_all_generators_come_from_different_recordings(monkeypatch):
    named: dict[str, set] = {}
    for generator in ("corpus", "sounds", "mixtures"):
        seen = named.setdefault(generator, set())

        def render(kind, seed, recording, *_, seen=seen):
            seen.add(recording)
            return np.ones(400)

        monkeypatch.setattr(_kinds, "render", render)
        list(registry.get("generators", generator).clips(GenerateSettings(generator=generator, clips=40)))
    assert all(named.values())
    assert not named["corpus"] & (named["sounds"] | named["mixtures"])
    assert not named["sounds"] & named["mixtures"]


def test_a_clip_depends_on_the_seed_and_its_number_only(some):
    corpus.spoken.cache_clear()
    later = list(corpus.clips(SETTINGS, [19, 7]))
    assert later[0][0] == some[19][0]
    assert np.array_equal(later[0][1], some[19][1])
    assert np.array_equal(later[1][1], some[7][1])
    ((_, other),) = corpus.clips(GenerateSettings(generator="corpus", clips=600), [7])
    assert not np.array_equal(other, some[7][1])
