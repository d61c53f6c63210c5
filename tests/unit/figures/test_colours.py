"""Every text of a figure can be read, on white paper and on a dark page: 4.5 to 1, the level AA of WCAG 2.2."""

from __future__ import annotations

import re
from functools import cache

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from audioprune.exhibits import named, style
from audioprune.exhibits.figure_files import draw_figure
from audioprune.reporting.svg import COLOURS
from tests import REPOSITORY
from tests.fakes.ablations import ablations
from tests.fakes.lengths import lengths
from tests.fakes.noise import noisy
from tests.fakes.speech import speech
from tests.fakes.studies import shared
from tests.fakes.tokens import token_study

STUDIES = (shared, ablations, token_study, speech, noisy, lengths)
LEAST = 4.5
ON_CELLS = (style.ON_DARK, style.ON_LIGHT)  # stand on a colour of their own


def contrast(one: object, other: object) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    levels = []
    for colour in (one, other):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        levels.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(levels) + 0.05) / (min(levels) + 0.05)


@cache
def page(dark: bool) -> dict[str, str]:
    """The variables of the page's style, as it is light or dark."""
    parts = (REPOSITORY / "report" / "style.css").read_text().split("@media (prefers-color-scheme: dark)")
    return dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", parts[dark].partition("}")[0]))


@cache
def drawn(name: str) -> Figure:
    module = named.get("figure", name)
    standalone = hasattr(module, "STANDALONE")
    return draw_figure(module, next(s for s in (made() for made in STUDIES) if standalone or module.needs(s)))[0]


def test_contrast_is_that_of_the_standard():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", named.names("figure"))
def test_every_text_is_readable(name, dark):
    behind = page(dark)["--card"]
    faint = []
    for text in drawn(name).findobj(Text):
        colour = to_hex(text.get_color())
        if text.get_text().strip() and colour not in ON_CELLS:
            shown = page(dark)[COLOURS[colour]] if colour in COLOURS else colour
            if contrast(shown, behind) < LEAST:
                faint.append((text.get_text(), colour, round(contrast(shown, behind), 2)))
    assert faint == []


@pytest.mark.parametrize("level", [0, 0.25, 0.5, 0.75, 1])
def test_text_on_a_cell_has_the_colour_of_more_contrast(level):
    cell = mpl.colormaps["viridis"](level)
    assert style.text_on(cell) == max(ON_CELLS, key=lambda one: contrast(one, cell[:3]))
    assert contrast(style.text_on(cell), cell[:3]) >= LEAST


def test_colours_of_keep_rates_are_lost_neither_on_white_nor_on_a_dark_page():
    """As many as five are told apart (test_figures), so that the ends are as faint on one page as on the other."""
    found = style.rate_colours([1.0, 0.9, 0.7, 0.5, 0.3])
    for behind in ("white", page(True)["--card"]):
        assert min(contrast(one[:3], behind) for one in found.values()) >= 1.5
