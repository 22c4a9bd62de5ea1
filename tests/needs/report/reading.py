"""Reads a page as a reader would: its text, its numbers, its tables."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring


def tree(page: str) -> Element:
    """The page as a tree; it is written so that it is well-formed XML too."""
    return fromstring(page)


def text(element: Element) -> str:
    """All text, with single blanks."""
    return " ".join(" ".join(element.itertext()).split())


def shows(page: str, n: int) -> bool:
    """Whether the number is anywhere in the page's source, with or without a mark for thousands."""
    digits = str(n)
    grouped = r"[\s.,\u00a0\u202f]?".join([digits[:-3], digits[-3:]]) if len(digits) > 3 else digits
    return re.search(rf"(?<![\d.]){grouped}(?![\d])", page) is not None


def section(page: str, name: str) -> Element:
    """A section by its id. Raises KeyError."""
    for element in tree(page).iter("section"):
        if element.get("id") == name:
            return element
    raise KeyError(name)


def sections(page: str) -> list[str]:
    """The ids of the sections in order."""
    return [element.get("id", "") for element in tree(page).iter("section")]


def cells(page: str, name: str, label: str) -> list[list[str]]:
    """The rows that begin with `label` in a section's tables."""
    rows = section(page, name).iter("tr")
    found = [[text(cell) for cell in row] for row in rows]
    return [row[1:] for row in found if row and row[0] == label]
