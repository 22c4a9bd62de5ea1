"""A project is made, widened, enrolled into and published; what is refused leaves the folder as it was."""

from __future__ import annotations

import json
import os
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import StorageError, UnlockError, UntrustedError
from fieldsurvey.project import keys, shares, steward
from fieldsurvey.project.draft import read_plan
from fieldsurvey.project.errors import (
    AlreadyEnrolledError,
    BadValueError,
    FewRecipientsError,
    ForeignCardError,
    FormFileError,
    KeyFileError,
    NameTakenError,
    NoProjectError,
    PlanError,
    SensitiveMediaError,
    SharesError,
    StewardExistsError,
)
from fieldsurvey.project.formfile import form_of, media_names
from fieldsurvey.project.policy import Plan
from fieldsurvey.project.signed import read_project
from fieldsurvey.records.envelope import Header, open_record, seal
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.words import WeakPassphraseError
from tests.project.conftest import HMU_PASS, ROOT_PASS, card, form, xform


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_keys_made_are_the_project_s(folder: Path) -> None:
    """The HMU's key and the escrow shares open what is sealed to the project; role keys are those it names."""
    model = steward.read_steward(folder).model
    assert [r.label for r in model.recipients] == ["operational", "escrow"]
    blob = seal(Header(project=model.id, device="11" * 16, case="22" * 16), b"synthetic", model.recipient_keys)
    hmu = keys.unlock_hmu(folder / keys.HMU, HMU_PASS)
    sheets = [shares.words_of_sheet((folder / f"sheets/escrow-{i}.txt").read_text()) for i in (1, 2, 3)]
    escrow = RecipientPrivate(shares.combine(sheets[1:]))
    assert [open_record(blob, key).payload for key in (hmu.recipient, escrow)] == [b"synthetic"] * 2
    named = dict(model.role_keys)
    assert named[Role.HMU] == hmu.sign.public
    for name, role in ((keys.CENTRAL, Role.CENTRAL), (keys.SUPERVISOR, Role.SUPERVISOR)):
        found = keys.read_role_key(folder / name)
        assert (found.role, found.key.public, found.project) == (role, named[role], model.id)
    assert len(hmu.dataset) == 32


def test_any_two_sheets_restore_root_and_escrow_and_one_does_not(folder: Path) -> None:
    """Every pair of three, for both keys; each alone, and two of different keys, fail."""
    model = steward.read_steward(folder).model
    pages = {
        what: [shares.words_of_sheet((folder / f"sheets/{what}-{i}.txt").read_text()) for i in (1, 2, 3)]
        for what in ("root", "escrow")
    }
    for pair in combinations(pages["root"], 2):
        assert RootKey(shares.combine(pair)).public == model.root_key
    for pair in combinations(pages["escrow"], 2):
        assert RecipientPrivate(shares.combine(pair)).public == model.recipient_keys[1]
    assert RootKey(shares.combine(pages["root"])).public == model.root_key
    mistyped = pages["root"][0].replace(pages["root"][0].split()[10], "academic", 1)
    for words in (
        [pages["root"][0]],
        [pages["root"][0]] * 2,
        [pages["root"][0], pages["escrow"][1]],
        [mistyped, pages["root"][1]],
        ["hola"],
        [],
    ):
        with pytest.raises(SharesError):
            shares.combine(words)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no owner-only mode bits")
def test_key_files_are_private(folder: Path) -> None:
    """Keys and sheets can be read by their owner only."""
    for path in [*folder.glob("*.key"), *folder.glob("sheets/*")]:
        assert path.stat().st_mode & 0o077 == 0


def test_a_wrong_passphrase_changes_nothing(folder: Path) -> None:
    """Root and HMU keys stay shut, with one sentence; the folder is as it was."""
    before = contents(folder)
    for attempt in (
        lambda: steward.add_form(folder, form(), root_pass=HMU_PASS),
        lambda: keys.unlock_hmu(folder / keys.HMU, ROOT_PASS),
        lambda: keys.unlock_root(folder / keys.ROOT, ""),
    ):
        with pytest.raises(UnlockError):
            attempt()
    assert contents(folder) == before


def test_key_files_are_not_taken_for_each_other(folder: Path) -> None:
    """Each purpose is under the lock: a root is no HMU key, a role key no locked one, and damage is typed."""
    (folder / "same.key").write_bytes((folder / keys.ROOT).read_bytes())
    with pytest.raises(KeyFileError):
        keys.unlock_hmu(folder / "same.key", ROOT_PASS)
    with pytest.raises(KeyFileError):
        keys.unlock_root(folder / keys.HMU, HMU_PASS)
    with pytest.raises(KeyFileError):
        keys.read_role_key(folder / keys.ROOT)
    with pytest.raises(UntrustedError):
        keys.unlock_root(folder / keys.CENTRAL, ROOT_PASS)
    (folder / "large.key").write_bytes(bytes(keys.MAX_KEY_FILE + 1))
    for read in (keys.read_role_key, lambda p: keys.unlock_root(p, "x")):
        with pytest.raises(KeyFileError):
            read(folder / "large.key")
        with pytest.raises(StorageError):
            read(folder / "none.key")


