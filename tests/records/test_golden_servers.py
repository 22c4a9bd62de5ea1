"""The golden file of a project with servers never changes, and keeps opening; one of version 1 has no servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.project.model import Project
from fieldsurvey.project.signed import read_project
from tests.records.golden_servers import FOLDER, NAME, SERVERS, make, model
from tests.records.make_golden import GOLDEN
from tests.records.test_frozen import hashes

FROZEN = {
    "expected.json": "4e2eb907abdb60397a8577e6594df877ee81a9c1814dbbac154b0527ce809d19",
    "keys.json": "83fecbfa8132eed780ca0d8cfd240aff660b5e2fd3ec5b4b9a9c7ea41b97139f",
    "project.fsp": "efd37e9a05af9503239f92c5e4a128c984db2f2954ef46ad418580d2157d211d",
}


def test_it_is_as_it_was_made() -> None:
    """Byte for byte."""
    assert hashes(FOLDER) == FROZEN


def test_it_opens() -> None:
    """Under the first root, and says what it said."""
    pinned = json.loads((FOLDER / "keys.json").read_bytes())["pinned"]
    expected = json.loads((FOLDER / "expected.json").read_bytes())[NAME]
    found = read_project((FOLDER / NAME).read_bytes(), pinned=pinned)
    assert found.model.content() == expected["content"]
    assert found.model.servers == SERVERS


def test_what_is_made_today_has_the_shape_of_what_was_made_then() -> None:
    """The same lengths: only the root's signatures, which are drawn at random, differ."""
    golden = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    assert {name: len(data) for name, data in make().items()} == {name: len(data) for name, data in golden.items()}


def test_the_project_of_version_1_has_none_and_may_have_none() -> None:
    """The golden file of the first day reads with the default; the field beside a version 1 is refused."""
    first = json.loads((GOLDEN / "expected.json").read_bytes())["project.fsp"]["content"]
    assert Project.from_bytes(canonical(first)).servers == ()
    with pytest.raises(UntrustedError):
        Project.from_bytes(canonical(first | {"servers": []}))
    second = model().content()
    assert Project.from_bytes(canonical(second)).servers == SERVERS  # the control
    del second["servers"]
    with pytest.raises(UntrustedError):
        Project.from_bytes(canonical(second))


@pytest.mark.parametrize(
    "url",
    [
        "http://central.example",
        "https://",
        "https://central.example/path",
        "https://someone@central.example",
        "https://central.example:0",
        "https://central.example:8443?x",
        "https://central.example\\n",
        "https://[::1",
    ],
)
def test_an_address_is_https_a_host_and_a_port(url: str) -> None:
    """Nothing else can be signed into a project."""
    content = model().content()
    content["servers"][0]["url"] = url
    with pytest.raises(UntrustedError):
        Project.from_bytes(canonical(content))


def test_two_different_pins_are_needed() -> None:
    """One in use, one spare; and no address twice."""
    changes: tuple[Callable[[list[dict[str, Any]]], object], ...] = (
        lambda servers: servers[0]["pins"].pop(),
        lambda servers: servers[0]["pins"].append("d4" * 32),
        lambda servers: servers[0].update(pins=["a1" * 32] * 2),
        lambda servers: servers[1].update(url=servers[0]["url"]),
    )
    for change in changes:
        content = model().content()
        change(content["servers"])
        with pytest.raises(UntrustedError):
            Project.from_bytes(canonical(content))
