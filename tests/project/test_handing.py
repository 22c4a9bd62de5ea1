"""People come and go: two open together, a laptop is revoked, everybody is replaced once. Everybody is synthetic."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base import files
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import StorageError, UnlockError
from fieldsurvey.project import handing, keys, recovery, rotation, steward
from fieldsurvey.project.errors import (
    AlreadyRevokedError,
    BadValueError,
    FewPeopleError,
    ForeignSheetsError,
    KeyFileError,
    LastPersonError,
    NoSuchPersonError,
    NotEnrolledError,
)
from fieldsurvey.project.ledger import Ledger
from fieldsurvey.project.model import PersonRole
from fieldsurvey.project.signed import read_project
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.words import WeakPassphraseError
from tests.project.conftest import HMU_PASS, ROOT_PASS, card, form
from tests.project.test_steward import contents
from tests.project.worlds import IN_R1, IN_R2, WORDS, interview, opens, plan, sheets

ANA, LUZ, PAZ = "H01", "H02", "H03"
PASSES = {ANA: WORDS[0], LUZ: WORDS[1], PAZ: WORDS[2]}


@pytest.fixture
def three(folder: Path) -> Path:
    """A folder whose HMU has three members, of whom two open."""
    handing.members(folder, PASSES, root_pass=ROOT_PASS, hmu=[HMU_PASS], labels={ANA: "Ana (synthetic)"})
    return folder


# --- two people


def test_any_two_members_open_and_one_does_not(three: Path) -> None:
    """Each pair in either order opens; one alone, one twice, a member with a stranger, the former passphrase do not."""
    blob = interview(steward.read_steward(three), IN_R1)
    for pair in combinations(PASSES, 2):
        for order in (pair, pair[::-1]):
            held = keys.open_hmu(three, [PASSES[code] for code in order])
            assert (set(held.people), opens(blob, held)) == (set(pair), True)
    assert len(keys.open_hmu(three, list(PASSES.values())).people) == 3
    for alone in ([WORDS[0]], [WORDS[0]] * 2, [WORDS[0], HMU_PASS]):
        with pytest.raises(FewPeopleError):
            keys.open_hmu(three, alone)
    for none in ([], [HMU_PASS], [HMU_PASS, ROOT_PASS]):
        with pytest.raises(UnlockError):
            keys.open_hmu(three, none)
    model = steward.read_steward(three).model
    assert (model.policy.people_to_open, model.policy.hmu_people) == (2, 3)
    assert {p.code: (p.role, p.label) for p in model.people}[ANA] == ("hmu", "Ana (synthetic)")
    assert Ledger(three, model).lines[-1].who == tuple(PASSES)


def test_no_file_holds_what_opens_the_hmu_s_key(three: Path) -> None:
    """What two shares give is in no file, as bytes, digits or in a share's clear text; a planted copy is found."""
    lock = keys.open_locked(three, [WORDS[0], WORDS[1]]).lock

    def hits() -> list[str]:
        needles = (bytes.fromhex(lock), lock.encode())
        return [name for name, data in contents(three).items() if any(needle in data for needle in needles)]

    assert hits() == []
    (three / "planted").write_text(lock)
    assert hits() == ["planted"]


def test_members_may_go_back_to_one(three: Path) -> None:
    """With one to open, hmu.key opens with that passphrase and the shares are gone."""
    handing.members(three, {ANA: WORDS[3]}, root_pass=ROOT_PASS, hmu=[WORDS[1], WORDS[2]], to_open=1)
    assert keys.open_hmu(three, [WORDS[3]]).people == ()
    assert not list(three.glob("hmu-*"))
    with pytest.raises(UnlockError):
        keys.open_hmu(three, [WORDS[1], WORDS[2]])


