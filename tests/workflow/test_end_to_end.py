"""From made audio to the report through the real Snakemake: a study of four fine-tunings, then what must not rerun."""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from audioprune.reporting.paper import ADDRESSES

from .conftest import Project

REPORT = "results/demo/report.html"


def shrink(data: dict) -> None:
    """Leave a study that two cores finish in about a minute."""
    data["generators"] |= {"words": {"clips": 120}, "sentences": {"clips": 4}}
    data["pretraining"]["tiny"]["corpus"]["clips"] = 16
    data["pretraining"]["tiny"]["recipe"] |= {"epochs": 1, "warmup_epochs": 0, "batch_size": 8}
    recipe = {"epochs": 1, "warmup_epochs": 0, "shrink_start": 0, "shrink_epochs": 0}
    data["recipes"]["demo"]["audiomae"]["all"]["recipe"] |= recipe  # and of AST, which is like it there
    study = data["studies"]["demo"]
    study["pretraining"] = "tiny"
    study["grids"] = [
        {"backbones": ["audiomae-tiny", "ast-tiny"], "datasets": ["demo-words"], "keep_rates": [1.0, 0.5]},
        {"backbones": ["audiomae-tiny"], "datasets": ["demo-sentences"]},
    ]
    study["throughput"] = {"batch_size": {"all": 2}, "warmup": 1, "runs": 2}
    noise = {"kinds": ["white"], "snrs": [10], "keep_rates": [0.5]}
    study["robustness"] = [{"backbones": ["ast-tiny"], "datasets": ["demo-words"]} | noise]


def of_one_grid(study: dict, grid: dict) -> dict:
    """The study with this grid alone, and of what it asks for what the grid has."""
    traces = study["traces"] | {"keep_rates": grid["keep_rates"]}
    speech = {"recognitions": [], "pace": [], "robustness": [], "durations": []}
    return study | {"grids": [grid], "contrasts": None, "traces": traces, "evaluations": {"extends": "usual"}} | speech


def edit_yaml(project: Project, edit) -> None:
    path = project.root / "config.yaml"
    data = yaml.safe_load(path.read_text())
    edit(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("end-to-end"))
    edit_yaml(project, shrink)
    done = project.run("snakemake", "--cores", "2", REPORT, seconds=600)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return project


def test_everything_is_there_and_a_second_run_has_nothing_to_do(finished):
    folder = finished.root / "results" / "demo"
    for name in [
        "table1.tex",
        "table1.csv",
        "table7.csv",
        "figure2.svg",
        "accuracy-macs.pdf",
        "report.html",
        "report.pdf",
    ]:
        assert (folder / name).stat().st_size > 100, name
    started = time.monotonic()
    again = finished.run("snakemake", "--cores", "2", REPORT)
    assert "Nothing to be done" in again.stdout + again.stderr
    assert time.monotonic() - started < 60


def test_accuracies_in_the_table_follow_from_the_predictions_of_each_clip(finished):
    with open(finished.root / "results" / "demo" / "table1.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shown = {(r["backbone"], float(r["keep_rate"])): r for r in rows if r["dataset"] == "demo-words"}
    assert set(shown) == {(b, k) for b in ("audiomae-tiny", "ast-tiny") for k in (1.0, 0.5)}
    for (backbone, rate), row in shown.items():
        label = "none-kr1" if rate == 1 else "topk-kr0.5"
        pattern = f"evaluate/{backbone}/demo-words/{label}/fold1-seed0/eval-{label}/last/*/predictions.parquet"
        (path,) = finished.cells(pattern)
        frame = pd.read_parquet(path)
        right = [np.argmax(s) == labels[0] for s, labels in zip(frame["scores"], frame["labels"], strict=True)]
        values = [float(v) for v in row.values() if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", v or "")]
        assert any(abs(v - np.mean(right)) < 1e-9 or abs(v - 100 * np.mean(right)) < 1e-9 for v in values)


def test_traces_of_pruned_and_unpruned_models_are_analysed(finished):
    script = (
        "from audioprune.planning.plan import Plan; "
        "print(*[cell.dir / 'record.json' for cell in Plan().study('demo').cells('tokens')])"
    )
    targets = finished.run(sys.executable, "-c", script).stdout.split()
    assert len(targets) == 4
    done = finished.run("snakemake", "--cores", "2", *targets, seconds=600)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert len(finished.cells("clusters/*/*/record.json")) == 1
    for target in map(finished.root.joinpath, targets):
        results = json.loads(target.read_text())["results"]
        stages = pd.read_parquet(target.parent / "stages.parquet")
        pairs = pd.read_parquet(target.parent / "correlation.parquet")
        assert len(pairs) == results["clips"] * 12 * 2 * 2 * 2
        if results["keep_rate"] == 1:
            assert len(stages) == 0
            continue
        assert stages.groupby("stage")["kept"].unique().map(list).tolist() == [[32], [16], [8]]
        some = stages[stages["signal_input"] > 0]
        assert (some["ratio_b"] == some["signal_kept"] / some["signal_input"]).all()


def test_every_record_says_where_it_came_from(finished):
    paths = finished.cells("**/record.json")
    assert len(paths) > 15
    for path in paths:
        record = json.loads(path.read_text())
        assert record["key"] == path.parent.name
        made = record["made"]
        assert made["versions"]["torch"] if record["kind"] in ("finetune", "evaluate") else made["versions"]["python"]
        assert made["wall_s"] > 0
        assert made["peak_memory_mib"] > 0
        assert {"settings", "inputs", "code", "results"} <= set(record)


def test_the_report_is_one_file_without_the_network(finished):
    text = (finished.root / REPORT).read_text()
    assert not re.search(r"""src\s*=\s*["']?(https?:)?//""", text)
    assert set(re.findall(r"""href\s*=\s*["']?((?:https?:)?//[^"'\s>]*)""", text)) == {*ADDRESSES}
    assert "@import" not in text
    assert "snakemake results/demo/table1.tex" in text
    paths = [str(finished.root), str(Path.home())]
    assert not any(path in text for path in paths)


def test_a_damaged_weights_file_is_named_and_made_again_with_the_same_bits(finished):
    weights = finished.cells("finetune/ast-tiny/demo-words/topk-kr0.5/*/*/last.safetensors")[0]
    before = weights.read_bytes()
    weights.write_bytes(before[:-10])
    again = finished.run("snakemake", "--cores", "2", REPORT, seconds=300)
    assert again.returncode == 0, again.stderr
    assert str(weights.relative_to(finished.root)) in again.stderr
    assert weights.read_bytes() == before
    assert "2 of 2 steps" in again.stdout + again.stderr or "1 of 1 steps" in again.stdout + again.stderr


def test_a_report_that_changes_twice_is_made_twice(finished):
    """By runs of Snakemake: it remembers what a job's inputs were when that job last ran."""
    page = finished.root / REPORT
    for title in ("Once", "Twice", "Thrice"):
        edit_yaml(finished, lambda data, title=title: data["studies"]["demo"].update(title=title))
        done = finished.run("snakemake", "--cores", "2", REPORT, seconds=200)
        assert done.returncode == 0, done.stderr[-3000:]
        assert re.search(f"<title>[^<]* {title}</title>", page.read_text()), title
