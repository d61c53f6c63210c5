"""What a change reruns, asked of the real Snakemake on a copy of the project with all of `demo` made."""

from __future__ import annotations

import os
import shutil
import time

REPORT = "results/demo/report.html"


def count(jobs: dict[str, list[str]]) -> dict[str, int]:
    return {rule: len(outputs) for rule, outputs in jobs.items()}


def test_nothing_to_do_when_all_is_there_even_touched_or_moved(project):
    project.pretend("demo")
    assert project.planned(REPORT) == {}
    assert not (project.root / "results" / "logs" / "stale").exists()  # guards are for what is there and stale
    later = time.time() + 100
    for path in (project.root / "results").rglob("*"):
        os.utime(path, (later, later - hash(path.name) % 50))
    assert project.planned(REPORT) == {}
    shutil.rmtree(project.root / ".snakemake", ignore_errors=True)
    (project.root / "results" / "logs" / "digests.json").unlink()
    assert project.planned(REPORT) == {}


def test_comments_and_docstrings_rerun_nothing(project):
    project.pretend("demo")
    for name in ("training/loop.py", "pruning/topk.py", "tables/keep_rates.py", "audio/fbank.py"):
        path = project.root / "src" / "audioprune" / name
        path.write_text("# a comment\n" + path.read_text())
    assert project.planned(REPORT) == {}


def test_the_learning_rate_of_one_dataset_reruns_its_fine_tunings_and_what_depends_on_them(project):
    project.pretend("demo")
    sounds = "      demo-sounds: {recipe: {epochs: 7, base_lr: 1.5e-3}}\n"
    project.edit("config.yaml", sounds, f"      demo-words: {{recipe: {{base_lr: 2.0e-3}}}}\n{sounds}")
    jobs = project.planned(REPORT)
    rerun = ("finetune", "evaluate", "trace", "tokens", "discard")
    assert set(jobs) == {*rerun, "table", "figure", "report"}
    assert all("/audiomae-tiny/demo-words/" in path for rule in rerun for path in jobs[rule])
    assert len(jobs["finetune"]) == 2  # two keep-rates of one backbone: AST has a learning rate of its own
    own = "demo-words: {recipe: {epochs: 6, batch_size: 16, base_lr: "
    project.edit("config.yaml", f"{own}1.5e-3", f"{own}2.0e-3")
    jobs = project.planned(REPORT)
    assert set(jobs) == {*rerun, "durations", "pace", "table", "figure", "report"}  # these two are of AST
    assert all("/demo-words/" in path for rule in rerun for path in jobs[rule])
    assert len(jobs["finetune"]) == 4  # two backbones, two keep-rates


def test_the_code_of_one_method_reruns_only_what_names_it_and_its_reversal_nothing(project):
    project.pretend("demo")
    path = project.root / "src" / "audioprune" / "pruning" / "topk.py"
    before = path.read_text()
    path.write_text(before + "\nCHANGED = 1\n")
    jobs = project.planned(REPORT)
    assert len(jobs["finetune"]) == len(project.cells("finetune/*/*/topk*/*/*")) > 0
    assert all("topk" in path for path in jobs["finetune"] + jobs["evaluate"])
    path.write_text(before)
    assert project.planned(REPORT) == {}


def test_a_new_keep_rate_makes_only_the_new_cells(project):
    project.pretend("demo")
    for start in ("datasets: [demo-words, demo-sounds]\n        ", "[ast-tiny], datasets: [demo-words, demo-sounds], "):
        project.edit("config.yaml", rates := f"{start}keep_rates: [1.0, 0.5", f"{rates}, 0.3")
    jobs = project.planned(REPORT)
    assert len(jobs["finetune"]) == 4  # two backbones, two datasets
    assert all("kr0.3" in path for path in jobs["finetune"] + jobs["evaluate"])
    assert not {"audio", "features", "generate", "pretrain"} & set(jobs)
    drawn = {path.split("/")[4] for path in jobs["table"] + jobs["figure"]}
    assert "table1" in drawn
    assert "forensics" not in drawn  # which shows published numbers only


