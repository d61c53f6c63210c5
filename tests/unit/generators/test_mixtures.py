"""Multi-label mixtures: labels, splits, and the extents of all parts."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from audioprune.audio.truth import signal_pixels
from audioprune.generators import _kinds, mixtures
from audioprune.settings.data import GenerateSettings

SETTINGS = GenerateSettings(generator="mixtures", clips=550)


def rows_only(monkeypatch, clips: int) -> list[dict]:
    monkeypatch.setattr(_kinds, "render", lambda *_: np.ones(400))
    monkeypatch.setattr(_kinds, "background", lambda _, n: np.ones(n))
    return [row for row, _ in mixtures.clips(GenerateSettings(generator="mixtures", clips=clips))]


def test_one_to_three_labels_each_kind_about_as_often(monkeypatch):
    rows = rows_only(monkeypatch, 550)
    sizes = Counter(len(row["labels"]) for row in rows)
    assert set(sizes) == {1, 2, 3}
    assert min(sizes.values()) > 140
    assert all(row["labels"] == sorted(set(row["labels"])) for row in rows)
    kinds = Counter(label for row in rows for label in row["labels"])
    assert set(kinds) == set(range(12))
    assert min(kinds.values()) > 60
    assert Counter(row["split"] for row in rows) == {"train": 400, "test": 150}
    assert len({row["recording"] for row in rows}) == 550


def test_every_part_is_in_the_clip_with_its_extents(monkeypatch):
    placed: list[np.ndarray] = []
    place = _kinds.place
    monkeypatch.setattr(_kinds, "place", lambda *a: placed.append(place(*a)) or placed[-1])
    for number in range(12):
        placed.clear()
        ((row, waveform),) = mixtures.clips(SETTINGS, [number])
        assert len(placed) == len(row["labels"])
        truth = signal_pixels(json.loads(row["extents"]), 256).any(axis=1)
        assert waveform.shape == (40960,)
        for part in placed:
            power = np.add.reduceat(part**2, np.arange(0, 40960, 160))
            loud = power > 0.3 * power.max()
            assert truth[loud].mean() > 0.9


def test_a_clip_depends_on_the_seed_and_its_number_only():
    whole = list(mixtures.clips(GenerateSettings(generator="mixtures", clips=6)))
    ((row, waveform),) = mixtures.clips(SETTINGS, [5])
    assert row == whole[5][0]
    assert np.array_equal(waveform, whole[5][1])
