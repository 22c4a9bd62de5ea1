"""Expressions: parser, tree, compiler to closures, function library. Pure; an Env hands in the rest."""

from __future__ import annotations

from fieldsurvey.xforms.xpath.compiler import (
    Compiler,
    PathAccess,
    PathResolver,
    compile_as,
    compile_expr,
    to_boolean,
    to_nodeset,
    to_number,
    to_string,
)
from fieldsurvey.xforms.xpath.dependencies import Reference, dependencies
from fieldsurvey.xforms.xpath.document import evaluate, evaluate_value
from fieldsurvey.xforms.xpath.errors import EvaluationError, XmlError, XPathNameError, XPathSyntaxError
from fieldsurvey.xforms.xpath.nodes import Node, Value
from fieldsurvey.xforms.xpath.parser import parse
from fieldsurvey.xforms.xpath.runtime import Context, Env
from fieldsurvey.xforms.xpath.xml import parse_xml

__all__ = [
    "Compiler",
    "Context",
    "Env",
    "EvaluationError",
    "Node",
    "PathAccess",
    "PathResolver",
    "Reference",
    "Value",
    "XPathNameError",
    "XPathSyntaxError",
    "XmlError",
    "compile_as",
    "compile_expr",
    "dependencies",
    "evaluate",
    "evaluate_value",
    "parse",
    "parse_xml",
    "to_boolean",
    "to_nodeset",
    "to_number",
    "to_string",
]