def test_the_style_of_a_figure_reruns_that_figure_and_the_report(project):
    project.pretend("demo")
    path = project.root / "src" / "audioprune" / "figures" / "training_curves.py"
    path.write_text(path.read_text() + "\nLINE_WIDTH = 3\n")
    jobs = project.planned(REPORT)
    assert count(jobs) == {"figure": 1, "report": 1}
    assert "training-curves" in jobs["figure"][0] or "training_curves" in jobs["figure"][0]


def test_a_truncated_an_edited_and_a_deleted_file_rerun_their_cell_and_are_named(project):
    project.pretend("demo")
    truncated, edited, deleted = project.cells("finetune/*/*/*/*/*/data.bin")[:3]
    truncated.write_bytes(truncated.read_bytes()[:-3])
    edited.write_bytes(b"X" + edited.read_bytes()[1:])
    deleted.unlink()
    jobs = project.planned(REPORT)
    assert count(jobs) == {"finetune": 3}
    assert [path.name for path in (project.root / "results" / "logs" / "stale").iterdir()] == ["newer.txt"]
    again = project.run("snakemake", "-n", REPORT)
    for path in (truncated, edited, deleted):
        assert str(path.relative_to(project.root)) in again.stderr + again.stdout


def test_damaged_evaluations_of_one_model_are_made_again_alone_and_named(project):
    project.pretend("demo")
    damaged = project.cells("evaluate/ast-tiny/demo-words/none-kr1/*/*/*/*/data.bin")[:2]
    for path in damaged:
        path.write_text("tampered")
    jobs = project.planned(REPORT)
    made = {str(path.with_name("record.json").relative_to(project.root)) for path in damaged}
    assert set(jobs.get("evaluate", [])) == made
    assert set(jobs) <= {"evaluate", "copy"}
    again = project.run("snakemake", "-n", REPORT)
    for path in damaged:
        assert str(path.relative_to(project.root)) in again.stderr + again.stdout


def test_copies_that_are_gone_or_other_than_their_cells_are_put_back_and_nothing_is_drawn(project):
    project.pretend("demo")
    folder = project.root / "results" / "demo"
    (folder / "table1.tex").write_text("by hand")
    (folder / "figure2.svg").unlink()
    jobs = project.planned(REPORT)
    assert count(jobs) == {"copy": 3}  # that of the report, too
    listed = project.jobs("demo")
    assert listed == {"copy": ["results/demo/table1.tex", "results/demo/figure2.svg"]}
    found = project.run("snakemake", "--cores", "1", REPORT)
    assert found.returncode == 0, found.stderr
    assert "results/demo/table1.tex has 7 bytes, its record says" in found.stderr
    (cell,) = project.cells("table/demo/table1/*/table1.tex")
    assert (folder / "table1.tex").read_bytes() == cell.read_bytes()
    assert (folder / "figure2.svg").is_file()
    assert project.planned(REPORT) == {}


def test_a_damaged_exhibit_is_drawn_again_alone(project):
    project.pretend("demo")
    for name in ("table/demo/table1/*/table1.tex", "figure/demo/figure2/*/figure2.svg"):
        project.cells(name)[0].write_text("tampered")
    jobs = count(project.planned(REPORT))
    assert jobs.pop("copy", 1) == 1  # that of the report, in which nothing is new
    assert jobs == {"table": 1, "figure": 1}


def test_a_deleted_cell_is_made_again_and_no_cell_that_was_made_from_it(project):
    project.pretend("demo")
    shutil.rmtree(project.cells("finetune/ast-tiny/demo-words/topk-kr0.5/*/*")[0])
    jobs = project.planned(REPORT)
    assert len(jobs["finetune"]) == 1
    assert set(jobs) <= {"finetune", "table", "figure", "copy"}  # exhibits that show it are drawn again
