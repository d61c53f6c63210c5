"""What users type: targets, what is refused, how a run is forced, and the commands that answer about exhibits."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from audioprune.cells.kinds import KINDS

from .conftest import Project
from .test_end_to_end import edit_yaml

REPORT = "results/demo/report.html"
SLURMS = ("sbatch", "squeue", "scancel", "sinfo", "sacct", "srun", "scontrol", "sacctmgr")
DRAWN = [kind for kind, row in KINDS.items() if row.draws]


def shrink(data: dict) -> None:
    """Few words: their generation is what these tests make for real."""
    data["generators"] |= {"words": {"clips": 6}}


def below_results(project: Project) -> dict[str, bytes]:
    """{path: bytes} of every file below results."""
    paths = [path for path in (project.root / "results").rglob("*") if path.is_file()]
    return {str(path.relative_to(project.root)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory) -> Project:
    """A project in which nothing is made, nor to be made."""
    return Project(tmp_path_factory.mktemp("untouched"))


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> Project:
    """A project in which six spoken words are made, and nothing else."""
    project = Project(tmp_path_factory.mktemp("words"))
    edit_yaml(project, shrink)
    done = project.run("snakemake", "--cores", "1", record_of_words(project))
    assert done.returncode == 0, done.stderr
    return project


def record_of_words(project: Project) -> str:
    (cell,) = [cell for cell in project.jobs("demo")["generate"] if cell.startswith("generate/words/")]
    return f"results/cells/{cell}/record.json"


@pytest.fixture(scope="module")
def dry(untouched) -> subprocess.CompletedProcess:
    """A dry run of `all`."""
    return untouched.run("snakemake", "-n", "all")


# --- dry runs and targets -------------------------------------------------------------------------------------------


def test_a_dry_run_plans_the_copies_that_users_open_and_writes_nothing(untouched, dry):
    assert dry.returncode == 0, dry.stderr
    assert "output: results/report.html, results/report.pdf\n" in dry.stdout
    assert "output: results/table4.tex, results/table4.csv, results/table4.html, results/table4.json\n" in dry.stdout
    assert below_results(untouched) == {}
    assert not (untouched.root / "results").exists()


def test_a_dry_run_beside_what_is_made_writes_no_job_files_and_no_guard_for_what_is_missing(words):
    before = below_results(words).keys()
    assert words.run("snakemake", "-n", "demo").returncode == 0
    assert below_results(words).keys() - before <= {"results/logs/digests.json"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("dem", "'dem' is no target; did you mean 'demo'?"),
        ("mini-ful", "'mini-ful' is no target; did you mean 'mini_full'?"),
        ("al", "'al' is no target; did you mean 'all'?"),
        ("results/tabel4.tex", "results/tabel4.tex: no exhibit is named 'tabel4'; did you mean 'table4'?"),
        ("results/demo/reprot.html", "results/demo/reprot.html: no exhibit is named 'reprot'; did you mean 'report'?"),
        ("results/table4.tx", "results/table4.tx: table4 comes as .tex, .csv, .html, .json; did you mean 'tex'?"),
        ("results/demo/figure2.svgg", "figure2 comes as .svg, .pdf, .csv; did you mean 'svg'?"),
        ("results/dmeo/table1.tex", "no study is named 'dmeo'; did you mean 'demo'?"),
    ],
)
def test_a_misspelt_target_names_the_nearest_one(untouched, target, said):
    found = untouched.run("snakemake", "-n", target)
    assert found.returncode != 0
    assert said in found.stderr + found.stdout
    assert "Traceback (most recent call last)" not in found.stderr + found.stdout


def test_a_misspelt_study_in_a_path_is_named_with_the_nearest_one(untouched):
    found = untouched.run("audioprune", "plan", "results/dmeo/table1.tex")
    assert found.returncode == 1
    assert "did you mean" in found.stderr
    assert "demo" in found.stderr.partition("did you mean")[2]


def test_configuration_on_the_command_line_is_refused_with_the_place_to_make_the_change(untouched):
    (untouched.root / "mine.yaml").write_text("bad_clips: set_aside\n")
    for option, value, name in (("--config", "abc=1", "abc"), ("--configfile", "mine.yaml", "bad_clips")):
        found = untouched.run("snakemake", "-n", "demo", option, value)
        assert found.returncode != 0
        assert f"--config and --configfile are not read ({name})" in found.stderr + found.stdout
        assert "what decides a result stands in config.yaml" in found.stderr + found.stdout
        assert "make your change there" in found.stderr + found.stdout


def test_no_target_is_the_paper_study(untouched, dry):
    plain = untouched.run("snakemake", "-n")
    assert plain.returncode == 0, plain.stderr

    def jobs(said: str) -> dict[str, str]:
        return dict(re.findall(r"^(\w+) +(\d+)$", said, flags=re.MULTILINE))

    assert jobs(plain.stdout) == jobs(dry.stdout)
    assert jobs(plain.stdout)["report"] == "1"
    assert "output: results/report.html, results/report.pdf\n" in plain.stdout


@pytest.mark.parametrize("switch", ["--delete-all-output", "--delete-all"])
def test_deleting_outputs_would_leave_cells_in_pieces_and_is_refused(words, switch):
    before = below_results(words)
    found = words.run("snakemake", record_of_words_made(words), switch)
    assert found.returncode != 0
    assert "would delete the records of cells and leave their files" in found.stderr
    assert "audioprune gc --remove" in found.stderr
    assert below_results(words) == before


def test_the_slurm_profile_without_slurm_is_one_message_before_any_job(untouched, tmp_path):
    """On a machine that has every command but SLURM's."""
    bare = tmp_path / "bin"
    bare.mkdir()
    for folder in (Path("/bin"), Path("/usr/bin"), Path("/usr/local/bin")):
        for path in folder.iterdir() if folder.is_dir() else ():
            if not (bare / path.name).is_symlink() and path.name not in SLURMS:
                (bare / path.name).symlink_to(path)
    slurmless = Project(untouched.root, fresh=False)
    slurmless.environment["PATH"] = f"{Path(sys.executable).parent}:{bare}"
    found = slurmless.run("snakemake", "--profile", "slurm", "results/demo/table1.tex")
    assert found.returncode != 0
    told = "--profile slurm needs SLURM's commands, and there is no sbatch, no squeue, no scancel here"
    assert (found.stdout + found.stderr).count(told) == 1
    assert "Traceback" not in found.stderr
    assert not (untouched.root / "results").exists()


