"""The table of declared contrasts on a made-up study: counts, tests and bounds against ones taken here by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.config.file import load
from audioprune.planning.declared import resolved
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from audioprune.results.study import Results
from audioprune.settings.exhibits import Contrast
from audioprune.settings.model import Pruning
from audioprune.tables import contrasts
from audioprune.wording import number
from tests import REPOSITORY
from tests.fakes.ablations import ablations
from tests.fakes.contrasts import DECLARED, declared


@pytest.fixture(scope="module")
def results() -> Results:
    return declared()


@pytest.fixture(scope="module")
def rows(results) -> list[dict]:
    return [row.cells for row in contrasts.build(results).rows]


def right(results: Results, one: Contrast, side: Pruning) -> np.ndarray:
    """Which clips of both folds a side has right."""
    trained, found = (side if one.trained else Pruning()), []
    for r in results.cells("evaluate", backbone=one.backbone, dataset="esc10"):
        tuned = r.inputs["finetune"].settings
        if (r.settings.pruning, tuned.pruning, tuned.augment.baseline) == (side, trained, "matched"):
            frame = r.predictions()
            found += [np.argmax(s) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)]
    assert len(found) == 160
    return np.array(found)


@pytest.mark.parametrize("i", range(len(DECLARED)))
def test_values_and_discordant_clips_are_counted_by_hand(results, rows, i):
    a, b = (right(results, DECLARED[i], side) for side in (DECLARED[i].first, DECLARED[i].second))
    row = rows[i]
    lost, gained = (a & ~b).sum(), (~a & b).sum()
    assert (row["difference"].only_first, row["difference"].only_second) == (lost, gained)
    assert row["accuracy_first"].value == pytest.approx(100 * a.mean())
    assert row["accuracy_second"].value == pytest.approx(100 * b.mean())
    assert row["difference"].value == pytest.approx(100 * (lost - gained) / 160)
    assert row["difference"].low < row["difference"].value < row["difference"].high


def test_only_what_is_tested_has_p_values_and_holm_is_over_all_of_these(rows):
    p = [row["p"] for row in rows[:3]]
    order = np.argsort(p)
    by_hand, last = {}, 0.0
    for step, i in enumerate(order):
        last = max(last, min(1, (3 - step) * p[i]))
        by_hand[i] = last
    assert [row["p_holm"] for row in rows[:3]] == pytest.approx([by_hand[i] for i in range(3)])
    assert "p" not in rows[3]
    assert (rows[3]["difference"].p, rows[3]["difference"].p_holm) == (None, None)
    assert "excluded_loss" not in rows[0]


def test_what_is_bounded_has_a_loss_that_lies_within_the_interval(rows):
    difference = rows[3]["difference"]
    assert difference.value < rows[3]["excluded_loss"] <= difference.high


def test_the_sentence_names_all_contrasts_with_their_counts_and_how_many_differ(results, rows):
    said = contrasts.HEADLINE.said([row.cells for row in contrasts.build(results).rows])
    differ = sum(row["p_holm"] <= 0.05 for row in rows[:3])
    assert said.startswith(f"Of 3 contrasts off the shelf, {differ} differ (Holm, 5 %): ")
    for row in rows[:3]:
        assert f"{row['difference'].only_first} clips lost, {row['difference'].only_second} gained" in said
    assert "ast-tiny, random − topk at blocks 3, 6, 9 with 0.5" in said
    assert "a loss above " in said
    assert contrasts.HEADLINE.said([]) == ""


def test_a_change_is_pruned_minus_what_it_is_compared_with(results, rows):
    """A model that loses clips by pruning has a change below zero, in the table and in the sentence."""
    layout = contrasts.build(results).layout()
    (at,) = [i for i, column in enumerate(layout.columns) if column.header == "Δ"]
    said = contrasts.HEADLINE.said(rows)
    for row, entries in zip(rows, (entries for _, group in layout.groups for entries in group), strict=True):
        a, b = row["accuracy_first"].value, row["accuracy_second"].value
        shown = entries[at].text.split()[0]
        assert float(shown.replace("−", "-")) == pytest.approx(b - a, abs=0.051)
        assert f" {number(b - a, 1, signed=True)} [" in said
        assert row["contrast"].endswith(f" − {'topk' if row['first'] == 'topk' else 'unpruned'}")


def test_a_study_that_declares_none_has_no_such_table():
    assert contrasts.needs(ablations()) == []


def test_the_demo_declares_six_on_at_least_400_clips_and_one_trained(monkeypatch):
    monkeypatch.setenv("AUDIOPRUNE_DEVICE", "a device")
    config = load(REPOSITORY / "config.yaml")
    declared = resolved(config.studies["demo"].contrasts)
    six = [
        (backbone, one.first.method, one.second.method, one.second.blocks, one.second.keep_rate)
        for backbone in ("audiomae-tiny", "ast-tiny")
        for one in declared
        if one.tested and one.backbone == backbone
    ]
    assert six == [
        (backbone, *what)
        for backbone in ("audiomae-tiny", "ast-tiny")
        for what in (
            ("none", "topk", (1, 4, 7), 0.5),
            ("none", "topk", (1, 4, 7), 0.3),
            ("topk", "uniform", (3, 6, 9), 0.2),
        )
    ]
    bounded = [one for one in declared if not one.tested]
    assert {(one.backbone, one.second.blocks, one.second.keep_rate, one.trained) for one in bounded} == {
        ("audiomae-tiny", (3, 6, 9), 0.5, True),
        ("ast-tiny", (3, 6, 9), 0.5, True),
    }
    assert config.generators["words"].clips // 5 >= 400  # one utterance in five tests
    planned = study_of(Planner(config), "demo")
    assert len(contrasts.needs(planned)) == 2 * (1 + 2 + 2 + 1)
