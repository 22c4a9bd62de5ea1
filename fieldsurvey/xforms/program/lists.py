"""Secondary instances as node trees: lists written in the form, and CSV, XML and GeoJSON files beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.model import SecondaryInstance
from fieldsurvey.xforms.definition.xml import Element, parse_xml
from fieldsurvey.xforms.errors import FormError
from fieldsurvey.xforms.pause import collector_paused
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.nodes import ELEMENT, ROOT, Node

LAST_SAVED = "jr://instance/last-saved"
MAX_BYTES = 256 * 1024 * 1024
MAX_ROWS = 500_000
MAX_CELLS = 4_000_000


def from_element(element: Element) -> Node:
    """A document node that holds the element."""
    root = Node(ROOT)
    root.append(_node(element))
    return root


def _node(element: Element) -> Node:
    top = _bare(element)
    stack = [(element, top)]
    while stack:
        source, node = stack.pop()
        if not source.elements:
            node.text = source.text
            continue
        children: list[Node] = []
        for child in source.elements:
            made = _bare(child)
            made.parent = node
            children.append(made)
            if child.elements or child.text:
                stack.append((child, made))
        node.children = children
    return top


def _bare(element: Element) -> Node:
    node = Node(ELEMENT, element.local, namespace=element.ns, prefix=element.prefix)
    for name, value in element.attributes.items():
        prefix, _colon, local = name.rpartition(":")
        node.set_attribute(local, value, prefix=prefix)
    return node


def item_tree(rows: Iterable[dict[str, str]]) -> Node:
    """`<root><item><column>…`, as a list written in the form would be."""
    document = Node(ROOT)
    root = document.append(Node(ELEMENT, "root"))
    items: list[Node] = []
    for row in rows:
        item = Node(ELEMENT, "item", parent=root)
        item.children = [Node(ELEMENT, name, text=value, parent=item) for name, value in row.items()]
        items.append(item)
    root.children = items
    return document


def from_csv(data: bytes) -> Node:
    """A CSV file with a header; the delimiter is a comma, a semicolon or a tab, by the header."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeError:
        raise EvaluationError(_("a CSV file is not in UTF-8")) from None
    header_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header_line.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = [name.strip() for name in next(reader, [])]
        most = min(MAX_ROWS, MAX_CELLS // max(len(header), 1))
        rows: list[dict[str, str]] = []
        for line in reader:
            if any(line):
                padded = [*line, *[""] * (len(header) - len(line))]
                rows.append({name: value for name, value in zip(header, padded, strict=False) if name})
            if len(rows) > most:
                raise EvaluationError(_("a CSV file has too many rows"))
    except csv.Error as error:
        raise EvaluationError(_("a CSV file cannot be read: {reason}").format(reason=error)) from None
    return item_tree(rows)


def from_geojson(data: bytes) -> Node:
    """A FeatureCollection: each feature's properties, id and `geometry` in the format of geo questions."""
    try:
        collection = json.loads(data)
    except (ValueError, RecursionError):
        raise EvaluationError(_("a GeoJSON file cannot be read")) from None
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise EvaluationError(_("a GeoJSON file must hold a FeatureCollection"))
    features = collection.get("features")
    if not isinstance(features, list):
        raise EvaluationError(_("a GeoJSON file must have a list of features"))
    return item_tree(_feature(feature) for feature in features)


def _feature(feature: object) -> dict[str, str]:
    if not isinstance(feature, dict):
        raise EvaluationError(_("a GeoJSON file holds something that is not a feature"))
    row = {"geometry": _geometry(feature.get("geometry"))}
    properties = feature.get("properties")
    if isinstance(properties, dict):
        row.update({str(name): _plain(value) for name, value in properties.items()})
    if "id" in feature:
        row["id"] = _plain(feature["id"])  # a feature's own id, also where a property is called so
    return row


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict | list) else str(value)


def _geometry(geometry: object) -> str:
    if not isinstance(geometry, dict):
        return ""
    coordinates = geometry.get("coordinates")
    kind = geometry.get("type")
    try:
        if kind == "Point":
            return _point(coordinates)
        if kind == "LineString":
            return "; ".join(_point(point) for point in coordinates)  # type: ignore[union-attr]
        if kind == "Polygon":
            return "; ".join(_point(point) for point in coordinates[0])  # type: ignore[index]
    except (TypeError, IndexError, KeyError):
        raise EvaluationError(_("a GeoJSON file has coordinates that cannot be read")) from None
    raise EvaluationError(_("a GeoJSON file has a geometry of a kind that forms do not know"))


def _point(point: object) -> str:
    longitude, latitude = point[0], point[1]  # type: ignore[index]
    return f"{latitude} {longitude} 0 0"


