"""Instances compared leaf by leaf, ignoring white space, prefixes, and ids that no two runs share."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

_ID = re.compile(r"(uuid:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|uuid:__ANY__")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")
Tree = tuple[str, tuple[tuple[str, str], ...], str, tuple[Any, ...]]


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def _masked(text: str) -> str:
    return _ID.sub("*", text)


def tree(xml: str | bytes) -> Tree:
    """(name, attributes, text, children) of the root element."""
    if isinstance(xml, str):
        xml = xml.encode("utf-8")
    return _tree(ET.fromstring(xml))


def _tree(element: ET.Element) -> Tree:
    attributes = tuple(
        sorted((_local(k), _masked(v)) for k, v in element.attrib.items() if _local(k) not in {"template", "xmlns"})
    )
    return (
        _local(element.tag),
        attributes,
        _masked(" ".join((element.text or "").split())),
        tuple(_tree(child) for child in element),
    )


def without_meta(root: Tree) -> Tree:
    """Without a meta block that holds nothing but ids: some engines add one to forms that have none."""
    kept = tuple(child for child in root[3] if not (child[0] == "meta" and all(c[0] in _IDS for c in child[3])))
    return (root[0], root[1], root[2], kept)


_IDS = {"instanceID", "deprecatedID"}


def same_text(expected: str, actual: str, source: str) -> bool:
    """Whether two leaves say the same.

    Numbers may differ in the last digits. Moments are compared as moments; those of the clock of the recording
    (neither stands in the form) are not compared at all.
    """
    if expected == actual:
        return True
    if _MOMENT.fullmatch(expected) and _MOMENT.fullmatch(actual):
        if expected not in source and actual not in source and len(expected) >= 10:
            return True
        return _moment(expected) == _moment(actual)
    try:
        return math.isclose(float(expected), float(actual), rel_tol=1e-12)
    except ValueError:
        return False


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def differences(expected: Tree, actual: Tree, source: str, path: str = "") -> list[str]:
    """What differs, as lines."""
    here = f"{path}/{expected[0]}"
    if expected[0] != actual[0]:
        return [f"{path}: expected <{expected[0]}>, found <{actual[0]}>"]
    found: list[str] = []
    if expected[1] != actual[1]:
        found.append(f"{here}: attributes {expected[1]!r} -> {actual[1]!r}")
    if not same_text(expected[2], actual[2], source) and expected[0] not in _IDS:
        found.append(f"{here}: expected {expected[2]!r}, found {actual[2]!r}")
    if [child[0] for child in expected[3]] != [child[0] for child in actual[3]]:
        names = " ".join(child[0] for child in expected[3])
        found.append(f"{here}: expected children {names}; found {' '.join(child[0] for child in actual[3])}")
        return found
    for one, other in zip(expected[3], actual[3], strict=True):
        found.extend(differences(one, other, source, here))
    return found


def instance_differences(expected: str | bytes, actual: str | bytes, source: str = "") -> list[str]:
    """What differs between two instances of the form `source`; empty when they say the same."""
    return differences(without_meta(tree(expected)), without_meta(tree(actual)), source)
