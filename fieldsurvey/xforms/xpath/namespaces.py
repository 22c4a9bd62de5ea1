"""Prefixes that expressions may use without a declaration: those that form documents always declare."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fieldsurvey.xforms.xpath.nodes import XML_NAMESPACE

XHTML = "http://www.w3.org/1999/xhtml"
XFORMS = "http://www.w3.org/2002/xforms"
JAVAROSA = "http://openrosa.org/javarosa"
OPENROSA = "http://openrosa.org/xforms"
ODK = "http://www.opendatakit.org/xforms"
ENTITIES = "http://www.opendatakit.org/xforms/entities"

NAMESPACES: Mapping[str, str] = MappingProxyType(
    {
        "h": XHTML,
        "html": XHTML,
        "xhtml": XHTML,
        "xf": XFORMS,
        "xforms": XFORMS,
        "jr": JAVAROSA,
        "orx": OPENROSA,
        "odk": ODK,
        "entities": ENTITIES,
        "ev": "http://www.w3.org/2001/xml-events",
        "xsd": "http://www.w3.org/2001/XMLSchema",
        "xml": XML_NAMESPACE,
    }
)
