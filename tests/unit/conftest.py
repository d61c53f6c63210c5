"""Fixtures: the files of the public archives, real where a mirror is at hand, else the same names without sound."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from audioprune.sources import catalogue
from audioprune.sources.extract import extract
from tests import REPOSITORY

FIXTURES = REPOSITORY / "tests" / "fixtures"


@dataclass(frozen=True)
class PublicFiles:
    root: Path
    real: bool


def mirror_folder() -> Path:
    return Path(os.environ.get("AUDIOPRUNE_MIRROR") or REPOSITORY.parent / "shared" / "mirror")


def public_files(name: str, folder: Path, stand_in: list[str]) -> PublicFiles:
    row = catalogue.load()[name]
    archive = mirror_folder() / row.archives[0].file
    if archive.is_file():
        extract(archive, folder, strip=row.strip, keep=row.keep)
        return PublicFiles(folder, True)
    for path in stand_in:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return PublicFiles(folder, False)


@pytest.fixture(scope="session")
def esc10_files(tmp_path_factory) -> PublicFiles:
    names = (FIXTURES / "esc10_files.txt").read_text(encoding="utf-8").splitlines()
    return public_files("esc10", tmp_path_factory.mktemp("esc10"), names)


@pytest.fixture(scope="session")
def commonvoice_files(tmp_path_factory) -> PublicFiles:
    return public_files("commonvoice-100", tmp_path_factory.mktemp("commonvoice"), [])


@pytest.fixture(scope="session")
def fsdd_files(tmp_path_factory) -> PublicFiles:
    speakers = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
    names = [f"recordings/{d}_{s}_{t}.wav" for d in range(10) for s in speakers for t in range(50)]
    return public_files("fsdd", tmp_path_factory.mktemp("fsdd"), ["README.md", *names])


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> None:
    """Run in an empty folder, which has no manifests yet."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def planning_folder(tmp_path, monkeypatch) -> Path:
    """Run in a folder with what plans are made from, in which nothing was made yet."""
    folder = tmp_path / "planning"
    folder.mkdir()
    for name in ("config.yaml", "workflow", "report"):
        (folder / name).symlink_to(REPOSITORY / name)
    monkeypatch.chdir(folder)
    return folder
