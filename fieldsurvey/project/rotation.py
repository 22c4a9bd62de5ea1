"""New keys in the place of old ones: the project's, a round's, a role's; and the end of a round's keys.

What was sealed to a replaced key still opens with it: the HMU's keys keep it. What was sealed to a destroyed key does
not open again, by anybody. Laptops seal to new keys once they have the new version of the project.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.files import storage_error
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project import keys, steward
from fieldsurvey.project.draft import Draft
from fieldsurvey.project.errors import NoRoundKeysError, NoSuchRoundError, TooEarlyError
from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.ledger import Ledger
from fieldsurvey.project.model import Project, Recipient
from fieldsurvey.project.policy import Round
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.slots import read_params

Part = Literal["operational", "escrow", "hmu", "central", "supervisor"]
PARTS: Final[tuple[Part, ...]] = ("operational", "escrow", "hmu", "central", "supervisor")
_ROLE_FILES: Final = {Role.CENTRAL: keys.CENTRAL, Role.SUPERVISOR: keys.SUPERVISOR}


@dataclass(frozen=True, slots=True)
class Rotated:
    """The next version, and the sheets to print: `sheets` are their files."""

    project: SignedProject
    sheets: tuple[Path, ...]


def rotate(
    folder: Path,
    parts: Collection[Part],
    *,
    root_pass: str,
    hmu: Sequence[str] = (),
    persons: dict[Role, str] | None = None,
    clock: Clock | None = None,
) -> Rotated:
    """Replace these keys: operational and escrow (to whom is sealed), hmu, central, supervisor (who sign).

    `hmu`: the passphrases that open hmu.key, needed for operational and hmu. `persons`: who holds a role's key now.
    Raises UnlockError, FewPeopleError, UntrustedError, StorageError; the keys before stay until the new are written.
    """
    before = steward.read_steward(folder)
    root = steward.open_root(folder, before, root_pass)
    ledger = Ledger(folder, before.model)
    at = steward.stamp(steward.now_utc(clock))
    renewed = None
    if {"operational", "hmu"} & set(parts):
        renewed = renew_hmu(folder, hmu, operational="operational" in parts, sign="hmu" in parts)
    escrow = RecipientPrivate.generate()
    roles = {role: SigningKey.generate() for role in _ROLE_FILES if role.value in parts}

    def edit(draft: Draft) -> None:
        if renewed and "operational" in parts:
            _replace(draft, "operational", renewed.recipient, at)
        if renewed and "hmu" in parts:
            draft.set_role_key(Role.HMU, "HMU", renewed.sign.public, at)
        if "escrow" in parts:
            _replace(draft, "escrow", escrow, at)
        for role, key in roles.items():
            draft.set_role_key(role, role.value.capitalize(), key.public, at, (persons or {}).get(role))

    role_files = {_ROLE_FILES[role]: keys.role_key_bytes(before.model.id, role, key) for role, key in roles.items()}
    steward.write_private(folder, role_files)
    sheets: list[Path] = []
    if "escrow" in parts:  # on paper before anything is sealed to it
        pages = steward.escrow_sheets(before, escrow, f"escrow-{escrow.id.hex()[:8]}")
        sheets = steward.write_private(folder, pages)
    signed = steward.sign_next(folder, before, root, edit, clock=clock)
    ledger.append(root, "rotated", at=at, text=" ".join(part for part in PARTS if part in parts))
    return Rotated(signed, tuple(sheets))


def rotate_round(
    folder: Path, round_id: str, *, root_pass: str, hmu: Sequence[str], clock: Clock | None = None
) -> Rotated:
    """Give a round keys of its own, or new ones: what is asked in it is sealed to them alone.

    The escrow key goes onto three sheets and is kept nowhere. Raises NoSuchRoundError, and as `rotate`.
    """
    before = steward.read_steward(folder)
    named(before.model, round_id)
    root = steward.open_root(folder, before, root_pass)
    ledger = Ledger(folder, before.model)
    held = keys.open_hmu(folder, hmu)
    operational, escrow = RecipientPrivate.generate(), RecipientPrivate.generate()
    name = f"{keys.ROUNDS}/{round_id}/operational-{operational.id.hex()}.key"
    steward.write_private(folder, {name: keys.lock_round(held, operational)})
    pages = steward.escrow_sheets(before, escrow, f"escrow-{round_id}-{escrow.id.hex()[:8]}", round_id)
    sheets = steward.write_private(folder, pages)
    at = steward.stamp(steward.now_utc(clock))
    signed = steward.sign_next(
        folder,
        before,
        root,
        lambda draft: (
            draft.retire_recipients(at, round_id=round_id)
            .add_recipient(Recipient.of("operational", operational.public, round_id=round_id, created=at))
            .add_recipient(Recipient.of("escrow", escrow.public, round_id=round_id, created=at))
        ),
        clock=clock,
    )
    ledger.append(root, "rotated", at=at, who=held.people, round_id=round_id, text="operational escrow")
    return Rotated(signed, tuple(sheets))


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What is gone, and which escrow keys' sheets people must still shred (`escrow`: their ids)."""

    project: SignedProject
    files: tuple[Path, ...]
    escrow: tuple[str, ...]


