"""What editors are told of config.yaml: a description of every field, and a JSON schema that is in step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from audioprune.cli import schema
from audioprune.cli.main import main
from audioprune.config.design import Config
from audioprune.settings.closed import Closed
from tests import REPOSITORY

MEND = "the models have changed: audioprune schema --write"


def models(base: type[Closed] = Closed) -> Iterator[type[Closed]]:
    for model in base.__subclasses__():
        yield model
        yield from models(model)


OURS = sorted({f"{m.__module__}.{m.__name__}": m for m in models()}.items())


@pytest.mark.parametrize(
    "model", [m for name, m in OURS if name.startswith(("audioprune.config", "audioprune.settings"))]
)
def test_every_field_has_a_description(model):
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_all_models_of_the_configuration_and_of_settings_are_asked():
    assert {
        "audioprune.config.design.Grid",
        "audioprune.config.training.Part",
        "audioprune.settings.training.Recipe",
    } <= dict(OURS).keys()
    assert len([name for name, _ in OURS if name.startswith(("audioprune.config", "audioprune.settings"))]) == 47


def test_the_schema_in_the_file_is_that_of_the_models():
    assert (REPOSITORY / schema.FILE).read_text(encoding="utf-8") == schema.text(), MEND


def test_the_shipped_configuration_names_the_schema_and_is_valid_by_it():
    text = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    assert text.startswith(f"# yaml-language-server: $schema={schema.FILE}\n")
    assert list(validator().iter_errors(yaml.safe_load(text))) == []


def validator() -> Draft202012Validator:
    told = json.loads((REPOSITORY / schema.FILE).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(told)
    return Draft202012Validator(told)


def spoiled(edit) -> list[str]:
    """Places at which a configuration is wrong after an edit."""
    data = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    edit(data)
    return sorted(".".join(map(str, error.absolute_path)) for error in validator().iter_errors(data))


def test_an_editor_underlines_what_is_wrong():
    def edit(data):
        grid = data["studies"]["demo"]["grids"][0]
        grid["backbones"], grid["methods"], grid["perturbations"] = ["ast-tinny"], ["topk", "topkk"], "al"
        data["recipes"]["p2"]["audiomae"]["esc50"]["recipe"]["epoch"] = 3
        data["recipes"]["p2"]["wave"] = {}
        data["datasets"]["birds"] = {"folder": "x"}

    grid = "studies.demo.grids.0"
    assert sorted(set(spoiled(edit))) == [
        "datasets.birds", "recipes.p2", "recipes.p2.audiomae.esc50.recipe", f"{grid}.backbones.0", f"{grid}.methods.1",
        f"{grid}.perturbations",
    ]  # fmt: skip


def test_datasets_of_the_user_and_labels_with_any_number_are_right():
    def edit(data):
        grid = data["studies"]["demo"]["grids"][0]
        grid["datasets"], grid["methods"] = ["birds"], ["tome.r17.no-proportional", "random.seed5"]

    assert spoiled(edit) == []


def test_the_command_prints_it_and_writes_it(capsys, elsewhere):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"].keys() == Config.model_fields.keys()
    Path("workflow").mkdir()
    assert main(["schema", "--write"]) == 0
    assert schema.FILE.read_text(encoding="utf-8") == schema.text()
    assert capsys.readouterr().out == f"wrote {schema.FILE}\n"
    assert main(["schema", "--write", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(schema.FILE)}
