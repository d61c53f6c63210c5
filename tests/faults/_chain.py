"""Cells of a small dataset of tones, made by real step processes in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from audioprune import records
from audioprune.cells.cell import Cell
from audioprune.fingerprints.keys import code_of, key_of
from audioprune.planning import brought, user_csv
from audioprune.planning.jobs import JobFile
from audioprune.settings.data import AudioSettings, FeaturesSettings, UserFolder
from audioprune.settings.evaluation import EvaluateSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import Augment, FinetuneSettings, Recipe
from audioprune.sources import manifest
from audioprune.sources.manifest import Manifest

FOLDER = {
    "folder": "tones",
    "csv": "tones/labels.csv",
    "task": "environmental",
    "classes": ("low", "high"),
    "frames": 32,
}
RECIPE = Recipe(epochs=12, batch_size=6, base_lr=1e-3, warmup_epochs=1, eval_every=4, shrink_start=2, shrink_epochs=6)
PRUNING = Pruning(method="topk", keep_rate=0.5)
PLUGINS = ("audioprune.backbones.audiomae", "audioprune.pruning.topk")
# The step, saying each training step on standard output, with a resume point every so many seconds; 0: at each.
SAYING = """
import os, sys
from audioprune.steps._run import main
from audioprune.steps.finetune import finetune, training
train = training.train
def saying(*given, batch_of, **named):
    def said(epoch, step):
        print("epoch", epoch, "step", step, flush=True)
        return batch_of(epoch, step)
    return train(*given, batch_of=said, **named)
training.train = saying
os.environ["AUDIOPRUNE_SAVE_EVERY_S"] = "{seconds}"
main(finetune, sys.argv[1:])
"""
POINTS, NO_POINTS = SAYING.format(seconds=0), SAYING.format(seconds=3600)


def tones(folder: Path, clips: int = 24) -> None:
    """Low and high tones in noise, 0.34 s each, every third of them for testing; and their table."""
    draw = np.random.default_rng(0)
    folder.mkdir(parents=True)
    lines = ["file,label,split"]
    for i in range(clips):
        hertz = (400, 2500)[i % 2] * draw.uniform(0.9, 1.1)
        wave = 0.1 * np.sin(2 * np.pi * hertz * np.arange(5440) / 16000) + 0.03 * draw.standard_normal(5440)
        soundfile.write(folder / f"{i:02d}.wav", wave, 16000)
        lines.append(f"{i:02d}.wav,{FOLDER['classes'][i % 2]},{'test' if i % 3 == 0 else 'train'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def indexed(root: Path) -> Manifest:
    """The tones below `root`, indexed where its jobs look for their manifest."""
    tones(root / "tones")
    place = brought.place_of_user(UserFolder(**FOLDER | {"folder": str(root / "tones"), "csv": "labels.csv"}))
    listed = brought.listed(place.path, user_csv.read(place.user))
    return manifest.index(place.path, root / manifest.path_of("tones"), listed, progress=False)


@cache
def content() -> str:
    """The content digest of the tones, wherever they lie."""
    with TemporaryDirectory() as folder:
        return manifest.digest(indexed(Path(folder)))


def cells(recipe: Recipe = RECIPE) -> dict[str, Cell]:
    """{kind: cell}: audio, features, a fine-tuning from scratch with everything random switched on, its evaluation."""
    augment = Augment(magnitude=True, mixup=0.5, specaug_freq=24, noise=True)
    tuned = {"dataset": "tones", "pruning": PRUNING, "recipe": recipe, "augment": augment, "initial": "scratch"}
    wanted = {
        "audio": AudioSettings(dataset="tones", user=UserFolder(**FOLDER)),
        "features": FeaturesSettings(dataset="tones", frames=32),
        "finetune": FinetuneSettings(model=Model(backbone="audiomae-tiny"), **tuned),
        "evaluate": EvaluateSettings(pruning=PRUNING),
    }
    made: dict[str, Cell] = {}
    for kind, settings in wanted.items():
        inputs, plugins = dict(made), PLUGINS if kind in ("finetune", "evaluate") else ()
        digests = {"content": content()} if kind == "audio" else {}
        key = key_of(kind, settings, {name: cell.key for name, cell in inputs.items()}, digests, code_of(kind, plugins))
        made[kind] = Cell(kind, "tones", settings, inputs, digests, plugins, key)
    return made


class Chain:
    """The cells below `root`, each made by a process of its own."""

    def __init__(self, root: Path, recipe: Recipe = RECIPE):
        self.root, self.cells = root, cells(recipe)

    def job(self, kind: str) -> Path:
        """The file of a cell's job, as Snakemake's main process leaves it when a run begins."""
        job = JobFile(self.cells[kind].key, [self.cells[kind]])
        if not (self.root / job.path).exists():
            records.write_text(self.root / job.path, job.text)
        return job.path

    def start(self, kind: str, code: str = "", **environment: str) -> subprocess.Popen:
        """The step of a kind, or `code` in its place, as Snakemake would start it."""
        what = ["-c", code] if code else ["-m", f"audioprune.steps.{kind}"]
        return subprocess.Popen(
            [sys.executable, *what, "--job", str(self.job(kind)), "--log", str(self.cells[kind].log)],
            cwd=self.root,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def make(self, *kinds: str) -> None:
        for kind in kinds:
            _, err = ended(self.start(kind))
            assert (self.folder(kind) / "record.json").is_file(), err

    def folder(self, kind: str) -> Path:
        return self.root / self.cells[kind].dir

    def point(self) -> Path:
        return self.root / "results" / "resume" / self.cells["finetune"].key / "point.pt"

    def log(self, kind: str) -> str:
        return (self.root / self.cells[kind].log).read_text()

    def files(self, kind: str) -> dict[str, bytes]:
        """{name: bytes} of a cell, its record and what tells how long it took left out."""
        found = {path.name: path.read_bytes() for path in self.folder(kind).iterdir() if path.name != "record.json"}
        if "history.csv" in found:
            lines = found["history.csv"].decode().splitlines()
            found["history.csv"] = "\n".join(line.rsplit(",", 2)[0] for line in lines).encode()
        return found

    def left(self) -> set[str]:
        """Every file below results but logs, and every lease."""
        results = self.root / "results"
        paths = [*results.glob("cells/**/*"), *results.glob("resume/**/*"), *results.glob("logs/leases/*")]
        return {path.relative_to(results).as_posix() for path in paths if path.is_file()}


def ended(process: subprocess.Popen, code: int = 0, seconds: float = 240) -> tuple[str, str]:
    """(stdout, stderr) of a process that must end with this exit code."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == code, err
    return out, err


def wait_for(what: Callable[[], object], process: subprocess.Popen | None = None, seconds: float = 240):
    """What a condition gives once it holds; fails when the process ends before, or time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def said(process: subprocess.Popen, line: str) -> None:
    """Read what a process says until it says this line."""
    heard = iter(process.stdout.readline, "")
    assert any(text == line + "\n" for text in heard), process.communicate()


def children(pid: int, words: str = "") -> list[int]:
    """Numbers of the child processes whose command line contains `words`."""
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [int(row[0]) for row in rows if row[1] == str(pid) and words in row[2]]
