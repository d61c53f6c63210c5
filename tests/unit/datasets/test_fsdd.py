"""The three datasets made of the Free Spoken Digit Dataset."""

from __future__ import annotations

from collections import Counter

import pytest

from audioprune.datasets import fsdd_digits, fsdd_speakers, fsdd_strings
from audioprune.datasets._draws import draw, shuffled
from audioprune.datasets._fsdd import DIGITS, SPEAKERS, takes
from audioprune.errors import UserError


def test_takes(fsdd_files):
    found = takes(fsdd_files.root, "fsdd")
    assert len(found) == 3000
    assert {(take.digit, take.speaker, take.number) for take in found} == {
        (d, s, n) for d in range(10) for s in SPEAKERS for n in range(50)
    }
    assert found[11].path == "recordings/0_george_11.wav"  # by number, not by name


def test_digits(fsdd_files):
    clips = fsdd_digits.clips(fsdd_files.root, {})
    assert len({clip.id for clip in clips}) == len({clip.recording for clip in clips}) == 3000
    assert Counter((clip.split, clip.labels) for clip in clips) == {
        (split, (digit,)): n for split, n in (("train", 270), ("test", 30)) for digit in range(10)
    }
    clip = next(clip for clip in clips if clip.id == "7_jackson_4")
    assert (clip.labels, clip.split, clip.speaker, clip.recording) == ((7,), "test", "jackson", "jackson-7-4")
    assert fsdd_digits.FACTS.classes[7] == "seven"


def test_speakers(fsdd_files):
    clips = fsdd_speakers.clips(fsdd_files.root, {})
    assert Counter((clip.split, clip.labels) for clip in clips) == {
        (split, (speaker,)): n for split, n in (("train", 450), ("test", 50)) for speaker in range(6)
    }
    assert all(SPEAKERS[clip.labels[0]] == clip.speaker for clip in clips)
    assert all(clip.meta == {} for clip in clips)


def test_speakers_in_noise(fsdd_files):
    noisy = fsdd_speakers.clips(fsdd_files.root, {"noise_snr_db": 10})
    assert {clip.meta["noise_snr_db"] for clip in noisy} == {10.0}
    assert len({clip.meta["noise_seed"] for clip in noisy}) == 3000
    assert noisy == fsdd_speakers.clips(fsdd_files.root, {"noise_snr_db": 10.0})
    other = fsdd_speakers.clips(fsdd_files.root, {"noise_snr_db": 10, "seed": 1})
    assert noisy[0].meta["noise_seed"] == draw("noise", 0, noisy[0].id) != other[0].meta["noise_seed"]


def test_strings_say_what_their_parts_say(fsdd_files):
    clips = fsdd_strings.clips(fsdd_files.root, {})
    by_path = {take.path: take for take in takes(fsdd_files.root, "fsdd")}
    for clip in clips:
        parts = [by_path[path] for path in clip.parts]
        assert 3 <= len(parts) <= 5
        assert clip.transcript.split() == [DIGITS[take.digit] for take in parts]
        assert {take.speaker for take in parts} == {clip.speaker}
        assert {take.split for take in parts} == {clip.split}
        assert (clip.join, clip.labels, clip.path) == ("concatenate", (), clip.parts[0])
    assert len({clip.id for clip in clips}) == len(clips)


def test_strings_use_every_take_once_a_round(fsdd_files):
    clips = fsdd_strings.clips(fsdd_files.root, {})
    used = Counter(part for clip in clips for part in clip.parts)
    assert used == {t.path: 1 if t.split == "test" else 4 for t in takes(fsdd_files.root, "fsdd")}
    lengths = Counter(len(clip.parts) for clip in clips)
    assert min(lengths.values()) > 0.25 * len(clips)


def test_strings_are_seeded(fsdd_files):
    first, again, other = (fsdd_strings.clips(fsdd_files.root, {"seed": seed}) for seed in (0, 0, 1))
    assert first == again
    assert [clip.parts for clip in first] != [clip.parts for clip in other]
    assert (first[0].id, first[0].transcript) == ("george-train-0-0", "zero five five")
    fewer = fsdd_strings.clips(fsdd_files.root, {"train_rounds": 1, "test_rounds": 2})
    assert Counter(part for clip in fewer for part in clip.parts) == {
        t.path: 2 if t.split == "test" else 1 for t in takes(fsdd_files.root, "fsdd")
    }


def test_more_takes_of_every_digit_and_speaker_may_be_for_tests(fsdd_files):
    """Takes 0 to 14 of 10 digits and 6 speakers are 900 test words; the 35 others are in 4 rounds of training."""
    clips = fsdd_strings.clips(fsdd_files.root, {"test_takes": 15})
    of = {take.path: take.number for take in takes(fsdd_files.root, "fsdd")}
    for split, numbers, rounds in (("test", range(15), 1), ("train", range(15, 50), 4)):
        used = Counter(part for clip in clips if clip.split == split for part in clip.parts)
        assert used == {path: rounds for path, number in of.items() if number in numbers}
    assert sum(len(clip.transcript.split()) for clip in clips if clip.split == "test") == 900


def test_draws_stay_for_ever():
    assert draw("a", 1) == 8588983153282268942  # the first 8 bytes of SHA-256("a/1")
    assert shuffled("abcdef", 0) == shuffled("fedcba", 0)
    assert sorted(shuffled("abcdef", 0)) == list("abcdef")
    assert len({tuple(shuffled("abcdef", i)) for i in range(50)}) > 40


@pytest.mark.parametrize("name", ["10_george_0.wav", "1_george.wav", "1_nobody_0.wav", "x.wav"])
def test_a_file_with_another_name_is_named(tmp_path, name):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / name).touch()
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        fsdd_digits.clips(tmp_path, {})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"noise": 3}, "no option 'noise'; did you mean 'noise_snr_db'"),
        ({"noise_snr_db": "loud"}, "noise_snr_db: 'loud' is not like"),
        ({"seed": 1.5}, "seed: 1.5 is not like its default 0"),
        ({"seed": True}, "seed: True is not like its default 0"),
    ],
)
def test_wrong_options_are_named(fsdd_files, options, words):
    with pytest.raises(UserError) as caught:
        fsdd_speakers.clips(fsdd_files.root, options)
    assert words in str(caught.value)
