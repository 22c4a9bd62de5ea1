"""What codes are called, read from a compiled form: the lists of choices and their labels in each language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, fromstring

_NAMESPACE: Final = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True)
class Labels:
    """`lists`: list name -> code -> language ("es", "en") -> label. `properties`: list -> code -> column -> value."""

    lists: dict[str, dict[str, dict[str, str]]]
    properties: dict[str, dict[str, dict[str, str]]]

    def label(self, name: str, code: str, language: str) -> str:
        """The label of `code` in a list, in `language`, else in any; the code itself where there is none."""
        found = self.lists.get(name, {}).get(code, {})
        return found.get(language) or next(iter(found.values()), code)

    def codes(self, name: str) -> list[str]:
        """The codes of a list in order."""
        return list(self.lists.get(name, {}))


def read_labels(xform: bytes) -> Labels:
    """The labels of a compiled form. `xform` comes from a signed project."""
    root = fromstring(xform)  # noqa: S314  the project's root signature covers these bytes
    texts: dict[str, dict[str, str]] = {}
    for translation in _find(root, "translation"):
        language = _language(translation.get("lang", ""))
        for text in _find(translation, "text"):
            value = next((v for v in text if _name(v) == "value" and not v.get("form")), None)
            if value is not None:
                texts.setdefault(text.get("id", ""), {})[language] = "".join(value.itertext()).strip()
    lists: dict[str, dict[str, dict[str, str]]] = {}
    properties: dict[str, dict[str, dict[str, str]]] = {}
    for instance in _find(root, "instance"):
        name = instance.get("id")
        if not name:
            continue
        for item in _find(instance, "item"):
            fields = {_name(child): (child.text or "").strip() for child in item}
            code = fields.pop("name", "")
            text_id, plain = fields.pop("itextId", ""), fields.pop("label", "")
            lists.setdefault(name, {})[code] = texts.get(text_id) or ({"es": plain} if plain else {})
            properties.setdefault(name, {})[code] = fields
    return Labels(lists, properties)


def _find(element: Element, name: str) -> list[Element]:
    return [found for found in element.iter() if _name(found) == name]


def _name(element: Element) -> str:
    return _NAMESPACE.sub("", element.tag)


def _language(lang: str) -> str:
    """ "Español (es)" → "es"."""
    found = re.search(r"\(([a-zA-Z-]+)\)\s*$", lang)
    return (found.group(1) if found else lang).lower()
