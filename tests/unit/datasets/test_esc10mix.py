from __future__ import annotations

from collections import Counter

import pytest

from audioprune.datasets import esc10, esc10mix
from audioprune.errors import UserError


@pytest.fixture(scope="module")
def mixtures(esc10_files):
    return esc10mix.clips(esc10_files.root, {})


def test_every_clip_is_used_once_in_every_round(esc10_files, mixtures):
    single = {clip.path: clip for clip in esc10.clips(esc10_files.root, {})}
    assert len(mixtures) == len({clip.id for clip in mixtures}) == 800
    assert Counter(clip.fold for clip in mixtures) == dict.fromkeys(range(1, 6), 160)
    assert Counter(part for clip in mixtures for part in clip.parts) == dict.fromkeys(single, 4)
    assert Counter(label for clip in mixtures for label in clip.labels) == dict.fromkeys(range(10), 160)


def test_two_classes_one_fold(esc10_files, mixtures):
    single = {clip.path: clip for clip in esc10.clips(esc10_files.root, {})}
    for clip in mixtures:
        a, b = (single[part] for part in clip.parts)
        assert clip.join == "mix"
        assert a.fold == b.fold == clip.fold
        assert clip.labels == tuple(sorted(a.labels + b.labels))
        assert len(set(clip.labels)) == 2
        assert clip.recording == f"{a.recording}+{b.recording}"
        assert clip.id == f"{a.id}+{b.id}"


def test_more_rounds_and_other_seeds(esc10_files, mixtures):
    again, other = (esc10mix.clips(esc10_files.root, {"seed": seed}) for seed in (0, 1))
    assert again == mixtures
    assert {clip.id for clip in other} != {clip.id for clip in mixtures}
    one = esc10mix.clips(esc10_files.root, {"rounds": 1})
    assert {clip.id for clip in one} < {clip.id for clip in mixtures}
    assert len(one) == 200


def test_a_known_draw_stays(mixtures):
    assert mixtures[0].id == "1-35687-A+1-91359-B"
    assert mixtures[-1].id == "5-198411-D+5-222524-A"


def test_too_many_rounds_for_the_clips(tmp_path):
    for folder, name in (("001 - Dog bark", "1-1-A"), ("002 - Rain", "1-2-A")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.ogg").touch()
    assert [clip.id for clip in esc10mix.clips(tmp_path, {"rounds": 1})] == ["1-1-A+1-2-A"]
    with pytest.raises(UserError, match="too many rounds"):
        esc10mix.clips(tmp_path, {"rounds": 2})
