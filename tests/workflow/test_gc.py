"""`audioprune gc`: what no study plans any more, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

REPORT = "results/demo/report.html"
GONE, HELD = "0123456789abcdef", "fedcba9876543210"
HOLD = "import time; from audioprune.locks.main import hold; f = hold(); print('held', flush=True); time.sleep(100)"


def gc(project, *options: str) -> dict[str, dict]:
    """{path: leftover}."""
    found = project.run("audioprune", "gc", "--json", *options)
    assert found.returncode == 0, found.stderr
    return {left["path"]: left for left in json.loads(found.stdout)["leftovers"]}


def files(project) -> set[str]:
    return {str(path.relative_to(project.root)) for path in (project.root / "results").rglob("*") if path.is_file()}


def write(project, name: str, text: str = "12345") -> None:
    path = project.root / "results" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def made_of(*cells: str) -> str:
    """A job's file, as far as the cells go that it makes."""
    return json.dumps({"cells": dict.fromkeys(cells, "")})


def test_what_is_planned_is_never_listed(finished):
    assert "nothing to remove" in finished.run("audioprune", "gc").stdout


def test_leftovers_are_listed_with_sizes_and_removed_only_when_told(finished):
    planned = files(finished)
    kept = finished.cells("finetune/ast-tiny/demo-words/topk-kr0.5/*/*")[0].name
    place = "finetune/ast-tiny/demo-words/topk-kr0.5/fold1-seed0"
    write(finished, f"cells/{place}/{GONE}/record.json")
    write(finished, f"cells/{place}/{GONE}/inner/last.safetensors")
    write(finished, f"cells/finetune/ast-tiny/gone/none-kr1/fold1-seed0/{GONE}/record.json")
    write(finished, f"cells/{place}/.{kept}.abcd/half")
    write(finished, f"resume/{GONE}/point.pt")
    write(finished, f"resume/{kept}/point.pt")
    write(finished, f"logs/{place}/{GONE}.log")
    write(finished, f"logs/{place}/{kept}.log")
    write(finished, f"cells/table/demo/table1/{GONE}/record.json")
    write(finished, f"logs/jobs/{GONE}-{HELD}.json", made_of(f"{place}/{GONE}"))
    write(finished, f"logs/jobs/{HELD}-{HELD}.json", made_of(f"{place}/{GONE}", f"{place}/{kept}"))  # of a batch
    write(finished, f"logs/jobs/{kept}-{HELD}.json", made_of(f"{place}/{kept}"))
    write(finished, "notes/mine.txt")
    before = files(finished)
    left = gc(finished)
    assert {path: (one["what"], one["bytes"]) for path, one in left.items()} == {
        f"results/cells/{place}/{GONE}": ("outdated cell", 10),
        f"results/cells/finetune/ast-tiny/gone/none-kr1/fold1-seed0/{GONE}": ("outdated cell", 5),
        f"results/cells/{place}/.{kept}.abcd": ("unfinished scratch folder", 5),
        f"results/resume/{GONE}": ("orphaned resume point", 5),
        f"results/logs/{place}/{GONE}.log": ("old log", 5),
        f"results/cells/table/demo/table1/{GONE}": ("outdated cell", 5),
        f"results/logs/jobs/{GONE}-{HELD}.json": ("old job file", len(made_of(f"{place}/{GONE}"))),
    }
    assert files(finished) == before
    assert not any(one["removed"] for one in left.values())
    assert all(one["removed"] for one in gc(finished, "--remove").values())
    jobs = {f"logs/jobs/{HELD}-{HELD}.json", f"logs/jobs/{kept}-{HELD}.json"}
    still = {f"resume/{kept}/point.pt", f"logs/{place}/{kept}.log", "notes/mine.txt", *jobs}
    assert files(finished) - {"results/logs/main.lock", "results/logs/digests.json"} == planned | {
        f"results/{name}" for name in still
    } - {"results/logs/main.lock", "results/logs/digests.json"}
    assert not (finished.root / "results/cells/finetune/ast-tiny/gone").exists()
    assert finished.planned(REPORT) == {}


def test_what_is_being_made_is_kept_and_links_are_not_followed(finished, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    place = finished.root / "results" / "cells" / "finetune" / "linked"
    place.mkdir(parents=True)
    (place / GONE).symlink_to(outside)
    (finished.root / "results" / "cells" / "elsewhere").symlink_to(outside)
    (outside / HELD).mkdir()
    write(finished, f"cells/finetune/x/.{HELD}.abcd/half")
    maker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)", HELD])
    try:
        left = gc(finished, "--remove")
    finally:
        maker.kill()
        maker.wait()
    assert f"process {maker.pid}" in left[f"results/cells/finetune/x/.{HELD}.abcd"]["kept"]
    assert (finished.root / f"results/cells/finetune/x/.{HELD}.abcd/half").is_file()
    assert not (place / GONE).is_symlink()
    assert (outside / "precious").read_text() == "x"
    assert (outside / HELD).is_dir()


def test_timings_of_another_device_and_cells_of_data_that_is_not_indexed_are_kept(finished):
    timing = finished.cells("throughput/*/*/*/*/*/*")[0]
    other = timing.parent.relative_to(finished.root / "results/cells").parts
    elsewhere = "/".join((other[0], "Another-GPU", *other[2:]))
    write(finished, f"cells/{elsewhere}/{GONE}/record.json")
    tuned = next(c for c in finished.jobs("paper")["finetune"] if "voxceleb1" in c).rpartition("/")[0]
    write(finished, f"cells/{tuned}/{GONE}/record.json")
    left = gc(finished, "--remove")
    assert left[f"results/cells/{elsewhere}/{GONE}"]["kept"] == "a timing of another device"
    assert "not indexed here" in left[f"results/cells/{tuned}/{GONE}"]["kept"]
    assert (finished.root / f"results/cells/{tuned}/{GONE}/record.json").is_file()


def test_nothing_is_removed_beside_a_running_snakemake(finished):
    write(finished, f"resume/{GONE}/point.pt")
    main = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=finished.root, env=finished.environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert main.stdout.readline() == "held\n"
        found = finished.run("audioprune", "gc", "--remove")
    finally:
        main.kill()
        main.wait()
        main.stdout.close()
    assert found.returncode == 1
    assert f"process {main.pid}" in found.stderr
    assert (finished.root / f"results/resume/{GONE}/point.pt").is_file()
    shutil.rmtree(finished.root / "results" / "resume")
