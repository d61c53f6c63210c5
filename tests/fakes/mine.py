"""A user's folder in miniature, and what the planner makes of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from audioprune.cells.cell import Cell
from audioprune.config.design import Config
from audioprune.config.file import load
from audioprune.planning import brought, user_csv
from audioprune.planning.stages import Planner
from audioprune.settings.data import UserFolder
from audioprune.sources import manifest
from audioprune.steps._run import Job
from tests import REPOSITORY

NAMES = tuple(f"c{i:02}.wav" for i in range(8))
LABELS = "file,label,split\n" + "".join(
    f"{name},{'ab'[i % 2]},{'train' if i < 6 else 'test'}\n" for i, name in enumerate(NAMES)
)
SWAPPED = "file,label,split\n" + "".join(
    f"{name},{'ba'[i % 2]},{'train' if i < 4 else 'test'}\n" for i, name in enumerate(NAMES)
)


def sound(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(800), 16000)


def make(folder: Path, names: tuple[str, ...] = NAMES, seed: int = 0, **csvs: str) -> Path:
    """A folder of short noises and CSVs by name; `labels` where none is given."""
    for i, name in enumerate(names):
        sound(folder / name, seed + i)
    for name, text in (csvs or {"labels": LABELS}).items():
        (folder / f"{name}.csv").write_text(text)
    return folder


@cache
def _shipped() -> Config:
    return load(REPOSITORY / "config.yaml")


def config(folder: Path | str | None = None, csv: str = "labels.csv", *, data=None, checkpoints=None, **user) -> Config:
    """The repository's configuration with the dataset `mine`, and a study of that name."""
    update: dict = {"data": data or {}, "checkpoints": checkpoints or {}}
    shipped = _shipped()
    if folder is not None:
        given = {"task": "environmental", "classes": ("a", "b"), "frames": 128} | user
        update["datasets"] = {"mine": UserFolder(folder=str(folder), csv=csv, **given)}
        grid = (
            shipped.studies["demo"]
            .grids[0]
            .model_copy(update={"datasets": ("mine",), "initial": "scratch", "perturbations": ()})
        )
        study = shipped.studies["demo"].model_copy(
            update={"grids": (grid,), "costs": (), "recognitions": (), "pace": (), "robustness": ()}
        )
        update["studies"] = shipped.studies | {"mine": study}
    return shipped.model_copy(update=update)


def index(chosen: Config, name: str = "mine") -> None:
    """What `audioprune index NAME` leaves."""
    place = brought.place_of(chosen, name)
    listed = brought.listed(place.path, user_csv.read(place.user)) if place.user else None
    manifest.index(place.path, manifest.path_of(name), listed, progress=False)


def job(cell: Cell, out: Path) -> Job:
    """What the step of a cell that takes in no other gets."""
    out.mkdir(parents=True)
    return Job(cell.kind, cell.address, cell.key, cell.settings, {}, out, out.with_name("resume"))


def planned(chosen: Config) -> Cell:
    """The audio cell of `mine`."""
    return Planner(chosen).audio("mine")


def fetched(chosen: Config, source: str) -> Cell:
    """The fetch cell of data that is brought by hand."""
    return Planner(chosen).fetch(source)
