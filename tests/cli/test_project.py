"""`fieldsurvey project`: making, widening and showing a project; refusals are sentences and exit 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fieldsurvey.cli import project
from fieldsurvey.project import keys, steward
from fieldsurvey.records import slots
from fieldsurvey.records.device import LogParent
from tests.project.conftest import HMU_PASS, ROOT_PASS, card, carrier, xform


class Shell:
    """Runs commands in a home of their own, Argon2id at its floor."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.setenv("FIELDSURVEY_HOME", str(folder / "home"))
        monkeypatch.setenv("FIELDSURVEY_LANG", "en")
        monkeypatch.setattr(slots, "DEFAULT", slots.FLOOR)
        for role, words in (("ROOT", ROOT_PASS), ("HMU", HMU_PASS)):
            file = folder / f"{role}.txt"
            file.write_text(words + "\n")
            monkeypatch.setenv(f"FIELDSURVEY_PASSPHRASE_FILE_{role}", str(file))

    def __call__(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(project.app, list(words))
        assert done.exit_code == code, done.output
        return done

    def json(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self(*words, "--json").stdout)
        return found


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """With a project in it."""
    made = Shell(tmp_path, monkeypatch)
    made("new", "Prueba sintética", "--person", "E01=Uno")
    return made


def test_the_whole_ceremony(shell: Shell, tmp_path: Path) -> None:
    """new, add-form, plan, enrol, publish, show: each signs the next version, and the published file says it all."""
    source = tmp_path / "prueba.xml"
    source.write_bytes(xform())
    plan = tmp_path / "plan.json"
    plan.write_text('{"rounds": [{"id": "r1", "title": "Uno", "start": "2027-02-01", "end": "2027-02-28"}]}')
    project_id = shell.json("show")["id"]
    (tmp_path / "laptop.card").write_bytes(card(project_id).to_bytes())
    shell("add-form", str(source))
    shell("plan", str(plan))
    enrolled = shell.json("enrol", str(tmp_path / "laptop.card"), "--name", "Otavalo 1", "--person", "E02=Dos")
    shell("publish", str(tmp_path / "stick.fsp"))
    found = shell.json("show", str(tmp_path / "stick.fsp"))
    assert found["version"] == enrolled["version"] == 5
    assert [p["code"] for p in found["people"]] == ["E01", "E02"]
    assert [(f["id"], f["version"]) for f in found["forms"]] == [("prueba", "1")]
    assert [r["id"] for r in found["plan"]["rounds"]] == ["r1"]
    assert [(d["id"], d["name"]) for d in found["devices"]] == [(enrolled["device"], "Otavalo 1")]
    shown = shell("show").stdout
    for words in (found["words"], "Otavalo 1", "E02  Dos", "prueba  1  Prueba", "r1  Uno", "escrow"):
        assert words in shown


def test_a_card_that_goes_on_from_another_log_is_said_aloud(shell: Shell, tmp_path: Path) -> None:
    """Whose log, and after which entry. The controls: a card of its own log says nothing, and one that claims another's
    log without that laptop's signature is refused.
    """
    project_id = shell.json("show")["id"]
    first, second, third, thief = (tmp_path / f"{name}.fsd" for name in ("first", "second", "third", "thief"))
    own = card(project_id)
    before = LogParent(device=own.device, seq=41, head="ef" * 32)
    unknown = LogParent(device="cd" * 16, seq=7, head="ef" * 32)
    first.write_bytes(own.to_bytes())
    second.write_bytes(card(project_id, "Laptop 2 (synthetic)", before, carrier()).to_bytes())
    third.write_bytes(card(project_id, "Laptop 3 (synthetic)", unknown, carrier("of nobody")).to_bytes())
    thief.write_bytes(card(project_id, "Laptop 4 (synthetic)", before, carrier("Laptop 4 (synthetic)")).to_bytes())
    assert shell.json("enrol", str(first), "--name", "Otavalo 1")["goes_on_from"] is None
    assert f"It was Otavalo 1 ({own.device[:8]}) before" in shell("enrol", str(second)).stdout
    assert (
        "says that it goes on after entry 7 of the log of cdcdcdcd, which is not enrolled"
        in shell("enrol", str(third)).stdout
    )
    refused = shell("enrol", str(thief), code=1).stderr
    assert "says that it goes on from the log of Otavalo 1, and does not prove it" in refused
    assert len(shell.json("show")["devices"]) == 3


def test_built_in_forms_come_by_name_with_their_indicators(shell: Shell) -> None:
    """`add-form needs` brings the compiled form and the table of indicators."""
    found = shell.json("add-form", "needs")
    assert [form["id"] for form in found["forms"]] == ["needs"]
    assert found["indicators"]


def test_a_workbook_folder_is_compiled(shell: Shell, tmp_path: Path) -> None:
    """One CSV per sheet goes in; a broken one is refused with its sheet and row and changes nothing."""
    sheets = tmp_path / "hoja"
    sheets.mkdir()
    (sheets / "settings.csv").write_text("form_id,form_title,version\nhoja,Hoja sintética,7\n")
    (sheets / "survey.csv").write_text("type,name,label\ninteger,age,Edad\n")
    found = shell.json("add-form", str(sheets))
    assert (found["forms"][0]["id"], found["forms"][0]["version"]) == ("hoja", "7")
    (sheets / "survey.csv").write_text("type,name,label,relevant\ninteger,age,Edad,${nothere} > 1\n")
    refused = shell("add-form", str(sheets), code=1)
    assert "nothere" in refused.stderr
    assert shell.json("show")["version"] == found["version"]


def test_refusals_are_sentences(shell: Shell, tmp_path: Path) -> None:
    """A second project, a person without a name, a missing form, a wrong passphrase, photos: exit 1 and what to do."""
    before = (tmp_path / "home" / "steward" / "project.fsp").read_bytes()
    photo = tmp_path / "photo.xml"
    photo.write_bytes(xform(body='<upload ref="/data/place" mediatype="image/*"/>'))
    place = tmp_path / "place.xml"
    place.write_bytes(xform(binds='<bind nodeset="/data/place" type="geopoint"/>', body='<input ref="/data/place"/>'))
    card_file = tmp_path / "other.card"
    card_file.write_bytes(card("ee" * 16).to_bytes())
    for words, said in (
        (("new", "again"), "already a project"),
        (("enrol", str(card_file), "--person", "E09"), "--person CODE=NAME"),
        (("enrol", str(card_file)), "another project"),
        (("add-form", str(tmp_path / "none.xlsx")), "cannot be read"),
        (("add-form", str(photo)), "It asks for a file"),
        (("add-form", str(place)), "geo (/data/place)"),
        (("plan", str(photo)), "cannot be used"),
        (("show", str(photo)), "not a whole fieldsurvey project"),
        (("publish", str(tmp_path / "no" / "such" / "folder.fsp")), "Nothing was lost"),
    ):
        refused = shell(*words, code=1)
        assert said in refused.stderr
        assert json.loads(shell(*words, "--json", code=1).stdout)["error"]
    (tmp_path / "ROOT.txt").write_text(HMU_PASS)
    assert "does not open" in shell("add-form", "needs", code=1).stderr
    assert (tmp_path / "home" / "steward" / "project.fsp").read_bytes() == before


def test_a_passphrase_left_empty_is_made_and_shown_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six words are printed and open the keys; without them nothing does."""
    shell = Shell(tmp_path, monkeypatch)
    (tmp_path / "ROOT.txt").write_text("\n")
    printed = shell("new", "Prueba sintética").stdout
    words = next(line.strip() for line in printed.splitlines() if line.startswith("    "))
    assert len(words.split()) == 6
    folder = tmp_path / "home" / "steward"
    assert keys.unlock_root(folder / "root.key", words).public == steward.read_steward(folder).model.root_key
    shown = shell("show").stdout
    assert words not in shown
