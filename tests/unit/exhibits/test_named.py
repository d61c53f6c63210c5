"""Exhibits by name: modules that draw for themselves, and rows of report/exhibits.yaml."""

from __future__ import annotations

import pytest
import yaml

from audioprune import registry
from audioprune.errors import UserError
from audioprune.exhibits import named
from audioprune.settings.exhibits import ExhibitSettings, Row

NUMBERS = (2, *range(4, 24))  # P0's Figures 1 and 3 are drawings without data


def test_the_papers_figures_are_rows_and_the_others_modules():
    figures, tables = ({n for n in named.rows() if named.kind_of(n) == kind} for kind in ("figure", "table"))
    merged = {"figure4-8", "figure5-11-14", "figure6-9-13-15", "figure7-10"}
    assert figures == {f"figure{number}" for number in NUMBERS} | merged
    assert tables == {f"table{number}" for number in range(1, 8)}
    alone = {name for name in registry.names("figures") if not hasattr(registry.get("figures", name), "Shows")}
    assert set(named.names("figure")) == {*figures, *alone}
    assert {"gamma", "kept-patches"}.isdisjoint(named.names("figure"))
    assert {"training-curves", "accuracy-macs"} <= set(named.names("figure"))
    assert {"keep-rates", "perturbation"}.isdisjoint(named.names("table"))
    assert len(named.names("table")) == len(registry.names("tables"))
    assert tables < set(named.names("table"))
    assert named.module_of("table", "table4") == "audioprune.tables.perturbation"
    assert set(registry.names("tables")).isdisjoint(registry.names("figures"))  # a row's `draw` is of one of them


@pytest.mark.parametrize("name", [f"figure{number}" for number in NUMBERS])
def test_every_row_is_one_that_its_module_draws(name):
    figure = named.get("figure", name)
    assert isinstance(figure, named.Figure)
    assert yaml.safe_load(named.FILE.read_text())[name]["title"] == figure.TITLE
    assert figure.CAPTION.endswith(".")


def test_a_cells_own_row_counts_and_not_the_file():
    row = Row(draw="gamma", title="As planned", shows={"families": ["ast"]})
    figure = named.of("figure", ExhibitSettings(study="demo", name="figure13", row=row))
    assert (figure.TITLE, figure.shows.families) == ("As planned", ("ast",))
    assert figure.CAPTION == registry.get("figures", "gamma").CAPTION
    assert named.get("figure", "figure13").shows.families == ("audiomae",)
    by_row = ExhibitSettings(study="demo", name="table1", row=Row(draw="keep-rates"))
    assert named.of("table", by_row) is named.get("table", "table1") is registry.get("tables", "keep-rates")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("figure99: {draw: gama, title: x}", "figure99: nothing is drawn by 'gama'; did you mean 'gamma'"),
        ("figure99: {draw: gamma}", "figure99: a figure's row needs a title"),
        ("figure99: {title: x}", "figure99.draw: Field required"),
        ("table99: {draw: recipes, title: x}", "table99: a table's row says `draw` alone"),
        ("figure99: {draw: gamma, title: x, show: {}}", "figure99.show: Extra inputs are not permitted"),
        ("figure99: [", "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_message(tmp_path, monkeypatch, text, said):
    (tmp_path / "exhibits.yaml").write_text(text)
    monkeypatch.setattr(named, "FILE", tmp_path / "exhibits.yaml")
    with pytest.raises(UserError) as error:
        named.rows()
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"draw": "gamma", "shows": {"task": ["keyword"]}},
            "task: Extra inputs are not permitted",
        ),
        ({"draw": "gamma", "shows": {"tasks": ["keywords"]}}, "tasks.0: Input should be 'keyword'"),
        ({"draw": "occurrence"}, "occurrence is a figure of its own and draws no rows"),
    ],
)
def test_a_row_that_its_module_does_not_draw_is_refused(row, said):
    with pytest.raises(UserError) as error:
        named.of_row(Row(title="x", **row))
    assert said in str(error.value)


def test_a_misspelt_name_is_refused_with_the_nearest():
    assert (named.kind_of("table4"), named.kind_of("figure4")) == ("table", "figure")
    with pytest.raises(UserError, match="no exhibit is named 'figur4'; did you mean 'figure4'"):
        named.kind_of("figur4")
