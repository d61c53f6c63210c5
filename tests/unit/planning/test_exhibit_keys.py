"""What is in the keys of exhibits beside cells and code: what a report prints of the configuration, order, names."""

from __future__ import annotations

from functools import cache

import pytest

from audioprune.config.design import Config
from audioprune.config.file import load
from audioprune.config.training import RecipeSet
from audioprune.planning.exhibits import name_of
from audioprune.planning.plan import Plan
from audioprune.settings.data import UserFolder

REPORT = ("demo", "report", "report")


def keys(config: Config) -> dict[tuple[str, str, str], str]:
    """{(study, kind, name): key} of all exhibits of two studies."""
    plan = Plan(config)
    found = [cell for study in ("demo", "mini") for cell in (*plan.shown(study), plan.exhibit(study, "report"))]
    return {(cell.settings.study, cell.kind, name_of(cell)): cell.key for cell in found}


@cache
def before() -> dict[tuple[str, str, str], str]:
    return keys(load())


def changed(config: Config) -> set[tuple[str, str, str]]:
    after = keys(config)
    assert set(after) == set(before())
    return {exhibit for exhibit in after if after[exhibit] != before()[exhibit]}


def with_study(**values) -> Config:
    """The configuration with other values in the study demo."""
    config = load()
    return config.model_copy(
        update={"studies": {**config.studies, "demo": config.studies["demo"].model_copy(update=values)}}
    )


@pytest.mark.parametrize("values", [{"title": "Another title"}, {"tier": "real miniature"}])
def test_a_title_and_a_tier_are_in_the_key_of_the_report_that_prints_them_and_in_no_other(values):
    assert changed(with_study(**values)) == {REPORT}


def test_a_report_holds_the_keys_of_its_tables_and_figures():
    inputs = Plan().exhibit("demo", "report").inputs
    own = {exhibit: key for exhibit, key in before().items() if exhibit[0] == "demo" and exhibit != REPORT}
    assert {named: cell.key for named, cell in inputs.items()} == {
        f"{k}/{name}": own["demo", k, name] for _, k, name in own
    }
    assert {"table/table1", "figure/accuracy-macs"} <= set(inputs)


def test_the_order_of_the_configuration_is_that_of_the_rows_and_in_the_keys():
    config = load()
    found = changed(with_study(grids=config.studies["demo"].grids[::-1]))
    assert {("demo", "table", "table1"), ("demo", "figure", "accuracy-macs"), REPORT} <= found
    assert {study for study, _, _ in found} == {"demo"}


def test_the_order_of_cells_of_two_recipes_at_one_address_is_in_the_keys():
    config = load()
    paper = config.studies["paper"]
    first, second = (
        paper.grids[0].model_copy(update={"recipes": name, "datasets": ("spc2",)}) for name in ("p2", "p0")
    )
    found = []
    for grids in ((first, second), (second, first)):
        study = paper.model_copy(update={"grids": grids, "costs": (), "throughput": None})
        plan = Plan(config.model_copy(update={"studies": {**config.studies, "paper": study}}))
        found.append(plan.exhibit("paper", "table1"))
    assert [*found[0].inputs] != [*found[1].inputs]
    assert sorted(found[0].inputs) == sorted(found[1].inputs)
    assert found[0].key != found[1].key


def test_names_of_a_users_classes_are_in_the_keys_of_what_shows_their_dataset():
    config = load()
    demo = config.studies["demo"]
    grid = demo.grids[0].model_copy(update={"datasets": ("birds",)})
    part = {"recipe": {"epochs": 1, "batch_size": 4}}
    recipes = RecipeSet.model_validate({"extends": demo.recipes, "audiomae": {"birds": part}})
    found = []
    for names in (("robin", "wren"), ("wren", "robin")):
        birds = UserFolder(folder="f", csv="c.csv", task="keyword", classes=names, frames=128)
        study = demo.model_copy(
            update={
                "grids": (grid,),
                "costs": (),
                "recipes": "birds",
                "recognitions": (),
                "pace": (),
                "durations": (),
                "robustness": (),
            }
        )
        update = {
            "datasets": {"birds": birds},
            "recipes": {**config.recipes, "birds": recipes},
            "studies": {**config.studies, "demo": study},
        }
        found.append(Plan(config.model_copy(update=update)))
    shown, other = ({cell.path.rpartition("/")[0]: cell for cell in plan.shown("demo")} for plan in found)
    assert set(shown) == set(other)
    trained = {name for name, cell in shown.items() if any(c.kind == "audio" for c in cell.upstream().values())}
    assert "table/demo/table1" in trained
    assert "table/demo/forensics" not in trained
    for name, cell in shown.items():
        assert (cell.key == other[name].key) == (name not in trained), name
