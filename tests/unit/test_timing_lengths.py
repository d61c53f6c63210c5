"""The command that times batchings with random weights: on made clips, its counts and closed forms by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from audioprune.errors import UserError
from audioprune.profiling.macs import count
from benchmarks import gpu_check, lengths
from benchmarks._parts import made, packed, rows
from benchmarks._parts.rows import Rows

QUICK = ["--warmup", "1", "--runs", "2", "--batch-size", "2"]
SECONDS = (0.2, 0.3, 0.5, 0.64)  # 18, 28, 48 and 62 frames: 2, 2, 3 and 4 columns
PLACES = (2, 2, 3, 4)


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    """Four takes for tests and four for training, named as the spoken digits are."""
    folder = tmp_path_factory.mktemp("digits")
    (folder / "recordings").mkdir()
    draw = np.random.default_rng(0)
    for take in (0, 5):
        for digit, seconds in enumerate(SECONDS):
            wave = 0.1 * draw.standard_normal(round(16000 * seconds))
            soundfile.write(folder / "recordings" / f"{digit}_george_{take}.wav", wave, 16000)
    return folder


def cost(columns: int, rate: float = 1.0) -> int:
    return count("ast-tiny", frames=16 * columns, num_classes=10, method="topk", keep_rate=rate).total


def read(path: Path) -> dict[tuple[str, str, float], dict[str, str]]:
    with open(path, newline="") as file:
        return {(row["dataset"], row["batching"], float(row["keep_rate"])): row for row in csv.DictReader(file)}


def test_digits_in_every_batching(digits, tmp_path, capsys):
    out = tmp_path / "lengths.csv"
    assert lengths.main([f"fsdd-digits={digits}", "--out", str(out), "--backbones", "ast-tiny", *QUICK]) == 0
    found = read(out)
    assert list(next(iter(found.values()))) == list(lengths.COLUMNS)
    assert [key[1:] for key in found] == [
        (batching, rate) for batching in ("single", "padded", "longest", "bucketed") for rate in (1.0, 0.5)
    ]
    assert len(capsys.readouterr().out.splitlines()) == 8
    mean = sum(map(cost, PLACES)) / 4  # of a model of 64 frames, 4 columns
    halved = sum(cost(columns, 0.5) for columns in PLACES) / 4
    closed = {
        ("padded", 1.0): 1, ("padded", 0.5): cost(4) / cost(4, 0.5), ("single", 1.0): cost(4) / mean,
        ("bucketed", 1.0): cost(4) / mean, ("single", 0.5): cost(4) / halved, ("bucketed", 0.5): cost(4) / halved,
    }  # fmt: skip
    for (batching, rate), ratio in closed.items():
        assert float(found["fsdd-digits", batching, rate]["mac_ratio"]) == pytest.approx(ratio, rel=1e-4)
    for (_, batching, _), row in found.items():
        assert row["valid"] == str(8 * sum(PLACES))
        assert batching == "longest" or row["computed"] == str({"padded": 8 * 16}.get(batching, 8 * sum(PLACES)))
        assert (row["frames"], row["clips"], row["runs"], row["precision"]) == ("64", "4", "2", "fp32")
        assert 0 < float(row["clips_per_s_low"]) <= float(row["clips_per_s"]) <= float(row["clips_per_s_high"])
        seconds = sum(SECONDS)
        assert float(row["audio_per_s"]) / float(row["clips_per_s"]) == pytest.approx(seconds / 4, rel=1e-4)
    assert float(found["fsdd-digits", "padded", 1.0]["speed_up"]) == 1
    assert float(found["fsdd-digits", "bucketed", 1.0]["per_batch"]) == pytest.approx(4 / 3, rel=1e-4)


def test_strings_of_digits_and_a_decoded_cell_in_one_run(digits, tmp_path):
    cell, out = made.cells(tmp_path / "made", 4, 3)["audio"], tmp_path / "lengths.csv"
    batchings = ["--batchings", "padded", "bucketed", "--keep-rates", "1.0"]
    given = [f"fsdd-strings={digits}", str(cell), "--out", str(out), "--backbones", "ast-tiny"]
    assert lengths.main([*given, *QUICK, *batchings]) == 0
    found = read(out)
    assert {key[0]: (row["frames"], row["clips"]) for key, row in found.items()} == {
        "fsdd-strings": ("384", "1"),  # the four digits for tests, joined
        made.NAME: (str(made.FRAMES), "3"),  # its clips for tests
    }
    # 0.2 + 0.3 + 0.5 + 0.64 s are 162 frames, 11 columns; padded they are as long as the model, 24
    computed = [found["fsdd-strings", batching, 1.0]["computed"] for batching in ("padded", "bucketed")]
    assert computed == [str(8 * 24), str(8 * 11)]


def test_what_cannot_be_timed_is_told(digits, tmp_path):
    given = [f"fsdd-digits={digits}", "--out", str(tmp_path / "x.csv"), "--batchings", "padded", "packed", *QUICK]
    with pytest.raises(UserError, match="packed needs a CUDA GPU and fp16 or bf16: use bucketed"):
        lengths.main([*given, "--backbones", "ast-tiny", "--precision", "bf16"])


# --- the part of the check on a GPU that compares packed with single ---


@torch.inference_mode()
def test_packed_in_bf16_keeps_and_says_what_single_does_within_rounding(tmp_path):
    """On this processor, with attention clip by clip: the comparison that a GPU makes with its kernel."""
    own = Rows(tmp_path, "packed")
    clips = packed.noise((3, 8, 5), torch.device("cpu"))
    model = packed.classifier("ast-tiny", 128, torch.device("cpu"))
    for method, options, blocks in packed.CASES:
        packed.prune(model, method, options, blocks)
        packed.against(own, method, model, clips, packed.by_clip, "bf16", torch.device("cpu"))
    found = {row["name"]: row for row in rows.read(tmp_path)}
    assert {row["verdict"] for row in found.values()} == {rows.OK}
    assert found["intensity: kept"]["limit"] == ">= 1"  # no rounding moves a patch's own mean
    assert found["topk: kept by one of them alone"]["limit"] == "<= 0.02"


@torch.inference_mode()
def test_a_kernel_that_looks_at_other_clips_fails(tmp_path):
    def everything(q, k, v, row):
        return packed.by_clip(q, k, v, packed.Row([len(q)], q.device))

    own = Rows(tmp_path, "packed")
    clips = packed.noise((3, 8, 5), torch.device("cpu"))
    model = packed.classifier("ast-tiny", 128, torch.device("cpu"))
    packed.against(own, "all", model, clips, everything, "bf16", torch.device("cpu"))
    assert [row["verdict"] for row in rows.read(tmp_path)] == [rows.FAILED]


def test_the_part_is_in_the_check():
    assert "packed" in gpu_check.PARTS
