from __future__ import annotations

from collections import Counter

import pytest

from audioprune.datasets import esc10
from audioprune.datasets._esc import parse
from audioprune.errors import UserError


def test_clips_folds_classes_and_recordings(esc10_files):
    clips = esc10.clips(esc10_files.root, {})
    assert len(clips) == len({clip.id for clip in clips}) == 400
    assert Counter(clip.fold for clip in clips) == dict.fromkeys(range(1, 6), 80)
    assert Counter((clip.fold, clip.labels) for clip in clips) == {(f, (c,)): 8 for f in range(1, 6) for c in range(10)}
    assert len({clip.recording for clip in clips}) == 304
    assert all((esc10_files.root / clip.path).is_file() for clip in clips)
    assert all(clip.split == "" for clip in clips)


def test_no_recording_crosses_a_fold_or_a_class(esc10_files):
    clips = esc10.clips(esc10_files.root, {})
    assert len({(clip.recording, clip.fold, clip.labels) for clip in clips}) == 304


def test_one_clip_by_hand(esc10_files):
    clip = next(clip for clip in esc10.clips(esc10_files.root, {}) if clip.id == "2-122104-B")
    assert clip.path == "001 - Dog bark/2-122104-B.ogg"
    assert (clip.labels, clip.fold, clip.recording) == ((0,), 2, "122104")


def test_names():
    assert parse("audio/5-9032-A-0.wav", "esc50") == (5, "9032", "A", 0)
    assert parse("x/1-17092-B.ogg", "esc10") == (1, "17092", "B", None)
    for wrong in ("6-1-A.ogg", "1-1-A.mp3", "1-1.ogg", "._1-1-A.ogg"):
        with pytest.raises(UserError, match="is not named"):
            parse(wrong, "esc10")


def test_what_is_not_the_dataset_is_one_clear_message(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        esc10.clips(tmp_path / "gone", {})
    with pytest.raises(UserError, match="not the root of this dataset"):
        esc10.clips(tmp_path, {})
    (tmp_path / "011 - Cat").mkdir()
    (tmp_path / "011 - Cat" / "1-1-A.ogg").touch()
    with pytest.raises(UserError, match="'011 - Cat' is none of the ten classes"):
        esc10.clips(tmp_path, {})
    with pytest.raises(UserError, match="no option 'rounds'"):
        esc10.clips(tmp_path, {"rounds": 1})
