"""`audioprune recipe BACKBONE DATASET`: every training setting, and the place in config.yaml that it comes from.

Without --recipes, the recipe set is that of the first study and grid that train this backbone on this dataset, or else
this backbone on any; for backbones of published size that is the study `paper`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from typing import Any

from audioprune import registry
from audioprune.cells.cell import DEFAULT_STUDY
from audioprune.cli._output import columns, print_json
from audioprune.config.design import Config
from audioprune.config.file import load
from audioprune.config.recipes import Said, said
from audioprune.errors import UserError


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "recipe", help="every training setting, and where it comes from", description=__doc__
    )
    parser.add_argument("backbone", help="such as audiomae-b or ast-tiny")
    parser.add_argument("dataset", help="such as esc50, or a dataset of your own")
    parser.add_argument("--recipes", metavar="SET", help="a set of `recipes` in config.yaml, such as p0")
    parser.add_argument("--diff", metavar="SET", help="another set: show only the fields that differ, both values")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    config, backbone, dataset = load(), arguments.backbone, arguments.dataset
    _known("backbone", backbone, registry.names("backbones"))
    _known("dataset", dataset, (*registry.names("datasets"), *config.datasets))
    for name in filter(None, (arguments.recipes, arguments.diff)):
        _known("recipes", name, config.recipes)
    chosen, study, why = (arguments.recipes, None, "") if arguments.recipes else _used(config, backbone, dataset)
    found = {name: fields(config, name, backbone, dataset) for name in filter(None, (chosen, arguments.diff))}
    shown = [
        field
        for field, own in found[chosen].items()
        if not arguments.diff or own.value != found[arguments.diff][field].value
    ]
    if arguments.json:
        values = {n: {f: {"value": own[f].value, "from": own[f].place} for f in shown} for n, own in found.items()}
        print_json({"backbone": backbone, "dataset": dataset, "study": study, "recipes": values})
        return 0
    print(f"{backbone} on {dataset}: recipes {' and '.join(found)}{why}")
    header = [word for name in found for word in (name if arguments.diff else "value", "from")]
    rows = [[field, *(word for own in found.values() for word in _words(own[field]))] for field in shown]
    print(columns(["field", *header], rows) if shown else "every field is the same")
    return 0


def fields(config: Config, recipes: str, backbone: str, dataset: str) -> dict[str, Said]:
    """{recipe.<field> or augment.<field>: value and place} of one set."""
    return said(config, recipes, registry.backbone(backbone).family.name, dataset)


def _used(config: Config, backbone: str, dataset: str) -> tuple[str, str, str]:
    """(set, study, why) by the first grid that trains the backbone on the dataset, or else the backbone."""
    studies = sorted(config.studies, key=lambda name: name != DEFAULT_STUDY)  # the paper's first
    using = [
        (grid.recipes or config.studies[name].recipes, name, dataset in grid.datasets)
        for name in studies
        for grid in config.studies[name].grids
        if backbone in grid.backbones
    ]
    if not using:
        raise UserError(f"no study trains {backbone}: choose a set of recipes, --recipes {' | '.join(config.recipes)}")
    recipes, study, both = next((one for one in using if one[2]), using[0])
    return (
        recipes,
        study,
        f", of the study {study}" + ("" if both else f", which does not train it on {dataset}"),
    )


def _known(kind: str, name: str, valid: Collection[str]) -> None:
    if name not in valid:
        raise UserError(f"no {kind} named {name!r}{registry.nearest(name, valid)}")


def _words(own: Said) -> tuple[str, str]:
    """A value as config.yaml would have it, and its place."""
    value = own.value
    text = f"{value:g}" if isinstance(value, float) else json.dumps(value) if not isinstance(value, str) else value
    return text, own.place
