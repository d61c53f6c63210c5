"""`audioprune index NAME`: take stock of data that is not fetched: a SHA-256 of every file, for its cells' keys."""

from __future__ import annotations

from pathlib import Path

from audioprune import manifest, registry, sources
from audioprune.cli._output import print_json
from audioprune.config import Config, load
from audioprune.errors import UserError


def register(subparsers) -> None:
    parser = subparsers.add_parser("index", help="index data that you bring yourself", description=__doc__)
    parser.add_argument("name", help="a dataset of config.yaml, or a source or checkpoint that cannot be fetched")
    parser.add_argument("--json", action="store_true")


def run(arguments) -> int:
    name = arguments.name
    root = place_of(load(), name)
    if not root.exists():
        raise UserError(f"{root}, where config.yaml says that {name} lies, does not exist")
    out = manifest.path_of(name)
    found = manifest.index(root, out)
    entry = {"name": name, "files": len(found.files), "bytes": found.size, "digest": manifest.digest(found)}
    if arguments.json:
        print_json(entry | {"manifest": str(out)})
    else:
        print(
            f"{name}: {entry['files']} files, {entry['bytes'] / 2**20:.1f} MiB, digest {entry['digest'][:16]} -> {out}"
        )
    return 0


def place_of(config: Config, name: str) -> Path:
    """Where the configuration says that data lies; raises UserError naming the key to set."""
    if name in config.datasets:
        return Path(config.datasets[name].folder)
    backbone = name.removeprefix("checkpoint-")
    if backbone in config.checkpoints:
        return Path(config.checkpoints[backbone])
    if name in config.data:
        return Path(config.data[name])
    manual = [source for source, row in sources.load().items() if row.manual]
    if name not in manual:
        valid = [*config.datasets, *manual]
        raise UserError(f"{name!r} is no data that you bring yourself{registry.nearest(name, valid)}")
    key = f"checkpoints.{backbone}" if name.startswith("checkpoint-") else f"data.{name}"
    raise UserError(f"config.yaml does not say where {name} lies: set {key}\n{sources.load()[name].manual.strip()}")