class Cells(Mapping[str, str]):
    """What a row of a list holds, by the names of its cells. Nothing is read or copied before it is asked for."""

    __slots__ = ("_row",)

    def __init__(self, row: Node) -> None:
        self._row = row

    def _all(self) -> dict[str, str]:
        return {cell.name: cell.string() for cell in self._row.children if cell.kind == ELEMENT}

    def __getitem__(self, name: str) -> str:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


def below(node: Node, path: str) -> str:
    """The text at a plain path below a list's node: `name`, `./name`, `a/b`, `@id`, `.`."""
    if "/" not in path and path[:1] not in {"@", "."}:
        for child in node.children:
            if child.name == path:
                return child.string()
        return ""
    current: Node | None = node
    for step in path.split("/"):
        if current is None:
            return ""
        if step in {".", ""}:
            continue
        if step == "..":
            current = current.parent
            continue
        if step.startswith("@"):
            return current.attribute(step[1:].rpartition(":")[2])
        name = step.rpartition(":")[2]
        current = next((child for child in current.children if child.name == name), None)
    return current.string() if current is not None else ""


def by_column(document: Node, column: str) -> dict[str, Node]:
    """The first item of a list by what it holds in `column`."""
    found: dict[str, Node] = {}
    for root in document.children:
        for item in root.children:
            found.setdefault(below(item, column), item)
    return found


class Lists:
    """The lists of a form, built when first asked for and shared by its interviews."""

    def __init__(self, definitions: dict[str, SecondaryInstance], find_media: Callable[[str], bytes | None]) -> None:
        self.definitions = definitions
        self.find_media = find_media
        self.built: dict[str, Node | None] = {}
        self.inside: dict[str, Node] = {}  # the lists written in the form, by name
        self.keys: dict[tuple[str, str], dict[str, Node]] = {}

    def with_media(self, find_media: Callable[[str], bytes | None]) -> Lists:
        """The same lists over other files; those written in the form itself are shared, built or yet to be."""
        other = Lists(self.definitions, find_media)
        other.inside = self.inside
        return other

    def keyed(self, name: str, column: str) -> dict[str, Node] | None:
        """The first item of a list by what it holds in `column`; built once."""
        found = self.keys.get((name, column))
        if found is None:
            document = self.get(name)
            if document is None:
                return None
            found = self.keys[name, column] = by_column(document, column)
        return found

    def get(self, name: str) -> Node | None:
        """The document of a list, None when there is no such list; EvaluationError when its file cannot be used."""
        if name not in self.built:
            with collector_paused():
                self.built[name] = self._build(name)
        return self.built[name]

    def missing(self) -> list[SecondaryInstance]:
        """The lists whose files are not there: they are empty."""
        return [
            definition
            for definition in self.definitions.values()
            if definition.src
            and definition.src != LAST_SAVED
            and definition.data is None
            and self.find_media(definition.src) is None
        ]

    def _build(self, name: str) -> Node | None:
        definition = self.definitions.get(name)
        if definition is None:
            return self._file(name)
        if isinstance(definition.data, Element) and not definition.src:
            made = self.inside.get(name)
            if made is None:
                made = self.inside[name] = from_element(definition.data)
            return made
        if definition.src == LAST_SAVED:
            return None
        data = self.find_media(definition.src) if definition.src else None
        if data is None:
            if isinstance(definition.data, Element):
                return from_element(definition.data)
            return item_tree([]) if definition.src else Node(ROOT)  # as in ODK; `missing` says so beforehand
        return parse_list(definition.src, data)

    def _file(self, name: str) -> Node | None:
        """`pulldata('towns', …)` and `search('towns')` name a CSV file without declaring it.

        `select_one_external` names a part of itemsets.csv: the rows whose list_name is `name`.
        """
        data = self.find_media(f"{name}.csv")
        if data is not None:
            return parse_list(f"{name}.csv", data)
        itemsets = self.find_media("itemsets.csv")
        if itemsets is None:
            return None
        items = [item for root in parse_list("itemsets.csv", itemsets).children for item in root.children]
        mine = [item for item in items if below(item, "list_name") == name]
        return item_tree([{cell.name: cell.string() for cell in item.children} for item in mine]) if mine else None


def parse_list(address: str, data: bytes) -> Node:
    """A list by the kind of its file. Raises EvaluationError."""
    if len(data) > MAX_BYTES:
        raise EvaluationError(_("the file {name} is too large").format(name=address.rpartition("/")[2]))
    if address.endswith(".csv"):
        return from_csv(data)
    if address.endswith(".geojson"):
        return from_geojson(data)
    try:
        root, _namespaces = parse_xml(data)
    except FormError as error:
        raise EvaluationError(error.problems[0].message) from None
    return from_element(root)
