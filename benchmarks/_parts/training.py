"""A small fine-tuning by the workflow's own step, in this process or in one that is killed on the way.

python -m benchmarks._parts.training CELLS OUT --backbone NAME --method NAME --precision NAME [--die SIGKILL]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import Augment, FinetuneSettings, Recipe
from audioprune.steps._run import Job
from audioprune.steps.finetune import finetune
from audioprune.training.resume import ResumePoint
from benchmarks._parts.given import ROOT
from benchmarks._parts.made import NAME

RECIPE = Recipe(
    epochs=4, batch_size=8, base_lr=2e-3, warmup_epochs=1, layer_decay=0.9, drop_path=0.2, weight_decay=0.05,
    shrink_start=2, shrink_epochs=1, shrink_granularity="iteration",
)  # fmt: skip
AUGMENT = Augment(magnitude=True, mixup=0.5, specaug_freq=24, specaug_time=16, mask_2d=0.3, noise=True)
DIES_AT = (2, 2)  # epoch and step of the last resume point that a killed training has written


def settings_of(backbone: str, method: str, precision: str) -> FinetuneSettings:
    """Every source of chance is on: drop-path, mixup, masks of both kinds, noise, and a keep-rate that falls."""
    return FinetuneSettings(
        model=Model(backbone=backbone),
        dataset=NAME,
        pruning=Pruning(method=method, keep_rate=0.5),
        recipe=RECIPE.model_copy(update={"precision": precision}),
        augment=AUGMENT,
        seed=7,
        initial="scratch",
    )


def train(cells: Path, out: Path, settings: FinetuneSettings, save_every_s: float = 0) -> dict:
    """Fine-tune on the cells in the folder; resume points lie in out/resume."""
    out.mkdir(parents=True, exist_ok=True)
    inputs = {name: cells / name for name in ("audio", "features")}
    return finetune(Job("finetune", out.name, "check", settings, inputs, out, out / "resume", save_every_s))


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of every stored set of weights, all bytes of the file."""
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.glob("*.safetensors"))}


def start(cells: Path, out: Path, backbone: str, method: str, precision: str, die: str = "") -> subprocess.Popen:
    """The same in a process of its own, which sends itself the signal `die` after a certain resume point."""
    given = ["--backbone", backbone, "--method", method, "--precision", precision, *(["--die", die] if die else [])]
    command = [sys.executable, "-m", "benchmarks._parts.training", str(cells), str(out), *given]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _dying(name: str) -> None:
    save = ResumePoint.save

    def save_and_die(self: ResumePoint, state: dict) -> None:
        save(self, state)
        if (state["epoch"], state["step"]) == DIES_AT:
            os.kill(os.getpid(), signal.Signals[name])

    ResumePoint.save = save_and_die  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cells", type=Path)
    parser.add_argument("out", type=Path)
    for name in ("backbone", "method", "precision", "die"):
        parser.add_argument(f"--{name}", default="")
    given = parser.parse_args()
    if given.die:
        _dying(given.die)
    train(given.cells, given.out, settings_of(given.backbone, given.method, given.precision))


if __name__ == "__main__":
    main()
