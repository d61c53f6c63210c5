"""Keys and defaults: the settings file is edited in every field that has a default, and keys must follow."""

from __future__ import annotations

import ast
import json
import re
import sys
from functools import cache
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from audioprune import settings
from audioprune.cells.cell import Cell
from audioprune.cells.kinds import KINDS
from audioprune.fingerprints.keyed import default_of, model_in, place_of, with_defaults
from audioprune.fingerprints.keys import keyed_settings
from audioprune.fingerprints.pinned import PINNED
from audioprune.planning.jobs import JobFile
from audioprune.settings.data import AudioSettings
from audioprune.settings.training import FinetuneSettings, Recipe

FOLDER = Path(settings.__file__).parent
IN_ORDER = (
    "closed",
    "model",
    "data",
    "training",
    "evaluation",
    "lengths",
    "speech",
    "costs",
    "exhibits",
)  # each needs only those before
OWN = re.compile(r"^from (?:__future__|audioprune\.settings).*\n(?:    .*\n|\)\n)*", re.MULTILINE)
SOURCE = "\n".join(OWN.sub("", (FOLDER / f"{name}.py").read_text(encoding="utf-8")) for name in IN_ORDER)


def models(*roots: type[BaseModel]) -> list[type[BaseModel]]:
    """These models and all inside them, each once, in a fixed order."""
    inside = (model_in(field.annotation) for model in roots for field in model.model_fields.values())
    found = dict.fromkeys(chain(roots, *(models(model) for model in inside if model)))
    return list(found)


SETTINGS = {kind: row.settings for kind, row in KINDS.items()}
MODELS = models(*SETTINGS.values())
FIELDS = [(m, name) for m in MODELS for name, field in m.model_fields.items() if not field.is_required()]
IDS = [place_of(*field) for field in FIELDS]
# Nothing relies on this default: a pruning that names no method is named none while it is validated.
NEVER_RELIED_ON = {"Pruning.method"}


# --- the settings file as it would be with another default, or with another field ---------------------------------


INNER = "class Inner(Closed):\n    x: int = 1\n"  # a model for new fields


def edited(model: str, change) -> dict[str, type[BaseModel]]:
    """The settings of each kind after `change` was done to a class's statements in their file."""
    tree = ast.parse(SOURCE)
    closed = next(i for i, node in enumerate(tree.body) if isinstance(node, ast.ClassDef) and node.name == "Closed")
    tree.body[closed + 1 : closed + 1] = ast.parse(INNER).body
    change(next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == model).body)
    module = ModuleType("edited_settings")
    sys.modules[module.__name__] = module  # pydantic looks names up in it
    try:
        exec(compile(ast.fix_missing_locations(tree), "edited settings", "exec"), vars(module))  # noqa: S102 (our own)
        return {kind: getattr(module, own.__name__) for kind, own in SETTINGS.items()}
    finally:
        del sys.modules[module.__name__]


def with_default(model: type[BaseModel], name: str, default: str) -> dict[str, type[BaseModel]]:
    """The settings of each kind after a field got another default, given as code."""
    value = ast.parse(default, mode="eval").body

    def change(body: list[ast.stmt]) -> None:
        (field,) = (node for node in body if isinstance(node, ast.AnnAssign) and node.target.id == name)
        if isinstance(field.value, ast.Call) and field.value.func.id == "Field":
            field.value.args = [value]
            field.value.keywords = [k for k in field.value.keywords if k.arg != "default_factory"]
        else:
            field.value = value

    return edited(model.__name__, change)


def another(model: type[BaseModel], name: str) -> str:
    """A valid default that is not the present one, as code."""
    annotation, value = model.model_fields[name].annotation, default_of(model, name)
    if inner := model_in(annotation):
        return {
            "Pruning": "Pruning(method='topk', keep_rate=0.5)",
            "Augment": "Augment(mixup=0.25)",
            "Recipe": "Recipe(epochs=2, batch_size=2)",
            "UserFolder": "UserFolder(folder='f', csv='c', task='keyword', classes=('a',), frames=16)",
            "Row": "Row(draw='gamma', title='A title')",
            "Credit": "(Credit(dataset='b', text='somebody'),)",
            "Contrast": "(Contrast(backbone='b', dataset='d', first={}, second={}, trained=True, tested=True),)",
        }[inner.__name__]
    if value == []:
        return "(1.0,)"
    if isinstance(value, list):
        return repr(tuple(value[::-1] if value[::-1] != value else [value[0] + 1]))
    valid = [v for part in (annotation, *get_args(annotation)) if get_origin(part) is Literal for v in get_args(part)]
    if valid:
        return repr(next(v for v in valid if v != value))
    if isinstance(value, bool):
        return repr(not value)
    if isinstance(value, dict):
        return "{'x': 1}"
    if isinstance(value, str):
        return "'random'"
    if isinstance(value, int):
        return repr(value + 1)
    return repr(value / 2 if value else 0.5)


