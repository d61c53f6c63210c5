"""What a step that draws is given: the cells it shows with all that they are made from, and nothing of any plan."""

from __future__ import annotations

from pathlib import Path

from audioprune.config.training import RecipeSet
from audioprune.planning.jobs import JobFile, read
from audioprune.planning.plan import Plan
from audioprune.steps._drawing import results_of
from audioprune.steps._run import job_of
from tests.fakes.made import pretend
from tests.fakes.mine import config as with_my_folder


def read_back(cell):
    file = JobFile(cell.key, [cell])
    file.write()
    ((found, _),) = read(file.path).cells
    return found


def test_a_drawing_gets_all_that_it_is_made_from_and_other_steps_their_inputs_alone(planning_folder):
    plan = Plan()
    table, tuned = plan.exhibit("demo", "table1"), plan.study("demo").cells("finetune")[0]
    job = job_of(read_back(table), Path("out"))
    assert [cell.path for cell in job.cells] == [path for path in table.upstream() if path != table.path]
    assert job.inputs == {path: cell.dir for path, cell in table.inputs.items()}
    assert (job.settings, job.out, job.key) == (table.settings, Path("out"), table.key)
    job = job_of(read_back(tuned), Path("out"))
    assert job.cells == ()
    assert job.inputs == {name: cell.dir for name, cell in tuned.inputs.items()}


def test_results_are_those_of_the_cells_in_their_order_without_what_was_drawn_from_them(planning_folder):
    plan = Plan()
    table, report = plan.exhibit("demo", "table1"), plan.exhibit("demo", "report")
    results = results_of(job_of(read_back(table), Path("out")))
    assert results.study == "demo"
    assert [r.path for r in results.cells()] == [path for path in table.upstream() if path != table.path]
    assert not any(r.ok for r in results.cells())
    pretend(table.inputs.values())
    results = results_of(job_of(read_back(table), Path("out")))
    assert {r.path for r in results.cells() if r.ok} == set(table.inputs)
    results = results_of(job_of(read_back(report), Path("out")))
    wanted = {path for path, cell in report.upstream().items() if cell.kind not in ("table", "figure", "report")}
    assert {r.path for r in results.cells()} == wanted


def test_facts_of_a_users_dataset_are_those_of_its_audio_cell(planning_folder):
    configuration = with_my_folder(planning_folder / "mine", csv="labels.csv")
    part = {"recipe": {"epochs": 1, "batch_size": 4}}
    mine = RecipeSet.model_validate({"extends": "tiny", "audiomae": {"mine": part}})
    recipes = {**configuration.recipes, "demo": mine}
    plan = Plan(configuration.model_copy(update={"recipes": recipes}))
    results = results_of(job_of(read_back(plan.exhibit("mine", "table1")), Path("out")))
    assert results.dataset("mine") == plan.planner.facts("mine")
    assert results.dataset("mine").classes == ("a", "b")
    assert results.dataset("esc10") == plan.planner.facts("esc10")