def test_secrets_never_show_in_repr(folder: Path) -> None:
    """No seed is in the repr of unlocked keys; the control finds a public id there."""
    hmu = keys.unlock_hmu(folder / keys.HMU, HMU_PASS)
    shown = repr(hmu)
    assert hmu.recipient.id.hex() in shown
    for secret in (hmu.recipient.seed, hmu.sign.to_bytes(), hmu.dataset):
        assert secret.hex() not in shown
        assert repr(secret) not in shown


def test_a_folder_in_use_is_left_alone(folder: Path, tmp_path: Path) -> None:
    """No second project over a first, over other files, or over a half-made one; an empty folder will do."""
    before = contents(folder)
    with pytest.raises(StewardExistsError):
        steward.new_project(folder, "other", root_pass=ROOT_PASS, hmu_pass=HMU_PASS, argon2=FLOOR)
    assert contents(folder) == before
    (tmp_path / "empty").mkdir()
    made = steward.new_project(tmp_path / "empty", "other", root_pass=ROOT_PASS, hmu_pass=HMU_PASS, argon2=FLOOR)
    assert steward.read_steward(tmp_path / "empty").model == made.model
    (tmp_path / "half.part").mkdir()
    with pytest.raises(StewardExistsError):
        steward.new_project(tmp_path / "half", "other", root_pass=ROOT_PASS, hmu_pass=HMU_PASS, argon2=FLOOR)


def test_a_project_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a write fails half-way there is no folder with half the keys."""
    written = []

    def failing(path: Path, *_: Any, **__: Any) -> str:
        written.append(path)
        if len(written) == 4:
            raise StorageError
        path.write_bytes(b"")
        return ""

    monkeypatch.setattr(steward, "write_atomic", failing)
    with pytest.raises(StorageError):
        steward.new_project(tmp_path / "s", "x", root_pass=ROOT_PASS, hmu_pass=HMU_PASS, argon2=FLOOR)
    assert len(written) == 4
    assert list(tmp_path.iterdir()) == []


def test_weak_passphrases_and_a_project_without_escrow_are_refused(tmp_path: Path) -> None:
    """Nothing is made with a guessable passphrase, a name out of bounds, or no second way to the records."""
    for arguments, error in (
        ({"root_pass": "abajo", "hmu_pass": HMU_PASS}, WeakPassphraseError),
        ({"root_pass": ROOT_PASS, "hmu_pass": "123456"}, WeakPassphraseError),
        ({"root_pass": ROOT_PASS, "hmu_pass": HMU_PASS, "sheets": False}, FewRecipientsError),
        ({"root_pass": ROOT_PASS, "hmu_pass": HMU_PASS, "name": "x" * 201}, BadValueError),
    ):
        given: dict[str, Any] = {"name": "x", **arguments}
        with pytest.raises(error):
            steward.new_project(tmp_path / "s", argon2=FLOOR, **given)
    assert list(tmp_path.iterdir()) == []


def test_escrow_may_be_a_key_file(tmp_path: Path) -> None:
    """With a passphrase of its own escrow is a file, and no sheets are made where none are wanted."""
    own = "oliva afinar orden leal recreo conejo"
    signed = steward.new_project(
        tmp_path / "s", "x", root_pass=ROOT_PASS, hmu_pass=HMU_PASS, escrow_pass=own, sheets=False, argon2=FLOOR
    )
    assert keys.unlock_escrow(tmp_path / "s" / keys.ESCROW, own).public == signed.model.recipient_keys[1]
    assert not (tmp_path / "s" / "sheets").exists()


def test_versions_only_grow_and_earlier_ones_stay(folder: Path, clock: FixedClock) -> None:
    """Each change is the next version, signed by the same root; a clock set back does not set `issued` back."""
    first = steward.read_steward(folder)
    second = steward.add_form(folder, form(), root_pass=ROOT_PASS, clock=clock)
    clock.move(days=-4000)
    third = steward.set_plan(folder, Plan(), root_pass=ROOT_PASS, clock=clock)
    assert [p.model.version for p in (first, second, third)] == [1, 2, 3]
    assert first.model.issued <= second.model.issued <= third.model.issued
    assert {p.root_fingerprint for p in (first, second, third)} == {first.root_fingerprint}
    assert read_project(folder / "versions" / "000001.fsp").model == first.model
    assert read_project(folder / "versions" / "000002.fsp").model == second.model


def test_a_form_s_next_version_keeps_the_one_before(folder: Path) -> None:
    """Laptops are offered the new version; records of the old one can still be read; adding it again is idempotent."""
    steward.add_form(folder, form(version="1"), root_pass=ROOT_PASS)
    signed = steward.add_form(folder, form(version="2"), root_pass=ROOT_PASS)
    assert [(f.version, f.status) for f in signed.model.forms] == [("1", "earlier"), ("2", "current")]
    assert signed.form_bytes("prueba") == xform(version="2")
    assert signed.form_bytes_of(signed.model.forms[0].hash) == xform(version="1")
    again = steward.add_form(folder, form(version="2"), root_pass=ROOT_PASS)
    assert again.model.forms == signed.model.forms


SENSITIVE = {
    "photo": ("", '<upload ref="/data/place" mediatype="image/*"/>'),
    "signature": ("", '<upload ref="/data/place" mediatype="image/*" appearance="signature"/>'),
    "audio": ("", '<upload ref="/data/place" mediatype="audio/*"/>'),
    "video": ("", '<upload ref="/data/place" mediatype="video/*"/>'),
    "file": ("", '<upload ref="/data/place" mediatype="application/*"/>'),
    "barcode": ('<bind nodeset="/data/place" type="barcode"/>', '<input ref="/data/place"/>'),
    "geo": ('<bind nodeset="/data/place" type="geopoint"/>', '<input ref="/data/place"/>'),
}


@pytest.mark.parametrize("kind", SENSITIVE)
def test_a_form_about_people_may_not_ask_for(folder: Path, kind: str) -> None:
    """Refused with the question's reference; allowed by name it is written into the signed project, or about places."""
    binds, body = SENSITIVE[kind]
    asking = form(binds=binds, body=body)
    assert asking.sensitive == ((kind, "/data/place"),)
    with pytest.raises(SensitiveMediaError) as caught:
        steward.add_form(folder, asking, root_pass=ROOT_PASS, allow=[k for k in SENSITIVE if k != kind])
    assert "/data/place" in caught.value.message
    assert steward.read_steward(folder).model.version == 1
    signed = steward.add_form(folder, asking, root_pass=ROOT_PASS, allow=[kind])
    assert signed.model.forms[0].allowed == (kind,)
    places = steward.add_form(folder, asking, root_pass=ROOT_PASS, about_people=False)
    assert not places.model.forms[0].about_people


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"not xml",
        b"<h:html/>",
        b'<!DOCTYPE h:html [<!ENTITY a "aaaa">]>' + xform(),
        b'<h:html xmlns:h="http://www.w3.org/1999/xhtml"/>',
        xform().replace(b'<data id="prueba" version="1"><need/><place/></data>', b""),
    ],
)
def test_what_is_no_xform_is_refused(bad: bytes) -> None:
    """Text, empty documents, DTDs and forms without an instance are typed errors."""
    with pytest.raises(FormFileError):
        form_of(bad)


