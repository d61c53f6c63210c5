import json

from audioprune.config import load
from audioprune.planning import batches
from audioprune.planning.plan import Plan
from audioprune.steps import batch as step
from audioprune.steps.batch import batch


def evaluated(study: str) -> list:
    plan = Plan(load(), main=False)
    return [cell for cell in plan.study(study).all.values() if cell.kind in batches.EVALUATED]


def test_cells_of_one_fine_tuning_share_a_batch_and_of_two_do_not():
    cells = evaluated("demo")
    found = batches.batches_of(cells)
    for cell in cells:
        mates = [other for other in cells if batches.tuned_of(other) is batches.tuned_of(cell)]
        if len(mates) > 1:
            assert sorted(c.path for c in found[cell.path].cells) == sorted(c.path for c in mates)
            assert found[cell.path].inputs
            assert not {c.path for c in found[cell.path].inputs} & {c.path for c in mates}
        else:
            assert cell.path not in found


def test_the_name_depends_on_the_cells_and_not_on_their_order():
    cells = evaluated("demo")
    first = {path: batch.name for path, batch in batches.batches_of(cells).items()}
    again = {path: batch.name for path, batch in batches.batches_of(reversed(cells)).items()}
    assert first == again
    path, name = next(iter(first.items()))
    fewer = batches.batches_of(c for c in cells if c.path != path)
    assert name not in {batch.name for batch in fewer.values()}


def test_counted_models_go_eight_at_a_time_and_need_no_gpu():
    plan = Plan(load(), main=False)
    cells = [cell for cell in plan.study("paper").all.values() if cell.kind == "macs"]
    sizes = {batch.name: len(batch.cells) for batch in batches.batches_of(cells).values()}
    assert sum(sizes.values()) in (len(cells), len(cells) - 1)
    assert max(sizes.values()) <= 8
    assert {batches.gpus(cell) for cell in cells} == {0}
    tuned = next(cell for cell in plan.study("paper").all.values() if cell.kind == "finetune")
    assert batches.gpus(tuned) == 1


def test_a_written_list_is_read_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = next(iter(batches.batches_of(evaluated_here(tmp_path, monkeypatch)).values()))
    found.write()
    listed = batches.read(found.name)
    assert listed["cells"] == [json.loads(cell.as_json()) for cell in found.cells]
    assert listed["inputs"] == [f"{cell.dir}/record.json" for cell in found.inputs]
    assert listed["gpus"] == 0


def evaluated_here(tmp_path, monkeypatch) -> list:
    from pathlib import Path

    root = Path(__file__).parents[2]
    for name in ("config.yaml", "workflow"):
        (tmp_path / name).symlink_to(root / name)
    return evaluated("demo")


def test_a_cell_that_fails_is_named_and_keeps_no_other_from_being_made(tmp_path, monkeypatch, caplog):
    made = []

    def run_cell(cell, make):
        if cell["address"] == "two":
            raise OSError("disk of two")
        made.append((cell["address"], make.__name__))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(step, "run_cell", run_cell)
    cells = [{"kind": "evaluate", "address": name, "key": "0" * 16} for name in ("one", "two", "three")]
    assert batch(cells) == ["evaluate/two"]
    assert made == [("one", "evaluate"), ("three", "evaluate")]
    assert "disk of two" in (tmp_path / "results" / "logs" / "evaluate" / "two" / f"{'0' * 16}.log").read_text()
