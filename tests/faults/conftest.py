"""An undisturbed run to compare with, the same data to disturb, and small disks to fill."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ._chain import Chain, indexed


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Chain:
    """All cells of the chain, made without a fault."""
    chain = Chain(tmp_path_factory.mktemp("undisturbed"))
    indexed(chain.root)
    chain.make("audio", "features", "finetune", "evaluate")
    return chain


@pytest.fixture
def chain(undisturbed, tmp_path) -> Chain:
    """The same with its data only: audio and features are there, nothing is trained."""
    for kind in ("audio", "features"):
        shutil.copytree(undisturbed.folder(kind), tmp_path / undisturbed.cells[kind].dir)
    return Chain(tmp_path)


@pytest.fixture
def disk() -> Iterator[Callable[[Path, str], Path]]:
    """disk(path, size): a file system of that size at `path`, or, where it is there, its new size."""
    mounted: list[Path] = []

    def mount(path: Path, size: str) -> Path:
        again = ["-o", "remount"] if path in mounted else []
        path.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", *again, "-o", f"size={size}", "tmpfs", str(path)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            if os.geteuid() == 0 or os.environ.get("AUDIOPRUNE_REQUIRE_ALL") == "1":
                raise
            pytest.skip(f"filling a disk needs one of its own, which only root may mount ({error})")
        if path not in mounted:
            mounted.append(path)
        return path

    yield mount
    for path in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(path)], check=True)
