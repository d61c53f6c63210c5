"""Figures and tables of noise on a made study: their data by hand, and what they say where nothing is there."""

from __future__ import annotations

import pytest

from audioprune.exhibits import style
from audioprune.figures import noise_interaction, noise_levels, operating_points
from audioprune.results.study import Results
from audioprune.tables import noise_kept, robustness
from tests.fakes.lengths import lengths
from tests.fakes.noise import KINDS, NONE, SNRS, Asked, other, shares, topk
from tests.fakes.studies import facts

LEVELS = {(kind, level): {20.0: 0.8, 10.0: 0.6, 0.0: 0.4}[level] for kind in KINDS for level in SNRS}


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    """White noise costs the pruned model 30 points more at each level, other kinds none."""
    asked = Asked(tmp_path_factory.mktemp("noise"))
    asked.model(shares(0.9, LEVELS))
    pruned = {c: value - 0.3 * (c[0] == "white") for c, value in LEVELS.items()}
    asked.model(shares(0.9, pruned), topk(0.5))
    asked.model(shares(0.8, LEVELS), other("topk"), NONE)
    asked.model(shares(0.9, LEVELS), other("random"), NONE)
    return asked.results


def test_accuracy_by_level(results):
    frame = noise_levels.draw(results)[1]
    for row in frame.itertuples():
        clean = row.kind in ("clean", "gain")
        value = (
            90 if clean else 100 * (LEVELS[row.kind, row.level] - 0.3 * (row.kind == "white" and row.method == "topk"))
        )
        assert row.value == pytest.approx(value)
        if row.method == "topk":
            assert row.difference == pytest.approx(-30 if row.kind == "white" else 0)
        assert bool(row.counts) == (not clean)
    assert len(frame) == 2 * (1 + 4 * 3)  # what is pruned off the shelf is not there
    said = noise_levels.seen([{k: str(v) for k, v in row.items()} for row in frame.to_dict("records")])
    assert said.startswith("ast-tiny on fsdd-digits, none at 1: clean 90.0, white 0 dB 40.0, babble 0 dB 40.0")


def test_interaction_by_kind_and_level(results):
    frame = noise_interaction.draw(results)[1].set_index(["against", "part"])["value"]
    assert frame["unpruned"].to_dict() == pytest.approx(
        {"mean": 10, "white": 30, "babble": 0, "other": 0}
        | {f"{kind} {level:.0f} dB": 30 * (kind == "white") for kind in KINDS[:3] for level in SNRS}
    )
    assert frame["random"].to_dict() == pytest.approx(dict.fromkeys(frame["random"].index, -10))  # of 80, not of 90


def test_the_table_has_a_row_for_each_model(results):
    table = robustness.build(results)
    said = [(row.cells["method"], row.cells["pruned"], row.cells.get("verdict")) for row in table.rows]
    assert said == [
        ("none", "", None),
        ("topk", "Trained with it", "supported"),
        ("topk", "Off the shelf", "refuted"),
        ("random", "Off the shelf", None),
    ]
    assert table.rows[1].cells["interaction"].value == pytest.approx(10)
    assert table.rows[2].cells["selection"].value == pytest.approx(-10)


def test_what_is_kept_stands_after_the_last_block_with_the_others_beside_it(results):
    table = noise_kept.build(results)
    assert len(table.rows) == 3 * (3 * 3 + 1)  # three models that select, kinds that add noise, levels; correlations
    row = table.rows[0].cells
    assert (row["condition"], row["kept"], row["patches"]) == ("white 20 dB", 8, 64)
    assert [row[f"overlap_{block}"].value for block in (3, 6, 9)] == pytest.approx([31 / 33, 15 / 17, 7 / 9])
    assert row["drift"].value == pytest.approx(-5, abs=1e-4)
    assert row["lost"].value == pytest.approx(40)  # of 90, 80 are right at 20 dB, less 30 in white noise


def test_below_each_model_agreement_is_correlated_with_what_is_lost(results):
    """Losses follow the level alone off the shelf. Trained with it, white noise costs more: ranks 8 5 2 of agreement in
    each kind, against 5 8 9 of loss in white noise and 1.5 3.5 6.5 in the others."""
    found = [row.cells for row in noise_kept.build(results).rows if "level" not in row.cells]
    assert [row["method"] for row in found] == ["topk", "topk", "random"]
    assert {row["condition"] for row in found} == {"rank correlation with lost"}
    for block in (3, 6, 9):
        assert [row[f"overlap_{block}"] for row in found] == pytest.approx([-0.74726, -1, -1], abs=1e-5)


def test_nothing_asked_and_nothing_made(tmp_path):
    for study in (Results("mini", [], facts), _unmade(tmp_path)):
        for figure in (noise_levels, noise_interaction):
            drawn, frame = figure.draw(study)
            assert frame.empty
            assert style.svg(drawn)
        assert all(row.cells.get("verdict") is None for row in robustness.build(study).rows)
        assert noise_kept.build(study).rows == ()


def _unmade(folder) -> Results:
    asked = Asked(folder)
    asked.model(shares(0.9, 0.8), made=False)
    asked.model(shares(0.9, 0.8), topk(0.5), made=False)
    return asked.results


def test_operating_points_have_the_accuracy_in_noise_of_the_models_trained_so():
    """60 of a hundred clips are right in every kind and level."""
    _, frame = operating_points.draw(lengths())
    assert frame["in_noise"].tolist() == [pytest.approx(60.0)] * len(frame)
    assert set(frame["keep_rate"]) == {1.0, 0.5}