def test_members_that_cannot_be_are_refused(folder: Path) -> None:
    """Two with one member, one with two, three to open, one passphrase twice, a weak one, a code that is none, a wrong
    passphrase: the folder is as it was.
    """
    before = contents(folder)
    two = {ANA: WORDS[0], LUZ: WORDS[1]}
    cases: list[tuple[dict[str, str], dict[str, Any], type[Exception]]] = [
        ({ANA: WORDS[0]}, {}, BadValueError),
        (two, {"to_open": 1}, BadValueError),
        ({}, {}, BadValueError),
        (two, {"to_open": 3}, BadValueError),
        ({ANA: WORDS[0], LUZ: WORDS[0]}, {}, BadValueError),
        ({ANA: WORDS[0], LUZ: "abajo"}, {}, WeakPassphraseError),
        ({ANA: WORDS[0], "../x": WORDS[1]}, {}, BadValueError),
        (two, {"hmu": [ROOT_PASS]}, UnlockError),
        (two, {"root_pass": HMU_PASS}, UnlockError),
    ]
    for given, changes, error in cases:
        arguments: dict[str, Any] = {"root_pass": ROOT_PASS, "hmu": [HMU_PASS], **changes}
        with pytest.raises(error):
            handing.members(folder, given, **arguments)
        assert contents(folder) == before


@pytest.mark.parametrize("stop", range(1, 5))
def test_sharing_out_anew_can_be_cut_off_anywhere(three: Path, monkeypatch: pytest.MonkeyPatch, stop: int) -> None:
    """Stopped after any write, either the two who opened before or the two who come open it; nobody is locked out."""
    done: list[str] = []
    real = files.write_atomic

    def failing(path: Path, *given: Any, **named: Any) -> str:
        if len(done) == stop:
            raise StorageError
        done.append(path.name)
        return real(path, *given, **named)

    monkeypatch.setattr(steward, "write_atomic", failing)
    fresh = {ANA: WORDS[3], PAZ: WORDS[4]}
    try:
        handing.share_out(three, fresh, [WORDS[0], WORDS[1]], 2)
    except StorageError:
        assert stop < 3
    monkeypatch.undo()
    can = []
    for name, pair in (("before", [WORDS[0], WORDS[1]]), ("after", list(fresh.values()))):
        try:
            keys.open_hmu(three, pair)
        except (UnlockError, KeyFileError, FewPeopleError):
            continue
        can.append(name)
    assert can == (["before"] if stop < 3 else ["after"])


def test_shares_of_another_set_are_noticed(three: Path) -> None:
    """A member's file from an earlier sharing does not open with the others', and says that files are mixed up."""
    old = (three / f"hmu-{ANA}.key").read_bytes()
    handing.members(three, PASSES, root_pass=ROOT_PASS, hmu=[WORDS[0], WORDS[1]])
    (three / f"hmu-{ANA}.key").write_bytes(old)
    with pytest.raises(KeyFileError):
        keys.open_hmu(three, [WORDS[0], WORDS[1]])
    assert keys.open_hmu(three, [WORDS[1], WORDS[2]]).people == (LUZ, PAZ)


def test_a_damaged_share_stops_its_owner_only(three: Path) -> None:
    """One member's file is cut short or altered: the other two open; with that member there is one too few."""
    path = three / f"hmu-{ANA}.key"
    whole = path.read_bytes()
    for data in (b"", whole[:-3], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], b"x" * (keys.MAX_KEY_FILE + 1)):
        path.write_bytes(data)
        assert keys.open_hmu(three, [WORDS[1], WORDS[2]]).people == (LUZ, PAZ)
        with pytest.raises(FewPeopleError):
            keys.open_hmu(three, [WORDS[0], WORDS[1]])


