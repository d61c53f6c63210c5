"""`audioprune index NAME`: record data that is not downloaded: a SHA-256 of every file, for the keys of its cells.

Of your own data, only the files that its CSV lists and what the CSV says of them are recorded; a sample of the files is
decoded (--all: every one). A checkpoint that does not fit its backbone is not indexed. Exit code 1 if clips cannot be
used, 3 if there are only warnings, or if bad_clips says that such clips are set aside.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict

from audioprune import registry
from audioprune.cli import _look
from audioprune.cli._output import print_json
from audioprune.config.design import Config
from audioprune.config.file import load
from audioprune.errors import UserError
from audioprune.planning import brought, user_csv
from audioprune.sources import catalogue, checkpoints, manifest


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("index", help="record data that you provide yourself", description=__doc__)
    parser.add_argument("name", help="a dataset of config.yaml, or a source or checkpoint that cannot be fetched")
    parser.add_argument("--all", action="store_true", help="decode every file of your own data, not a sample")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    name = arguments.name
    config = load()
    place = place_of(config, name)
    if not place.path.exists():
        raise UserError(f"{place.path}, where config.yaml says that {name} lies, does not exist")
    how = {"everything": arguments.all, "set_aside": config.bad_clips == "set_aside"}
    try:
        table = user_csv.read(place.user) if place.user else None
    except user_csv.Mistakes as error:
        audio = _look.audio(name, place.path, error.clips, **how) if error.clips else ()
        raise UserError("\n".join([str(error), *(each.lines for each in audio if each.level != "ok")])) from None
    if name.startswith(catalogue.CHECKPOINT):
        checkpoints.check(place.path, name.removeprefix(catalogue.CHECKPOINT))
    out = manifest.path_of(name)
    found = manifest.index(place.path, out, brought.listed(place.path, table) if table else None)
    entry = {"name": name, "files": len(found.files), "bytes": found.size, "digest": manifest.digest(found)}
    looked = list(_looked(name, place, table, **how))
    if arguments.json:
        columns = {"columns": table.columns, "ignored": table.ignored} if table else {}
        print_json(entry | columns | {"manifest": str(out), "findings": [asdict(finding) for finding in looked]})
        return _look.exit_code(looked)
    if table:
        print(table.told)
    print(f"{name}: {entry['files']} files, {found.size / 2**20:.1f} MiB, digest {entry['digest'][:16]} -> {out}")
    print("\n".join(finding.lines for finding in looked if not finding.what.endswith("table")))
    return _look.exit_code(looked)


def _looked(
    name: str, place: brought.Place, table: user_csv.Table | None, *, everything: bool, set_aside: bool
) -> Iterator[_look.Finding]:
    """What is found in the table and the audio of own data."""
    if table:
        yield from (_look.Finding(f"{name}, table", "warning", warning) for warning in table.warnings)
        yield from _look.audio(name, place.path, table.clips, everything=everything, set_aside=set_aside)


def place_of(config: Config, name: str) -> brought.Place:
    """Where the configuration says that data lies; raises UserError naming the key to set."""
    manual = {source: row.manual for source, row in catalogue.load().items() if row.manual}
    if name not in config.datasets and name not in manual:
        valid = [*config.datasets, *manual]
        raise UserError(f"{name!r} is not data that you provide yourself{registry.nearest(name, valid)}")
    if place := brought.place_of(config, name):
        return place
    key = brought.option_of(name)
    raise UserError(f"config.yaml does not say where {name} lies: set {key}\n{manual[name].strip()}")
