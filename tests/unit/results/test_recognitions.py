"""Arms, their error rates and differences, and what is chosen on half of the speakers: values by hand."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from audioprune.results import recognitions, speech_costs
from audioprune.results.recognitions import arms, places, unpruned
from audioprune.statistics.halves import halves
from tests.fakes.ctc import adapted
from tests.fakes.speech import How, arm, study, transcripts


def test_error_rates_pool_words_and_their_intervals_draw_speakers(tmp_path):
    results = study(tmp_path, {("none", 1.0): transcripts([1, 0, 2, 0]), ("topk", 0.5): transcripts([2, 0, 2, 2])})
    whole, pruned = arm(results, "none"), arm(results, "topk", 0.5)
    assert recognitions.wer(results, whole).value == 7.5  # 3 errors in 40 words
    found = recognitions.difference(results, pruned, whole)
    assert found.value == 7.5
    of_speakers = np.random.default_rng(0).multinomial(4, [0.25] * 4, 20_000) @ [1, 0, 0, 2] / 40  # one more, two more
    assert (found.low, found.high) == pytest.approx(tuple(100 * np.quantile(of_speakers, (0.025, 0.975))), abs=2.5)


def test_clips_of_one_speaker_are_drawn_together(tmp_path):
    """Two speakers of two clips each: the rate is that of the one, of the other or of both, and of nothing else."""
    frame = transcripts([4, 4, 0, 0]).assign(speaker=["a", "a", "b", "b"])
    results = study(tmp_path, {("none", 1.0): frame})
    found = recognitions.wer(results, arm(results, "none"))
    assert set(np.round(found.draws, 9)) == {0.0, 20.0, 40.0}


def test_of_one_speaker_there_is_no_interval(tmp_path):
    results = study(tmp_path, {("none", 1.0): transcripts([1, 2, 3]).assign(speaker="a")})
    found = recognitions.wer(results, arm(results, "none"))
    assert (found.value, found.note) == (20.0, recognitions.ONE)
    assert np.isnan([found.low, found.high]).all()


def test_the_same_transcripts_differ_by_nothing(tmp_path):
    results = study(tmp_path, {("none", 1.0): transcripts([1, 2, 3]), ("topk", 0.5): transcripts([1, 2, 3])})
    found = recognitions.difference(results, arm(results, "topk", 0.5), arm(results, "none"))
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_halves_are_of_speakers_and_of_nothing_else():
    names = [f"s{i}" for i in range(9)]
    found = halves(names)
    assert halves(reversed(names + names)) == found
    order = sorted(names, key=lambda one: hashlib.sha256(one.encode()).hexdigest())
    assert [found[one] for one in order] == [0] * 4 + [1] * 5


def test_the_static_policy_is_that_which_the_other_half_prefers(tmp_path):
    n = 40
    half = halves(f"s{i}" for i in range(n))
    of = lambda first, second: transcripts([second if half[f"s{i}"] else first for i in range(n)])  # noqa: E731
    results = study(tmp_path, {("stride", 0.5): of(1, 4), ("pool", 0.5): of(3, 2)})
    own = {one: arm(results, one, 0.5) for one in ("stride", "pool")}
    frame, chosen = recognitions.best_static(results, own)
    assert chosen == {0: "pool", 1: "stride"}  # best on the one half, so judged on the other
    assert frame["errors"].sum() == 3 * 20 + 4 * 20
    assert recognitions.said_of(chosen) == "pool, stride"


def test_clips_that_run_away_in_either_are_left_out_of_both(tmp_path):
    first, second = transcripts([1, 2, 30]), transcripts([1, 20, 3])
    first["runaway"], second["runaway"] = [False, False, True], [False, True, False]
    left = recognitions.without_runaways(first, second)
    assert [frame["errors"].tolist() for frame in left] == [[1], [1]]


def test_what_changes_the_padding_is_in_no_place_of_policies(tmp_path):
    given = {
        How(): transcripts([1, 1]),
        How("topk", 0.5): transcripts([1, 1]),
        How("pool", 0.5, at_input=True): transcripts([1, 1]),
        How(thin="first", thin_to=80): transcripts([1, 1]),
        How(padding="none", margin=0): transcripts([1, 1]),
        How("topk", 0.5, fallback=True): transcripts([1, 1]),
    }
    results = study(tmp_path, given)
    every = arms(results)
    ((place, own),) = places(every).items()
    assert [one.policy for one in own] == ["topk", "pool@0"]
    assert str(place) == "whisper-base on commonvoice-100, off the shelf: tokens within the sound, block 2"
    assert [one.thinned for one in every if one.about_padding] == [("first", 80), ("", 0), ("", 0)]
    assert unpruned(every, place).cells[0].settings.padding == "window"


def test_seeds_are_one_arm_and_longer_strips_another(tmp_path):
    """Strips of 40 and 80 ms, two seeds: the unpruned arm of an adapted place is the adapted one of the finest."""
    results = adapted(tmp_path, seeds=(0, 1))
    every = arms(results)
    (place,) = [one for one in places(every) if one.trained == "adapted"]
    base = unpruned(every, place)
    assert (base.strip, len(base.cells), base.place.trained) == (4, 2, "adapted")
    (longer,) = recognitions.coarser(every, place)
    assert (longer.strip, longer.place.trained) == (8, "off the shelf")
    found = recognitions.wer(results, base)
    assert (found.seeds, found.n, found.value) == (2, 12, pytest.approx(10))


def test_macs_that_remain_are_ratios_of_sums_and_within_the_sound_without_padding(tmp_path):
    whole = transcripts([1, 1], encoder_macs=[100, 300], encoder_macs_sound=[10, 50])
    half = transcripts([1, 1], encoder_macs=[80, 240], encoder_macs_sound=[9, 30])
    arms = {("none", 1.0): whole, ("stride", 0.5): half, How("pool", 0.5, within="window"): half}
    results = study(tmp_path, arms)
    found = speech_costs.shares(results, arm(results, "stride", 0.5), arm(results, "none"))
    assert found["encoder_remaining"] == pytest.approx(80)
    assert found["remaining"] == pytest.approx(100 * (320 + 100) / (400 + 100))
    assert found["sound_remaining"] == pytest.approx(100 * 39 / 60)
    of_window = speech_costs.shares(results, arm(results, "pool", 0.5), arm(results, "none"))
    assert set(of_window) == {"encoder_remaining", "remaining"}
