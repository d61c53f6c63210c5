"""The check of a GPU machine runs on a CPU to its end, and its figures make a table of the report."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from audioprune.planning import exhibits
from audioprune.results.study import Results
from audioprune.tables import gpu
from benchmarks import gpu_check
from benchmarks._parts import parts, rows, wheels
from tests import REPOSITORY

# What torch, numpy, pandas and safetensors bring with them.
BROUGHT = {"torch", "torchgen", "functorch", "triton", "nvidia", "sympy", "mpmath", "networkx", "jinja2"}
BROUGHT |= {"markupsafe", "fsspec", "filelock", "packaging", "safetensors"}
BROUGHT |= {"numpy", "pandas", "dateutil", "six", "pytz", "tzdata"}
BARE = """
import importlib, sys
from importlib.abc import MetaPathFinder
class Bare(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and not top.startswith("_") and top not in {there!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}, which a bare machine lacks", name=name)
sys.meta_path.insert(0, Bare())
from benchmarks._parts.parts import PARTS
for name, part in PARTS.items():
    importlib.import_module("benchmarks._parts." + (part.module or name))
print(*sorted({{name.partition(".")[0] for name in sys.modules}} & {carried!r}))
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """The whole check, as its users start it: about a minute."""
    folder = tmp_path_factory.mktemp("gpu")
    command = [sys.executable, "benchmarks/gpu_check.py", "--out", str(folder), "--device", "cpu", "--quick"]
    command += ["--wheels", str(folder / "none")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


def test_every_part_has_rows_and_a_verdict(out):
    found = rows.read(out)
    assert {row["part"] for row in found} == set(parts.PARTS)
    assert {row["verdict"] for row in found} == {rows.OK, rows.NEEDS_CUDA}
    assert {row["note"] for row in found if row["verdict"] == rows.NEEDS_CUDA} == {"needs CUDA: not run"}
    assert {row["part"] for row in found if row["verdict"] == rows.NEEDS_CUDA} >= {
        "parity",
        "repeat",
        "scaler",
        "fbank",
    }
    assert all(row["value"] for row in found if row["verdict"] == rows.OK)


def test_the_rows_that_matter(out):
    found = {(row["part"], row["name"]): row for row in rows.read(out)}
    exact = [row for (part, name), row in found.items() if part == "parity" and "fp32: logits" in name]
    assert len(exact) == 8
    assert all(row["limit"] == "<= 0.0001" and float(row["value"]) < 1e-4 for row in exact)
    shares = [float(row["value"]) for (part, name), row in found.items() if part == "parity" and "bf16: kept" in name]
    assert len(shares) == 18
    assert min(shares) >= 0.8
    for name in ("in another process", "resumed after SIGKILL", "resumed after SIGTERM"):
        assert found["repeat", f"fp32: {name}: same bytes"]["value"] == "True"
    assert found["repeat", "fp32: SIGKILL ends the process"]["value"] == "-9"
    assert found["scaler", "fp32: a loss that stays infinite is told"]["value"] == "True"
    assert found["refusals", "audiomae, fused, fp32: refused"]["unit"] == "of 28"
    assert float(found["finetuning", "made-words: accuracy on cpu"]["value"]) >= 1.5 / 4


def test_files(out):
    assert sorted(path.name for path in out.iterdir()) == sorted(gpu_check.RESULTS)
    whole = json.loads((out / "check.json").read_text())
    assert {"device", "versions", "date", "code", "command", "seconds", "verdicts"} <= set(whole)
    assert whole["versions"]["torch"]
    assert set(whole["seconds"]) == {*parts.PARTS, "all"}
    with open(out / "operators.csv", newline="") as file:
        assert Counter(row["precision"] for row in csv.DictReader(file)) == {"fp32": 20, "bf16": 20}


def test_limits_in_all_are_close_to_ten_minutes():
    assert 540 <= sum(part.seconds for part in parts.PARTS.values()) <= 900


def test_the_table_without_and_with_measurements(out, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "FOLDER", tmp_path / "nothing")
    none = gpu.build(Results("empty", []))
    assert [row.cells["what"] for row in none.rows] == ["not run on a GPU"]
    assert not any(column.key.startswith("speed_up") for column in none.columns)
    assert none.notes == (gpu.NOT_RUN,)
    for device in ("one", "two"):
        (tmp_path / "report/measured" / device).mkdir(parents=True)
        for name in ("checks.csv", "speed.csv"):
            (tmp_path / "report/measured" / device / name).write_text((out / name).read_text())
    monkeypatch.setattr(gpu, "FOLDER", tmp_path / "report/measured")
    table = gpu.build(Results("empty", []))
    parity = next(row.cells for row in table.rows if row.cells["what"] == "parity")
    assert (parity["failed"], parity["not_run"]) == (0, 8)
    own = [row.cells for row in table.rows if row.cells["what"] == "audiomae-tiny, 256 tokens"]
    assert [one["kernel"] for one in own] == ["fused", "fused", "eager", "eager"] * 2  # fp32 and bf16, two devices
    with open(out / "speed.csv", newline="") as file:
        last = {
            row["keep_rate"]: row
            for row in csv.DictReader(file)
            if (row["backbone"], row["tokens"]) == ("audiomae-tiny", "256")
        }
    assert own[-1]["speed_up_0.5"] == float(last["0.5"]["speed_up"])
    assert [column.key for column in table.columns if column.key.startswith("speed_up")] == [
        "speed_up_0.7",
        "speed_up_0.5",
    ]
    monkeypatch.chdir(tmp_path)
    assert set(exhibits.files_taken(gpu)) == {
        f"report/measured/{device}/{name}.csv" for device in ("one", "two") for name in ("checks", "speed")
    }


def test_the_committed_measurements():
    """What benchmarks/README.md says of the H100, from the files beside it."""
    folder = REPOSITORY / "report" / "measured" / "h100"
    found = rows.read(folder)
    assert Counter(row["verdict"] for row in found) == {rows.OK: 607}
    exact = [float(row["value"]) for row in found if row["part"] == "parity" and "fp32: logits" in row["name"]]
    assert max(exact) == pytest.approx(3.1e-6, abs=5e-8)
    with open(folder / "speed.csv", newline="") as file:
        speeds = {
            (row["backbone"], row["kernel"], row["precision"], row["batch_size"]): float(row["speed_up"])
            for row in csv.DictReader(file)
            if (row["tokens"], row["keep_rate"]) == ("512", "0.5")
        }
    told = {
        ("eager", "fp32", "64"): (2.01, 2.04),
        ("fused", "bf16", "64"): (1.18, 1.72),
        ("fused", "bf16", "16"): (0.65, 0.82),
        ("graph", "bf16", "16"): (1.16, 1.62),
    }
    for setting, values in told.items():
        for backbone, value in zip(("audiomae-b", "ast-b"), values, strict=True):
            assert speeds[backbone, *setting] == pytest.approx(value, abs=0.005)


def test_a_decoded_cell_says_its_dataset_itself(tmp_path):
    from benchmarks._parts import finetuning, made

    cells = made.cells(tmp_path / "made", 4, 4, 2)
    assert finetuning.brought(cells["audio"], tmp_path) == (cells["audio"], "made-words")


@pytest.mark.parametrize(
    ("value", "limits", "verdict"),
    [
        (1e-5, {"at_most": 1e-4}, rows.OK),
        (1e-3, {"at_most": 1e-4}, rows.FAILED),
        (0.7, {"at_least": 0.8}, rows.FAILED),
        (float("nan"), {}, rows.FAILED),
        (float("nan"), {"at_most": 1.0}, rows.FAILED),
        (False, {"equals": True}, rows.FAILED),
        (True, {"equals": True}, rows.OK),
        (12.5, {}, rows.OK),
    ],
)
def test_verdicts(tmp_path, value, limits, verdict):
    rows.Rows(tmp_path, "p").add("n", value, **limits)
    assert [row["verdict"] for row in rows.read(tmp_path)] == [verdict]


def test_an_exception_is_a_row_and_the_part_goes_on(tmp_path):
    own = rows.Rows(tmp_path, "p")
    with own.guarded("n"):
        raise RuntimeError("no kernel")
    (row,) = rows.read(tmp_path)
    assert (row["verdict"], row["note"]) == (rows.FAILED, "RuntimeError: no kernel")


def test_a_part_that_overruns_is_killed_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "__file__", str(tmp_path / "sleeps.py"))
    (tmp_path / "sleeps.py").write_text("import subprocess, sys\nsubprocess.run(['sleep', '600'])\n")
    given = gpu_check.arguments(["--out", str(tmp_path)])
    gpu_check.run_part("parity", 6, given, tmp_path, tmp_path)
    gpu_check.run_part("fbank", 2, given, tmp_path, tmp_path)
    (tmp_path / "sleeps.py").write_text("raise SystemExit(3)\n")
    gpu_check.run_part("step", 20, given, tmp_path, tmp_path)
    found = [(row["part"], row["verdict"], row["note"][:24]) for row in rows.read(tmp_path)]
    assert found == [
        ("parity", rows.TIMED_OUT, "killed after 6 s; rows b"),
        ("fbank", rows.TIMED_OUT, "not begun: the 10 minute"),
        ("step", rows.FAILED, "its process ended with e"),
    ]


def test_the_wheels_hold_all_that_the_check_imports():
    carried = set(wheels.LACKING.values())
    code = BARE.format(there=BROUGHT | carried | {"audioprune", "benchmarks"}, carried=carried)
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"}
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert set(done.stdout.split()) == carried  # and no wheel is carried in vain
    lock = (REPOSITORY / "requirements.lock").read_text()
    wanted = wheels.pinned(wheels.LACKING, lock)
    assert [line.split("==")[0] for line in wanted.splitlines() if "==" in line] == [*wheels.LACKING]
    assert wanted.count("--hash=sha256:") >= 2 * len(wheels.LACKING)


def test_wheels_of_another_python_are_left_alone(tmp_path):
    for name in ("a-1-py3-none-any.whl", "b-1-cp39-cp39-manylinux_2_28_x86_64.whl"):
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            file.writestr(f"{name[0]}.py", "")
    try:
        assert wheels.unpack(tmp_path, tmp_path / "to") == []  # nothing is lacking here
        assert not list((tmp_path / "to").iterdir())
        (tmp_path / "b-1-cp39-cp39-manylinux_2_28_x86_64.whl").unlink()
        wheels.unpack(tmp_path, tmp_path / "to")
        assert [path.name for path in (tmp_path / "to").iterdir()] == ["a.py"]
    finally:
        sys.path[:] = [path for path in sys.path if path != str(tmp_path / "to")]


def test_what_is_left_out_of_pyarrow():
    gone = ("include/arrow/api.h", "libarrow_flight.so.2600", "_s3fs.cpython-312-x86_64-linux-gnu.so", "tests/x.py")
    kept = ("lib.cpython-312-x86_64-linux-gnu.so", "libarrow_python.so.2600", "libarrow_substrait.so.2600", "fs.py")
    assert all(wheels.LEFT_OUT.match(f"pyarrow/{name}") for name in (*gone, "libarrow_python.so.2600.1.0"))
    assert not any(wheels.LEFT_OUT.match(f"pyarrow/{name}") for name in kept)
