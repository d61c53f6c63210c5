"""What is said of a figure to those who cannot see it is in its data: values, where most, where least."""

from __future__ import annotations

import csv
import io
import math
import re
from functools import cache

import pytest

from audioprune.exhibits import named
from audioprune.exhibits.figure_files import csv_of, draw_figure
from audioprune.figures import _seen
from audioprune.reporting import seen
from audioprune.wording import number
from tests.fakes.ablations import ablations
from tests.fakes.lengths import lengths
from tests.fakes.noise import noisy
from tests.fakes.speech import speech
from tests.fakes.studies import shared
from tests.fakes.tokens import token_study

STUDIES = (shared, ablations, token_study, speech, noisy, lengths)


@cache
def drawn(name: str):
    """(what is said, rows, frame) of the first study that has something for it."""
    module = named.get("figure", name)
    standalone = hasattr(module, "STANDALONE")
    _, frame = draw_figure(module, next(s for s in (made() for made in STUDIES) if standalone or module.needs(s)))
    data = csv_of(frame)
    return seen.of(module, data), list(csv.DictReader(io.StringIO(data))), frame


@pytest.mark.parametrize("name", named.names("figure"))
def test_every_figure_says_in_numbers_what_is_seen(name):
    said, rows, _ = drawn(name)
    assert len(re.findall(r"\d", said)) >= 4
    assert "nan" not in said
    assert "-0." not in said  # a true minus sign
    places = {row[key] for row in rows for key in ("dataset", "place", "series") if row.get(key)}
    assert any(place in said for place in places)


@pytest.mark.parametrize("name", named.names("figure"))
def test_a_figure_that_shows_nothing_says_nothing(name):
    assert seen.of(named.get("figure", name), "backbone,dataset\n") == ""


def told(said: str, model: str) -> str:
    """What is said of one of several."""
    (part,) = [one for one in re.split(r"; (?=\S+ on |and \d+ more)", said) if one.startswith(model)]
    return part


def test_gamma_says_where_it_is_most_and_least():
    said, _, frame = drawn("figure6")
    own = frame[(frame["backbone"] == "audiomae-tiny") & (frame["dataset"] == "esc10") & (frame["keep_rate"] == 0.5)]
    signal, background = own[own["kind"] == "gamma_s"], own[own["kind"] == "gamma_b"]
    most, least = signal.loc[signal["gamma"].idxmax()], signal.loc[signal["gamma"].idxmin()]
    assert told(said, "audiomae-tiny on esc10") == (
        f"audiomae-tiny on esc10, topk at keep-rate 0.5: γ of kept signal from {least.gamma:.2f} (block {least.block}) "
        f"to {most.gamma:.2f} (block {most.block}), of kept background {background['gamma'].mean():.2f} in the mean"
    )


def test_norms_say_how_far_pruned_models_are_from_unpruned_ones():
    said, _, frame = drawn("figure7")
    own = frame[(frame["backbone"] == "ast-tiny") & (frame["dataset"] == "esc10") & (frame["keep_rate"] == 0.5)]
    most = own.loc[own["normalised"].idxmax()]
    assert f"to {most.normalised:.2f} (block {most.block})" in told(said, "ast-tiny on esc10")


def test_ratio_a_says_the_mean_of_every_stage():
    said, _, frame = drawn("figure5")
    own = frame[(frame["dataset"] == "spc2") & (frame["keep_rate"] == 0.7)].groupby("stage")["ratio_a"].mean()
    stages = ", ".join(f"{own[stage]:.2f} at stage {stage}" for stage in (1, 2, 3))
    assert told(said, "audiomae-b on spc2").endswith(f"mean ratio A {stages}")


def test_correlation_says_the_strongest_ones_and_the_means():
    said, _, frame = drawn("rank-correlation")
    own = frame[frame["statistic"] == "mean"]
    most = own.loc[own["value"].idxmax()]
    assert f"to {most.value:.2f} ({most.backbone} on {most.dataset}, block {most.block})" in said
    at = (own["backbone"] == "ast-tiny") & (own["dataset"] == "esc10") & (own["score"] == "cls")
    assert f"ast-tiny on esc10, cls score: {number(own[at]['value'].mean(), 2)}" in said


def test_accuracy_says_what_is_lost_for_which_saving():
    said, _, frame = drawn("accuracy-macs")
    own = frame[(frame["backbone"] == "audiomae-tiny") & (frame["dataset"] == "fsdd-digits")]
    unpruned = own[own["method"] == "none"].iloc[0]
    pruned = own[own["method"] == "topk"].sort_values("keep_rate").iloc[0]
    saved = 100 * (1 - pruned.gmacs / unpruned.gmacs)
    assert (
        f"topk at keep-rate {pruned.keep_rate:g}: {pruned.value:.1f} % with {saved:.0f} % of the MACs saved, "
        f"{unpruned.value:.1f} unpruned"
    ) in said


def test_patches_are_counted_after_every_block():
    said, _, frame = drawn("figure2")
    one = frame.iloc[0]
    same = [frame[key] == one[key] for key in ("backbone", "dataset", "clip")]
    left = frame[same[0] & same[1] & same[2]].groupby("block").size()
    expected = ", ".join(f"{n} after block {block}" for block, n in left.items())
    answer = f"called {one['said']}, which is {'right' if one['right'] else 'wrong'}"
    assert f"{one['clip']}, {answer}, patches left: {expected}" in said


def test_extremes_are_found_among_values_alone():
    rows = [{"x": "2.0", "at": "a"}, {"x": "", "at": "b"}, {"x": "nan", "at": "c"}, {"x": "-1.5", "at": "d"}]
    assert _seen.extent(rows, "x", lambda row: row["at"]) == "from −1.50 (d) to 2.00 (a)"
    assert _seen.extent(rows[:1], "x", lambda row: row["at"]) == "2.00 throughout"
    assert _seen.extent(rows[1:3], "x", lambda row: row["at"]) == "no value"
    assert _seen.mean(rows, "x") == 0.25
    assert math.isnan(_seen.mean(rows[1:3], "x"))


def test_many_models_are_counted():
    rows = [{"backbone": f"b{i}", "x": "1"} for i in range(15)]
    said = _seen.of_each(rows, ("backbone",), lambda own: own[0]["x"], most=12)
    assert said.startswith("b0: 1; b1: 1; ")
    assert said.endswith("; b11: 1; and 3 more in the CSV")