# --- cells, by what they are given: as little as possible, and something inside every model ---------------------------

MODEL = {"backbone": "ast-tiny"}
RECIPE = {"epochs": 1, "batch_size": 4}
SHAPE = {"model": MODEL, "frames": 128, "num_classes": 3, "keep_rates": (1.0, 0.5)}
USER = {"folder": "f", "csv": "c", "task": "keyword", "classes": ("a",), "frames": 16}
CONSTANT = {"method": "tome", "options": {"r": 2}}  # relies on the default keep-rate and blocks
CONTRAST = {"backbone": "ast-tiny", "dataset": "a", "first": {}, "second": {"method": "topk", "keep_rate": 0.5}}
CONTRAST |= {"trained": False, "tested": True}
PACE = {"recogniser": "whisper-base", "dataset": "a", "policies": ("topk",), "keep_rates": (1.0, 0.5)}
PACE |= {"blocks": (2,), "batchings": ("single", "padded"), "device": "here"}
CELLS: list[tuple[str, dict]] = [
    ("fetch", {"source": "a"}),
    ("generate", {"generator": "words", "clips": 3}),
    ("audio", {"dataset": "a"}),
    ("audio", {"dataset": "a", "user": USER}),
    ("features", {"dataset": "a", "frames": 16}),
    ("pretrain", {"model": MODEL, "objective": "mae", "recipe": RECIPE}),
    ("finetune", {"model": MODEL, "dataset": "a", "recipe": RECIPE}),
    ("finetune", {"model": MODEL, "dataset": "a", "recipe": RECIPE, "pruning": CONSTANT, "augment": {"mixup": 0.5}}),
    ("finetune", {"model": MODEL, "dataset": "a", "recipe": RECIPE, "pruning": {"method": "topk", "keep_rate": 0.5}}),
    ("evaluate", {}),
    ("evaluate", {"pruning": CONSTANT}),
    ("trace", {}),
    ("clusters", {"dataset": "a"}),
    ("tokens", {}),
    ("discard", {}),
    ("noisy", {"kinds": ("white",)}),
    ("noisy", {"kinds": ("white", "babble"), "pruning": {"method": "topk", "keep_rate": 0.5}}),
    ("durations", {}),
    ("durations", {"seconds": (1.0, 2.0), "pruning": CONSTANT}),
    ("recognise", {"recogniser": "strips-tiny", "dataset": "a"}),
    ("recognise", {"recogniser": "strips-tiny", "dataset": "a", "policy": "topk", "keep_rate": 0.5, "recipe": RECIPE}),
    ("transcribe", {"recogniser": "whisper-base", "dataset": "a"}),
    ("transcribe", {"recogniser": "whisper-base", "dataset": "a", "policy": "topk", "keep_rate": 0.5}),
    ("transcribe", {"recogniser": "whisper-base", "dataset": "a", "policy": "topk", "keep_rate": 0.5, "blocks": (1,)}),
    (
        "pace",
        {
            "recogniser": "whisper-base",
            "dataset": "commonvoice-100",
            "policies": ["topk"],
            "keep_rates": [1.0, 0.5],
            "blocks": [2],
            "batchings": ["padded"],
            "device": "a device",
        },
    ),
    ("macs", SHAPE),
    ("pace", PACE),
    ("pace", {name: value for name, value in PACE.items() if name != "recogniser"} | {"backbone": "ast-tiny"}),
    ("throughput", {**SHAPE, "batch_size": 4, "device": "here"}),
    ("table", {"study": "a", "name": "wer"}),
    ("table", {"study": "a", "name": "table1", "row": {"draw": "keep-rates"}}),
    ("figure", {"study": "a", "name": "occurrence"}),
    ("figure", {"study": "a", "name": "figure2", "row": {"draw": "kept-patches", "title": "A title"}}),
    ("table", {"study": "a", "name": "contrasts", "contrasts": (CONTRAST,)}),
    ("report", {"study": "a"}),
    ("report", {"study": "a", "title": "A title", "tier": "synthetic"}),
    ("report", {"study": "a", "credits": ({"dataset": "b", "text": "somebody, CC BY"},)}),
    ("report", {"study": "a", "disputes": "https://forge.example/a/b"}),
]


