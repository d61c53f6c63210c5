"""`audioprune accept`: a refactoring throws nothing away, and what was not accepted is made again."""

from __future__ import annotations

import json

import yaml

REPORT = "results/demo/report.html"
WHY = "same bits, see its test"


def accept(project, kind: str, *options: str) -> dict:
    found = project.run("audioprune", "accept", kind, "--why", WHY, "--json", *options)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def refactor(project, name: str, text: str = "\nREFACTORED = 1\n") -> None:
    path = project.root / "src" / "audioprune" / name
    path.write_text(path.read_text() + text)


def place_of(cell: str) -> str:
    """kind/address of a cell, from what a plan or a command calls it."""
    return cell.removeprefix("results/cells/").removesuffix("/record.json").rpartition("/")[0]


def made(project, kind: str, part: str) -> list[str]:
    """kind/address of the cells of a kind whose path has a part."""
    cells = project.root / "results" / "cells"
    found = [str(record.relative_to(cells)) for record in (cells / kind).rglob("record.json")]
    return sorted(place_of(path) for path in found if part in path)


def test_an_accepted_refactoring_reruns_only_the_kinds_that_it_was_not_accepted_for(finished):
    refactor(finished, "pruning/topk.py")
    named, evaluated = made(finished, "finetune", "/topk"), made(finished, "evaluate", "/eval-topk")
    tried = accept(finished, "finetune", "--dry-run")
    assert not tried["recorded"]
    assert set(tried["modules"]) == {"audioprune.pruning.topk"}
    assert sorted(map(place_of, tried["covers"])) == named
    assert {"evaluate", "trace", "macs"} <= set(tried["also_in"])
    assert not (finished.root / "workflow" / "accepted.yaml").exists()
    assert accept(finished, "finetune")["recorded"]
    (entry,) = yaml.safe_load((finished.root / "workflow" / "accepted.yaml").read_text())
    assert entry["kind"] == "finetune"
    assert entry["why"] == WHY
    jobs = finished.jobs("demo")
    assert "finetune" not in jobs
    assert sorted(map(place_of, jobs["evaluate"])) == evaluated
    kinds = ("evaluate", "trace", "macs", "throughput", "recognise", "transcribe", "pace", "noisy", "durations")
    for kind in (*kinds, "table"):  # claims and forensics read facts of every method
        accept(finished, kind)
    assert set(finished.planned(REPORT)) == {"report"}  # which lists what was accepted
    refactor(finished, "pruning/topk.py", "\nREFACTORED = 2\n")  # edited again, not accepted
    assert sorted(map(place_of, finished.jobs("demo")["finetune"])) == named


def test_nothing_to_accept_says_so_and_a_missing_reason_is_refused(finished):
    found = finished.run("audioprune", "accept", "finetune", "--why", WHY)
    assert "nothing to accept: no finetune cell" in found.stdout
    assert finished.run("audioprune", "accept", "finetune").returncode == 2
    found = finished.run("audioprune", "accept", "finetune", "--why", " ")
    assert found.returncode == 1
    assert "--why is empty" in found.stderr
    found = finished.run("audioprune", "accept", "finetun", "--why", WHY)
    assert "did you mean 'finetune'?" in found.stderr
    found = finished.run("audioprune", "accept", "report", "--why", WHY)
    assert "no change of code can be accepted for 'report'" in found.stderr


def test_twice_edited_then_reverted_code_keeps_the_first_key(finished):
    path = finished.root / "src" / "audioprune" / "steps" / "finetune.py"
    first = path.read_text()
    refactor(finished, "steps/finetune.py")
    assert accept(finished, "finetune")["recorded"]
    refactor(finished, "steps/finetune.py", "\nAND_AGAIN = 1\n")
    assert "finetune" in finished.jobs("demo")
    assert accept(finished, "finetune")["recorded"]
    assert "finetune" not in finished.jobs("demo")
    path.write_text(first)
    assert "finetune" not in finished.jobs("demo")


def test_a_module_split_in_two_can_be_accepted_and_its_new_half_is_watched(finished):
    (finished.root / "src" / "audioprune" / "training" / "_half.py").write_text("HALF = 0.5\n")
    refactor(finished, "steps/finetune.py", "\nfrom audioprune.training import _half\n\nHALF = _half.HALF\n")
    found = accept(finished, "finetune")
    change = found["modules"]["audioprune.steps.finetune"]
    assert set(change["brought"]) == {"audioprune.training._half"}
    assert "finetune" not in finished.jobs("demo")
    (finished.root / "src" / "audioprune" / "training" / "_half.py").write_text("HALF = 0.25\n")
    assert len(finished.jobs("demo")["finetune"]) == len(finished.cells("finetune/*/*/*/*/*"))


def test_cells_made_with_old_and_new_code_are_refused_until_one_is_named(finished):
    rates = "datasets: [demo-words, demo-sounds], keep_rates: [1.0, 0.5"
    refactor(finished, "steps/finetune.py")
    finished.edit("config.yaml", rates, f"{rates}, 0.3")
    new = [cell for cell in finished.jobs("demo")["finetune"] if "kr0.3" in cell]
    script = (
        "import sys; from audioprune import records; from audioprune.fingerprints import fingerprint\n"
        "from audioprune.planning import plan as p\n"
        "for c in p.Plan().study('demo').all.values():\n"
        "    if c.path in sys.argv[1:]:\n"
        "        inputs = {n: u.key for n, u in c.inputs.items()}\n"
        "        record = {'key': c.key, 'inputs': inputs, 'files': {}, 'made': {'versions': {}}}\n"
        "        records.write_json(c.dir / 'record.json', record | fingerprint.code_record(c.kind, c.plugins))\n"
    )
    assert finished.run("python", "-c", script, *new).returncode == 0
    found = finished.run("audioprune", "accept", "finetune", "--why", WHY)
    assert found.returncode == 1
    assert "2 finetune cells were made with the code as it stands" in found.stderr
    older = found.stderr.split("--like ")[1].split(",")[0]
    found = accept(finished, "finetune", "--like", older)
    assert sorted(found["made_again"]) == sorted(new)
    assert all("kr0.3" in cell for cell in finished.jobs("demo")["finetune"])


def test_accepted_code_of_a_table_draws_nothing_again_but_the_report(finished):
    refactor(finished, "tables/keep_rates.py")
    assert set(finished.jobs("demo")) == {"table", "report"}
    (drawn,) = finished.cells("table/demo/table1/*")
    assert accept(finished, "table")["covers"] == [f"table/demo/table1/{drawn.name}"]
    assert set(finished.jobs("demo")) == {"report"}
