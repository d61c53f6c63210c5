"""A drawn SVG in half the bytes: what matplotlib says twice is said once, and the picture is the same.

Coordinates have as many decimals as can be seen, an image that is shown several times is there once, images of few
colours are indexed, and names that nothing refers to go, with the groups and spaces around them.
"""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from xml.etree import ElementTree as ET

SVG, LINK = "http://www.w3.org/2000/svg", "{http://www.w3.org/1999/xlink}href"
DECIMALS = 2  # of a coordinate in points
FACTORS = 4  # decimals of a transformation, whose factors may stand before hundreds of pixels
PLACES = {"d": DECIMALS, "x": DECIMALS, "y": DECIMALS, "transform": FACTORS}  # attributes that hold numbers
NUMBER = re.compile(r"-?\d*\.\d+(?:e-?\d+)?|-0\b")
STILL = re.compile(r"^rotate\(0 [^)]*\)$")
PNG = "data:image/png;base64,"
COLOURS = 256  # that an indexed image can have


def compact(svg: bytes) -> bytes:
    """The same picture; raises xml.etree.ElementTree.ParseError if it is no XML."""
    root = ET.fromstring(svg)
    for element in root.iter():
        _shorten(element)
    _share_images(root)
    _hoist(root)
    _drop_names(root)
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", LINK[1:].partition("}")[0])
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def rounded(text: str, decimals: int) -> str:
    """Every number of a text with at most so many decimals: '1.250000 -0' -> '1.25 0'."""
    return NUMBER.sub(lambda found: _number(float(found.group()), decimals), text)


def _number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"
    return "0" if text in ("-0", "") else text


def _shorten(element: ET.Element) -> None:
    for name, decimals in PLACES.items():
        if name in element.attrib:
            element.set(name, rounded(element.attrib[name], decimals))
    if STILL.match(element.get("transform", "")):
        del element.attrib["transform"]
    if "d" in element.attrib:
        element.set("d", path(element.attrib["d"]))
    if element.tag != _tag("text") and not (element.text or "").strip():
        element.text = None
    if not (element.tail or "").strip():
        element.tail = None


def path(d: str) -> str:
    """A path without spaces that say nothing; a command that is repeated stands once, but for moves."""
    found, last = [], ""
    for letter, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", d):
        repeated = letter == last and letter not in "MZmz"
        found.append((" " if repeated else letter) + " ".join(numbers.split()))
        last = letter
    return "".join(found)


# -- images ------------------------------------------------------------------------------------------------------------


def _share_images(root: ET.Element) -> None:
    """Images are indexed, and those that stand at several places are defined once, in pixels of their own."""
    images = [one for one in root.iter(_tag("image")) if one.get(LINK, "").startswith(PNG)]
    often = Counter(_content(one) for one in images)
    defined: dict[tuple, str] = {}
    definitions = ET.Element(_tag("defs"))
    for one in images:
        content, data = _content(one), base64.b64decode(one.attrib[LINK].removeprefix(PNG))
        small = PNG + base64.b64encode(indexed(data)).decode()
        one.attrib.pop("id", None)
        if often[content] == 1:
            one.set(LINK, small)
            continue
        if content not in defined:
            defined[content] = f"shared{len(defined)}"
            group = ET.SubElement(definitions, _tag("g"), {"id": defined[content]})
            ET.SubElement(group, _tag("image"), {**one.attrib, LINK: small}).attrib.pop("transform", None)
        at = {"transform": one.attrib["transform"]} if "transform" in one.attrib else {}
        one.attrib.clear()
        one.tag = _tag("use")
        one.attrib.update({LINK: f"#{defined[content]}", **at})
    if len(definitions):
        root.insert(0, definitions)


def _content(image: ET.Element) -> tuple:
    """What an image shows, wherever it stands."""
    return tuple(sorted((name, value) for name, value in image.attrib.items() if name not in ("id", "transform")))


def indexed(png: bytes) -> bytes:
    """A PNG of at most 256 colours with a palette, pixel by pixel the same; another one as it is."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))  # (height, width, 4)
    numbers, index = np.unique(pixels.view(">u4")[..., 0], return_inverse=True)  # a colour as one number, red first
    if len(numbers) > COLOURS:
        return png
    colours = numbers[:, None].view(np.uint8)  # (colours, 4)
    image = Image.fromarray(index.astype(np.uint8), mode="P")
    image.putpalette(colours[:, :3].tobytes())
    opaque = bool((colours[:, 3] == 255).all())
    out = io.BytesIO()
    image.save(out, format="png", optimize=True, **({} if opaque else {"transparency": colours[:, 3].tobytes()}))
    return out.getvalue() if len(out.getvalue()) < len(png) else png


# -- names and styles --------------------------------------------------------------------------------------------------


def _hoist(root: ET.Element) -> None:
    """The style of marks that are all alike is that of their group, and the font of all texts that of the whole."""
    for group in root.iter(_tag("g")):
        styles = {one.get("style") for one in group}
        if (
            len(group) > 1
            and {one.tag for one in group} == {_tag("use")}
            and len(styles) == 1
            and "style" not in group.attrib
        ):
            group.set("style", str(styles.pop()))
            for one in group:
                del one.attrib["style"]
    texts = list(root.iter(_tag("text")))
    fonts = [re.search(r"font-family: ([^;]+)", one.get("style", "")) for one in texts]
    if fonts and all(fonts) and len({found.group(1) for found in fonts if found}) == 1:
        root.set("font-family", str(fonts[0] and fonts[0].group(1)))
        for one in texts:
            one.set("style", re.sub(r"font-family: [^;]+(; )?", "", one.attrib["style"]))


def _drop_names(root: ET.Element) -> None:
    """Names that nothing refers to, and groups that then say nothing."""
    values = [value for one in root.iter() for value in one.attrib.values()]
    used = {name for value in values for name in re.findall(r"^#(.+)$|url\(#([^)]+)\)", value) for name in name if name}
    for one in root.iter():
        if one.get("id") not in used:
            one.attrib.pop("id", None)
    _unwrap(root)


def _unwrap(element: ET.Element) -> None:
    for one in list(element):
        _unwrap(one)
        if one.tag == _tag("g") and not one.attrib:
            at = list(element).index(one)
            element.remove(one)
            for i, inner in enumerate(one):
                element.insert(at + i, inner)


def _tag(name: str) -> str:
    return f"{{{SVG}}}{name}"
