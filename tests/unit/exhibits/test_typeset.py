"""A figure's PDF is the picture of its SVG, as matplotlib would have it, and goes into a paper as it is."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pypdfium2
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from audioprune.exhibits import style, typeset
from audioprune.exhibits.figure_files import draw_figure
from audioprune.figures import operating_points
from tests.fakes.pace import paced
from tests.unit.exhibits.test_compact import drawn

TITLE = 'Kept "patches" \\ of #birds, Müller'
SQUARE = 16
PAPER = r"\documentclass{article}\usepackage{graphicx}\begin{document}\includegraphics{figure.pdf}\end{document}"


def by_matplotlib(fig: Figure) -> bytes:
    out = io.BytesIO()
    with style.style():
        fig.savefig(out, format="pdf")
    return out.getvalue()


def shown(pdf: bytes) -> np.ndarray:
    """(H, W, 3) from 0 to 255, at two pixels a point."""
    (page,) = pypdfium2.PdfDocument(pdf)
    return np.asarray(page.render(scale=2).to_pil().convert("RGB")).astype(float)


def letters(pdf: bytes) -> str:
    (page,) = pypdfium2.PdfDocument(pdf)
    return page.get_textpage().get_text_range()


def fonts(pdf: bytes) -> set[str]:
    return {name.decode() for name in re.findall(rb"/BaseFont ?/[A-Z]{6}\+([\w-]+)", pdf)}


def coarse(picture: np.ndarray) -> np.ndarray:
    """Means of squares of 16 pixels, in which the edges of lines and letters hardly count."""
    height, width = (size // SQUARE for size in picture.shape[:2])
    whole = picture[: height * SQUARE, : width * SQUARE]
    return whole.reshape(height, SQUARE, width, SQUARE, 3).mean(axis=(1, 3))


def test_it_is_the_picture_that_matplotlib_would_have_written():
    for fig in (drawn(), draw_figure(operating_points, paced())[0]):
        found, expected = (coarse(shown(pdf)) for pdf in (typeset.figure(style.svg(fig), TITLE), by_matplotlib(fig)))
        assert np.ptp(expected) > 25
        assert np.abs(found - expected).max() < 10


def test_it_has_the_size_of_the_figure_and_letters_as_letters_in_fonts_of_its_own():
    fig = drawn()
    pdf = typeset.figure(style.svg(fig), TITLE)
    document = pypdfium2.PdfDocument(pdf)
    (page,) = document
    assert np.allclose(page.get_size(), 72 * fig.get_size_inches(), atol=0.01)
    assert "Müller & Söhne" in letters(pdf)
    assert fonts(pdf) == {"DejaVuSans"}
    assert pdf.count(b"/FontFile2") >= 1  # TrueType
    assert document.get_metadata_dict()["Title"] == TITLE
    assert pdf.startswith(b"%PDF-1.4")
    assert pdf == typeset.figure(style.svg(fig), TITLE)


def test_a_letter_without_a_glyph_leaves_the_others_as_they_are():
    """matplotlib's font of last resort has a box for each letter, and would be taken for the whole line."""
    with style.style():
        fig = style.blank(height=1, placed=True)
        fig.text(0.1, 0.5, "Straße \U0010fffd, says the label")
    pdf = typeset.figure(style.svg(fig), TITLE)
    assert not any("LastResort" in name for name in fonts(pdf))
    assert "Straße" in letters(pdf)
    assert "says the label" in letters(pdf)


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=20))
def test_any_title_is_a_title(title):
    assert typeset.figure(b'<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"/>', title)


def test_a_paper_includes_it_without_a_warning(tmp_path: Path):
    (tmp_path / "figure.pdf").write_bytes(typeset.figure(style.svg(drawn()), TITLE))
    (tmp_path / "paper.tex").write_text(PAPER)
    if shutil.which("pdflatex"):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout[-2000:]
        assert "warning" not in re.sub(r"(?i)(over|under)full.*", "", done.stdout).lower()
        assert "Müller & Söhne" in letters((tmp_path / "paper.pdf").read_bytes())
