"""docs/xpath.md: every example is run, and every function has one."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms.xpath import Context, Node, Value, compile_expr, parse, parse_xml
from fieldsurvey.xforms.xpath.convert import number_to_text, to_string
from fieldsurvey.xforms.xpath.document import DocumentEnv
from fieldsurvey.xforms.xpath.functions import LIBRARY
from fieldsurvey.xforms.xpath.nodes import path_of

PAGE = Path(__file__).parents[3] / "docs" / "xpath.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```xpath\n(.*?)```", TEXT, re.DOTALL)
EXAMPLES: Sequence[tuple[str, str]] = [
    (expression, expected)
    for block in BLOCKS
    for expression, _arrow, expected in (line.rpartition(" → ") for line in block.splitlines())
]
NOW = datetime(2026, 5, 4, 15, 30, tzinfo=timezone(timedelta(hours=-5)))


class PageEnv(DocumentEnv):
    """What the page says that the caller answers."""

    version = "2026.1"
    properties = {"deviceid": "synthetic-device"}  # noqa: RUF012  Env declares it a Mapping; nobody writes to it

    def __init__(self, root: Node) -> None:
        super().__init__(root, now=NOW, zone=NOW.tzinfo or UTC, language="Español (es)")
        self.source = random.Random(1)

    def random(self) -> float:
        return self.source.random()

    def choice_label(self, value: str, ref: str, context: Context) -> str:
        assert ref == "/data/canton"
        return self.pulldata(("cantons", "label", "name", value))

    def verify_signature(self, algorithm: str, message: bytes, signature: bytes, public_key: bytes) -> bool:
        assert algorithm == "Ed25519"
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def page_context() -> Context:
    """The node that the page's examples are asked at."""
    (xml,) = re.findall(r"```xml\n(.*?)```", TEXT, re.DOTALL)
    root = parse_xml(xml)
    env = PageEnv(root)
    start = Context(root, env)
    instance = compile_expr(parse("/h:html/h:head/model/instance[1]"))(start)
    assert isinstance(instance, list)
    env.root = instance[0]
    age = compile_expr(parse("/data/age"))(start)
    assert isinstance(age, list)
    return Context(age[0], env)


def written(value: Value) -> str:
    """A value as the page writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_to_text(value) if not math.isinf(value) else ("-" if value < 0 else "") + "Infinity"
    if isinstance(value, list):
        inside = "/h:html[1]/h:head[1]/model[1]/instance[1]"
        return f"[{', '.join(path_of(node).removeprefix(inside) for node in value)}]"
    return f"'{value}'" if isinstance(value, str) else to_string(value)


@pytest.mark.parametrize(("expression", "expected"), EXAMPLES)
def test_every_example_yields_what_the_page_says(expression: str, expected: str) -> None:
    """An example on the page that the engine does not confirm fails."""
    try:
        actual = written(compile_expr(parse(expression))(page_context()))
    except FieldsurveyError:
        actual = "error"
    assert actual == expected


def test_every_function_has_a_heading_and_an_example() -> None:
    """A function that the library has and the page does not explain fails, and the other way round."""
    headings = set(re.findall(r"^### ([a-z0-9:-]+)\(", TEXT, re.MULTILINE))
    assert headings == set(LIBRARY)
    called = {name for expression, _expected in EXAMPLES for name in re.findall(r"([a-z0-9:-]+)\(", expression)}
    assert set(LIBRARY) <= called
