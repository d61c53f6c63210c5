"""Results and the frames of evaluations, against the fake predictions themselves."""

from __future__ import annotations

import json
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from audioprune import records
from audioprune.labels import method_label
from audioprune.results.contrasts import difference
from audioprune.results.evaluations import covered, runs, tidy
from audioprune.results.study import Results
from audioprune.settings.data import AudioSettings
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings
from audioprune.statistics.bootstrap import ONE_SEED, contrast, draw
from audioprune.statistics.intervals import quantiles
from tests.fakes.studies import CLIPS, RECIPE, Study, facts, fake_study, predictions, shared


def accuracy(frame: pd.DataFrame) -> float:
    return 100 * np.mean([np.argmax(s) in own for s, own in zip(frame["scores"], frame["labels"], strict=True)])


def row_of(results, **wanted):
    frame = tidy(results)
    for column, value in {"selection": "last", "perturbation": "none", **wanted}.items():
        frame = frame[frame[column] == value]
    (row,) = frame.itertuples()
    return row


def test_cells_are_found_by_values_of_settings():
    results = shared()
    found = results.cells("evaluate", backbone="ast-tiny", dataset="esc10", keep_rate=0.5, fold=2)
    assert [r.address for r in found] == ["ast-tiny/esc10/topk-kr0.5/fold2-seed0/last"]
    assert [r.settings.dataset for r in results.cells("audio")] == ["fsdd-digits", "esc10", "birds", "spc2"]
    assert results.cells("evaluate", backbone="ast-b") == []


def test_inputs_are_wrapped_once():
    results = shared()
    one, two = results.cells("evaluate", dataset="birds", keep_rate=0.7)[:2]
    assert one.inputs["audio"] is two.inputs["audio"] is results.cells("audio", dataset="birds")[0]
    assert one.inputs["finetune"].settings.dataset == "birds"


def test_all_lists_inputs_before_what_is_made_of_them():
    everything = [r.path for r in shared().all()]
    assert len(everything) == len(set(everything))
    for r in shared().all():
        assert all(everything.index(i.path) < everything.index(r.path) for i in r.inputs.values())


def test_exhibits_of_one_process_read_and_compute_what_they_share_once(tmp_path):
    cells, known = fake_study(tmp_path).cells(), {}
    first, alone = Results("s", cells, facts, known=known), Results("s", cells, facts)
    assert tidy(first).equals(tidy(alone))
    with (
        mock.patch.object(pd, "read_parquet", side_effect=AssertionError("read again")),
        mock.patch("audioprune.statistics.bootstrap.draw", side_effect=AssertionError("drawn again")),
    ):
        assert tidy(Results("s", cells, facts, known=known)).equals(tidy(alone))


def test_an_exhibit_has_its_own_cells_alone_whatever_others_know(tmp_path):
    cells, known = fake_study(tmp_path).cells(), {}
    whole = Results("s", cells, facts, known=known)
    some = Results("s", whole.cells("evaluate", dataset="birds"), facts, known=known)
    (other,) = whole.cells("audio", dataset="esc10")
    assert known[other.path] is other
    with pytest.raises(KeyError):
        some.cell(other.path)
    assert {r.path for r in some.all()} < {r.path for r in whole.all()}
    assert {r.inputs["finetune"].settings.dataset for r in some.cells("evaluate")} == {"birds"}


def test_what_an_exhibit_does_to_a_frame_no_other_sees(tmp_path):
    (one, *_) = fake_study(tmp_path).cells("evaluate", dataset="birds", keep_rate=0.5)
    before = pd.read_parquet(one.dir / "predictions.parquet")
    for _ in range(2):  # as it was read, and as it was kept
        frame = one.predictions()
        frame["clip"] = "another"
        frame.loc[0, "recording"] = "another"
        frame.drop(columns="scores", inplace=True)
    assert one.predictions().drop(columns="scores").equals(before.drop(columns="scores"))
    assert np.array_equal(np.stack(one.predictions()["scores"]), np.stack(before["scores"]))


def test_frames_of_large_files_are_not_kept(tmp_path, monkeypatch):
    (one, *_) = fake_study(tmp_path).cells("evaluate", dataset="birds", keep_rate=0.5)
    size = (one.dir / "predictions.parquet").stat().st_size
    reads = mock.Mock(wraps=pd.read_parquet)
    monkeypatch.setattr(pd, "read_parquet", reads)
    for small, expected in ((size - 1, 2), (size, 3)):
        monkeypatch.setattr("audioprune.results.study.SMALL", small)
        one.predictions(), one.predictions()
        assert reads.call_count == expected


