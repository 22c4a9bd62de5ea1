"""From matplotlib's SVG to SVG that stands in a page: no namespaces, metadata or style sheet, names of its own."""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

_LONG: Final = re.compile(r"-?\d+\.\d{3,}")
_LINK: Final = re.compile(r"(url\(#|^#|href=\"#)([\w.-]+)")
_FONT: Final = re.compile(r"font-family:[^;\"]*;?\s*")


def tidy(drawn: str, name: str, title: str, description: str) -> str:
    """`drawn` as inline SVG. Ids begin with `name`, so that several charts stand in one page; text takes the page's
    font; coordinates have two decimals. `title` and `description` are what a screen reader says.
    """
    root = fromstring(drawn)  # noqa: S314  drawn by matplotlib a moment ago, not read from anywhere
    linked = {found for _, found in _LINK.findall(drawn)}
    _strip(root)
    for element in root.iter():
        _attributes(element, name, linked)
    width, height = (float(value) for value in root.get("viewBox", "0 0 1 1").split()[2:])
    root.attrib = {
        "viewBox": f"0 0 {width:g} {height:g}",
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "stroke-linejoin": "round",
    }
    for tag, text in (("desc", description), ("title", title)):
        element = SubElement(root, tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.remove(element)
        root.insert(0, element)
    return tostring(root, encoding="unicode")


def _strip(element: Element) -> None:
    """Namespaces, the metadata and the style sheet (it would hold for the whole page)."""
    element.tag = element.tag.rpartition("}")[2]
    for child in list(element):
        if child.tag.rpartition("}")[2] in {"metadata", "style"}:
            element.remove(child)
            continue
        _strip(child)
    element.tail = None
    if element.tag not in {"text", "tspan"}:
        element.text = None


def _attributes(element: Element, name: str, linked: set[str]) -> None:
    made = {}
    for key, value in element.attrib.items():
        plain = key.rpartition("}")[2]
        if plain == "id":
            if value not in linked:
                continue
            text = f"{name}-{value}"
        else:
            text = _LINK.sub(lambda m: f"{m[1]}{name}-{m[2]}" if m[2] in linked else m[0], value)
        if plain == "style":
            text = _FONT.sub("", text)
        if plain in {"d", "x", "y", "width", "height", "transform"}:
            text = _LONG.sub(lambda m: f"{float(m[0]):.2f}", " ".join(text.split()))
        made[plain] = text
    element.attrib.clear()
    element.attrib.update(made)
