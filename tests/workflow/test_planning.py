"""Planning: the targets that users type, without data, without torch, in seconds."""

from __future__ import annotations

import json
import re
import sys


def test_table4_and_the_paper_study_plan_without_any_data(project):
    jobs = project.planned("results/table4.tex")
    assert set(jobs) == {"fetch", "audio", "features", "clusters", "finetune", "evaluate", "table"}
    assert len(jobs["table"]) == 1
    perturbed = {"esc50", "spc2"}  # what P0's table has; their signal is told by the pixels of all evaluation clips
    assert sorted(path.split("/")[3] for path in jobs["clusters"]) == sorted(perturbed)
    assert {path.split("/")[4] for path in jobs["evaluate"]} == perturbed
    evaluated = {path.split("/eval-")[1].split("/")[0] for path in jobs["evaluate"]}
    assert {f"topk-kr0.5-{test}" for test in ("I", "II", "III")} <= evaluated
    jobs = project.planned("all", "--profile", "slurm")
    assert len(jobs["finetune"]) > 150
    assert len(jobs["report"]) == 1


def test_without_a_target_it_is_the_paper_study(project):
    plain, named = project.planned(), project.planned("all")
    assert {rule: sorted(made) for rule, made in plain.items()} == {rule: sorted(made) for rule, made in named.items()}
    (report,) = plain["report"]
    assert report.startswith("results/cells/report/paper/report/")
    assert len(plain["finetune"]) > 700


def test_the_local_profile_counts_the_gpus_and_a_job_of_published_size_asks_for_one(project):
    for visible, asked in (("2,3", "gpu=1"), ("", "gpu=0")):
        project.environment["CUDA_VISIBLE_DEVICES"] = visible
        found = project.run("snakemake", "-n", "--profile", "local", "results/table4.tex").stdout
        resources = re.findall(r"^rule finetune:\n(?:    .*\n)*?    resources: (.*)", found, flags=re.MULTILINE)
        assert len(resources) > 20
        assert all(each.split(", ")[-1] == asked for each in resources)


def test_planning_imports_neither_torch_nor_any_data_library(project):
    script = (
        "import sys; from audioprune.planning.plan import Plan; plan = Plan(); print(len(plan.cells)); "
        "print(sorted({'torch', 'torchaudio', 'timm', 'pandas', 'matplotlib', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    found = project.run(sys.executable, "-c", script)
    assert found.returncode == 0, found.stderr
    cells, heavy = found.stdout.split("\n")[:2]
    assert int(cells) > 500
    assert heavy == "[]"


def test_a_typo_in_the_configuration_stops_everything_with_one_message(project):
    project.edit("config.yaml", "bad_clips: stop", "bad_clip: stop")
    found = project.run("snakemake", "-n", "results/demo/report.html")
    assert found.returncode != 0
    assert "bad_clip: unknown key (value: 'stop'); did you mean 'bad_clips'?" in found.stdout + found.stderr
    assert "Traceback" not in found.stdout + found.stderr


def test_plan_status_and_why_answer_in_words_and_in_json(project):
    plan = project.run("audioprune", "plan", "demo", "--json")
    jobs = json.loads(plan.stdout)["jobs"]
    assert {"finetune", "table", "report"} <= {job["stage"] for job in jobs}
    project.pretend("demo")
    assert "nothing to do" in project.run("audioprune", "plan", "demo").stdout
    status = json.loads(project.run("audioprune", "status", "demo", "--json").stdout)
    assert {cell["state"] for cell in status["cells"]} == {"done"}
    before = "recipe: {epochs: 8, batch_size: 8, warmup_epochs: 1"
    project.edit("config.yaml", before, before.replace("8", "7", 1))
    status = json.loads(project.run("audioprune", "status", "demo", "--json").stdout)
    outdated = [cell["cell"] for cell in status["cells"] if cell["state"] == "outdated"]
    tuned = next(cell for cell in outdated if cell.startswith("finetune"))
    why = project.run("audioprune", "why", tuned)
    assert "recipe.epochs: 8 -> 7" in why.stdout
    unknown = project.run("audioprune", "why", tuned.replace("audiomae-tiny", "audiomae-tinny", 1).rpartition("/")[0])
    assert unknown.returncode == 1
    assert "did you mean" in unknown.stderr


def test_tables_of_published_numbers_need_nothing_and_claims_need_every_evaluation(project):
    jobs = project.planned("results/forensics.tex", "results/demo/forensics.csv")
    assert set(jobs) == {"table"}
    assert len(jobs["table"]) == 2
    listed = json.loads(project.run("audioprune", "plan", "mini", "--json").stdout)["jobs"]
    evaluations = [job for job in listed if job["stage"] == "evaluate"]
    assert len(project.planned("results/mini/claims.tex")["evaluate"]) == len(evaluations) > 18


def test_claims_are_judged_before_anything_is_trained(project):
    found = json.loads(project.run("audioprune", "claims", "--json").stdout)
    assert sum(claim["verdict"] == "misstated" for claim in found["claims"]) == 8
    assert {claim["verdict"] for claim in found["claims"]} == {"misstated", "superseded", "not-run", "open"}
    unasked = [claim["ids"] for claim in found["claims"] if claim["verdict"] == "open"]
    assert unasked == [["P0-13"]]  # no statement of P0