@pytest.mark.parametrize("umask", ["077", "002"])
def test_every_file_of_a_run_follows_the_umask(tmp_path, umask):
    project = Project(tmp_path)
    edit_yaml(project, shrink)
    run = f"umask {umask}; snakemake --cores 1 {record_of_words(project)}"
    done = project.run("bash", "-c", run)
    assert done.returncode == 0, done.stderr
    wrong = {
        str(path.relative_to(tmp_path)): oct(path.stat().st_mode & 0o777)
        for path in (tmp_path / "results").rglob("*")
        if path.stat().st_mode & 0o666 != 0o666 & ~int(umask, 8)
    }
    assert wrong == {}


def test_snakemake_finds_nothing_to_lint(untouched):
    found = untouched.run("snakemake", "--lint")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Congratulations, your workflow is in a good condition!" in found.stdout + found.stderr


def test_the_list_of_rules_says_what_each_kind_takes_and_makes(untouched):
    found = untouched.run("snakemake", "--list")
    assert found.returncode == 0, found.stderr
    said = dict(re.findall(r"^(\w+)(?: \((.+)\))?$", found.stdout, flags=re.MULTILINE))
    assert {*KINDS, "all", "demo", "mini", "paper", "batch", "transcripts", "exhibits"} <= said.keys()
    assert [rule for rule, words in said.items() if not words] == []
    assert len({said[kind] for kind in KINDS}) == len(KINDS)


