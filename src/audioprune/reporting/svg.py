"""A figure's SVG made ready to stand inside an HTML page, where several figures share one space of names."""

from __future__ import annotations

import io
import re
from base64 import b64decode, b64encode

COLOURS = {  # that follow the page, light or dark
    "#ffffff": "--card", "#000000": "--ink", "#dddddd": "--grid", "#0072b2": "--blue", "#d55e00": "--vermilion",
    "#009e73": "--green", "#00704f": "--yes", "#b03a00": "--no", "#222222": "--ink",
    **dict.fromkeys(("#333333", "#444444", "#555555", "#666666", "#777777"), "--soft"),
}  # fmt: skip
WEBP = {"quality": 80, "method": 6}  # lossy, a fraction of the bytes of a PNG; files of a figure keep theirs
SCALE = 1.65  # pixels for a point: larger than on paper, as screens are further away


def inline(svg: str, name: str, label: str) -> str:
    """The <svg> element alone: identifiers get `name` in front, the label is for those who cannot see it.

    Prolog, document type, metadata and namespaces go: in HTML they mean nothing, and they hold addresses.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", body)
    body = re.sub(r'(<image\b[^>]*?)\sid="[^"]*"', r"\1", body)  # the same picture twice has one identifier twice
    body = re.sub(r'data:image/png;base64,([^"]+)', lambda png: _webp(png[1]), body)
    body = re.sub(r"<path(?![^>]*\sd=)[^>]*/>", "", body)  # a line of which nothing lies within the axes
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    for colour, own in COLOURS.items():
        body = body.replace(f": {colour}", f": var({own})")
    size = re.match(r'<svg[^>]*?\bwidth="([\d.]+)pt"', body)
    head, rest = body[: body.index(">")], body[body.index(">") :]
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    width = f' style="width:{float(size.group(1)) * SCALE:.0f}px"' if size else ""
    return f'{head} role="img" aria-label="{label}"{width}{rest}'


def _webp(png: str) -> str:
    """The address of a picture that a page holds, from a PNG as base64."""
    from matplotlib.image import imread, imsave

    out = io.BytesIO()
    imsave(out, imread(io.BytesIO(b64decode(png))), format="webp", pil_kwargs={**WEBP})
    return f"data:image/webp;base64,{b64encode(out.getvalue()).decode()}"
