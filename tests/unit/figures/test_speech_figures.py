"""Figures of recognisers: what is drawn is what transcripts hold, token by token and word by word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from audioprune.audio.silence import silence
from audioprune.audio.store import write_store
from audioprune.figures import _words, kept_frames, wer_macs
from audioprune.figures import adaptivity as figure
from audioprune.results import adaptivity
from audioprune.results.estimate import Absent
from audioprune.results.study import Results
from audioprune.settings.data import AudioSettings
from audioprune.settings.speech import RecogniseSettings, TranscribeSettings
from tests.fakes.speech import How, arm, study, transcripts
from tests.fakes.studies import Study

SECOND = 16_000


def audio(folder: Path, waves: dict[str, np.ndarray]):
    rows = [({"clip": name, "split": "test"}, wave.astype(np.float32)) for name, wave in waves.items()]
    write = [lambda out: write_store(out, rows)]
    return Study(folder).cell("audio", "commonvoice-100", AudioSettings(dataset="commonvoice-100"), files=write)


def tone(seconds: float, level: float = 0.5) -> np.ndarray:
    return level * np.sin(0.3 * np.arange(int(seconds * SECOND)))


# --- silence -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "share"),
    [
        ([(1, 0.5)], 0.0),
        ([(0.5, 0.5), (0.5, 0.0)], 48 / 98),  # of 98 frames those from sample 8000 on are silent
        ([(0.5, 0.5), (0.5, 0.5 * 10 ** (-40 / 20))], 47 / 98),  # 40 dB down; a little of the edge is above 35
        ([(0.5, 0.5), (0.5, 0.5 * 10 ** (-30 / 20))], 0.0),  # 30 dB down is none
        ([(1, 0.0)], 1.0),
        ([(0.01, 0.5)], 0.0),  # shorter than a frame
    ],
)
def test_silence_is_frames_far_below_the_loudest(parts, share):
    assert silence(np.concatenate([tone(*one) for one in parts])) == pytest.approx(share, abs=1.1 / 98)


# --- kept frames ---------------------------------------------------------------------------------------------------


def kept_study(folder: Path):
    """Three clips of 50, 100 and 150 tokens of sound: the second has most silence, the third the median of words."""
    waves = {"c0": tone(1), "c1": np.concatenate([tone(0.5), np.zeros(int(1.5 * SECOND))]), "c2": tone(3)}
    sound = [50, 100, 150]
    stay = lambda step: [[[*range(0, n, step), *range(n, 1500)]] for n in sound]  # noqa: E731
    words = ["a b c d e", "a", "a b c"]
    about = {"sound": sound, "audio_seconds": [1.0, 2.0, 3.0], "reference": words, "text": words}
    whole = transcripts([0, 0, 0], **about | {"words": [5, 1, 3]}, stages=[[]] * 3)
    stride = transcripts([0, 0, 0], **about | {"words": [5, 1, 3]}, stages=stay(2))
    runs = transcripts([0, 0, 0], **about | {"words": [5, 1, 3]}, stages=stay(3))
    given = {How(): whole, How("stride", 0.5): stride, How("adjacent", 0.5): runs}
    return study(folder / "arms", given, audio=audio(folder, waves))


def test_tokens_stand_at_their_own_times_and_runs_reach_to_the_next(tmp_path):
    fig, frame = kept_frames.draw(kept_study(tmp_path))
    assert list(dict.fromkeys(frame["clip"])) == ["c2", "c1"]  # median number of words; most silence
    stride = frame[(frame["clip"] == "c1") & (frame["policy"] == "stride")]
    assert stride["token"].tolist() == list(range(0, 100, 2))  # none of the padding
    np.testing.assert_allclose(stride["start_s"], 0.02 * np.arange(0, 100, 2))
    np.testing.assert_allclose(stride["end_s"] - stride["start_s"], 0.02)
    runs = frame[(frame["clip"] == "c1") & (frame["policy"] == "adjacent")]
    np.testing.assert_allclose(runs["start_s"], 0.06 * np.arange(34))
    np.testing.assert_allclose(
        runs["end_s"], np.minimum(0.06 * np.arange(1, 35), 2.0)
    )  # the last one ends with the sound
    drawn = fig.subfigs[1].axes[1]
    bars = [path.get_extents() for one in drawn.collections for path in one.get_paths()]
    assert len(bars) == 50 + 34
    assert sorted(round(bar.x0, 4) for bar in bars) == sorted(
        round(x, 4) for x in frame.loc[frame["clip"] == "c1", "start_s"]
    )


def test_without_audio_nothing_is_drawn(tmp_path):
    fig, frame = kept_frames.draw(study(tmp_path, {How(): transcripts([0]), How("stride", 0.5): transcripts([0])}))
    assert frame.empty
    assert "not run" in fig.texts[0].get_text()


@pytest.mark.parametrize(
    ("said", "got", "shown"),
    [
        ("the cat sat", "the cat sat", [("the", ""), ("cat", ""), ("sat", "")]),
        ("The cat sat.", "the bat sat down", [("the", ""), ("bat", "other"), ("sat", ""), ("down", "added")]),
        ("the cat sat", "cat sat", [("the", "missing"), ("cat", ""), ("sat", "")]),
        ("", "thank you", [("thank", "added"), ("you", "added")]),
        ("no", "", [("no", "missing")]),
    ],
)
def test_what_is_misheard_is_marked(said, got, shown):
    assert _words.heard({"reference": said, "text": got}, "whisper-base") == shown


def test_words_of_others_are_taken_as_they_are():
    assert _words.heard({"reference": "one two", "text": "one too"}, "strips-tiny") == [("one", ""), ("too", "other")]


def test_transcripts_that_run_on_are_cut():
    lines = _words.lines([("again", "added")] * 500)
    assert len(lines) == _words.MOST
    assert lines[-1][-1] == ("…", "added")


# --- errors against MACs -------------------------------------------------------------------------------------------


def test_the_front_is_what_no_other_beats_in_both():
    points = [(100, 10), (90, 12), (90, 11), (80, 20), (85, 25), (70, 30), (100, 9)]
    assert wer_macs.front(points) == [(100, 9), (90, 11), (80, 20), (70, 30)]


def test_errors_and_costs_of_every_arm_are_drawn(tmp_path):
    arms = {
        ("none", 1.0): transcripts([1, 0, 2, 0]),
        ("topk", 0.5): transcripts([2, 0, 2, 2], encoder_macs=60),
        ("stride", 0.5): transcripts([3, 3, 3, 3], encoder_macs=55),
        ("stride", 0.25): transcripts([4, 4, 4, 4], encoder_macs=54),
    }
    fig, frame = wer_macs.draw(study(tmp_path, arms))
    assert frame[["policy", "wer", "front"]].values.tolist() == [
        ["none", 7.5, True], ["topk", 15.0, True], ["stride", 30.0, True], ["stride", 40.0, True]
    ]  # fmt: skip
    assert frame["remaining"].tolist() == pytest.approx([100, 100 * 110 / 150, 100 * 105 / 150, 100 * 104 / 150])
    (ax,) = fig.axes
    lines = {line.get_label(): line.get_xydata() for line in ax.lines if not line.get_label().startswith("_")}
    np.testing.assert_allclose(lines["stride"], [[70, 30], [100 * 104 / 150, 40]])
    assert [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == ":"] == pytest.approx([8.25])


# --- what thresholds leave -----------------------------------------------------------------------------------------


def varied(folder: Path, kept: list[int]):
    n = len(kept)
    waves = {f"c{i}": np.concatenate([tone(1), np.zeros(i * SECOND // 4)]) for i in range(n)}
    words = {"words": [10 + i % 3 for i in range(n)]}
    given = {
        How(): transcripts([1] * n, **words),
        How("topk", 0.5): transcripts([1] * n, **words, kept_sound=100),
        How("topk", 0.5, "threshold"): transcripts([1] * n, **words, kept_sound=kept),
    }
    return study(folder / "arms", given, audio=audio(folder, waves))


def test_the_share_that_stays_is_set_against_silence_and_pace(tmp_path):
    kept = [60 + (37 * i) % 101 for i in range(24)]
    results = varied(tmp_path, kept)
    own = arm(results, "topk", 0.5, "threshold")
    frame = adaptivity.shares(results, own)
    frame = frame.sort_values("clip", key=lambda clips: clips.str[1:].astype(int))
    assert frame["kept_share"].tolist() == [one / 200 for one in kept]
    assert frame["words_per_s"].tolist() == [(10 + i % 3) / 4 for i in range(24)]
    found = adaptivity.correlation(results, own, frame, "words_per_s", "kept_share")
    assert found.value == pytest.approx(stats.spearmanr(frame["words_per_s"], frame["kept_share"]).statistic)
    rng, drawn = np.random.default_rng(1), []
    for _ in range(2000):
        part = frame.iloc[rng.integers(24, size=24)]
        if part["words_per_s"].nunique() > 1 and part["kept_share"].nunique() > 1:
            drawn.append(stats.spearmanr(part["words_per_s"], part["kept_share"]).statistic)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))), abs=0.08)
    _, shown = figure.draw(results)
    assert shown["fixed_share"].tolist() == [0.5] * 24
    assert shown.sort_values("clip", key=lambda clips: clips.str[1:].astype(int))["silence"].is_monotonic_increasing
    assert isinstance(adaptivity.correlation(results, own, frame.assign(same=1), "same", "kept_share"), Absent)


def test_without_thresholds_there_is_no_such_figure(tmp_path):
    results = study(tmp_path, {How(): transcripts([0]), How("topk", 0.5): transcripts([0])})
    assert figure.needs(results) == []
    assert isinstance(figure.draw(results)[1], pd.DataFrame)


def test_units_of_a_ctc_head_stand_at_their_columns(tmp_path):
    """Four columns of a second: one, one, the blank, two; the repeated unit is one."""
    waves = {f"c{i}": tone(1) for i in range(2)}
    made, heard = Study(tmp_path / "made"), audio(tmp_path, waves)
    own = RecogniseSettings(recogniser="strips-tiny", dataset="demo-sentences")
    model = made.cell("recognise", "base", own, results={"units": ["blank", "one", "two"]})
    for policy, rate in (("none", 1.0), ("stride", 0.5)):
        frame = transcripts([0, 0], sound=4, audio_seconds=1.0, stages=[[[0, 2]]] * 2, tokens=[[4] * 13] * 2)
        frame["columns"] = [[1, 1, 0, 2]] * 2
        settings = TranscribeSettings(
            recogniser="strips-tiny", dataset="demo-sentences", policy=policy, keep_rate=rate, restore="nearest"
        )
        write = [lambda out, frame=frame: frame.to_parquet(out / "transcripts.parquet")]
        made.cell("transcribe", policy, settings, files=write, recognise=model, audio=heard)
    fig, frame = kept_frames.draw(Results("speech", made.cells))
    assert frame[frame["clip"] == "c0"]["start_s"].tolist() == [0, 0.5]
    rows = fig.subfigs[0].axes[1]
    assert [(text.get_text(), text.get_position()[0]) for text in rows.texts] == [("one", 0.125), ("two", 0.875)] * 2
    assert [tick.get_text() for tick in rows.get_yticklabels()] == ["stride, 0.5", "unpruned, units", "stride, units"]