def test_transcripts_by_a_published_recogniser_begin_before_any_training(untouched):
    """They wait for none and take longest: as the last, one of them would leave the other cores idle."""
    found = untouched.run("snakemake", "-n", "results/speech-mini/report.html")
    assert found.returncode == 0, found.stdout + found.stderr
    given: dict[str, set[int]] = {}
    for rule, body in re.findall(r"^rule (\w+):\n((?:    .*\n)+)", found.stdout + found.stderr, flags=re.MULTILINE):
        given.setdefault(rule, set()).add(int((re.search(r"priority: (\d+)", body) or [0, 0])[1]))
    assert len(given["transcripts"]) == 1
    assert min(given["transcripts"]) > max(given["recognise"])


# --- runs -----------------------------------------------------------------------------------------------------------


def test_job_files_are_written_when_a_run_begins_and_begin_with_the_key(words):
    record = Path(record_of_words_made(words))
    (job,) = [path for path in below_results(words) if path.startswith("results/logs/jobs/")]
    assert re.fullmatch(rf"{record.parent.name}-[0-9a-f]{{16}}\.json", Path(job).name)
    content = json.loads((words.root / job).read_text())
    assert list(content["cells"]) == [record.parent.relative_to("results/cells").as_posix()]


def record_of_words_made(project: Project) -> str:
    (record,) = project.cells("generate/words/*/*/record.json")
    return str(record.relative_to(project.root))


@pytest.mark.parametrize("how", [("--forcerun", "generate"), ("-f",)])
def test_a_fresh_cell_that_is_forced_is_made_again_with_the_same_bits(words, how):
    target = record_of_words_made(words)
    before, made = words.root / target, json.loads((words.root / target).read_text())
    bits = {path.name: path.read_bytes() for path in before.parent.iterdir() if path != before}
    assert words.planned(target) == {}
    command = ("snakemake", "--cores", "1", target, *how)
    found = words.run(*command)
    assert found.returncode == 0, found.stderr
    again = json.loads(before.read_text())
    assert again["made"]["started"] > made["made"]["started"]
    assert again["files"] == made["files"]
    assert {path.name: path.read_bytes() for path in before.parent.iterdir() if path != before} == bits
    assert words.planned(target) == {}


# --- commands -------------------------------------------------------------------------------------------------------


def test_plan_takes_several_targets(untouched):
    targets = ("results/table4.tex", "results/demo/table1.csv")
    found = {target: untouched.jobs(target) for target in targets}
    both = untouched.run("audioprune", "plan", *targets, "--json")
    assert both.returncode == 0, both.stderr
    answer = json.loads(both.stdout)
    assert answer["targets"] == list(targets)
    cells = [job["cell"] for job in answer["jobs"]]
    assert len(cells) == len(set(cells))
    assert set(cells) == {cell for jobs in found.values() for cells in jobs.values() for cell in cells}
    assert [cell.rpartition("/")[0] for cell in cells if cell.startswith("table/")] == [
        "table/paper/table4",
        "table/demo/table1",
    ]
    assert "valid names" in (failed := untouched.run("audioprune", "plan", "demo", "nothing-like-it")).stderr
    assert failed.returncode == 1


def test_status_and_why_know_exhibits(made):
    status = made.run("audioprune", "status", "demo", "--json")
    cells = json.loads(status.stdout)["cells"]
    shown = [cell["cell"].split("/")[:3] for cell in cells if cell["kind"] in DRAWN]
    assert ["table", "demo", "table1"] in shown
    assert ["figure", "demo", "figure2"] in shown
    assert shown[-1] == ["report", "demo", "report"]
    assert {cell["state"] for cell in cells} == {"done"}
    rows = [line.split() for line in made.run("audioprune", "status", "demo").stdout.splitlines()]
    for kind in DRAWN:
        assert [kind, str(sum(name[0] == kind for name in shown))] in rows
    for name in ("table/demo/table1", "results/cells/report/demo/report"):
        why = made.run("audioprune", "why", name)
        assert why.returncode == 0, why.stderr
        assert why.stdout.splitlines()[0].startswith(f"{name.removeprefix('results/cells/')}/")
        assert why.stdout.splitlines()[1] == "  done"
    unknown = made.run("audioprune", "why", "table/demo/tabel1")
    assert unknown.returncode == 1
    assert "did you mean 'table/demo/table1'?" in unknown.stderr


