"""One real fine-tuning by the workflow's own steps, on the device and on the CPU side by side.

The spoken digits (FSDD) where their folder is given, the audio cell that is given, such as the demo's words, or else
made words. The CPU's runs in a process of its own that sees
no GPU: python -m benchmarks._parts.finetuning AUDIO FEATURES OUT --dataset NAME --epochs N --batch N
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

from audioprune import records, registry
from audioprune.settings.data import AudioSettings
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, Recipe
from audioprune.sources.of_cell import facts_of
from audioprune.steps._run import Job
from audioprune.steps.evaluate import evaluate
from audioprune.steps.finetune import finetune
from benchmarks._parts import made
from benchmarks._parts.given import ROOT, Given
from benchmarks._parts.rows import Rows

DIGITS = "fsdd-digits"
APART = 0.1  # accuracy: runs that differ in the last bit part ways, and 300 test clips have a standard error of 0.02
BACKBONE, PRUNING = "audiomae-tiny", Pruning(method="topk", keep_rate=0.7)


def run(given: Given, rows: Rows) -> None:
    folder, dataset, cells = given.scratch / "finetuning", made.NAME, {}
    if given.audio:
        with rows.guarded(f"{given.audio.name}: read, else made words"):
            audio, dataset = brought(given.audio, folder)
            frames = registry.dataset(dataset).frames
            cells = {"audio": audio, "features": made.features_of(audio, folder / "features", dataset, frames)}
    if not cells:
        cells = made.cells(folder, *((320, 80, 4) if given.quick else (1000, 300)))
    epochs, batch = (4, 8) if given.quick else (5, 32)
    command = [sys.executable, "-m", "benchmarks._parts.finetuning", *map(str, cells.values()), str(folder / "cpu")]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    beside = subprocess.Popen(
        [*command, "--dataset", dataset, "--epochs", str(epochs), "--batch", str(batch)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, dict] = {}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        with rows.guarded("on cuda"):
            found["cuda"] = trained(cells, folder / "cuda", dataset, epochs, batch)
            told(rows, dataset, "cuda", found["cuda"])
    else:
        rows.needs_cuda(f"{dataset}: accuracy on the GPU, and its difference from the CPU's")
    with rows.guarded("on cpu"):
        try:
            said, errors = beside.communicate(timeout=max(1, given.left - 3))
        except subprocess.TimeoutExpired:
            beside.kill()
            rows.write(f"{dataset}: on the CPU", "timed out", note="the CPU did not end in time")
            return
        if beside.returncode:
            raise RuntimeError(errors[-300:])
        found["cpu"] = json.loads(said.splitlines()[-1])
        told(rows, dataset, "cpu", found["cpu"])
    if len(found) == 2:
        apart = abs(found["cuda"]["accuracy"] - found["cpu"]["accuracy"])
        rows.add(f"{dataset}: accuracies apart", apart, "share of test clips", at_most=APART)


def told(rows: Rows, dataset: str, device: str, one: dict) -> None:
    note = (
        f"{one['clips']} test clips, {one['epochs']} epochs, {one['clips_per_s']} training clips/s, {one['seconds']} s"
    )
    chance = 1.5 / one["classes"]
    rows.add(f"{dataset}: accuracy on {device}", one["accuracy"], "share of test clips", at_least=chance, note=note)


def brought(given: Path, folder: Path) -> tuple[Path, str]:
    """An audio cell and its dataset: given as it is, or decoded from the folder of the digits' archive."""
    if (given / "waveforms.npy").is_file():
        return given, records.read(given)["settings"]["dataset"]
    from audioprune.audio.store import write_store
    from audioprune.steps.audio import decoded  # needs soundfile and scipy

    clips = registry.get("datasets", DIGITS).clips(given, {})
    write_store(folder / "audio", decoded(clips, given, "keyword"))
    made.record(folder / "audio", AudioSettings(dataset=DIGITS))
    return folder / "audio", DIGITS


def trained(cells: dict[str, Path], out: Path, dataset: str, epochs: int, batch: int) -> dict:
    """Fine-tune from scratch, then evaluate in float32: the steps of the workflow, with its cells' records."""
    started = time.monotonic()
    recipe = Recipe(
        epochs=epochs, batch_size=batch, base_lr=2e-3, warmup_epochs=1, weight_decay=0.05, layer_decay=1.0,
        drop_path=0.0, shrink_start=1, shrink_epochs=1, eval_every=0,
    )  # fmt: skip
    settings = FinetuneSettings(
        model=Model(backbone=BACKBONE), dataset=dataset, pruning=PRUNING, recipe=recipe, initial="scratch"
    )
    folders = {name: out / name for name in ("finetune", "evaluate")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    job = Job("finetune", dataset, "check", settings, cells, folders["finetune"], out / "resume")
    made.record(folders["finetune"], settings, results := finetune(job))
    inputs = cells | {"finetune": folders["finetune"]}
    own = EvaluateSettings(pruning=PRUNING)
    scored = evaluate(Job("evaluate", dataset, "check", own, inputs, folders["evaluate"], out / "resume"))
    with open(folders["finetune"] / "history.csv", encoding="utf-8") as file:
        lines = [line.split(",") for line in file.read().splitlines()]
    speed = float(dict(zip(lines[0], lines[-1]))["clips_per_s"])
    return {
        "accuracy": scored["value"],
        "clips": results["clips"]["test"],
        "classes": facts_of(cells["audio"]).num_classes,
        "epochs": epochs,
        "clips_per_s": speed,
        "seconds": round(time.monotonic() - started, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("audio", "features", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--dataset", default=made.NAME)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    given = parser.parse_args()
    cells = {"audio": given.audio, "features": given.features}
    print(json.dumps(trained(cells, given.out, given.dataset, given.epochs, given.batch)))


if __name__ == "__main__":
    main()