def destroy_round(
    folder: Path, round_id: str, *, root_pass: str, force: bool = False, clock: Clock | None = None
) -> Destroyed:
    """Wipe a round's keys: with the escrow sheets shredded, nothing opens its records again.

    Raises NoSuchRoundError, NoRoundKeysError, TooEarlyError before the day of the policy unless `force`, UnlockError,
    StorageError.
    """
    before = steward.read_steward(folder)
    wanted = named(before.model, round_id)
    listed = [r for r in before.model.recipients if r.round == round_id]
    place = folder / keys.ROUNDS / round_id
    files = tuple(sorted(place.glob("*"))) + tuple(sorted((folder / steward.SHEETS).glob(f"escrow-{round_id}-*.txt")))
    if not listed or not (files or any(r.active for r in listed)):
        raise NoRoundKeysError(round=round_id)
    now = steward.now_utc(clock)
    if not force:
        _check_day(before.model, wanted, now)
    root = steward.open_root(folder, before, root_pass)
    ledger = Ledger(folder, before.model)
    at = steward.stamp(now)
    # Signed first: from then on laptops seal to other keys, and a wiping that is cut off is simply done again.
    signed = before
    if any(r.active for r in listed):
        signed = steward.sign_next(
            folder, before, root, lambda draft: draft.retire_recipients(at, round_id=round_id), clock=clock
        )
    for path in files:
        steward.wipe(path)
    try:
        if place.exists():
            place.rmdir()
    except OSError as error:
        raise storage_error(error, place) from error
    ids = [r.id for r in listed]
    ledger.append(root, "destroyed", at=at, round_id=round_id, count=len(ids), text=" ".join(ids))
    return Destroyed(signed, files, tuple(r.id for r in listed if r.label == "escrow"))


def named(model: Project, round_id: str) -> Round:
    """The plan's round of that id. Raises NoSuchRoundError."""
    found = next((r for r in model.plan.rounds if r.id == round_id), None)
    if found is None:
        raise NoSuchRoundError(round=round_id)
    return found


def renew_hmu(folder: Path, hmu: Sequence[str], *, operational: bool, sign: bool) -> HmuKeys:
    """Write hmu.key with a new operational key, or new ones to sign and to lock datasets; it keeps those before."""
    held, lock, _people, _pending = keys.open_locked(folder, hmu)
    fresh = HmuKeys.generate(held.project)
    if operational:
        held = replace(held, recipient=fresh.recipient, earlier=(held.recipient, *held.earlier))
    if sign:
        datasets = (held.dataset, *held.earlier_datasets)
        held = replace(held, sign=fresh.sign, dataset=fresh.dataset, earlier_datasets=datasets)
    params = read_params((folder / keys.HMU).read_bytes())
    steward.write_private(folder, {keys.HMU: keys.lock_hmu(held, lock, params)})
    return held


def _replace(draft: Draft, label: Literal["operational", "escrow"], key: RecipientPrivate, at: str) -> Draft:
    draft.retire_recipients(at, round_id=None, label=label)
    return draft.add_recipient(Recipient.of(label, key.public, created=at))


def _check_day(model: Project, wanted: Round, now: datetime) -> None:
    until = model.policy.retention.hmu_until
    day = now.date().isoformat()
    if until is None:
        raise TooEarlyError(round=wanted.id, day=_("a day that the policy does not say yet"))
    if day < max(until, wanted.end):
        raise TooEarlyError(round=wanted.id, day=max(until, wanted.end))
