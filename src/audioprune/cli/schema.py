"""`audioprune schema [--write]`: the JSON schema of config.yaml, by which editors explain and complete it.

It is generated from the classes in audioprune.config. config.yaml names in its first line the copy in
workflow/config.schema.json: run `audioprune schema --write` after a change of these classes, or after adding a
dataset, backbone, method, table or figure.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from audioprune import records
from audioprune.cli._output import print_json
from audioprune.config.design import Config

FILE = Path("workflow/config.schema.json")


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("schema", help="the JSON schema of config.yaml, for editors", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write it to {FILE} instead of printing it")
    parser.add_argument("--json", action="store_true", help="print where it was written, as JSON")


def run(arguments: argparse.Namespace) -> int:
    if not arguments.write:
        print(text(), end="")
        return 0
    with records.atomic(FILE) as path:
        path.write_text(text(), encoding="utf-8")
    if arguments.json:
        print_json({"file": str(FILE)})
    else:
        print(f"wrote {FILE}")
    return 0


def text() -> str:
    """The text of the schema, as written to the file."""
    return json.dumps(_untitled(Config.model_json_schema()), indent=1) + "\n"


def _untitled(schema: Any) -> Any:
    """Without titles, which repeat the names of fields."""
    if isinstance(schema, dict):
        return {k: _untitled(v) for k, v in schema.items() if not (k == "title" and isinstance(v, str))}
    return [_untitled(one) for one in schema] if isinstance(schema, list) else schema
