"""The demo data sets choose and relabel their generators' clips."""

from __future__ import annotations

import pandas as pd
import pytest

from audioprune import registry
from audioprune.datasets import demo_corpus, demo_mixtures, demo_sounds, demo_speakers, demo_words
from audioprune.errors import UserError
from audioprune.generators import corpus, mixtures, sounds, words
from audioprune.generators._voices import VOICES

NAMES = [name for name in registry.names("datasets") if name.startswith("demo-")]


def clips_of_words(n: int = 2000) -> pd.DataFrame:
    """The words' table as the generator would write it, without its audio."""
    said = [words.utterance(0, number) for number in range(n)]
    return pd.DataFrame(
        {
            "clip": [f"word-{number:05d}" for number in range(n)],
            "labels": [[word] for _, _, word, _ in said],
            "split": ["test" if (word + take) % words.ONE_IN == 4 else "train" for _, _, word, take in said],
            "speaker": [VOICES[voice].id for _, voice, _, _ in said],
            "transcript": [utterance.text for utterance, *_ in said],
        }
    )


def test_classes_are_the_generators():
    assert demo_words.FACTS.classes == words.WORDS
    assert demo_speakers.FACTS.classes == tuple(sorted(voice.id for voice in VOICES))
    assert demo_sounds.FACTS.classes == sounds.KINDS
    assert demo_sounds.FACTS.folds == sounds.FOLDS
    assert demo_mixtures.FACTS.classes == mixtures.KINDS
    assert demo_corpus.FACTS.classes == corpus.CLASSES


def test_all_five_kinds_of_task_are_there():
    tasks = {registry.get("datasets", name).FACTS.task for name in NAMES}
    assert tasks == {"keyword", "environmental", "speaker", "multilabel", "transcription"}


@pytest.mark.parametrize("name", NAMES)
def test_unknown_options_are_refused(name):
    module = registry.get("datasets", name)
    with pytest.raises(UserError, match=f"options of dataset {name}: no option 'noise'"):
        module.select(clips_of_words(4), {"noise": 1})


def test_words_stay_as_they_are():
    clips = clips_of_words()
    assert demo_words.select(clips, {}).equals(clips)
    assert clips["split"].value_counts().to_dict() == {
        "train": demo_words.FACTS.train_clips,
        "test": demo_words.FACTS.test_clips,
    }


def test_speakers_are_told_apart_by_other_utterances_of_the_same_voices():
    clips = clips_of_words()
    chosen = demo_speakers.select(clips, {})
    assert chosen["clip"].equals(clips["clip"])
    assert [demo_speakers.FACTS.classes[labels[0]] for labels in chosen["labels"]] == clips["speaker"].tolist()
    test = chosen[chosen["split"] == "test"]
    assert len(test) == demo_speakers.FACTS.test_clips
    assert set(test["speaker"].value_counts()) == {20}
    assert test["transcript"].value_counts().to_dict() == dict.fromkeys(words.WORDS, 40)
