"""What is made by one process: which cells, how many at once, and one that fails."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest

from audioprune.cells.cell import Cell
from audioprune.config.file import load
from audioprune.planning import batches, jobs
from audioprune.planning.plan import Plan
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.exhibits import ExhibitSettings
from audioprune.steps import batch as step
from audioprune.steps import table as table_step
from audioprune.steps.batch import batch
from tests.fakes.made import run_of


def cells_of(study: str, *kinds: str) -> list[Cell]:
    return [cell for cell in Plan(load()).study(study).all.values() if cell.kind in kinds]


def evaluated(study: str) -> list[Cell]:
    return cells_of(study, "evaluate", "trace", "tokens", "discard")


def groups(cells) -> list[batches.Batch]:
    """The batches of some cells, each once."""
    return list({found.key: found for found in batches.batches_of(cells).values()}.values())


def exhibit(kind: str, name: str, study: str = "demo") -> Cell:
    return Cell(
        kind, f"{study}/{name}", ExhibitSettings(study=study, name=name), key=sha256(name.encode()).hexdigest()[:16]
    )


EXHIBITS = [exhibit("table", f"table{i}") for i in range(1, 8)] + [exhibit("figure", f"figure{i}") for i in range(20)]


# --- evaluated, counted and timed -------------------------------------------------------------------------------------


def test_cells_of_one_fine_tuning_share_a_batch_and_of_two_do_not():
    cells = evaluated("demo")
    found = batches.batches_of(cells)
    assert found
    for cell in cells:
        mates = [other for other in cells if batches.tuned_of(other) is batches.tuned_of(cell)]
        if len(mates) > 1:
            assert sorted(c.path for c in found[cell.path].cells) == sorted(c.path for c in mates)
            assert found[cell.path].label == batches.tuned_of(cell).path
            assert batches.tuned_of(cell) in found[cell.path].inputs
            assert not {c.path for c in found[cell.path].inputs} & {c.path for c in mates}
        else:
            assert cell.path not in found


def test_what_a_cell_of_a_batch_takes_in_is_made_before_it():
    for found in groups(reversed(evaluated("demo"))):
        made = set()
        for cell in found.cells:
            own = {c.path for c in cell.inputs.values()} & {c.path for c in found.cells}
            assert own <= made
            made.add(cell.path)


def test_the_name_depends_on_the_cells_and_not_on_their_order():
    cells = evaluated("demo")
    first = {path: batch.stamp for path, batch in batches.batches_of(cells).items()}
    again = {path: batch.stamp for path, batch in batches.batches_of(reversed(cells)).items()}
    assert first == again
    path, stamp = next(iter(first.items()))
    fewer = batches.batches_of(c for c in cells if c.path != path)
    assert stamp not in {batch.stamp for batch in fewer.values()}
    assert str(stamp) == f"results/logs/batches/{stamp.parent.relative_to(batches.FOLDER)}/{stamp.stem}.done"
    assert len(stamp.stem) == 16


@pytest.mark.parametrize("kind", ["macs", "throughput"])
def test_counted_and_timed_models_go_eight_at_a_time(kind):
    cells = cells_of("paper", kind)
    found = groups(cells)
    assert sorted(c.path for own in found for c in own.cells) == sorted(c.path for c in cells)
    sizes = [len(own.cells) for own in found]
    assert len(sizes) == -(-len(cells) // 8)
    assert max(sizes) <= 8
    assert max(sizes) - min(sizes) <= 1
    assert {own.label for own in found} == {kind}


def test_counting_needs_no_gpu_a_model_of_published_size_one_and_a_tiny_one_none():
    assert {jobs.gpus(cell) for cell in cells_of("paper", "macs")} == {0}
    assert {jobs.gpus(cell) for cell in [*cells_of("paper", "finetune", "throughput"), *evaluated("paper")]} <= {0, 1}
    for cell in cells_of("paper", "finetune", "throughput"):
        assert jobs.gpus(cell) == (0 if cell.settings.model.backbone.endswith("-tiny") else 1)
    for cell in cells_of("paper", "evaluate", "trace", "discard"):
        assert jobs.gpus(cell) == jobs.gpus(batches.tuned_of(cell)) == 1
    assert {jobs.gpus(cell) for cell in cells_of("paper", "tokens")} == {0}
    assert {jobs.gpus(cell) for cell in [*cells_of("demo", "finetune", "throughput"), *evaluated("demo")]} == {0}


def test_what_is_made_one_by_one_is_in_no_batch():
    alone = ("fetch", "generate", "audio", "features", "pretrain", "finetune", "clusters")
    assert batches.batches_of(cells_of("demo", *alone)) == {}


# --- tables and figures -----------------------------------------------------------------------------------------------


def test_every_exhibit_is_in_one_batch_of_two_dozen_at_most():
    found = groups(EXHIBITS)
    assert sorted(c.path for own in found for c in own.cells) == sorted(c.path for c in EXHIBITS)
    assert [len(own.cells) for own in found] == [14, 13]
    assert {own.label for own in found} == {"exhibits/demo"}
    assert len({own.stamp for own in found}) == 2
    assert [len(own.cells) for own in groups(EXHIBITS[:24])] == [24]
    assert [len(own.cells) for own in groups(EXHIBITS[:25])] == [13, 12]


def test_tables_and_figures_are_spread_alike():
    counts = [Counter(cell.kind for cell in own.cells) for own in groups(EXHIBITS)]
    assert sorted(count["table"] for count in counts) == [3, 4]
    assert sorted(count["figure"] for count in counts) == [10, 10]


def test_studies_are_drawn_apart_and_one_exhibit_needs_no_batch():
    found = batches.batches_of([*EXHIBITS[:2], exhibit("table", "table1", "mini")])
    assert list(found) == [cell.path for cell in EXHIBITS[:2]]
    both = groups([*EXHIBITS[:2], exhibit("table", "table1", "mini"), exhibit("figure", "figure2", "mini")])
    assert [(own.label, len(own.cells)) for own in both] == [("exhibits/demo", 2), ("exhibits/mini", 2)]


def test_another_key_is_another_batch():
    (first,) = groups(EXHIBITS[:2])
    (other,) = groups([EXHIBITS[0], Cell("table", EXHIBITS[1].address, EXHIBITS[1].settings, key="f" * 16)])
    assert first.label == other.label
    assert first.stamp != other.stamp


def test_a_report_is_in_no_batch():
    report = Plan().exhibit("demo", "report")
    assert report.path not in batches.batches_of([*report.inputs.values(), report])


def drawn_together(*targets: str) -> dict[str, list[str]]:
    """{label: the names of its tables and figures} of the batches of a run that draw."""
    found: dict[str, set[str]] = {}
    with run_of(*targets) as run:
        for own in run.batches.values():
            if own.label.startswith("exhibits/"):
                found.setdefault(own.label, set()).update(cell.settings.name for cell in own.cells)
    return {label: sorted(names) for label, names in found.items()}


def test_a_run_draws_together_what_it_was_asked_for(planning_folder):
    shown = sorted(cell.settings.name for cell in Plan().shown("demo"))
    assert drawn_together("results/demo/table1.tex") == {}
    assert drawn_together("results/demo/table1.tex", "results/demo/figure2.svg") == {
        "exhibits/demo": ["figure2", "table1"]
    }
    assert drawn_together("demo") == drawn_together("results/demo/report.html") == {"exhibits/demo": shown}
    assert drawn_together("results/cells/table/demo/table1/0123456789abcdef/record.json") == {}
    assert set(drawn_together("demo", "results/mini/table1.tex", "results/mini/table2.tex")) == {
        "exhibits/demo",
        "exhibits/mini",
    }


# --- the process that makes them --------------------------------------------------------------------------------------


def log_of(cell: Cell) -> str:
    return cell.log.read_text(encoding="utf-8")


def test_a_cell_that_fails_is_named_and_keeps_no_other_from_being_made(tmp_path, monkeypatch):
    made = []

    def run_cell(cell, code, make, shared):
        if cell.address == "two":
            raise OSError("disk of two")
        shared[cell.address] = len(shared)
        made.append((cell.address, code, make.__name__, shared))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(step, "run_cell", run_cell)
    cells = [Cell("evaluate", name, EvaluateSettings(), key="0" * 16) for name in ("one", "two", "three")]
    assert batch([(cell, f"code of {cell.address}") for cell in cells]) == ["evaluate/two"]
    shared = {"one": 0, "three": 1}  # by all cells of the process
    assert made == [("one", "code of one", "evaluate", shared), ("three", "code of three", "evaluate", shared)]
    assert "disk of two" in log_of(cells[1])
    assert str(cells[1].log) == f"results/logs/evaluate/two/{'0' * 16}.log"


def test_an_exhibit_that_fails_is_named_and_does_not_hold_up_the_others(planning_folder, monkeypatch):
    drawn = []

    def table(job) -> dict:
        drawn.append(job.settings.name)
        if job.settings.name == "table1":
            raise ValueError("no")
        (job.out / "table2.csv").write_text("drawn")
        return {}

    monkeypatch.setattr(table_step, "table", table)
    first, second, third = (Plan().exhibit("demo", name) for name in ("table1", "table2", "table3"))
    file = jobs.JobFile("0" * 16, [first, second])
    file.write()
    assert batch([*jobs.read(file.path).cells, (third, "0" * 64)]) == ["table/demo/table1", "table/demo/table3"]
    assert drawn == ["table1", "table2"]
    assert "ValueError: no" in log_of(first)
    assert "the code was changed after this job was planned; run Snakemake again" in log_of(third)
    assert [cell.record.is_file() for cell in (first, second, third)] == [False, True, False]


def test_the_process_says_how_many_were_not_made(planning_folder, monkeypatch, capsys):
    def table(job) -> dict:
        raise ValueError("no")

    monkeypatch.setattr(table_step, "table", table)
    cells = [Plan().exhibit("demo", name) for name in ("table1", "table2")]
    file = jobs.JobFile("0" * 16, cells)
    file.write()
    with pytest.raises(SystemExit) as left:
        step.main(["--job", str(file.path), "--log", "batch.log"])
    assert left.value.code == 1
    said = (planning_folder / "batch.log").read_text(encoding="utf-8")
    assert "2 of 2 cells were not made: table/demo/table1, table/demo/table2" in said


def test_a_signal_is_not_a_failed_cell(planning_folder, monkeypatch):
    def table(job) -> dict:
        raise SystemExit(143)

    monkeypatch.setattr(table_step, "table", table)
    file = jobs.JobFile("0" * 16, [Plan().exhibit("demo", "table1")])
    file.write()
    with pytest.raises(SystemExit) as left:
        batch(jobs.read(file.path).cells)
    assert left.value.code == 143
