"""PDF by Typst, in fonts that come with it and with matplotlib: a report, and a figure made of its SVG.

A figure is drawn once: its PDF is the picture of its SVG, with letters as letters, in TrueType fonts that it holds.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from audioprune.exhibits import escape

if TYPE_CHECKING:
    import typst

FAMILY = "DejaVu*.ttf"


@cache
def fonts() -> typst.Fonts:
    """Typst's own fonts, DejaVu as it comes with matplotlib, and those of the machine for letters that neither has.

    matplotlib's font of last resort is left out: it has a box for every letter there is, and Typst would set a whole
    label in it because of one letter that DejaVu lacks.
    """
    import typst
    from matplotlib import get_data_path

    with tempfile.TemporaryDirectory() as folder:
        for font in (Path(get_data_path()) / "fonts" / "ttf").glob(FAMILY):
            (Path(folder) / font.name).symlink_to(font)
        return typst.Fonts(font_paths=[folder])


def pdf(source: str, version: Literal["1.4", "1.7"] = "1.7") -> bytes:
    """A Typst source as PDF; the same source gives the same bytes: no date is written."""
    import typst

    return typst.compile(source.encode(), format="pdf", timestamp=0, font_paths=fonts(), pdf_standards=version)


def figure(svg: bytes, title: str) -> bytes:
    """A figure's SVG as a PDF of the same size, of version 1.4, which every LaTeX includes without a warning."""
    about = f"#set document(title: {escape.typst(title)})"
    page = "#set page(width: auto, height: auto, margin: 0pt)"
    return pdf(f'{about}\n{page}\n#image({held(svg.decode())}, format: "svg")', "1.4")


def held(text: str) -> str:
    """A text as a Typst expression of its bytes."""
    return f"bytes({escape.typst_literal(text)})"
