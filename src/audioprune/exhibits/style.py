"""How every figure looks: sizes, fonts and colours; files that are the same bytes each time.

Colours are those of Okabe and Ito, told apart by colour-blind readers, and each comes with a marker of its own. Figures
stand on white; on a dark page white, black and grid follow the page (reporting.svg). Their text is text, in a font
that comes with matplotlib, where their PDF finds it too (exhibits.typeset).
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audioprune.exhibits.compact import compact

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 7.2  # inches: the text width of the report's page
ACROSS = 3  # panels in a row
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
RED, GREEN = "#B03A00", "#00704F"  # of letters, for which vermilion and green are too pale
ON_DARK, ON_LIGHT = "#fefefe", "#111111"  # on coloured cells: neither follows the page
EVEN = 0.179  # luminance of a cell on which black and white have the same contrast: (L + 0.05)² = 1.05 · 0.05
DASHES = ((4, 1.6), (1.2, 1.4), (5, 1.4, 1.2, 1.4), (9, 2), (3, 1, 1, 1, 1, 1), (1, 3))
LINES = ("-", *((0, dashes) for dashes in DASHES))
SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "svg.hashsalt": "audioprune",
    "svg.fonttype": "none",
    "text.parse_math": False,  # names may hold dollar signs
    "axes.unicode_minus": True,
    "image.composite_image": False,  # a picture and what lies on it stay apart, so that the picture is there once
}


@contextmanager
def style() -> Iterator[None]:
    """matplotlib's settings for drawing and saving; the user's own style has no effect."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def blank(*, height: float, width: float = WIDTH, placed: bool = False) -> Figure:
    """A figure without pyplot, so that nothing stays open; placed: what is put into it says where, none is moved."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=None if placed else "constrained")


def figure(rows: int, columns: int, *, height: float, width: float = WIDTH) -> tuple[Figure, list[list[Axes]]]:
    """A figure of rows x columns panels."""
    fig = blank(height=height, width=width)
    return fig, fig.subplots(rows, columns, squeeze=False).tolist()


def panels(count: int, *, each: float, above: float, wide: int = ACROSS) -> tuple[Figure, list[Axes]]:
    """So many panels in rows of `wide`, each so high (inches) with room above them all."""
    rows = -(-count // wide)
    fig, axes = figure(rows, min(wide, count), height=each * rows + above)
    flat = [ax for line in axes for ax in line]
    for ax in flat[count:]:
        ax.set_axis_off()
    return fig, flat[:count]


def empty(why: str) -> Figure:
    """A figure that says why there is nothing to show."""
    fig = blank(height=1.0)
    fig.text(0.5, 0.5, f"not run: {why}", ha="center", va="center", color="#555555", wrap=True)
    return fig


def svg(fig: Figure) -> bytes:
    """The figure as SVG, without date or program; the same figure gives the same bytes."""
    out = io.BytesIO()
    with style():
        fig.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return compact(out.getvalue())


def legend_columns(names: Collection[str], most: int, width: float = WIDTH) -> int:
    """Columns of a legend above the panels, so that the longest name fits; a letter is about half as wide as high."""
    longest = max((len(name) for name in names), default=1)
    letter = 0.58 * SETTINGS["legend.fontsize"] / 72  # inches
    return max(1, min(most, int(width / (letter * (longest + 7)))))


def assigned(names: Iterable[str]) -> dict[str, int]:
    """Each name's number in order of appearance, for COLOURS and MARKERS."""
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def rate_colours(rates: Iterable[float]) -> dict[float, tuple]:
    """A colour for each keep-rate, the same in every figure: dark for 1, lighter below, none lost on white or black."""
    import matplotlib as mpl

    darkest, lightest, at = 0.15, 0.9, 0.3  # of the map; the keep-rate that has the lightest
    span = lightest - darkest
    ordered = sorted(set(rates), reverse=True)
    return {rate: mpl.colormaps["viridis"](min(lightest, darkest + span * (1 - rate) / (1 - at))) for rate in ordered}


def text_on(colour: tuple[float, ...]) -> str:
    """The colour of a text on a coloured cell, light or dark, whichever has more contrast."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))  # WCAG 2.2
    return ON_LIGHT if luminance > EVEN else ON_DARK
