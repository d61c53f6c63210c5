"""The rest of what a change reruns: moves, clones, branches, reversals, layout, and one module of each kind."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from .conftest import COPIED, ROOT, Project
from .test_reruns import REPORT, count


def git(project: Project, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=project.root, check=True, capture_output=True)


def append(project: Project, name: str, text: str = "\nCHANGED = 1\n") -> None:
    path = project.root / "src" / "audioprune" / name
    path.write_text(path.read_text() + text)


def test_results_copied_to_another_place_rerun_nothing(made, tmp_path):
    moved = made.copy(tmp_path / "elsewhere" / "deeper")
    assert not (moved.root / ".snakemake").exists()
    assert moved.planned(REPORT) == {}


def test_a_fresh_clone_with_results_and_a_branch_and_back_rerun_nothing(finished, tmp_path):
    (finished.root / ".gitignore").write_text("/results/\n.snakemake/\n__pycache__/\n")
    git(finished, "init", "-q", "-b", "main")
    git(finished, "add", ".gitignore", *COPIED)
    git(finished, "commit", "-q", "-m", "all")
    git(finished, "clone", "-q", ".", str(tmp_path / "clone"))
    shutil.copytree(finished.root / "results", tmp_path / "clone" / "results")
    clone = Project(tmp_path / "clone", fresh=False)
    assert clone.planned(REPORT) == {}
    git(clone, "switch", "-q", "-c", "other")
    append(clone, "pruning/topk.py")
    git(clone, "commit", "-q", "-a", "-m", "another topk")
    assert len(clone.jobs("demo")["finetune"]) == len(clone.cells("finetune/*/*/topk*/*/*")) > 0
    git(clone, "switch", "-q", "main")
    assert clone.planned(REPORT) == {}


def test_a_reverted_change_makes_no_cell_and_draws_exhibits_again(finished):
    path = finished.root / "src" / "audioprune" / "pruning" / "topk.py"
    before = path.read_text()
    append(finished, "pruning/topk.py")
    finished.pretend("demo")  # the change was run
    path.write_text(before)
    jobs = finished.planned(REPORT)
    assert {"table", "report"} <= set(jobs) <= {"table", "figure", "report"}


def test_another_formatting_of_all_code_reruns_nothing(finished):
    command = (sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "72", "src")
    assert finished.run(*command).returncode == 0
    source = finished.root / "src"
    paths = [path.relative_to(source) for path in source.rglob("*.py")]
    changed = sum((source / path).read_bytes() != (ROOT / "src" / path).read_bytes() for path in paths)
    assert changed > 100
    assert finished.planned(REPORT) == {}


def test_a_new_setting_with_its_default_reruns_nothing(finished):
    text = "class FinetuneSettings(Closed):\n    model: Model\n"
    finished.edit("src/audioprune/settings.py", text, f"{text}    label_smoothing: float = 0.0\n")
    finished.edit(
        "src/audioprune/settings.py",
        "    epochs: int = Field(gt=0)\n",
        "    epochs: int = Field(gt=0)\n    ema: float = 0.0\n",
    )
    finished.edit(
        "src/audioprune/config.py",
        "    backbones: tuple[str, ...]\n",
        "    backbones: tuple[str, ...]\n    note: str = ''\n",
    )
    assert finished.planned(REPORT) == {}


def test_a_changed_default_reruns_what_relied_on_it(finished):
    finished.edit(
        "src/audioprune/settings.py", "    control_seed: int = Field(0, ge=0", "    control_seed: int = Field(1, ge=0"
    )
    jobs = finished.planned(REPORT)
    assert set(jobs) == {"discard", "table", "figure", "report"}
    assert len(jobs["discard"]) == len(finished.cells("discard/*/*/*/*/*/*/*")) > 0


def test_a_changed_default_that_no_cell_relied_on_reruns_nothing(finished):
    """The study names its learning rates."""
    finished.edit("src/audioprune/settings.py", "    base_lr: float = Field(1e-3", "    base_lr: float = Field(7e-3")
    assert finished.planned(REPORT) == {}


@pytest.mark.parametrize(
    ("module", "kinds"),
    [
        ("figures/_style.py", {"figure", "report"}),
        ("tables/_render.py", {"table", "report"}),
        ("statistics/error_rates.py", set()),
        ("queries.py", {"table", "figure", "report"}),
    ],
)
def test_what_shapes_exhibits_alone_draws_those_that_it_shapes(finished, module, kinds):
    append(finished, module)
    assert set(finished.planned(REPORT)) == kinds


def test_a_studys_title_reruns_its_report_only(finished):
    finished.edit("config.yaml", '  demo:\n    title: "', '  demo:\n    title: "Not ')
    assert set(finished.planned(REPORT)) == {"report"}


@pytest.mark.parametrize(
    ("module", "part"),
    [
        ("backbones/ast.py", "/ast-tiny/"),
        ("datasets/demo_sounds.py", "/demo-sounds/"),
        ("pruning/none.py", "/none-kr1/"),
    ],
)
def test_the_code_of_one_backbone_dataset_or_method_reruns_only_the_cells_that_name_it(finished, module, part):
    append(finished, module)
    jobs = finished.jobs("demo")
    shown = {"table", "figure", "report"}
    for cell in jobs["finetune"]:
        assert part in f"/{cell}/", cell
    wanted = [p for p in finished.cells("finetune/*/*/*/*/*") if part in f"{p}/"]
    assert len(jobs["finetune"]) == len(wanted) > 0
    assert {"pretrain", "generate"} & set(jobs) == ({"pretrain"} if part == "/ast-tiny/" else set())
    assert shown & set(jobs)


def test_the_code_of_one_table_and_of_one_figure_draws_those_and_the_report(finished):
    append(finished, "tables/table1.py")
    append(finished, "figures/figure2.py")
    jobs = finished.planned(REPORT)
    assert count(jobs) == {"table": 1, "figure": 1, "report": 1}
    assert "table1" in jobs["table"][0]
    assert "figure2" in jobs["figure"][0]


def test_a_new_seed_and_a_new_dataset_make_only_new_cells(finished):
    grid = "{backbones: [audiomae-tiny], datasets: [demo-mixtures], keep_rates: [1.0, 0.5]"
    finished.edit("config.yaml", grid, f"{grid}, seeds: [0, 7]")
    grid = "      - {backbones: [audiomae-tiny], datasets: [demo-sentences]}\n"
    added = "      - {backbones: [ast-tiny], datasets: [demo-speakers], keep_rates: [0.5]}\n"
    finished.edit("config.yaml", grid, grid + added)
    jobs = finished.planned(REPORT)
    assert len([path for path in jobs["finetune"] if "demo-mixtures" in path and "seed7" in path]) == 2
    assert len([path for path in jobs["finetune"] if "ast-tiny/demo-speakers" in path]) == len(jobs["finetune"]) - 2 > 0
    assert "pretrain" not in jobs
    assert all("seed7" in path or "demo-speakers" in path for path in jobs["evaluate"])
