"""Nothing is moved on a measured axis: what a figure draws stands where its CSV says, point by point."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from audioprune.exhibits import display, named
from audioprune.exhibits.figure_files import draw_figure
from audioprune.figures import accuracy_macs
from tests.fakes.ablations import ablations
from tests.fakes.studies import shared
from tests.fakes.tokens import token_study

STUDIES = (shared, ablations, token_study)
ORDINAL = {  # figures whose x is a block or an epoch: the column, and what is added to it
    **dict.fromkeys(("figure6", "figure7", "figure6-9-13-15", "figure7-10"), ("block", 0)),
    "rank-correlation": ("block", 0),
    "training-curves": ("epoch", 1),
}


def drawn(name: str):
    module = named.get("figure", name)
    return draw_figure(module, next(study for study in (made() for made in STUDIES) if module.needs(study)))


def in_data(ax: Axes) -> Iterator[Line2D]:
    """Lines whose points are data in both directions: no lines across the panel."""
    return (line for line in ax.lines if line.get_transform() == ax.transData)


def points(fig: Figure, scale: dict[str, float]) -> set[tuple[float, float]]:
    """(x, y) of every marker, x in the unit of the CSV by the label of the axis."""
    return {
        (round(x / scale.get(ax.get_xlabel(), 1), 9), round(y, 9))
        for ax in fig.axes
        for container in ax.containers
        for x, y in container.lines[0].get_xydata()
    }


@pytest.mark.parametrize("study", [shared, ablations])
def test_every_point_of_accuracy_and_macs_is_a_row_of_the_csv_and_every_row_a_point(study):
    fig, frame = draw_figure(accuracy_macs, study())
    shown = points(fig, {"MACs of one clip (M)": 1000})
    rows = {(round(row.gmacs, 9), round(row.value, 9)) for row in frame.itertuples()}
    started = {  # an unpruned model whose like is pruned in no panel is a dotted line alone
        (round(row.gmacs, 9), round(row.value, 9)) for row in frame[frame["method"] == "none"].itertuples()
    }
    assert shown <= rows
    assert rows - shown <= started


@pytest.mark.parametrize("study", [shared, ablations])
def test_one_series_has_one_look_and_one_entry_of_the_legend(study):
    fig, frame = draw_figure(accuracy_macs, study())
    legend = [text.get_text() for text in fig.legends[0].get_texts()]
    assert sorted(legend) == sorted(map(display.backbone, set(frame["backbone"])))
    looks: dict[str, set] = {}
    for container in (c for ax in fig.axes for c in ax.containers):
        line = container.lines[0]
        looks.setdefault(container.get_label(), set()).add((line.get_marker(), line.get_color(), line.get_mfc()))
    assert all(len(look) == 1 for look in looks.values())
    assert len({next(iter(look)) for look in looks.values()}) == len(looks)


def test_every_point_of_discarded_tokens_stands_at_its_accuracy():
    fig, frame = drawn("discard")
    shown = {x for ax in fig.axes for c in ax.containers for x in c.lines[0].get_xdata()}
    assert shown == set(frame["value"])
    crosses = {x for ax in fig.axes for line in in_data(ax) if line.get_marker() == "x" for x in line.get_xdata()}
    assert crosses == set(frame[(frame["n_skipped"] < frame["n"]) & ~frame["control"]]["value_skipped"])


@pytest.mark.parametrize("name", ORDINAL)
def test_blocks_and_epochs_are_whole_and_those_of_the_csv(name):
    fig, frame = drawn(name)
    column, first = ORDINAL[name]
    shown = {float(x) for ax in fig.axes for line in in_data(ax) for x in line.get_xdata()}
    assert shown == {float(value + first) for value in frame[column]}