def test_the_files_of_a_form_are_named() -> None:
    """jr:// addresses are file names, the session's own instances are not."""
    source = b'<instance src="jr://file-csv/towns.csv"/><value>jr://images/a.png</value>'
    source += b'<instance src="jr://instance/last-saved"/><instance src="jr://instance/session"/>'
    assert media_names(source) == ("a.png", "towns.csv")


def test_media_travel_with_their_form(folder: Path) -> None:
    """A list beside a form comes back under its name."""
    with_list = form_of(xform(), {"towns.csv": b"name,label\n"})
    signed = steward.add_form(folder, with_list, root_pass=ROOT_PASS)
    assert signed.media("prueba") == {"towns.csv": b"name,label\n"}
    assert signed.media_of(signed.model.forms[0].hash) == {"towns.csv": b"name,label\n"}


def test_devices_are_enrolled_once_and_for_this_project(folder: Path) -> None:
    """A card of this project is taken with its people; again, of another project, or damaged it is refused."""
    project = steward.read_steward(folder).model.id
    mine = card(project)
    signed = steward.enrol(folder, mine.to_bytes(), root_pass=ROOT_PASS, name="Otavalo 1", people={"E01": "Uno"})
    device = signed.model.device(mine.device)
    assert device is not None
    assert (device.name, device.status, device.card) == ("Otavalo 1", "enrolled", mine)
    assert signed.model.person("E01") is not None
    before = contents(folder)
    for offered, people, error in (
        (mine.to_bytes(), None, AlreadyEnrolledError),
        (card("ee" * 16).to_bytes(), None, ForeignCardError),
        (card(project, "two").to_bytes()[:-2], None, UntrustedError),
        (card(project, "two").to_bytes(), {"E01": "Otro"}, NameTakenError),
        (card(project, "two").to_bytes(), {"E 2": "Otro"}, NameTakenError),
        (folder / "none.card", None, StorageError),
    ):
        with pytest.raises(error):
            steward.enrol(folder, offered, root_pass=ROOT_PASS, people=people)
    assert contents(folder) == before


