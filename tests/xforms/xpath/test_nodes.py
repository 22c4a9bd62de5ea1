"""XML to nodes, and the tree itself."""

from __future__ import annotations

import pytest

from fieldsurvey.xforms.xpath import Node, XmlError, parse_xml
from fieldsurvey.xforms.xpath.nodes import ELEMENT, NAMESPACE, ROOT, TEXT, content, descendants, path_of, text_node
from fieldsurvey.xforms.xpath.xml import MAX_DEPTH


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>',
        b"<!DOCTYPE a><a/>",
        b"<a>&nbsp;</a>",
        b"<a" * 1000,
        b"<a>" * 1_000_000,
        b"",
        b"<a></b>",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<a>\xff</a>",
        b"<a/><b/>",
    ],
)
def test_xml_that_is_malformed_or_has_a_dtd_is_refused(xml: bytes) -> None:
    """Every refusal is an XmlError, entities and depth included."""
    with pytest.raises(XmlError):
        parse_xml(xml)


def test_the_bounds_are_where_they_say() -> None:
    """One level less than the bound is read; more bytes than allowed are not looked at."""
    deep = MAX_DEPTH
    assert parse_xml("<a>" * deep + "</a>" * deep).children
    with pytest.raises(XmlError):
        parse_xml("<a>" * (deep + 1) + "</a>" * (deep + 1))
    with pytest.raises(XmlError):
        parse_xml(b"<a/>", max_bytes=3)


def test_a_bare_doctype_passes_only_when_asked_for() -> None:
    """`<!DOCTYPE html>` declares nothing; with a subset it is refused all the same."""
    assert parse_xml("<!DOCTYPE html><html/>", bare_doctype=True).children[0].name == "html"
    for subset in ('[<!ENTITY x "y">]', "[<!ELEMENT html ANY>]", "[]", 'SYSTEM "a.dtd"', 'PUBLIC "a" "b"'):
        with pytest.raises(XmlError):
            parse_xml(f"<!DOCTYPE html {subset}><html/>", bare_doctype=True)


def test_layout_is_left_away_and_kept_when_exact() -> None:
    """Blank lines between elements go, blanks that belong to mixed content stay; `exact` keeps all."""
    xml = "<a>\n  <b/> <c> </c><!-- n -->\n<d>x\n<e/>y</d></a>"
    plain = parse_xml(xml).children[0]
    assert [(n.kind, n.text) for n in plain.children if n.kind == TEXT] == [(TEXT, " ")]
    assert plain.children[2].text == " "
    exact = parse_xml(xml, exact=True).children[0]
    assert exact.string() == "\n    \nx\ny"
    assert len(exact.children) > len(plain.children)


def test_names_keep_prefix_and_namespace() -> None:
    """An element and an attribute know their prefix and their URI; declarations are kept only when exact."""
    xml = '<d xmlns="u:d" xmlns:x="u:x"><x:a x:b="1" c="2"/></d>'
    a = parse_xml(xml).children[0].children[0]
    assert (a.name, a.prefix, a.namespace) == ("a", "x", "u:x")
    assert [(n.name, n.prefix, n.namespace, n.text) for n in a.attributes] == [
        ("b", "x", "u:x", "1"),
        ("c", "", "", "2"),
    ]
    assert a.attribute("c") == "2"
    assert a.attribute("b", "none") == "none"
    root = parse_xml(xml, exact=True).children[0]
    assert sorted(n.name for n in root.attributes if n.kind == NAMESPACE) == ["", "x"]


def test_a_leaf_has_one_text_node() -> None:
    """The text node of a leaf is made when asked for, is always the same, and follows the leaf's text."""
    leaf = parse_xml("<a>old</a>").children[0]
    assert not leaf.children
    (first,) = content(leaf)
    leaf.text = "new"
    assert text_node(leaf) is first
    assert first.string() == "new"


def test_appending_to_a_leaf_keeps_its_text() -> None:
    """A leaf that gets a child becomes mixed content in the right order."""
    leaf = Node(ELEMENT, "a", text="before")
    leaf.append(Node(ELEMENT, "b", text="after"))
    assert [n.kind for n in leaf.children] == [TEXT, ELEMENT]
    assert leaf.string() == "beforeafter"


def test_paths_count_like_siblings() -> None:
    """`path_of` gives a path that selects exactly the node."""
    root = parse_xml("<a><b/><c/><b x='1'>t</b></a>", exact=True)
    paths = [path_of(n) for n in descendants(root)]
    assert paths == ["/a[1]", "/a[1]/b[1]", "/a[1]/c[1]", "/a[1]/b[2]"]
    assert path_of(root) == "/"
    assert root.kind == ROOT
    third = root.children[0].children[2]
    assert path_of(third.attributes[0]) == "/a[1]/b[2]/@x"
    assert path_of(text_node(third)) == "/a[1]/b[2]/text()[1]"