def test_a_damaged_key_of_a_round_is_named(folder: Path) -> None:
    """The file is named, so that it can be restored or set aside; set aside, the rest opens."""
    plan(folder)
    rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=[HMU_PASS])
    (path,) = folder.glob("rounds/r1/*.key")
    whole = path.read_bytes()
    for data in (b"", whole[:-3], whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(data)
        with pytest.raises(KeyFileError) as caught:
            keys.open_hmu(folder, [HMU_PASS])
        assert path.name in caught.value.message
    path.rename(path.with_name("aside"))
    assert keys.open_hmu(folder, [HMU_PASS]).rounds == {}


def test_sheets_of_the_root_are_made_anew(folder: Path) -> None:
    """The new three give the same root; an escrow key cannot be printed again, being kept nowhere."""
    made = [path.read_text(encoding="utf-8") for path in handing.reissue(folder, root_pass=ROOT_PASS)]
    for pair in combinations(made, 2):
        assert recovery.rehearse(folder, pair).what == "root"
    assert recovery.rehearse(folder, sheets(folder, "root")).what == "root"
    with pytest.raises(UnlockError):
        handing.reissue(folder, root_pass=HMU_PASS)


# --- revoking


def test_a_laptop_is_revoked_from_an_entry_on(folder: Path) -> None:
    """By name or by its id's start; afterwards to an earlier entry only; project and ledger say the reason."""
    model = steward.read_steward(folder).model
    for name in ("Otavalo 1", "Otavalo 2"):
        steward.enrol(folder, card(model.id, name).to_bytes(), root_pass=ROOT_PASS)
    before = contents(folder)
    for name, seq, error in (
        ("Ibarra", 1, NotEnrolledError),
        ("", 1, NotEnrolledError),
        ("Otavalo 1", 0, BadValueError),
        ("Otavalo 1", 2**53, BadValueError),
    ):
        with pytest.raises(error):
            handing.revoke(folder, name, seq, "lost", root_pass=ROOT_PASS)
    with pytest.raises(UnlockError):
        handing.revoke(folder, "Otavalo 1", 1, "lost", root_pass=HMU_PASS)
    assert contents(folder) == before
    signed, device = handing.revoke(folder, "Otavalo 1", 40, "lost", root_pass=ROOT_PASS)
    assert (device.status, device.revoked_from, device.revoked_reason) == ("revoked", 40, "lost")
    with pytest.raises(AlreadyRevokedError):
        handing.revoke(folder, "Otavalo 1", 41, "lost", root_pass=ROOT_PASS)
    signed, device = handing.revoke(folder, device.id[:6], 31, "stolen", root_pass=ROOT_PASS)
    assert (device.revoked_from, device.revoked_reason) == (31, "stolen")
    assert [d.status for d in signed.model.devices] == ["revoked", "enrolled"]
    assert [line.deed for line in Ledger(folder, signed.model).lines] == ["revoked", "revoked"]


# --- leaving


def test_nobody_leaves_a_hole(three: Path) -> None:
    """The last steward, an HMU member without whom two are not left, a stranger, somebody who left: refused."""
    steward.change(three, ROOT_PASS, lambda d: d.set_person("S01", "Sol (synthetic)", "steward"))
    handing.members(three, {ANA: WORDS[0], LUZ: WORDS[1]}, root_pass=ROOT_PASS, hmu=[WORDS[0], WORDS[1]])
    steward.change(three, ROOT_PASS, lambda d: d.leave(PAZ, "2026-01-06"))
    before = contents(three)
    for code, error in (("S01", LastPersonError), (ANA, LastPersonError), ("X99", NoSuchPersonError)):
        with pytest.raises(error):
            handing.leave(three, code, root_pass=ROOT_PASS, hmu=[WORDS[0], WORDS[1]])
    with pytest.raises(NoSuchPersonError):
        handing.leave(three, PAZ, root_pass=ROOT_PASS)
    with pytest.raises(LastPersonError):  # a successor, but no passphrase for the new root
        handing.leave(three, "S01", root_pass=ROOT_PASS, successor=("S02", "Sur (synthetic)"))
    assert contents(three) == before


NEW_ROOT_PASS = "alambre bolsa cedro dado espuma flecha"


def _everybody_leaves(folder: Path, clock: FixedClock) -> None:
    """One after the other, each with a successor in the same role."""
    for code, successor, more in (
        ("E01", ("E03", "Eme"), {}),
        ("E02", ("E04", "Ele"), {}),
        ("V01", ("V02", "Val"), {}),
        (ANA, (PAZ, "Paz"), {"hmu": WORDS[:2], "passphrases": {LUZ: WORDS[1], PAZ: WORDS[2]}}),
        (LUZ, ("H04", "Mar"), {"hmu": WORDS[1:3], "passphrases": {PAZ: WORDS[2], "H04": WORDS[3]}}),
        ("S01", ("S02", "Sur"), {"new_root_pass": NEW_ROOT_PASS, "argon2": FLOOR}),
    ):
        arguments: dict[str, Any] = {"successor": successor, "clock": clock, **more}
        signed = handing.leave(folder, code, root_pass=ROOT_PASS, **arguments).project
        person, next_one = signed.model.person(code), signed.model.person(successor[0])
        assert person is not None
        assert next_one is not None
        assert (person.left, next_one.left, next_one.role) == ("2026-02-04", None, person.role)


def test_everybody_is_replaced_once_and_the_project_lives_on(folder: Path, clock: FixedClock) -> None:
    """Steward, both HMU members, supervisor, central, the enumerators: after each the project signs, seals and opens.
    At the end every old record opens for those who are there; what leavers kept opens no new record and signs nothing
    that counts; a laptop pinned on the first day has followed.
    """
    kept = Leavers(folder)
    signed = plan(folder, clock)
    pinned = signed.root_fingerprint
    named: tuple[tuple[str, str, PersonRole], ...] = (("S01", "Sol", "steward"), ("V01", "Vid", "supervisor"))
    steward.change(folder, ROOT_PASS, lambda d: [d.set_person(*person) for person in named], clock=clock)
    steward.change(folder, ROOT_PASS, lambda d: d.add_person("E01", "Eva").add_person("E02", "Eli"), clock=clock)
    handing.members(folder, {ANA: WORDS[0], LUZ: WORDS[1]}, root_pass=ROOT_PASS, hmu=[HMU_PASS], clock=clock)
    rotation.rotate_round(folder, "r1", root_pass=ROOT_PASS, hmu=WORDS[:2], clock=clock)
    old = [interview(steward.read_steward(folder), day, n) for n, day in enumerate((IN_R1, IN_R2))]
    kept.copy(WORDS[:2])
    clock.move(days=30)

    _everybody_leaves(folder, clock)
    signed = rotation.rotate(folder, ["central", "escrow"], root_pass=NEW_ROOT_PASS, clock=clock).project

    held = keys.open_hmu(folder, WORDS[2:4])
    assert set(held.people) == {PAZ, "H04"}
    new = [interview(signed, day, 10 + n) for n, day in enumerate((IN_R1, IN_R2))]
    assert [opens(blob, held) for blob in (*old, *new)] == [True] * 4
    assert [opens(blob, kept.hmu) for blob in (*old, *new)] == [True, True, False, False]
    for pair in (WORDS[:2], WORDS[1:3], (HMU_PASS,)):
        with pytest.raises((UnlockError, FewPeopleError)):
            keys.open_hmu(folder, pair)
    counted = dict.fromkeys(key for _role, key in signed.model.role_keys)
    assert not {key.public for key in (kept.hmu.sign, kept.central.key, kept.supervisor.key)} & counted.keys()
    assert {role for role, _key in signed.model.role_keys} == set(Role)
    with pytest.raises(UnlockError):
        steward.add_form(folder, form(), root_pass=ROOT_PASS)
    with pytest.raises(ForeignSheetsError):
        recovery.rehearse(folder, kept.root_sheets)
    followed = read_project(signed.data, pinned=pinned, at_least_version=1)
    assert followed.root_fingerprint == signed.root_fingerprint != pinned
    assert steward.add_form(folder, form(), root_pass=NEW_ROOT_PASS, clock=clock).form_bytes("prueba")
    said = [(line.deed, line.who) for line in Ledger(folder, signed.model).lines]
    assert [who for deed, who in said if deed == "left"] == [
        ("E01", "E03"),
        ("E02", "E04"),
        ("V01", "V02"),
        (ANA, PAZ),
        (LUZ, "H04"),
        ("S01", "S02"),
    ]


class Leavers:
    """What those who leave could have copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root_sheets = sheets(folder, "root")

    def copy(self, hmu: tuple[str, ...]) -> None:
        """All keys as they are now."""
        self.hmu = keys.open_hmu(self.folder, hmu)
        self.central = keys.read_role_key(self.folder / keys.CENTRAL)
        self.supervisor = keys.read_role_key(self.folder / keys.SUPERVISOR)
