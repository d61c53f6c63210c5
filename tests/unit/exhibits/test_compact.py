"""A drawn SVG is made small without a visible change: rendered by another program, it is the same picture."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import typst
from matplotlib.figure import Figure
from PIL import Image

from audioprune.exhibits import compact, style

SHADES = np.random.default_rng(0).integers(0, 32, (40, 60)) * 8
PICTURE = np.stack([SHADES, 255 - SHADES, SHADES // 2], axis=-1).astype(np.uint8)
COVER = np.zeros((40, 60, 4), dtype=np.uint8)
COVER[:20] = (240, 240, 240, 255)


def drawn() -> Figure:
    """Lines, markers, bands, letters, and four panels that show one picture, three of them under a cover."""
    with style.style():
        fig, axes = style.figure(2, 3, height=3.4)
        for i, ax in enumerate(axes[0] + axes[1][:1]):
            ax.imshow(PICTURE, interpolation="none", aspect="auto")
            if i:
                ax.imshow(COVER, interpolation="none", aspect="auto")
        x = np.linspace(0, 7, 50)
        axes[1][1].plot(x, np.sin(x), marker="o", label="Müller & Söhne")
        axes[1][1].fill_between(x, np.sin(x) - 0.3, np.sin(x) + 0.3, alpha=0.2)
        axes[1][2].errorbar([1, 2, 3], [2, 1, 3], yerr=0.5, marker="^", capsize=2)
        axes[1][1].legend()
        fig.draw_without_rendering()
        fig.set_layout_engine("none")
    return fig


def plain(fig: Figure) -> bytes:
    """As matplotlib writes it."""
    out = io.BytesIO()
    with style.style():
        fig.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return out.getvalue()


def rendered(svg: bytes) -> np.ndarray:
    """(H, W, 3) as another program draws it."""
    literal = svg.decode().replace("\\", "\\\\").replace('"', '\\"')
    source = f'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes("{literal}"), format: "svg")'
    page = typst.compile(source.encode(), format="png", ppi=144)
    return np.asarray(Image.open(io.BytesIO(page)).convert("RGB")).astype(int)


def test_the_picture_is_the_same_in_less_than_half_the_bytes():
    fig = drawn()
    before, after = plain(fig), style.svg(fig)
    assert len(after) < 0.5 * len(before)
    one, other = rendered(before), rendered(after)
    assert one.shape == other.shape
    off = np.abs(one - other).max(axis=-1)
    assert (off > 40).mean() < 0.0005  # edges of lines and letters move by hundredths of a point
    assert len(np.unique(one.reshape(-1, 3), axis=0)) > 30  # there is something to see


def test_a_picture_that_stands_in_four_panels_is_there_once():
    svg = style.svg(drawn()).decode()
    images = [base64.b64decode(data) for data in re.findall(r'"data:image/png;base64,([^"]+)"', svg)]
    pixels = [np.asarray(Image.open(io.BytesIO(one)).convert("RGBA")) for one in images]
    assert len(pixels) == 2  # it, and the cover
    assert any((one[..., :3] == PICTURE).all() for one in pixels if one[..., 3].all())
    assert any((one == COVER).all() for one in pixels)


def test_coordinates_are_those_of_the_figure_to_a_hundredth_of_a_point():
    fig = drawn()
    numbers = [
        sorted(float(n) for d in re.findall(r'\bd="([^"]*)"', svg.decode()) for n in re.findall(r"-?[\d.]+", d))
        for svg in (plain(fig), style.svg(fig))
    ]
    before, after = map(np.array, numbers)
    assert len(before) == len(after) > 500
    assert np.abs(before - after).max() <= 0.005 + 1e-6


def test_what_is_referred_to_has_its_name_and_nothing_else_has_one():
    root = ET.fromstring(style.svg(drawn()))
    names = {e.get("id") for e in root.iter()} - {None}
    values = [value for e in root.iter() for value in e.attrib.values()]
    used = {name for v in values for name in re.findall(r"^#(.+)", v) + re.findall(r"url\(#(.+)\)", v)}
    assert names == used
    assert all(one.attrib for one in root.iter("{http://www.w3.org/2000/svg}g"))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("M 0 0 \nL 1.004 2.006 \nL 3 4 \nz\n", "M0 0L1 2.01 3 4z"),
        ("M 1 2 M 3 4 L 5.5 6", "M1 2M3 4L5.5 6"),  # a second move is none of the first's lines
        ("M 0 -0.001 C 1 2 3 4 5 6 C 7 8 9 10 11 12", "M0 0C1 2 3 4 5 6 7 8 9 10 11 12"),
    ],
)
def test_a_path_says_every_point_and_no_more(given, found):
    assert compact.path(compact.rounded(given, 2)) == found


def test_an_image_of_many_colours_stays_as_it_is():
    many = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(many).save(out, format="png")
    assert compact.indexed(out.getvalue()) == out.getvalue()
