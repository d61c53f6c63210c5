"""Transcripts word by word: as many edits as another library counts, and what was said and heard stay what they are."""

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.audio.store import WaveformStore
from audioprune.reporting import clips
from audioprune.reporting.transcripts import Word, compared
from audioprune.settings.exhibits import Credit
from tests.fakes.speech import study, transcripts

sentences = st.lists(st.sampled_from(["a", "bee", "sea", "day"]), max_size=7).map(" ".join)


@given(said=sentences.filter(bool), heard=sentences)
@settings(max_examples=150, deadline=None)
def test_edits_are_as_many_as_jiwer_counts(said, heard):
    found = compared(said, heard)
    one = jiwer.process_words(said, heard)
    assert sum(word.kind != "right" for word in found) == one.substitutions + one.deletions + one.insertions
    assert " ".join(word.said for word in found if word.said) == said
    assert " ".join(word.heard for word in found if word.heard) == heard


@pytest.mark.parametrize(
    ("said", "heard", "kinds"),
    [
        ("the old man sat", "The cold man, sat down.", "right substituted right right inserted"),
        ("one two three", "one three", "right deleted right"),
        ("don't", "dont", "substituted"),
        ("", "uh", "inserted"),
    ],
)
def test_what_was_said_otherwise_left_out_and_added(said, heard, kinds):
    assert [word.kind for word in compared(said, heard)] == kinds.split()


def test_a_clip_of_speech_has_what_each_recogniser_heard(tmp_path):
    heard = {("none", 1.0): "one two", ("topk", 0.5): "one too two"}
    arms = {arm: transcripts([0] * 3, text=text, audio_seconds=[1.0, 1.0, 20.0]) for arm, text in heard.items()}
    made = study(tmp_path, arms)
    for arm in made.cells("transcribe"):
        assert arm.frame()["text"].iloc[0] == heard[arm.settings.policy, arm.settings.keep_rate]
    found = clips.gather(made, {"commonvoice-100": Credit(dataset="commonvoice-100", text="Mozilla, CC0")})
    assert [one.name for one in found.clips] == ["c0", "c1"]  # c2 lasts longer than is played
    for one in found.clips:
        assert one.label == "one two"
        assert one.sound
        assert [answer.said for answer in one.answers] == ["all words right", "1 of 2 words wrong"]
        assert one.answers[1].words == (
            Word("right", "one", "one"),
            Word("inserted", "too", ""),
            Word("right", "two", "two"),
        )
    assert [arm.method for arm in found.arms] == ["none", "topk, within the sound, block 2"]
    assert (
        WaveformStore.open(made.cells("transcribe")[0].inputs["audio"].dir).clips["transcript"].tolist()
        == ["one two"] * 3
    )
