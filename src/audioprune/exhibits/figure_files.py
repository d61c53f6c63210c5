"""A figure as files: PDF, SVG and CSV, each whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audioprune import records
from audioprune.exhibits import display, style, typeset

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.exhibits.named import Exhibit
    from audioprune.results.study import Results


def render_figure(module: Exhibit, results: Results, stem: Path) -> dict:
    """Write stem.pdf, .svg and .csv; returns the number of rows of its data."""
    fig, frame = draw_figure(module, results)
    svg = style.svg(fig)
    made = {"pdf": typeset.figure(svg, module.TITLE), "svg": svg, "csv": csv_of(frame).encode()}
    for suffix, data in made.items():
        with records.atomic(stem.with_name(f"{stem.name}.{suffix}")) as temporary:
            temporary.write_bytes(data)
    return {"rows": len(frame)}


def draw_figure(module: Exhibit, results: Results) -> tuple[Figure, DataFrame]:
    """Draw and lay out, once: with its engine left, matplotlib would lay it out anew whenever it is saved."""
    with style.style():
        fig, frame = module.draw(results)
        _print_names(fig)
        if fig.get_layout_engine():
            fig.draw_without_rendering()
            fig.set_layout_engine(None)
    return fig, frame


def _print_names(fig: Figure) -> None:
    """What is drawn is called as in a paper, whatever a module calls it."""
    from matplotlib.text import Text

    for text in fig.findobj(Text):
        if isinstance(text, Text):
            text.set_text(display.text(text.get_text()))


def csv_of(frame: DataFrame) -> str:
    """The data of a figure, every number in full precision."""
    return frame.to_csv(index=False, lineterminator="\n")