def test_policy_and_indicators_change_by_name(folder: Path) -> None:
    """A field of the policy is changed, one out of bounds refused; replaced indicators leave no stray frame."""
    signed = steward.change(folder, ROOT_PASS, lambda d: d.set_policy(k_cell=7).set_indicators(b"a"))
    assert (signed.model.policy.k_cell, signed.indicators_csv) == (7, b"a")
    signed = steward.change(folder, ROOT_PASS, lambda d: d.set_indicators(b"b"))
    assert list(signed.frames.values()) == [b"b"]
    with pytest.raises(BadValueError):
        steward.change(folder, ROOT_PASS, lambda d: d.set_policy(k_cell=1))


def test_publishing_copies_and_refuses_a_single_recipient(folder: Path, tmp_path: Path) -> None:
    """The copy is the folder's file; with one recipient it is refused unless asked for by name."""
    target = tmp_path / "stick"
    target.mkdir()
    signed = steward.publish(folder, target)
    assert (target / "project.fsp").read_bytes() == signed.data
    steward.change(folder, ROOT_PASS, lambda d: d._with(recipients=d.model.recipients[:1]))
    with pytest.raises(FewRecipientsError):
        steward.publish(folder, target / "p.fsp")
    assert not (target / "p.fsp").exists()
    steward.publish(folder, target / "p.fsp", one_recipient=True)
    assert len(read_project(target / "p.fsp").model.recipients) == 1


def test_another_root_key_in_the_folder_is_noticed(folder: Path) -> None:
    """A root.key that is not the project's root signs nothing."""
    (folder / keys.ROOT).write_bytes(keys.lock_root("00" * 16, RootKey.generate(), ROOT_PASS, FLOOR))
    before = contents(folder)
    with pytest.raises(KeyFileError):
        steward.add_form(folder, form(), root_pass=ROOT_PASS)
    assert contents(folder) == before


def test_no_project_is_a_sentence(tmp_path: Path) -> None:
    """An empty folder says what to do."""
    with pytest.raises(NoProjectError):
        steward.read_steward(tmp_path)


def two_rounds(*values: str) -> bytes:
    """A plan as JSON: id, start and end of each of two rounds."""
    rounds = [dict(zip(("id", "start", "end"), values[i : i + 3], strict=True), title="R") for i in (0, 3)]
    return json.dumps({"rounds": rounds}).encode()


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"[]",
        b'{"rounds":[{"id":"r","title":"R","start":"2027-03-01","end":"2027-02-01"}]}',
        b'{"rounds":[{"id":"r 1","title":"R","start":"2027-03-01","end":"2027-03-02"}]}',
        b'{"rounds":[{"id":"r","title":"R","start":"1.3.2027","end":"2027-03-02"}]}',
        b'{"rounds":[{"id":"r","title":"R","start":"2027-03-01","end":"2027-03-02","parishes":["Ibarra"]}]}',
        two_rounds("a", "2027-03-01", "2027-03-09", "b", "2027-03-09", "2027-03-12"),
        two_rounds("a", "2027-03-01", "2027-03-02", "a", "2027-04-01", "2027-04-02"),
    ],
)
def test_plans_that_cannot_be_are_refused(bad: bytes) -> None:
    """Backwards, overlapping, twice the same, not a parish code: a sentence each."""
    with pytest.raises(PlanError) as caught:
        read_plan(bad)
    assert caught.value.advice


def test_a_plan_written_by_people_is_read() -> None:
    """White space and order are free; the round of a day is found, its first and last day included."""
    text = """ { "rounds": [ {"end": "2027-02-28", "start": "2027-02-01", "title": "Uno", "id": "r1",
      "parishes": ["100150"], "quotas": [{"parish": "100150", "count": 40}]} ] } """
    plan = read_plan(text.encode())
    assert plan.rounds[0].quotas[0].count == 40
    days = ("2027-01-31", "2027-02-01", "2027-02-28", "2027-03-01")
    assert [plan.round_on(day) is not None for day in days] == [False, True, True, False]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 28), st.integers(1, 28)), max_size=4))
def test_rounds_never_share_a_day(spans: list[tuple[int, int]]) -> None:
    """A plan is taken exactly when no day belongs to two rounds and none ends before it starts."""
    days = [set(range(a, b + 1)) for a, b in spans]
    sound = all(days) and len(set().union(*days)) == sum(map(len, days))
    rounds = [
        {"id": f"r{i}", "title": "R", "start": f"2027-02-{a:02d}", "end": f"2027-02-{b:02d}"}
        for i, (a, b) in enumerate(spans)
    ]
    try:
        read_plan(json.dumps({"rounds": rounds}).encode())
        taken = True
    except PlanError:
        taken = False
    assert taken == sound
