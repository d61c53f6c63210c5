"""What is in the keys of exhibits beside cells and code: what a report prints of the configuration, order, names."""

from __future__ import annotations

from functools import cache

import pytest

from audioprune.config import Config, load
from audioprune.planning.plan import Plan
from audioprune.settings import UserFolder

REPORT = ("demo", "report", "report")


def keys(config: Config) -> dict[tuple[str, str, str], str]:
    """{(study, kind, name): key} of all exhibits of two studies."""
    plan = Plan(config, main=False)
    found = [(study, *exhibit) for study in ("demo", "mini") for exhibit in plan.exhibits(study)]
    return {exhibit: plan.exhibit_key(*exhibit) for exhibit in [*found, REPORT, ("mini", "report", "report")]}


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
    plan = Plan(main=False)
    inputs, _ = plan.exhibit_content(*REPORT)
    assert inputs == {f"{kind}/{name}": before()["demo", kind, name] for kind, name in plan.exhibits("demo")}


def test_the_order_of_the_configuration_is_that_of_the_rows_and_in_the_keys():
    config = load()
    found = changed(with_study(grids=config.studies["demo"].grids[::-1]))
    assert {("demo", "table", "table1"), ("demo", "figure", "accuracy-macs"), REPORT} <= found
    assert {study for study, _, _ in found} == {"demo"}


def test_names_of_a_users_classes_are_in_the_keys_of_what_shows_their_dataset():
    config = load()
    demo = config.studies["demo"]
    grid = demo.grids[0].model_copy(update={"datasets": ("birds",)})
    block = next(iter(config.recipes[demo.recipes].values()))["all"].model_copy(
        update={"recipe": {"epochs": 1, "batch_size": 4}}
    )
    recipes = {name: {**parts, "birds": block} for name, parts in config.recipes[demo.recipes].items()}
    found = []
    for names in (("robin", "wren"), ("wren", "robin")):
        birds = UserFolder(folder="f", csv="c.csv", task="keyword", classes=names, frames=128)
        study = demo.model_copy(update={"grids": (grid,), "costs": ()})
        update = {
            "datasets": {"birds": birds},
            "recipes": {**config.recipes, demo.recipes: recipes},
            "studies": {**config.studies, "demo": study},
        }
        found.append(Plan(config.model_copy(update=update), main=False))
    shown = [exhibit for exhibit in found[0].exhibits("demo") if found[0].exhibit_cells("demo", *exhibit)]
    trained = [e for e in shown if any(c.kind == "audio" for c in found[0].exhibit_cells("demo", *e))]
    assert ("table", "table1") in trained
    for exhibit in shown:
        same = found[0].exhibit_key("demo", *exhibit) == found[1].exhibit_key("demo", *exhibit)
        assert same == (exhibit not in trained), exhibit
