"""Which traces and analyses a study plans."""

from __future__ import annotations

import pytest

from audioprune.cells.query import matches, value_of
from audioprune.config.design import Traces
from audioprune.config.file import load
from audioprune.errors import UserError
from audioprune.labels import label_of
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from tests import REPOSITORY


@pytest.fixture
def planner(monkeypatch) -> Planner:
    monkeypatch.setenv("AUDIOPRUNE_DEVICE", "a device")
    return Planner(load(REPOSITORY / "config.yaml"))


def with_traces(planner: Planner, name: str, **traces):
    study = planner.config.studies[name]
    studies = {**planner.config.studies, name: study.model_copy(update={"traces": Traces(**traces)})}
    return study_of(Planner(planner.config.model_copy(update={"studies": studies})), name)


@pytest.mark.parametrize("name", ["mini", "demo", "paper"])
def test_every_trace_has_its_analyses_and_every_dataset_its_clusters_once(planner, name):
    study = study_of(planner, name)
    traces, tokens = study.cells("trace"), study.cells("tokens")
    assert [cell.inputs["trace"].path for cell in tokens] == [cell.path for cell in traces]
    assert len(traces) > 0
    traced = {cell.inputs["finetune"].settings.dataset for cell in traces}
    assert sorted(cell.settings.dataset for cell in study.cells("clusters")) == sorted(traced)
    for cell in tokens:
        dataset = value_of(cell, "dataset")
        assert cell.inputs["clusters"].settings.dataset == dataset
        assert cell.inputs["features"] is cell.inputs["clusters"].inputs["features"]
        facts = planner.facts(dataset)
        assert cell.settings.tau == ("truth" if facts.generator else "auto" if facts.tau is None else "given")
        assert cell.address.startswith(cell.inputs["trace"].address)
        assert "checkpoint" not in cell.inputs


def test_cells_of_analyses_are_found_by_what_was_traced(planner):
    study = study_of(planner, "mini")
    found = study.cells("tokens", backbone="ast-tiny", dataset="fsdd-digits", keep_rate=0.5)
    assert len(found) == 1
    assert label_of(found[0].inputs["trace"].settings.pruning) == "topk-kr0.5"
    assert matches(found[0], {"method": "topk", "fold": 1, "seed": 0, "label_map": "right"})
    assert len(study.cells("tokens", keep_rate=1.0)) == 6  # both backbones on FSDD and on two folds of ESC-10


def test_the_published_study_looks_into_unpruned_models_of_every_fold(planner):
    study = study_of(planner, "paper")
    own = study.cells("trace", backbone="audiomae-b", dataset="esc50", keep_rate=1.0, seed=12)
    assert {value_of(cell, "fold") for cell in own} == {1, 2, 3, 4, 5}
    tuned = {"dataset": "esc50", "keep_rate": 1.0, "backbone": "ast-b"}
    assert {value_of(cell, "seed") for cell in study.cells("tokens", **tuned)} == {12}
    assert {cell.settings.clips for cell in study.cells("trace")} == {0}
    (clusters,) = [cell for cell in study.cells("clusters") if cell.settings.dataset == "esc50"]
    assert clusters.settings.tau == -0.65


def test_runs_and_methods_that_are_traced(planner):
    grid = planner.config.studies["mini-full"].grids[0].model_copy(update={"methods": ("topk", "random", "uniform")})
    study = planner.config.studies["mini-full"].model_copy(update={"grids": (grid,)})
    own = Planner(planner.config.model_copy(update={"studies": {"mini-full": study}}))

    def count(**traces) -> int:
        return len(with_traces(own, "mini-full", **{"keep_rates": (0.5,)} | traces).cells("trace"))

    runs = {"fsdd-digits": 1, "fsdd-speakers": 1, "esc10": 5, "esc10mix": planner.facts("esc10mix").folds}
    assert count() == 2 * len(runs)
    assert count(runs="folds") == 2 * sum(runs.values())
    assert count(runs="all") == 2 * 3 * sum(runs.values())
    assert count(methods=("topk", "random", "uniform")) == 3 * 2 * len(runs)
    assert count(keep_rates=(1.0,), methods=()) == 2 * len(runs)
    assert count(keep_rates=(0.9, 0.5)) == 2 * 2 * len(runs)


def test_settings_of_an_analysis_are_in_its_address_and_key(planner):
    traced = study_of(planner, "demo").cells("trace", dataset="demo-sounds")[0]
    plain, truth, shuffled = (
        planner.tokens(traced, **changed) for changed in ({"tau": "auto"}, {}, {"label_map": "shuffled"})
    )
    assert len({cell.key for cell in (plain, truth, shuffled)}) == 3
    assert plain.address == f"{traced.address}/signal-auto"
    assert truth.address == f"{traced.address}/signal-truth"
    assert truth.inputs["audio"] is traced.inputs["audio"]
    assert "audio" not in plain.inputs
    assert shuffled.address == f"{traced.address}/signal-truth-shuffled"


def test_an_unknown_method_to_be_traced_is_refused(tmp_path):
    path = tmp_path / "config.yaml"
    text = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("traces: {keep_rates", "traces: {methods: [topkk], keep_rates"), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"studies.paper.traces.methods.0: no method named 'topkk'; did you mean 'topk'"
    ):
        load(path)


def test_a_second_baseline_is_neither_traced_nor_analysed(planner):
    study = study_of(planner, "paper")
    found = study.cells("finetune", dataset="spc2", backbone="audiomae-b")
    second = [c for c in found if c.settings.augment.baseline == "matched"]
    assert [cell.settings.pruning.method for cell in second] == ["none"]
    tuned = {cell.inputs["finetune"].path for kind in ("trace", "discard") for cell in study.cells(kind)}
    assert second[0].path not in tuned


@pytest.mark.parametrize("name", ["paper", "mini", "mini-full", "demo"])
def test_models_of_one_shape_are_timed_once_at_all_their_keep_rates(planner, name):
    study, timed = study_of(planner, name), {}
    for cell in study.cells("throughput"):
        s = cell.settings
        shape = (s.model.backbone, s.model.stride, s.model.kernel, s.frames, s.num_classes, s.blocks, s.method)
        assert timed.setdefault((*shape, s.batch_size, str(s.options)), cell) is cell
    for cell in study.cells("evaluate", method="topk"):
        tuned, facts = cell.inputs["finetune"].settings, planner.facts(value_of(cell, "dataset"))
        if cell.settings.pruning == tuned.pruning and label_of(tuned.pruning).startswith("topk-"):
            found = study.cells("throughput", backbone=tuned.model.backbone, frames=facts.frames, method="topk")
            rates = [one.settings.keep_rates for one in found if one.settings.num_classes == facts.num_classes]
            assert any(tuned.pruning.keep_rate in own for own in rates)