def test_missing_cells_name_the_root_of_the_trouble(tmp_path):
    study = Study(tmp_path)
    audio = study.cell("audio", "esc10", AudioSettings(dataset="esc10"), made=False)
    settings = FinetuneSettings(model=Model(backbone="ast-tiny"), dataset="esc10", recipe=RECIPE)
    tuned = study.cell("finetune", "x", settings, made=False, audio=audio)
    noted = study.cell("audio", "birds", AudioSettings(dataset="birds"), made=False, note="index it first")
    results = Results("s", [tuned, noted])
    assert [r.why for r in results.cells()] == ["audio esc10 is not made yet", "index it first"]
    assert not any(r.ok for r in results.cells())


@pytest.mark.parametrize(("text", "why"), [("{", "damaged"), (json.dumps({"key": "other"}), "another key")])
def test_a_record_that_is_not_this_cells_is_not_used(tmp_path, text, why):
    cell = Study(tmp_path).cell("audio", "esc10", AudioSettings(dataset="esc10"))
    (cell.dir / records.RECORD).write_text(text)
    (result,) = Results("s", [cell]).cells()
    assert not result.ok
    assert why in result.why
    assert result.record == {}


def test_runs_are_recomputed_from_predictions():
    results = shared()
    frame = runs(results)
    assert len(frame) == len(results.cells("evaluate"))
    for row in frame[(frame["why"] == "") & (frame["metric"] == "top1")].itertuples():
        assert row.value == pytest.approx(accuracy(results.cell(row.cell).predictions()), abs=1e-9)
        assert row.n == CLIPS[row.dataset]


