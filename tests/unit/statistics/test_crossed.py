"""What is drawn: recordings in their strata, seeds, and the weights of clips that follow."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from audioprune import registry
from audioprune.datasets import _fsdd
from audioprune.statistics.crossed import CHUNK, crossed, weights
from audioprune.statistics.units import RECORDINGS, Unit, unit_of


def clips(names: dict[str, str], **columns) -> pd.DataFrame:
    """{clip: recording}."""
    return pd.DataFrame({"clip": list(names), "recording": list(names.values()), **columns})


def all_weights(design, draws: int, seed: int = 0):
    of_recordings, of_seeds = zip(*weights(design, draws, seed), strict=True)
    return np.concatenate(of_recordings), np.concatenate(of_seeds)


def test_a_clip_counts_as_often_as_its_recording():
    design = crossed(clips({"c": "b", "a": "b", "b": "a"}))
    assert design.recordings == ("a", "b")
    assert [own.tolist() for own in design.rows] == [[1, 2, 0]]  # rows in the order of clips a, b, c
    assert design.clip_weights(np.array([[3.0, 5.0]]))[0].ravel().tolist() == [5, 3, 5]


def test_a_mixture_counts_as_often_as_the_product():
    design = crossed(clips({"1": "a+b", "2": "a+a", "3": "c"}), Unit(parts="+"))
    assert design.recordings == ("a", "b", "c")
    assert design.clip_weights(np.array([[2.0, 3.0, 5.0]]))[0].ravel().tolist() == [6, 2, 5]


def test_an_empty_recording_is_the_clip_itself():
    assert crossed(clips({"a": "", "b": ""})).recordings == ("a", "b")
    assert crossed(pd.DataFrame({"clip": ["a", "b"]})).recordings == ("a", "b")


def test_strata_keep_their_size_in_every_draw():
    frame = clips({f"c{i}": f"r{i}" for i in range(9)}, speaker=list("aabbbbccc"))
    drawn, _ = all_weights(crossed(frame, Unit(within="speaker")), CHUNK + 7)
    assert drawn.shape == (CHUNK + 7, 9)
    for part, size in ((drawn[:, :2], 2), (drawn[:, 2:6], 4), (drawn[:, 6:], 3)):
        assert (part.sum(1) == size).all()
    free, _ = all_weights(crossed(frame), 50)
    assert (free.sum(1) == 9).all()
    assert (free[:, :2].sum(1) != 2).any()


def test_draws_are_uniform_with_replacement():
    """Of four recordings each is left out with chance (3/4)^4 and counts once on average."""
    drawn, seeds = all_weights(crossed(clips(dict.fromkeys("abcd", "")).assign(recording=list("abcd"))), 8000)
    assert drawn.mean(0) == pytest.approx(np.ones(4), abs=0.04)
    assert (drawn == 0).mean() == pytest.approx(0.75**4, abs=0.01)
    assert (seeds == 1).all()


def test_seeds_are_drawn_apart_from_recordings():
    """As many seeds as recordings: their weights are not those of the recordings, and do not go with them."""
    one = clips({f"c{i}": f"r{i}" for i in range(4)})
    drawn, seeds = all_weights(crossed(pd.concat([one.assign(seed=s) for s in range(4)])), 4000)
    assert (seeds.sum(1) == 4).all()
    assert abs(np.corrcoef(drawn[:, 0], seeds[:, 0])[0, 1]) < 0.06


def test_draws_do_not_depend_on_rows_or_on_the_number_of_seeds():
    one = clips({f"c{i}": f"r{i % 4}" for i in range(12)})
    shuffled = one.sample(frac=1, random_state=0)
    several = pd.concat([one.assign(seed=s) for s in range(3)])
    first = all_weights(crossed(one), 150)[0]
    assert np.array_equal(first, all_weights(crossed(shuffled), 150)[0])
    assert np.array_equal(first, all_weights(crossed(several), 150)[0])
    assert crossed(one).digest == crossed(shuffled).digest != crossed(several).digest
    assert not np.array_equal(first, all_weights(crossed(one), 150, seed=1)[0])


def test_what_cannot_be_drawn_is_refused():
    twice = pd.concat([clips({"a": "r"}), clips({"a": "r"})])
    with pytest.raises(ValueError, match="twice in the predictions of seed 0"):
        crossed(twice)
    with pytest.raises(ValueError, match="within each speaker: the predictions need that column"):
        crossed(clips({"a": "r"}), Unit(within="speaker"))
    with pytest.raises(ValueError, match="recording 'r' has two values of speaker: 'x', 'y'"):
        crossed(clips({"a": "r", "b": "r"}, speaker=["x", "y"]), Unit(within="speaker"))


def test_units_of_the_datasets():
    """FSDD: takes within a speaker. A mixture is of two recordings. All others: recordings."""
    found = {name: unit_of(registry.get("datasets", name).FACTS) for name in registry.names("datasets")}
    special = {name: unit for name, unit in found.items() if unit != RECORDINGS}
    by_speaker = Unit(within="speaker")
    assert special == {
        "fsdd-digits": by_speaker,
        "fsdd-speakers": by_speaker,
        "fsdd-strings": by_speaker,
        "esc10mix": Unit(parts="+"),
    }


def test_fsdd_is_drawn_within_its_speakers():
    takes = [_fsdd.Take("", d, s, n) for d in range(10) for s in _fsdd.SPEAKERS for n in range(_fsdd.TEST_TAKES)]
    frame = clips({t.id: t.recording for t in takes}, speaker=[t.speaker for t in takes])
    design = crossed(frame, unit_of(registry.get("datasets", "fsdd-digits").FACTS))
    assert design.strata == (50,) * 6
    (drawn, _), *_ = weights(design, 5, 0)
    speaker = {t.recording: t.speaker for t in takes}
    for row in drawn:
        count = Counter()
        for name, times in zip(design.recordings, row, strict=True):
            count[speaker[name]] += times
        assert count == dict.fromkeys(_fsdd.SPEAKERS, 50)
