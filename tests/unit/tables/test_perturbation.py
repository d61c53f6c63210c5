"""Table 4 on the fake study: perturbation tests against the same model unperturbed."""

from __future__ import annotations

import numpy as np
import pytest

from audioprune.tables import perturbation
from tests.fakes.ablations import ablations
from tests.fakes.studies import shared


@pytest.fixture(scope="module")
def rows() -> dict:
    return {row.cells["test"]: row.cells for row in perturbation.build(shared()).rows}


def accuracy(perturbation: str) -> float:
    (r,) = shared().cells("evaluate", dataset="spc2", keep_rate=0.7, selection="last", perturbation=perturbation)
    frame = r.predictions()
    return 100 * np.mean([np.argmax(s) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)])


def test_only_perturbed_models_are_shown_in_the_papers_order(rows):
    assert list(rows) == ["unperturbed", "I", "II", "III"]
    assert {(c["backbone"], c["dataset"], c["keep_rate"]) for c in rows.values()} == {("audiomae-b", "spc2", 0.7)}


@pytest.mark.parametrize("test", ["I", "II", "III"])
def test_accuracy_and_change(rows, test):
    assert rows[test]["accuracy"].value == pytest.approx(accuracy(test))
    change = rows[test]["change"]
    assert change.value == pytest.approx(accuracy(test) - accuracy("none"))
    assert change.low < change.value < change.high


def test_published_values_are_those_of_the_same_test(rows):
    assert [c["accuracy"].published for c in rows.values()] == [97.64, 95.87, 96.78, 92.98]
    assert {c["accuracy"].mark for c in rows.values()} == {"†"}


def test_the_withdrawn_meaning_of_the_labels_is_said():
    table = perturbation.build(shared())
    assert "withdrawn" in table.status
    assert any("withdrawn" in note for note in table.notes)


def test_needs_holds_the_unperturbed_evaluations_of_the_same_models():
    found = perturbation.needs(shared())
    assert sorted(c.settings.perturbation for c in found) == ["I", "II", "III", "none"]
    assert len({c.inputs["finetune"].path for c in found}) == 1


def test_the_threshold_and_the_share_of_each_kind_are_said():
    """The fake's clusters of birds: tau -0.4, 67 % signal, 23 % background and 10 % padding of all clips' patches."""
    table = perturbation.build(ablations())
    (note,) = [note for note in table.notes if "among their patches" in note]
    assert "birds (τ = −0.400) 67.0 / 23.0 / 10.0 %" in note
    found = next(row.cells for row in table.rows if row.cells["test"] == "I")
    assert (found["tau"], found["signal_share"]) == (-0.4, pytest.approx(67))
    assert (found["background_share"], found["padding_share"]) == (pytest.approx(23), pytest.approx(10))
    (note,) = [note for note in perturbation.build(shared()).notes if "among their patches" in note]
    assert "spc2 (τ = −0.650)." in note  # given for the dataset; the study has no clusters that say more


def test_controls_stand_beside_their_tests():
    found = [row.cells for row in perturbation.build(ablations()).rows if row.cells["keep_rate"] == 0.7]
    assert [c["test"] for c in found] == ["unperturbed", "I", "I-shuffled", "II", "III", "III-shuffled"]
    by_test = {c["test"]: c for c in found}
    for test in ("I", "III"):
        values = by_test[test]["accuracy"].value, by_test[f"{test}-shuffled"]["accuracy"].value
        assert by_test[test]["this_minus_control"].value == pytest.approx(values[0] - values[1])
        assert (
            by_test[test]["this_minus_control"].low
            < by_test[test]["this_minus_control"].value
            < by_test[test]["this_minus_control"].high
        )
    assert "this_minus_control" not in by_test["II"]  # its control is not planned
