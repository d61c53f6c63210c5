"""A stand-in for conda: answers what Snakemake asks, and makes environments of packages that are installed here.

python _conda.py ROOT info|--version|config|clean|env ...
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import sysconfig
import venv
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ANSWERS = {
    "--version": "conda 25.1.0",
    "clean": "",
    "config": json.dumps({"get": {"channel_priority": "strict"}}),
}
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


def install(root: Path) -> Path:
    """Write ROOT/bin/conda and the script that activates an environment; returns the folder for PATH."""
    folder = root / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "activate").write_text(ACTIVATE)
    command = shlex.join([sys.executable, __file__, str(root)])
    (folder / "conda").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (folder / "conda").chmod(0o755)
    return folder


def create(file: Path, prefix: Path) -> None:
    """Make an environment with what a file of envs/ lists and what that requires, and nothing else."""
    listed = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"][-1]["pip"]
    venv.create(prefix, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(prefix)}))
    for distribution in required(Requirement(line).name for line in listed):
        for name in {path.parts[0] for path in distribution.files or ()} - {"..", "__pycache__"}:
            if not (packages / name).exists():  # a folder that distributions share
                (packages / name).symlink_to(distribution.locate_file(name))


def required(names: Iterable[str]) -> list[metadata.Distribution]:
    """The distributions of these names and, without extras, of all that they require."""
    found: dict[str, metadata.Distribution] = {}
    todo = [*names]
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in found:
            found[name] = metadata.distribution(name)
            needed = map(Requirement, found[name].requires or ())
            todo += [r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [*found.values()]


def main() -> None:
    root, command, *rest = sys.argv[1:]
    if command == "env":
        parser = argparse.ArgumentParser()
        parser.add_argument("--file", type=Path, required=True)
        parser.add_argument("--prefix", type=Path, required=True)
        options, _ = parser.parse_known_args(rest)
        create(options.file, options.prefix)
    elif command == "info":
        print(json.dumps({"conda_prefix": root, "platform": "linux-64"}))
    else:
        print(ANSWERS[command])


if __name__ == "__main__":
    main()
