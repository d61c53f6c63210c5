"""Signal kept beyond a blind selection's, under right and wrong labels: what the published analysis would look like if
its labels were not those of the patches (paper.md 6.1, B24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.figures import _panels, _seen
from audioprune.results.audits import SELECTIONS, pooled
from audioprune.results.tokens import analysed
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results
    from audioprune.results.tokens import Group

TITLE = "Signal kept beyond a blind selection's, under right and wrong labels"
CAPTION = (
    "Ratio B minus K / N, in points, of selections made without labels (patches of highest mean, lowest mel bins, "
    "random patches) and of those that the trained model keeps, at the keep-rate nearest to 0.5. Colours are the "
    "labels: those of the patches (right), read in the other model's token order (transposed), or shuffled within each "
    "clip. Markers are the pruning stages. Grey bars: where 95 % of selections lie that are blind to the labels. The "
    "published values of AudioMAE lie within 0.2 points of zero."
)
RATE = 0.5
MAPS = ("right", "transposed", "shuffled")
HEIGHT = 0.13  # inches of a row
COLUMNS = (
    *("backbone", "dataset", "method", "variant", "score", "keep_rate"),
    *("selection", "map", "stage", "excess", "blind_low", "blind_high", "n"),
)


def needs(study: Cells) -> list:
    return analysed(study)


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    cells = needs(results)
    models = _panels.by_model(_panels.there(results, cells))
    if not models:
        return style.empty(_panels.why(results, cells)), pd.DataFrame(columns=COLUMNS)
    shown = [min(own, key=lambda g: abs(g.keep_rate - RATE)) for own in models]
    frame = pd.concat([_of(results, group) for group in shown], ignore_index=True)[list(COLUMNS)]
    places = _places(frame)
    fig, panels = style.panels(len(shown), each=HEIGHT * (max(places.values()) + 2) + 0.55, above=0.35)
    for i, (ax, group) in enumerate(zip(panels, shown, strict=True)):
        _panel(ax, _rows(frame, group), places, named=i % style.ACROSS == 0)
        ax.set_title(f"{_panels.name(group)}, keep-rate {group.keep_rate:g}", loc="left", fontsize=8)
    for ax in panels[-style.ACROSS :]:
        ax.set_xlabel("B − K / N (points)")
    _legend(fig, sorted(set(frame["stage"])))
    return fig, frame


def _of(results: Results, group: Group) -> DataFrame:
    """The rows of one model, in points."""
    found = pooled([results.cell(path).frame("audit.parquet") for path in group.cells])
    points = {"excess": 100 * found["excess"], "blind_low": 100 * found["low"], "blind_high": 100 * found["high"]}
    return found.assign(**points, **_panels.where(group))


def _rows(frame: DataFrame, group: Group) -> DataFrame:
    """Those of one model's panel."""
    own = frame
    for column, value in _panels.where(group).items():
        own = own[own[column] == value]
    return own


def _places(frame: DataFrame) -> dict[tuple[str, str], float]:
    """{(selection, map): its row, from above}, with a gap between selections."""
    selections = [name for name in SELECTIONS if name in set(frame["selection"])]
    maps = [name for name in MAPS if name in set(frame["map"])]
    step = len(maps) + 1
    return {(s, m): float(step * i + j) for i, s in enumerate(selections) for j, m in enumerate(maps)}


def _panel(ax: Axes, frame: DataFrame, places: dict[tuple[str, str], float], *, named: bool) -> None:
    ax.axvline(0, color="#000000", lw=0.9, zorder=2)
    for (selection, label_map), own in frame.groupby(["selection", "map"], sort=False):
        y = places[selection, label_map]
        ends = own["blind_low"].min(), own["blind_high"].max()
        ax.barh(y, ends[1] - ends[0], left=ends[0], height=0.7, color="#dddddd", zorder=1)
        colour = style.COLOURS[MAPS.index(label_map)]
        for one in own.itertuples():
            marker = style.MARKERS[(one.stage - 1) % 7]
            ax.plot(one.excess, y, marker, color=colour, ms=3.4, mfc="none", mew=0.9, zorder=3)
    selections = list(dict.fromkeys(selection for selection, _ in places))
    middle = [sum(own) / len(own) for own in ([y for (s, _), y in places.items() if s == one] for one in selections)]
    ax.set_yticks(middle, [SELECTIONS[one] for one in selections])
    ax.tick_params(axis="y", length=0, labelleft=named)
    ax.set_ylim(max(places.values()) + 0.9, -0.9)
    ax.grid(axis="y", visible=False)


def _legend(fig: Figure, stages: list[int]) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=style.COLOURS[i], lw=2.5, label=f"labels {name}") for i, name in enumerate(MAPS)]
    grey: dict[str, Any] = {"color": "#333333", "ls": "none", "ms": 4, "mfc": "none"}
    lines += [Line2D([], [], marker=style.MARKERS[(i - 1) % 7], label=f"stage {i}", **grey) for i in stages]
    fig.legend(handles=lines, loc="outside upper center", ncols=len(lines))


def seen(rows: _seen.Rows) -> str:
    """How far from a blind selection the loudest patches and those of the model are, under each of the labels."""
    wanted = [row for row in rows if row["selection"] in ("model", "intensity")]
    return _seen.of_each(wanted, _seen.MODEL, _said)


def _said(rows: _seen.Rows) -> str:
    told = []
    for (selection,), own in _seen.parts(rows, "selection").items():
        far = {
            of: max(abs(value) for value, _ in _seen.known(at, "excess"))
            for (of,), at in _seen.parts(own, "map").items()
        }
        listed = ", ".join(f"{number(value, 1)} under {label_map}" for label_map, value in far.items())
        told.append(f"selected by {SELECTIONS[selection]}, at most {listed} labels, in points from zero")
    return "; ".join(told)