def test_folds_are_averaged_and_their_interval_is_that_of_the_pooled_clips():
    row = row_of(shared(), backbone="ast-tiny", dataset="esc10", keep_rate=0.7)
    parts = [shared().cell(path).predictions() for path in row.cells]
    assert row.value == pytest.approx(np.mean([accuracy(p) for p in parts]), abs=1e-9)
    low, high = quantiles(draw(pd.concat(parts), "top1", draws=1000), [0.025, 0.975])
    assert (row.low, row.high) == pytest.approx((100 * low, 100 * high))
    assert (row.folds, row.runs, row.missing, row.n, row.clusters) == (2, 2, 0, 160, 80)
    assert row.note == ONE_SEED


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean over the positives of the precision at their rank; no ties."""
    hits = truth[np.argsort(-scores)]
    return float(np.mean(np.cumsum(hits)[hits] / (np.flatnonzero(hits) + 1)))


def test_mean_average_precision_of_the_multilabel_set():
    row = row_of(shared(), backbone="audiomae-tiny", dataset="birds", keep_rate=0.5)
    frame = shared().cell(row.cells[0]).predictions()
    scores, truth = np.stack(list(frame["scores"])), np.array([[c in own for c in range(4)] for own in frame["labels"]])
    by_class = [average_precision(scores[:, c], truth[:, c]) for c in range(4)]
    assert row.value == pytest.approx(100 * np.mean(by_class), abs=1e-9)


def test_what_was_not_run_has_no_value_and_a_reason():
    row = row_of(shared(), dataset="spc2", keep_rate=0.5)
    assert np.isnan(row.value)
    assert (row.runs, row.missing, row.n) == (0, 1, 0)
    assert row.why.startswith("needs checkpoint-audiomae-b")


def test_a_difference_is_paired():
    base = row_of(shared(), backbone="ast-tiny", dataset="fsdd-digits", keep_rate=1.0)
    row = row_of(shared(), backbone="ast-tiny", dataset="fsdd-digits", keep_rate=0.5, method="topk")
    a, b = (shared().cell(r.cells[0]).predictions() for r in (base, row))
    drop = contrast((1, draw(a, "top1", draws=1000)), (-1, draw(b, "top1", draws=1000)))
    low, high = quantiles(drop, [0.025, 0.975])
    found = difference(shared(), base, row)
    assert found.value == pytest.approx(accuracy(a) - accuracy(b))
    assert found.interval == pytest.approx((100 * low, 100 * high))
    assert (found.n, found.runs, found.seeds, found.left_out) == (CLIPS["fsdd-digits"], 1, 1, "")
    assert found.cells == (*base.cells, *row.cells)


def test_a_difference_from_other_clips_has_no_interval():
    base = row_of(shared(), backbone="ast-tiny", dataset="fsdd-digits", keep_rate=1.0)
    row = row_of(shared(), backbone="ast-tiny", dataset="esc10", keep_rate=0.5)
    found = difference(shared(), base, row)
    first = accuracy(shared().cell(row.cells[0]).predictions())  # esc10 has two folds, of which digits have one
    assert found.value == pytest.approx(base.value - first)
    assert found.left_out == "over the 1 of 2 runs (folds and seeds) that all sides have"
    assert np.isnan(found.interval).all()


def test_runs_that_differ_otherwise_are_told_apart(tmp_path):
    study = Study(tmp_path)
    for initial in ("pretrained", "scratch"):
        settings = FinetuneSettings(model=Model(backbone="ast-tiny"), dataset="esc10", recipe=RECIPE, initial=initial)
        tuned = study.cell("finetune", initial, settings)
        frame = predictions("esc10", 0.9, seed=3)
        files = [lambda out, frame=frame: frame.to_parquet(out / "predictions.parquet")]
        study.cell("evaluate", initial, EvaluateSettings(), files=files, finetune=tuned)
    assert tidy(Results("s", study.cells))["variant"].tolist() == ["initial=pretrained", "initial=scratch"]
    assert set(tidy(shared())["variant"]) == {""}


def test_seeds_count_clips_once(tmp_path):
    study = Study(tmp_path)
    values = []
    for seed in (0, 1):
        settings = FinetuneSettings(model=Model(backbone="ast-tiny"), dataset="esc10", recipe=RECIPE, seed=seed)
        tuned = study.cell("finetune", f"seed{seed}", settings)
        frame = predictions("esc10", 0.8, seed=seed)
        values.append(accuracy(frame))
        files = [lambda out, frame=frame: frame.to_parquet(out / "predictions.parquet")]
        study.cell("evaluate", f"seed{seed}", EvaluateSettings(), files=files, finetune=tuned)
    (row,) = tidy(Results("s", study.cells)).itertuples()
    assert row.value == pytest.approx(np.mean(values))
    assert (row.n, row.seeds, row.runs) == (CLIPS["esc10"], 2, 2)
    assert row.low < row.value < row.high
    assert covered([row]) == ("2 seeds: intervals cover 1/2 of the variance between seeds (ast-tiny on esc10).",)


def test_an_exhibit_says_what_its_intervals_leave_out():
    """Once for each reason, with the models and datasets; what was not run has no interval."""
    frame = tidy(shared())
    remark, of_map = covered(frame.itertuples())
    assert of_map.startswith("mAP depends on the number of clips")
    assert remark.startswith("One seed: training variance is not covered (")
    assert set(remark.partition("(")[2].removesuffix(").").split(", ")) == {
        f"{r.backbone} on {r.dataset}" for r in frame.itertuples() if r.runs
    }
    assert covered(frame[frame["runs"] == 0].itertuples()) == ()


def test_takes_of_fsdd_are_drawn_within_their_speakers(tmp_path):
    """One speaker always right, one always wrong: nothing is left to draw, where free recordings would vary."""
    settings = FinetuneSettings(model=Model(backbone="ast-tiny"), dataset="fsdd-digits", recipe=RECIPE)
    study = Study(tmp_path)
    tuned = study.cell("finetune", "x", settings)
    frame = predictions("fsdd-digits", 1.0, seed=0)
    frame["speaker"] = ["theo", "lucas"] * 150
    frame["recording"] = frame["speaker"] + frame["clip"]
    for scores, speaker in zip(frame["scores"], frame["speaker"], strict=True):
        scores[:] = -scores if speaker == "theo" else scores
    files = [lambda out: frame.to_parquet(out / "predictions.parquet")]
    study.cell("evaluate", "x", EvaluateSettings(), files=files, finetune=tuned)
    (row,) = tidy(Results("s", study.cells)).itertuples()
    left = 100 * 1.959964 * np.sqrt(3 / 4) / 303  # where no draw differs: three takes more, half of them right
    assert (row.low, row.value, row.high) == pytest.approx((50 - left, 50, 50 + left))
    free = quantiles(draw(frame, "top1"), [0.025, 0.975])
    assert 100 * np.ptp(free) == pytest.approx(2 * 1.96 * 50 / np.sqrt(300), rel=0.15)


def test_label_leaves_the_keep_rate_out():
    assert method_label(Pruning()) == "none"
    assert method_label(Pruning(method="topk", keep_rate=0.7, options={"score": "cls"})) == "topk.cls"
    assert method_label(Pruning(method="tome", options={"r": 20})) == "tome.r20"


def test_the_same_study_gives_the_same_frame(tmp_path):
    again = tidy(fake_study(tmp_path)).drop(columns="cells")
    pd.testing.assert_frame_equal(again, tidy(shared()).drop(columns="cells"))