def key(kind: str, own: BaseModel) -> dict:
    return keyed_settings(kind, own)


@cache
def originals() -> list[tuple[str, dict, dict, dict]]:
    """(kind, what it is given, all it is made with, its keyed settings) of every cell."""
    made = [(kind, given, SETTINGS[kind](**given)) for kind, given in CELLS]
    return [(kind, given, own.model_dump(), key(kind, own)) for kind, given, own in made]


def test_every_kind_is_among_the_cells():
    assert {kind for kind, _ in CELLS} == set(KINDS)


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=IDS)
def test_every_default_is_pinned(model, name):
    place = place_of(model, name)
    line = f'"{place}": {default_of(model, name)!r},'
    assert place in PINNED, f"add this line to src/audioprune/fingerprints/pinned.py: {line}"


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=IDS)
def test_a_changed_default_changes_the_keys_of_the_cells_that_relied_on_it_and_of_no_other(model, name):
    kinds = with_default(model, name, another(model, name))
    relied = []
    for kind, given, before, keyed in originals():
        now = kinds[kind](**given)
        assert (key(kind, now) != keyed) == (now.model_dump() != before), kind
        relied += [kind] if now.model_dump() != before else []
        for value, one, other in ((before, kinds, keyed), (now.model_dump(), SETTINGS, key(kind, now))):
            named = one[kind](**value)  # explicitly; an unpruned model's blocks cannot be
            assert key(kind, named) == other or named.model_dump() != value
    assert bool(relied) == (place_of(model, name) not in NEVER_RELIED_ON)


@pytest.mark.parametrize("model", MODELS, ids=[m.__name__ for m in MODELS])
def test_a_new_field_with_its_default_changes_no_key(model):
    for code in ("added: float = 0.5", "added: Inner | None = None", "added: Inner = Inner(x=2)"):
        kinds = edited(model.__name__, lambda body, code=code: body.extend(ast.parse(code).body))
        for kind, given, _, keyed in originals():
            assert key(kind, kinds[kind](**given)) == keyed, kind
        assert any("added" in str(kinds[kind](**given).model_dump()) for kind, given, _, _ in originals())


def test_a_new_field_with_another_value_changes_the_key():
    kinds = edited("Recipe", lambda body: body.extend(ast.parse("ema: float = 0.0").body))
    given = {"model": MODEL, "dataset": "a", "recipe": {**RECIPE, "ema": 0.9}}
    assert key("finetune", kinds["finetune"](**given))["recipe"] == {**RECIPE, "ema": 0.9}


def test_a_job_gets_every_setting_as_it_was_planned_so_that_no_later_default_reaches_it():
    own = FinetuneSettings(model=MODEL, dataset="a", recipe=RECIPE)
    (node,) = json.loads(JobFile("0" * 16, [Cell("finetune", "a", own)]).text)["graph"]
    given = node["settings"]
    assert given == own.model_dump(mode="json")
    kinds = with_default(Recipe, "betas", "(0.5, 0.6)")
    assert kinds["finetune"].model_validate(given).model_dump() == own.model_dump()


def test_places_of_data_are_in_no_key():
    one, other = (AudioSettings(dataset="a", user={**USER, "folder": folder}) for folder in ("f", "g"))
    assert key("audio", one) == key("audio", other)
    assert "user" in key("audio", one)
    assert key("audio", one) != key("audio", AudioSettings(dataset="a", user={**USER, "frames": 32}))


def test_a_record_from_before_a_field_came_is_read_with_the_default_it_came_with():
    old = FinetuneSettings(model=MODEL, dataset="a", recipe=RECIPE)
    recorded = old.model_dump(mode="json")
    del recorded["recipe"]["betas"], recorded["augment"], recorded["fold"]
    kinds = with_default(Recipe, "betas", "(0.5, 0.6)")
    read = kinds["finetune"](**with_defaults(kinds["finetune"], recorded))
    assert read.model_dump() == old.model_dump()
    assert kinds["finetune"](**recorded).recipe.betas == (0.5, 0.6)
