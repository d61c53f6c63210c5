"""A plan is pure; a run says what is stale, what jobs take in, and writes what they are given when it begins."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audioprune.cells.cell import Cell
from audioprune.cells.kinds import KINDS
from audioprune.cells.state import GUARD
from audioprune.errors import UserError
from audioprune.planning import jobs
from audioprune.planning.plan import Plan
from audioprune.planning.run import Inputs, Run, Submitted
from tests.fakes.made import copy, files, pretend, run_of

JOBS = Path("results/logs/jobs")
RECORD = "results/cells/fetch/fsdd/0123456789abcdef/record.json"  # a target that brings no batches
WATCHED = """
import sys
seen = set()
def watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove") and arguments:
        path = str(arguments[0])
        if path.startswith(("results", sys.argv[1] + "/results")):
            seen.add(f"{event} {path}")
sys.addaudithook(watch)
from audioprune.planning.plan import Plan
plan = Plan()
assert len(plan.cells) > 1000
for study in plan.config.studies:
    plan.asked(study)
print(sorted(seen))
"""


@pytest.fixture(autouse=True)
def _planning(planning_folder):
    """All of these run in a folder in which nothing was made yet."""


@pytest.fixture
def demo() -> Plan:
    """A plan of which everything of the study demo is there, with the copies of its exhibits."""
    plan = Plan()
    pretend(plan.everything("demo").values())
    copy(drawn(plan))
    return plan


def drawn(plan: Plan) -> list[Cell]:
    return [*plan.shown("demo"), plan.exhibit("demo", "report")]


def evaluation(plan: Plan) -> Cell:
    """One that takes in a fine-tuning, and what that is made from."""
    cell = plan.study("demo").cells("evaluate", perturbation="none")[0]
    assert [*cell.inputs] == ["finetune", "audio", "features"]
    assert {cell.inputs["audio"], cell.inputs["features"]} <= set(cell.inputs["finetune"].inputs.values())
    return cell


def copy_of(cell: Cell) -> Path:
    """The first of the files that users find by the name of an exhibit of the study demo."""
    return Path("results/demo") / files(cell)[0].name


def remove(cell: Cell) -> None:
    for file in (*files(cell), cell.record):
        file.unlink()


def age(*paths: Path, seconds: float = -1000) -> None:
    for path in paths:
        os.utime(path, (time.time() + seconds,) * 2)


# --- a plan -----------------------------------------------------------------------------------------------------------


def test_planning_everything_writes_nothing(planning_folder):
    before = sorted(path.name for path in planning_folder.iterdir())
    plan = Plan()
    for study in plan.config.studies:
        found = plan.everything(study)
        assert [path for path, cell in found.items() if KINDS[cell.kind].draws] == [c.path for c in plan.asked(study)]
        assert set(found) <= set(plan.cells)
    assert len(plan.cells) > 1000
    assert sorted(path.name for path in planning_folder.iterdir()) == before
    assert not Path("results").exists()


def test_planning_everything_reads_no_result(planning_folder):
    Path("results/cells").mkdir(parents=True)
    Path("results/logs").mkdir()
    Path("results/logs/digests.json").write_text("{}")
    command = [sys.executable, "-c", WATCHED, str(planning_folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "[]\n", done.stdout + done.stderr


def test_what_is_there_changes_no_plan(demo):
    before = {path: cell.key for path, cell in demo.cells.items()}
    evaluation(demo).record.write_text("no record")
    assert {path: cell.key for path, cell in Plan().cells.items()} == before


def test_everything_of_a_study_comes_after_what_it_is_made_from():
    made: set[str] = set()
    for path, cell in Plan().everything("demo").items():
        assert {upstream.path for upstream in cell.inputs.values()} <= made
        made.add(path)


def test_a_plan_says_which_exhibits_a_target_consists_of():
    plan = Plan()
    whole = [cell.path for cell in drawn(plan)]
    for target in ("demo", "results/demo/report.html", "results/demo/report.pdf"):
        assert [cell.path for cell in plan.asked(target)] == whole
    for name in ("table1.tex", "table1.json", "accuracy-macs.svg"):
        (cell,) = plan.asked(f"results/demo/{name}")
        assert cell is plan.exhibit("demo", name.partition(".")[0])
    assert [cell.settings.study for cell in plan.asked("results/table1.csv")] == ["paper"]
    assert [cell.path for cell in plan.asked("all")] == [cell.path for cell in plan.asked("paper")]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("dmo", "'dmo' is no target; did you mean 'demo'?"),
        ("results/dmo/table1.tex", "results/dmo/table1.tex: no study is named 'dmo'; did you mean 'demo'?"),
        ("results/demo/tabel1.tex", "no exhibit is named 'tabel1'; did you mean 'table1'?"),
        ("results/demo/reprot.html", "no exhibit is named 'reprot'; did you mean 'report'?"),
        ("results/demo/table1.htm", "table1 comes as .tex, .csv, .html, .json; did you mean 'html'?"),
        ("results/demo/report.tex", "report comes as .html, .pdf"),
        ("results/demo/table1", "table1 comes as .tex"),
        ("results/demo/more/table1.tex", "is no target"),
    ],
)
def test_a_target_that_is_misspelt_is_refused_with_the_nearest_name(target, said):
    with pytest.raises(UserError, match=re.escape(said)):
        Plan().asked(target)


def test_a_cell_that_no_study_plans_is_refused():
    with pytest.raises(UserError, match=r"is in no study's plan: .* See: audioprune why table/demo/table1/0000"):
        Plan().cell("table/demo/table1/0000000000000000")


# --- what a run was asked for -----------------------------------------------------------------------------------------


def test_a_run_knows_studies_by_the_names_of_their_rules_and_files_by_theirs():
    plan = Plan()
    for targets, wanted in {
        (): plan.asked("all"),
        ("mini_full",): plan.asked("mini-full"),
        ("demo", "results/demo/table1.tex"): plan.asked("demo"),
        ("results/demo/table2.csv", "results/mini/table1.tex"): [
            plan.exhibit("demo", "table2"), plan.exhibit("mini", "table1"),
        ],
        (RECORD, "finetune"): [],
    }.items():  # fmt: skip
        with run_of(*targets) as run:
            assert set(run.asked) == {cell.path for cell in wanted}, targets


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("dmo", "'dmo' is no target; did you mean 'demo'?"),
        ("mini_ful", "did you mean 'mini_full'"),
        ("finetnue", "'finetnue' is no target; valid names: all, demo, mini, mini_full, paper"),
        (
            "results/demo/",
            "results/demo/ is a folder; the target of the whole study is 'demo', that of its report "
            "results/demo/report.html",
        ),
        ("results/demo/tabel1.tex", "no exhibit is named 'tabel1'; did you mean 'table1'"),
        ("results/demo/table1.pfd", "results/demo/table1.pfd: table1 comes as .tex"),
        ("result/demo/table1.tex", "'result/demo/table1.tex' is no target"),
    ],
)
def test_what_no_rule_makes_is_refused_with_the_nearest_name(target, said):
    with run_of(target) as run, pytest.raises(UserError, match=re.escape(said)):
        run.refuse(target)


# --- when job files are written ---------------------------------------------------------------------------------------


def test_job_files_are_written_when_the_run_begins_and_not_before():
    with run_of("demo") as run:
        tuned = run.plan.study("demo").cells("finetune")[0]
        batch = next(batch for batch in run.batches.values() if batch.label == "exhibits/demo")
        one, many = run.job(tuned.path), run.job(f"batch/{batch.label}/{batch.key}")
        assert run.job(tuned.path) == one
        assert (one.parent, one.name[:17], many.name[:17]) == (JOBS, f"{tuned.key}-", f"{batch.key}-")
        assert not JOBS.exists()
        run.begin(time.time())
        assert sorted(JOBS.iterdir()) == sorted([one, many])
        ((cell, _),) = jobs.read(one).cells
        assert cell.path == tuned.path
        assert [cell.path for cell, _ in jobs.read(many).cells] == [cell.path for cell in batch.cells]
        later = run.job(run.plan.study("demo").cells("finetune")[1].path)
        assert later.is_file()


def test_a_run_that_never_begins_writes_no_job_file_and_takes_no_lock(demo):
    remove(evaluation(demo))
    with run_of("demo") as run:
        for path in demo.everything("demo"):
            run.cell_inputs(path)
            run.job(path)
            run.gpus(path)
            run.alone(path)
    assert not JOBS.exists()
    assert not Path("results/logs/main.lock").exists()


def test_only_one_run_begins_at_a_time():
    with run_of("demo") as first, run_of("demo") as second:
        waiting = second.job(evaluation(second.plan).path)
        first.begin(time.time())
        with pytest.raises(UserError, match=rf"Snakemake \(process {os.getpid()} on .*\) is already running"):
            second.begin(time.time())
        assert not waiting.exists()


def test_what_needs_a_gpu_or_the_whole_machine_is_said():
    with run_of("paper") as run:
        paper = run.plan.study("paper")
        timed = next(batch for batch in run.batches.values() if batch.label == "throughput")
        assert run.gpus(paper.cells("finetune")[0].path) == 1
        assert run.gpus(paper.cells("features")[0].path) == 0
        assert not run.alone(paper.cells("finetune")[0].path)
        assert run.alone(timed.cells[0].path)
        assert (run.gpus(f"batch/throughput/{timed.key}"), run.alone(f"batch/throughput/{timed.key}")) == (1, True)


# --- what the job of a cell takes in ----------------------------------------------------------------------------------


def test_a_missing_cell_takes_no_guard_file(demo, capsys):
    cell = evaluation(demo)
    remove(cell)
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path) == Inputs([str(cell.inputs["finetune"].record)], False, [])
    assert not GUARD.exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("made", [-1000, 0, 5000], ids=["before", "now", "ahead"])
def test_a_damaged_cell_takes_one_that_is_newer_than_its_record(demo, capsys, made):
    cell = evaluation(demo)
    files(cell)[0].write_text("other")
    age(cell.record, seconds=made)
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path) == Inputs([str(cell.inputs["finetune"].record)], False, [str(GUARD)])
    assert GUARD.stat().st_mtime > cell.record.stat().st_mtime
    assert abs(GUARD.stat().st_mtime - time.time()) < 60
    said = capsys.readouterr().err
    assert str(files(cell)[0]) in said
    assert said.endswith(f"; {cell.path} will be made again\n")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": "ffffffffffffffff", "files": {}}'])
def test_a_damaged_record_is_one_of_a_damaged_cell(demo, text, capsys):
    cell = evaluation(demo)
    cell.record.write_text(text)
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path)[1:] == (False, [str(GUARD)])
    assert f"{cell.record} " in capsys.readouterr().err


def test_a_touched_cell_is_fresh_and_takes_no_guard_file(demo):
    cell = evaluation(demo)
    age(*files(cell), cell.record, seconds=5000)
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path) == Inputs([str(cell.inputs["finetune"].record)], True, [])
    assert not GUARD.exists()


def test_a_stale_cell_takes_in_an_inner_input_that_is_not_fresh(demo):
    cell = evaluation(demo)
    tuned, audio, features = cell.inputs.values()
    remove(cell)
    files(features)[0].write_text("other")
    with run_of(RECORD) as run:  # the fine-tuning is fresh, and waits for nothing
        assert run.cell_inputs(cell.path).files == [str(tuned.record), str(features.record)]
    remove(audio)
    with run_of(RECORD) as run:  # the features wait for the audio
        assert run.cell_inputs(cell.path).files == [str(tuned.record), str(features.record)]
    pretend([features])
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path).files == [str(tuned.record), str(audio.record)]
    remove(tuned)
    with run_of(RECORD) as run:  # the fine-tuning waits for both
        assert run.cell_inputs(cell.path).files == [str(tuned.record)]


def test_a_fresh_cell_does_not_take_in_what_is_gone(demo):
    cell = evaluation(demo)
    tuned, audio, features = cell.inputs.values()
    files(features)[0].write_text("other")  # damaged: made again, and the cell is not
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path) == Inputs([str(tuned.record), str(features.record)], True, [])
    pretend([features])
    remove(audio)
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path) == Inputs([str(tuned.record)], True, [])
    remove(tuned)
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path) == Inputs([str(features.record)], True, [])
    files(features)[0].write_text("other")  # nobody else waits for it: the fine-tuning is gone
    with run_of(RECORD) as run:
        assert run.cell_inputs(cell.path) == Inputs([str(features.record)], True, [])


def test_a_stale_drawing_takes_in_whatever_is_gone_of_all_that_it_is_made_from(demo):
    table = demo.exhibit("demo", "table1")
    evaluated = next(cell for cell in table.inputs.values() if cell.kind == "evaluate")
    tuned = evaluated.inputs["finetune"]
    remove(table)
    outer = {path for path, cell in table.upstream().items() if cell is not table}
    outer -= {
        upstream.path for cell in table.upstream().values() if cell is not table for upstream in cell.inputs.values()
    }
    records = {str(demo.cell(path).record) for path in outer}
    with run_of(RECORD) as run:
        assert set(run.cell_inputs(table.path).files) == records
    remove(tuned)
    remove(tuned.inputs["features"])
    with run_of(RECORD) as run:  # the fine-tuning waits for its features
        assert set(run.cell_inputs(table.path).files) == {*records, str(tuned.record)}


def test_a_table_takes_in_the_stamps_of_the_batches_that_make_what_it_shows():
    with run_of("demo") as run:
        table = run.plan.exhibit("demo", "table1")
        found = run.cell_inputs(table.path)
        batched = {run.batches[cell.path] for cell in table.inputs.values() if cell.path in run.batches}
        alone = [cell for cell in table.inputs.values() if cell.path not in run.batches and cell.kind == "evaluate"]
        assert {batch.label.split("/")[0] for batch in batched} == {"finetune", "macs", "throughput"}
        assert {str(batch.stamp) for batch in batched} | {str(cell.record) for cell in alone} <= set(found.files)
        assert not {str(cell.record) for batch in batched for cell in batch.cells} & set(found.files)
        assert (found.fresh, found.guards) == (False, [])
        assert len(found.files) == len(set(found.files))


def test_a_batch_takes_in_what_it_does_not_make_itself(demo):
    cell = evaluation(demo)
    others = [
        other for other in demo.study("demo").cells("evaluate") if other.inputs["finetune"] is cell.inputs["finetune"]
    ]
    assert len(others) > 1
    for other in others:
        remove(other)
    with run_of("demo") as run:
        batch = run.batches[cell.path]
        assert {other.path for other in batch.cells} == {other.path for other in others}
        found = run.batch_inputs(f"batch/{batch.label}/{batch.key}")
        assert found == Inputs([str(cell.inputs["finetune"].record)], False, [])
        batch.stamp.parent.mkdir(parents=True)
        batch.stamp.touch()  # left by an earlier run that made the same cells
        age(batch.stamp, seconds=5000)
        assert run.batch_inputs(f"batch/{batch.label}/{batch.key}").guards == [str(GUARD)]
        assert GUARD.stat().st_mtime > batch.stamp.stat().st_mtime


def test_a_run_in_which_all_is_fresh_has_no_batches(demo):
    with run_of("demo") as run:
        assert run.batches == {}


# --- what copies of exhibits take in ----------------------------------------------------------------------------------


def test_copies_that_are_fresh_take_in_their_cell_and_no_guard_file(demo):
    table, report = demo.exhibit("demo", "table1"), demo.exhibit("demo", "report")
    with run_of("demo") as run:
        assert run.copy_inputs("demo", "table1") == Inputs([str(table.record)], True, [])
        copies = [str(copy_of(cell)) for cell in demo.shown("demo")]
        assert run.copy_inputs("demo", "report") == Inputs([str(report.record), *copies], True, [])
    assert "results/demo/table1.tex" in copies
    assert "results/demo/accuracy-macs.svg" in copies
    assert not GUARD.exists()


@pytest.mark.parametrize("suffix", ["tex", "json"])
def test_a_changed_copy_is_replaced(demo, capsys, suffix):
    table = demo.exhibit("demo", "table1")
    Path(f"results/demo/table1.{suffix}").write_text("changed")
    age(copy_of(table), seconds=5000)
    with run_of("demo") as run:
        assert run.copy_inputs("demo", "table1") == Inputs([str(table.record)], False, [str(GUARD)])
        assert run.copy_inputs("demo", "table2").fresh
    assert GUARD.stat().st_mtime > copy_of(table).stat().st_mtime
    said = capsys.readouterr().err
    assert f"audioprune: results/demo/table1.{suffix} has 7 bytes" in said
    assert said.endswith(f"it is restored from {table.path}\n")


def test_a_missing_copy_is_made_without_a_guard_file(demo):
    table = demo.exhibit("demo", "table1")
    copy_of(table).unlink()
    with run_of("demo") as run:
        assert run.copy_inputs("demo", "table1") == Inputs([str(table.record)], False, [])
    assert not GUARD.exists()


def test_copies_of_a_cell_that_is_not_there_wait_for_it(demo, capsys):
    table = demo.exhibit("demo", "table1")
    remove(table)
    with run_of("results/demo/table1.tex") as run:
        found = run.copy_inputs("demo", "table1")
    assert found == Inputs([str(table.record)], False, [str(GUARD)])
    assert capsys.readouterr().err == ""


def test_copies_of_cells_that_are_drawn_together_wait_for_their_batch(demo):
    for name in ("table1", "table2"):
        remove(demo.exhibit("demo", name))
    with run_of("demo") as run:
        (stamp,) = {str(batch.stamp) for batch in run.batches.values()}
        assert run.copy_inputs("demo", "table1").files == [stamp]
        assert run.copy_inputs("demo", "table2").files == [stamp]
        assert run.copy_inputs("demo", "table3").files == [str(demo.exhibit("demo", "table3").record)]


@pytest.mark.parametrize("how", ["changed", "missing"])
def test_copies_of_a_report_are_made_again_with_those_of_what_it_shows(demo, how, capsys):
    report, table = demo.exhibit("demo", "report"), demo.exhibit("demo", "table1")
    if how == "changed":
        copy_of(table).write_text("changed")
    else:
        copy_of(table).unlink()
    with run_of("demo") as run:
        found = run.copy_inputs("demo", "report")
    assert found.files == [str(report.record), *(str(copy_of(cell)) for cell in demo.shown("demo"))]
    assert (found.fresh, found.guards) == (False, [str(GUARD)])
    assert GUARD.stat().st_mtime > copy_of(report).stat().st_mtime
    assert "is replaced" not in capsys.readouterr().err  # the report's own copies are what they were


def test_an_exhibit_that_a_study_has_not_is_refused():
    plan = Plan()
    with run_of("demo") as run:
        with pytest.raises(UserError, match="no exhibit is named 'tabel1'; did you mean 'table1'"):
            run.copy_inputs("demo", "tabel1")
        names = [{cell.settings.name for cell in plan.shown(study)} for study in ("paper", "demo")]
        missing = min(names[0] - names[1])
        assert plan.exhibit("demo", missing) is None
        with pytest.raises(
            UserError, match=f"the study 'demo' plans none of the cells that {missing} shows; see config.yaml"
        ):
            run.copy_inputs("demo", missing)
        with pytest.raises(
            UserError, match=f"results/demo/{missing}.svg: the study 'demo' plans none of the cells that"
        ):
            plan.asked(f"results/demo/{missing}.svg")


# --- the process of a submitted job -----------------------------------------------------------------------------------


def test_a_submitted_job_answers_from_its_file_alone(tmp_path, monkeypatch):
    paper = Plan().study("paper")
    tuned, timed = paper.cells("finetune")[0], paper.cells("throughput")
    files_ = [jobs.JobFile(tuned.key, [tuned]), jobs.JobFile("0123456789abcdef", timed)]
    (tmp_path / "node").mkdir()
    monkeypatch.chdir(tmp_path / "node")  # neither a configuration nor results
    for file in files_:
        file.write()
    found = Submitted()
    assert found.job(tuned.path) == files_[0].path
    assert (found.gpus(tuned.path), found.alone(tuned.path)) == (1, False)
    batch = "batch/throughput/0123456789abcdef"
    assert found.job(batch) == files_[1].path
    assert (found.gpus(batch), found.alone(batch)) == (1, True)
    assert found.cell_inputs(tuned.path) == found.batch_inputs(batch) == Inputs([], True, [])
    with pytest.raises(UserError, match="is missing; run Snakemake again"):
        found.job("evaluate/x/ffffffffffffffff")
    assert sorted(path.name for path in Path().iterdir()) == ["results"]


def test_a_submitted_job_gets_what_its_run_wrote():
    with run_of("demo") as run:
        tuned = run.plan.study("demo").cells("finetune")[0]
        path = run.job(tuned.path)
        run.begin(time.time())
        assert Submitted().job(tuned.path) == path
        assert isinstance(run, Run)
        assert Submitted().gpus(tuned.path) == run.gpus(tuned.path) == 0