def test_why_says_what_differs_in_an_outdated_exhibit(finished):
    (old,) = finished.cells("table/demo/table1/*")
    finished.edit("src/audioprune/tables/keep_rates.py", "TITLE = ", "CHANGED = 1\nTITLE = ")
    (why,) = json.loads(finished.run("audioprune", "why", "table/demo/table1", "--json").stdout)
    assert why["state"] == "outdated"
    assert why["changes"] == {old.name: ["code audioprune.tables.keep_rates: changed"]}
    (report,) = json.loads(finished.run("audioprune", "why", "report/demo/report", "--json").stdout)
    ((line,),) = report["changes"].values()
    assert line.startswith(f"input table/table1: {old.name} -> ")


def test_why_an_exhibit_that_users_open_is_stale(finished):
    table = "results/demo/table1.tex"
    done = finished.run("audioprune", "why", table)
    assert done.stdout.splitlines()[1:] == ["  done", f"  {table}: as its cell"]
    (finished.root / table).write_text("mine")
    edited = finished.run("audioprune", "why", table).stdout.splitlines()
    assert edited[1] == "  done"
    assert edited[2].startswith(f"  {table}: damaged: {table} has 4 bytes, its record says ")
    finished.edit("src/audioprune/steps/macs.py", "\ndef macs(", "\nCHANGED = 1\n\n\ndef macs(")
    stale = finished.run("audioprune", "why", table).stdout
    assert stale.splitlines()[1].startswith("  outdated: made before as ")
    assert "  waits for 5 cells whose own inputs are all there:" in stale  # four of top-k, one of token merging
    assert "    macs/audiomae-tiny/128x10/topk/" in stale
    assert "        code audioprune.steps.macs: changed" in stale
    (report,) = json.loads(finished.run("audioprune", "why", "demo", "--json").stdout)
    assert report["copy"]["file"] == "results/demo/report.html"
    assert {cell["kind"] for cell in report["waits_for"]} == {"macs"}


def test_why_answers_a_wrong_name_with_a_few_near_ones(untouched):
    for name, said in (
        ("foo", "a cell is named by kind and address, such as audio/esc50, or by the file of an exhibit"),
        ("audio/demo-word", "did you mean 'audio/demo-words'? near are also "),
        ("results/demo/tabel1.tex", "no exhibit is named 'tabel1'; did you mean 'table1'?"),
    ):
        found = untouched.run("audioprune", "why", name)
        assert found.returncode == 1
        assert said in found.stderr
        assert len(found.stderr) < 1000


def test_gc_removes_a_superseded_exhibit_and_an_old_job_file_and_keeps_planned_ones(words, tmp_path):
    project = words.copy(tmp_path / "collected")
    kept = below_results(project)
    old = "table/demo/table1/0123456789abcdef"
    (project.root / "results/cells" / old).mkdir(parents=True)
    (project.root / "results/cells" / old / "record.json").write_text("{}")
    job = project.root / "results/logs/jobs/0123456789abcdef-0123456789abcdef.json"
    job.write_text(json.dumps({"cells": {old: ""}}))
    found = project.run("audioprune", "gc", "--remove", "--json")
    assert found.returncode == 0, found.stderr
    left = {one["path"]: (one["what"], one["removed"]) for one in json.loads(found.stdout)["leftovers"]}
    assert left == {
        f"results/cells/{old}": ("outdated cell", True),
        str(job.relative_to(project.root)): ("old job file", True),
    }
    changed = {"results/logs/main.lock", "results/logs/digests.json"}
    after = below_results(project)
    assert {path: after.get(path) for path in kept if path not in changed} == {
        path: bits for path, bits in kept.items() if path not in changed
    }
    assert after.keys() - kept.keys() <= changed
    assert project.planned(record_of_words_made(project)) == {}
