"""`audioprune index NAME`: take stock of data that is not fetched: a SHA-256 of every file, for its cells' keys.

Of your own data the files that its CSV lists count, and what the CSV says of them.
"""

from __future__ import annotations

import argparse

from audioprune import registry
from audioprune.cli._output import print_json
from audioprune.config import Config
from audioprune.config_file import load
from audioprune.errors import UserError
from audioprune.planning import brought, user_csv
from audioprune.sources import catalogue, manifest


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("index", help="index data that you bring yourself", description=__doc__)
    parser.add_argument("name", help="a dataset of config.yaml, or a source or checkpoint that cannot be fetched")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    name = arguments.name
    place = place_of(load(), name)
    if not place.path.exists():
        raise UserError(f"{place.path}, where config.yaml says that {name} lies, does not exist")
    table = user_csv.read(place.user) if place.user else None
    out = manifest.path_of(name)
    found = manifest.index(place.path, out, brought.listed(place.path, table) if table else None)
    entry = {"name": name, "files": len(found.files), "bytes": found.size, "digest": manifest.digest(found)}
    if arguments.json:
        columns = {"columns": table.columns, "ignored": table.ignored} if table else {}
        print_json(entry | columns | {"manifest": str(out)})
        return 0
    if table:
        print(table.told)
    print(f"{name}: {entry['files']} files, {found.size / 2**20:.1f} MiB, digest {entry['digest'][:16]} -> {out}")
    return 0


def place_of(config: Config, name: str) -> brought.Place:
    """Where the configuration says that data lies; raises UserError naming the key to set."""
    manual = {source: row.manual for source, row in catalogue.load().items() if row.manual}
    if name not in config.datasets and name not in manual:
        valid = [*config.datasets, *manual]
        raise UserError(f"{name!r} is no data that you bring yourself{registry.nearest(name, valid)}")
    if place := brought.place_of(config, name):
        return place
    key = brought.option_of(name)
    raise UserError(f"config.yaml does not say where {name} lies: set {key}\n{manual[name].strip()}")
