"""The golden file of returned work never changes, and keeps opening."""

from __future__ import annotations

import json

from fieldsurvey.project.signed import read_project
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.returned import open_return, read_return
from tests.records.golden_return import FOLDER, NAME, make
from tests.records.make_golden import GOLDEN
from tests.records.test_frozen import hashes

FROZEN = {
    "expected.json": "a86ac643e6bcb9cf821fe72928a25310a7d2d8fae75491fe70570dc8ddceaa09",
    "keys.json": "d5b0d82c16a15ead82019803a041e9eabd8423226081d178c2ec24f323fc70fe",
    "return.fsc": "5837070c32299c4b893f4a7528b8cbf4d12a0d0b83189e04c794a4828eef62eb",
}


def test_it_is_as_it_was_made() -> None:
    """Byte for byte."""
    assert hashes(FOLDER) == FROZEN


def test_it_opens() -> None:
    """With the keys that are told, under the golden project's roles, and says what it said."""
    keys = json.loads((FOLDER / "keys.json").read_bytes())
    expected = json.loads((FOLDER / "expected.json").read_bytes())[NAME]
    project = read_project((GOLDEN / "project.fsp").read_bytes(), pinned=keys["pinned"])
    sealed = read_return((FOLDER / NAME).read_bytes(), project.model.role_keys)
    assert sealed.manifest.content() == expected["manifest"]
    assert open_return(sealed, RecipientPrivate(bytes.fromhex(keys["device"]))).content() == expected["work"]


def test_what_is_made_today_has_the_shape_of_what_was_made_then() -> None:
    """The same length, the same content: only what is drawn at random differs."""
    made = make()
    golden = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    assert made.keys() == golden.keys()
    assert {name: data for name, data in made.items() if name != NAME} == {
        name: data for name, data in golden.items() if name != NAME
    }
    assert len(made[NAME]) == len(golden[NAME])
