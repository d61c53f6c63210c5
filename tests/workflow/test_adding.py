"""Adding something is adding one file: a dataset, a family of backbones, a pruning method, a table, a figure, a claim.

tests/fixtures/adding holds one of each, where they belong in the project, and a configuration that uses them. They go
into a copy of the project, where nothing else is changed, and the real Snakemake plans, trains, draws and judges.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audioprune.statistics.bootstrap import draw
from audioprune.statistics.intervals import quantiles
from audioprune.statistics.units import RECORDINGS, Unit

from .conftest import ROOT, Project
from .test_truth import git

ADDED = ROOT / "tests" / "fixtures" / "adding"
FILES = {path.relative_to(ADDED).as_posix() for path in ADDED.rglob("*") if path.suffix in (".py", ".yaml")}
REPORT = "results/adding/report.html"
BACKBONE, DATASET, CLASSES = "ast-all-tiny", "demo-syllables", ("one", "two")
TUNED = {"none": "none-kr1", "topk": "topk-kr0.5", "centre": "centre-kr0.5"}  # by method
HEAVY = {"torch", "torchaudio", "timm", "matplotlib", "scipy", "sklearn"}
# As sitecustomize.py: every Python says at its end what it has imported.
TELL = """
import atexit, sys
atexit.register(lambda: open({file!r}, "a").write(" ".join(sys.modules) + "\\n"))
"""
# Keys of every cell that a study plans, and of the exhibits whose modules name no others.
KEYS = """
import json
from audioprune.planning.plan import Plan
plan = Plan()
keys = {path: cell.key for path, cell in plan.study("demo").all.items()}
shown = ["table1", "table2", "figure2", "figure14"]
print(json.dumps(keys | {name: plan.shown_as("demo", name).key for name in shown}))
"""


def keys_of_demo(project: Project) -> dict[str, str]:
    found = project.run(sys.executable, "-c", KEYS)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def committed(root: Path) -> Project:
    """A copy of the project, as a clone has it."""
    project = Project(root)
    shutil.copy(ROOT / ".gitignore", root)
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "all")
    return project


@pytest.fixture(scope="module")
def added(tmp_path_factory) -> Project:
    """With the new files, and nothing made: not to be changed."""
    project = committed(tmp_path_factory.mktemp("added"))
    shutil.copytree(ADDED, project.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return project


@pytest.fixture(scope="module")
def made(added, tmp_path_factory) -> Project:
    """With everything made that its study plans."""
    project = added.copy(tmp_path_factory.mktemp("made"))
    done = project.run("snakemake", "--cores", "2", REPORT, seconds=600)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return project


def table(project: Project, name: str) -> list[dict[str, str]]:
    with open(project.root / "results" / "adding" / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def evaluation(project: Project, method: str) -> Path:
    """The evaluation of the model that was trained with a method."""
    label = TUNED[method]
    where = f"evaluate/{BACKBONE}/{DATASET}/{label}/fold1-seed0/eval-{label}/last/*"
    (folder,) = project.cells(where)
    return folder


def predicted(project: Project, method: str) -> pd.DataFrame:
    """Its predictions, with the one label of each clip, and whether the model is right."""
    frame = pd.read_parquet(evaluation(project, method) / "predictions.parquet")
    label = frame["labels"].map(lambda labels: labels[0])
    return frame.assign(label=label, right=np.stack(frame["scores"]).argmax(axis=1) == label)


def accuracy(project: Project, method: str) -> float:
    return 100 * predicted(project, method)["right"].mean()


# --- planning -------------------------------------------------------------------------------------------------------


def test_planning_knows_the_new_things_and_loads_nothing_heavy(added, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(TELL.format(file=str(tmp_path / "modules")))
    monkeypatch.setitem(added.environment, "PYTHONPATH", f"{tmp_path}:{added.environment['PYTHONPATH']}")
    found = added.run("snakemake", "-n", REPORT)
    assert found.returncode == 0, found.stdout + found.stderr
    imported = set((tmp_path / "modules").read_text().split())
    modules = {path.removesuffix(".py").removeprefix("src/").replace("/", ".") for path in FILES if "src" in path}
    assert modules < imported
    assert not HEAVY & imported


def test_a_default_is_no_option_and_every_cell_is_planned_once(added):
    jobs = added.jobs("adding")
    assert sorted(path.split("/")[3] for path in jobs["finetune"]) == sorted(TUNED.values())
    assert all(f"/{BACKBONE}/{DATASET}/" in path for path in jobs["finetune"] + jobs["evaluate"] + jobs["tokens"])
    assert [path.split("/")[1] for path in jobs["pretrain"]] == [BACKBONE]  # as AST, which it is like
    assert {path.split("/")[3] for path in jobs["macs"]} == {"topk", "centre"}
    assert "eval-centre.freq-kr0.5" in "".join(jobs["evaluate"])  # off the shelf, by its other option
    drawn = {path.rpartition("/")[0] for path in jobs["table"] + jobs["figure"]}
    assert {"table/adding/by-class", "table/adding/claims", "table/adding/table2"} <= drawn
    assert {"figure/adding/intervals", "figure/adding/figure14"} <= drawn


def test_nothing_that_was_there_is_made_again(added, project, tmp_path_factory):
    after = added.copy(tmp_path_factory.mktemp("after"))
    shutil.copy(ROOT / "config.yaml", after.root)
    assert keys_of_demo(after) == keys_of_demo(project)


# --- what is made ---------------------------------------------------------------------------------------------------


def test_the_new_files_and_the_configuration_are_all_that_changed(made):
    found = made.run("git", "status", "--porcelain", "--untracked-files=all").stdout.splitlines()
    assert found.pop(0) == " M config.yaml"
    assert {line.removeprefix("?? ") for line in found} == FILES - {"config.yaml"}


def test_the_table_shows_what_follows_from_each_clip(made):
    shown = {(row["method"], row["class"]): row for row in table(made, "by-class")}
    assert set(shown) == {(method, name) for method in TUNED for name in CLASSES}
    for (method, name), row in shown.items():
        frame = predicted(made, method)
        own = frame[frame["label"] == CLASSES.index(name)]
        assert (row["backbone"], row["dataset"], row["clips"]) == (BACKBONE, DATASET, str(len(own)))
        assert float(row["accuracy"]) == pytest.approx(100 * own["right"].mean())


def test_the_figure_draws_what_was_said_within_each_speaker(made):
    shown = {row["method"]: row for row in table(made, "intervals")}
    assert set(shown) == set(TUNED)
    differ = set()
    for method, row in shown.items():
        frame = predicted(made, method)
        units = (Unit(within="speaker"), RECORDINGS)
        within, plain = (quantiles(draw(frame, "top1", unit=unit), [0.025, 0.975]) for unit in units)
        found = [float(row[name]) for name in ("value", "low", "high")]
        assert found == pytest.approx([accuracy(made, method), *(100 * end for end in within)])
        assert (row["backbone"], row["dataset"], row["n"]) == (BACKBONE, DATASET, str(len(frame)))
        differ |= {method} if within != plain else set()
    assert differ


def test_exhibits_that_were_there_show_the_new_names(made):
    accuracies = {row["method"]: float(row["accuracy"]) for row in table(made, "table1")}
    assert accuracies == pytest.approx({method: accuracy(made, method) for method in TUNED})
    assert {row["method"] for row in table(made, "table7")} == set(TUNED)
    assert {row["method"] for row in table(made, "off-the-shelf")} == {"none", "centre.freq"}
    assert {row["score"] for row in table(made, "table2")} == {"global_literal"}
    assert {row["backbone"] for row in table(made, "figure14")} == {BACKBONE}


def test_the_new_method_costs_what_torchprofile_counts(made):
    model = ("--backbone", BACKBONE, "--dataset", DATASET, "--keep-rate", "0.5")
    for method in ("centre", "topk"):
        found = made.run("audioprune", "macs", *model, "--method", method, "--json")
        assert found.returncode == 0, found.stderr
        (cell,) = made.cells(f"macs/{BACKBONE}/128x2/{method}/*/macs.csv")
        counted = pd.read_csv(cell).set_index("keep_rate")["torchprofile"]
        assert json.loads(found.stdout)["total"] == counted[0.5]
        assert json.loads(found.stdout)["unpruned"]["total"] == counted[1.0]
    unknown = made.run("audioprune", "macs", *model, "--method", "centre", "--option", "axes=freq")
    assert (unknown.returncode, "did you mean 'axis'?" in unknown.stderr) == (1, True)


def test_the_claim_is_judged_by_the_new_cells(made):
    found = made.run("audioprune", "claims", "--study", "adding", "--json")
    assert found.returncode == 0, found.stderr
    claim = next(one for one in json.loads(found.stdout)["claims"] if one["ids"] == ["own-1"])
    assert claim["verdict"] in ("supported", "refuted", "inconclusive")
    assert (claim["status"], claim["on_this_tier"], claim["arithmetic"]) == ("", True, None)  # tiny, as no paper's is
    assert claim["judged_on"] == f"on {DATASET} with tiny models"
    (part,) = claim["parts"]
    cells = [evaluation(made, method).relative_to(made.root / "results" / "cells") for method in ("none", "centre")]
    assert part["cells"] == [cell.as_posix() for cell in cells]
    assert part["value"] == pytest.approx(accuracy(made, "none") - accuracy(made, "centre"))
    assert part["name"] == f"{BACKBONE} on {DATASET} with centre"


def test_the_report_names_them(made):
    text = (made.root / REPORT).read_text(encoding="utf-8")
    assert (made.root / REPORT).with_suffix(".pdf").stat().st_size > 10_000
    shown = [BACKBONE, DATASET, "Accuracy by class", "Accuracies with their intervals", "own-1", "place in the clip"]
    assert [name for name in shown if name not in text] == []


def test_commands_know_them(made):
    status = made.run("audioprune", "status", "adding", "--json")
    assert status.returncode == 0, status.stderr
    assert {cell["state"] for cell in json.loads(status.stdout)["cells"]} == {"done"}
    why = made.run("audioprune", "why", f"finetune/{BACKBONE}/{DATASET}/{TUNED['centre']}/fold1-seed0")
    assert (why.returncode, "\n  done" in why.stdout) == (0, True)
    assert made.run("audioprune", "doctor", "adding").returncode == 0
    plan = made.run("audioprune", "plan", "adding")
    assert (plan.returncode, plan.stdout) == (0, "adding: nothing to do\n")
