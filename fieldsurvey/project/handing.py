"""People come and go: the root hands over to the next, the HMU's key is shared out anew, somebody leaves, a laptop is
revoked.

Each is a ceremony of the steward's that signs the next version and enters the ledger. Afterwards old records still open
for those who stay, and what a leaver kept opens nothing new.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.files import storage_error
from fieldsurvey.project import keys, rotation, shares, steward
from fieldsurvey.project.draft import Draft
from fieldsurvey.project.errors import BadValueError, LastPersonError, NoSuchPersonError, NotEnrolledError
from fieldsurvey.project.ledger import Ledger
from fieldsurvey.project.model import Device, Person, PersonRole, Project, RevocationReason
from fieldsurvey.project.rotation import Part, Rotated
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.project.succession import hand_over
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import Argon2Params, read_params
from fieldsurvey.records.words import check_strength

MOST_MEMBERS: Final = 16  # SLIP-39: shares of one group


def succeed(
    folder: Path,
    *,
    root_pass: str,
    new_root_pass: str,
    argon2: Argon2Params | None = None,
    clock: Clock | None = None,
) -> Rotated:
    """A new root in the place of the old, which signs for it; laptops that trust the old follow on their own.

    The new root is on three new sheets and in root.key; the old one is wiped, and its sheets are to be shredded.
    Raises UnlockError, WeakPassphraseError, UntrustedError, StorageError.
    """
    before = steward.read_steward(folder)
    check_strength(new_root_pass, before.model.policy.passphrase_bits)
    old = steward.open_root(folder, before, root_pass)
    ledger = Ledger(folder, before.model)
    new = RootKey.generate()
    steward.write_private(folder, {keys.ROOT_NEW: keys.lock_root(before.model.id, new, new_root_pass, argon2)})
    step = hand_over(before.model.id, old, new.public, before.model.version + 1)
    signed = steward.sign_next(folder, before, new, lambda draft: draft.follow(step, new.public), clock=clock)
    steward.settle_root(folder)
    pages = steward.root_sheets(signed, new, f"root-{new.public.fingerprint[:8]}")
    sheets = steward.write_private(folder, pages)
    ledger = Ledger(folder, signed.model)
    ledger.append(new, "succeeded", at=signed.model.issued, text=new.public.fingerprint)
    return Rotated(signed, tuple(sheets))


def reissue(folder: Path, *, root_pass: str, clock: Clock | None = None) -> tuple[Path, ...]:
    """Three new sheets of the same root, when a keeper left or paper was lost; two of the former still fit together.

    An escrow key is kept nowhere, so it cannot be printed again: `rotation.rotate` makes a new one. Raises
    UnlockError, UntrustedError, StorageError.
    """
    project = steward.read_steward(folder)
    root = steward.open_root(folder, project, root_pass)
    ledger = Ledger(folder, project.model)
    name = f"root-{root.public.fingerprint[:8]}"
    sheets = steward.write_private(folder, steward.root_sheets(project, root, name))
    ledger.append(root, "rotated", at=steward.stamp(steward.now_utc(clock)), text="root sheets")
    return tuple(sheets)


def members(
    folder: Path,
    passphrases: Mapping[str, str],
    *,
    root_pass: str,
    hmu: Sequence[str],
    labels: Mapping[str, str] | None = None,
    to_open: int = 2,
    clock: Clock | None = None,
) -> SignedProject:
    """Share out anew what opens hmu.key: these members, code -> own passphrase; `to_open` of them are needed.

    With one to open, there is one member and hmu.key opens with that passphrase. Shares made before open nothing any
    more here. Raises BadValueError, WeakPassphraseError, UnlockError, FewPeopleError, StorageError.
    """
    before = steward.read_steward(folder)
    if to_open not in {1, 2} or not to_open <= len(passphrases) <= (MOST_MEMBERS if to_open > 1 else 1):
        raise BadValueError(field="members", reason=f"{len(passphrases)} / {to_open}")
    if len(set(passphrases.values())) != len(passphrases):
        raise BadValueError(field="passphrase", reason="twice")
    for given in passphrases.values():
        check_strength(given, before.model.policy.passphrase_bits)
    root = steward.open_root(folder, before, root_pass)
    ledger = Ledger(folder, before.model)

    def edit(draft: Draft) -> None:
        for code in passphrases:
            known = draft.model.person(code)
            label = (labels or {}).get(code) or (known.label if known else code)
            draft.set_person(code, label, "hmu")
        draft.set_policy(people_to_open=to_open, hmu_people=max(to_open, len(passphrases)))

    edit(Draft(before.model, before.frames))  # what cannot be signed must not have been shared out before
    share_out(folder, passphrases, hmu, to_open)
    signed = steward.sign_next(folder, before, root, edit, clock=clock)
    ledger.append(root, "members", at=signed.model.issued, who=tuple(passphrases), count=to_open)
    return signed


def share_out(folder: Path, passphrases: Mapping[str, str], hmu: Sequence[str], to_open: int) -> None:
    """Write hmu.key and the members' files under a new lock; the files of others are wiped.

    The new shares are all there before hmu.key is replaced, which is one rename: cut off anywhere, either the former
    members open it or the new ones.
    """
    held, _lock, _people, pending = keys.open_locked(folder, hmu)
    if pending:  # an earlier sharing was cut off at its end: its files are the only ones that open hmu.key
        _settle_shares(folder)
    params = read_params((folder / keys.HMU).read_bytes())
    files = {}
    if to_open == 1:
        (new_lock,) = passphrases.values()
    else:
        secret = secrets.token_bytes(32)
        new_lock = secret.hex()
        words = shares.split(secret, len(passphrases))
        for (code, given), share in zip(passphrases.items(), words, strict=True):
            files[f"hmu-{code}.next"] = keys.lock_share(held.project, code, share, given, params)
    steward.write_private(folder, files)
    steward.write_private(folder, {keys.HMU: keys.lock_hmu(held, new_lock, params)})
    kept = {Path(name).stem for name in files}
    for path in [*folder.glob(keys.MEMBERS), *folder.glob(keys.MEMBERS_NEXT)]:
        if path.stem not in kept:
            steward.wipe(path)
    _settle_shares(folder)


def _settle_shares(folder: Path) -> None:
    """Put the shares made anew in the place of the former."""
    for path in sorted(folder.glob(keys.MEMBERS_NEXT)):
        try:
            path.replace(path.with_suffix(".key"))
        except OSError as error:
            raise storage_error(error, path) from error


def revoke(
    folder: Path,
    name: str,
    from_seq: int,
    reason: RevocationReason,
    *,
    root_pass: str,
    clock: Clock | None = None,
) -> tuple[SignedProject, Device]:
    """Stop trusting a laptop from entry `from_seq` on: central keeps what comes, apart.

    `name`: what it is called, or the start of its id. Raises NotEnrolledError, AlreadyRevokedError, BadValueError.
    """
    before = steward.read_steward(folder)
    device = device_named(before.model, name)
    root = steward.open_root(folder, before, root_pass)
    ledger = Ledger(folder, before.model)
    signed = steward.sign_next(
        folder, before, root, lambda draft: draft.revoke(device.id, from_seq, reason), clock=clock
    )
    ledger.append(root, "revoked", at=signed.model.issued, count=from_seq, text=f"{device.id} {reason}")
    revoked = signed.model.device(device.id)
    return signed, revoked or device


def device_named(model: Project, name: str) -> Device:
    """The device of that name, or whose id begins so. Raises NotEnrolledError, also when there are two."""
    found = [d for d in model.devices if d.name == name] or [
        d for d in model.devices if len(name) >= 4 and d.id.startswith(name.lower())
    ]
    if len(found) != 1:
        raise NotEnrolledError(name=name)
    return found[0]


@dataclass(frozen=True, slots=True)
class Leaving:
    """What somebody held, and so what must be done: `parts` to rotate, `root` to hand over, `shares` to make anew."""

    person: Person
    parts: tuple[Part, ...]
    root: bool
    shares: bool


def leaving(model: Project, code: str, successor: str | None) -> Leaving:
    """What must be done when this person leaves and `successor` (a code, or nobody) takes over.

    Raises NoSuchPersonError, LastPersonError.
    """
    person = model.person(code)
    if person is None or person.left is not None:
        raise NoSuchPersonError(value=code)
    others = [p for p in model.people if p.role == person.role and p.left is None and p.code != code]
    staying = len(others) + (successor is not None and successor not in {p.code for p in others})
    needed = {"enumerator": 0, "supervisor": 0, "hmu": model.policy.people_to_open, "steward": 1}[person.role]
    if staying < needed:
        raise LastPersonError(name=person.label, role=person.role)
    parts: dict[PersonRole, tuple[Part, ...]] = {"supervisor": ("supervisor",), "hmu": ("operational", "hmu")}
    return Leaving(person, parts.get(person.role, ()), person.role == "steward", person.role == "hmu")


def leave(
    folder: Path,
    code: str,
    *,
    root_pass: str,
    successor: tuple[str, str] | None = None,
    hmu: Sequence[str] = (),
    passphrases: Mapping[str, str] | None = None,
    new_root_pass: str | None = None,
    argon2: Argon2Params | None = None,
    clock: Clock | None = None,
) -> Rotated:
    """All that must be done when somebody leaves; `successor` (code, label) takes over what they did.

    A steward: `new_root_pass`. An HMU member: `hmu` opens the key for the last time, `passphrases` are those of the
    members who stay or come. Old round keys stay; give the running round new ones with `rotate_round`. Raises as
    `leaving` and as the ceremonies it does.
    """
    before = steward.read_steward(folder)
    todo = leaving(before.model, code, successor[0] if successor else None)
    at = steward.stamp(steward.now_utc(clock))
    if (todo.root and new_root_pass is None) or (todo.shares and not passphrases):
        raise LastPersonError(name=todo.person.label, role=todo.person.role)

    def edit(draft: Draft) -> None:
        draft.leave(code, at[:10])
        if successor:
            draft.set_person(*successor, todo.person.role)

    signed = steward.change(folder, root_pass, edit, clock=clock)
    sheets: tuple[Path, ...] = ()
    if todo.shares and passphrases:
        to_open = before.model.policy.people_to_open
        signed = members(folder, passphrases, root_pass=root_pass, hmu=hmu, to_open=to_open, clock=clock)
        hmu = tuple(passphrases.values())
    if todo.parts:
        holders = {Role.SUPERVISOR: successor[0]} if successor and todo.person.role == "supervisor" else None
        signed = rotation.rotate(folder, todo.parts, root_pass=root_pass, hmu=hmu, persons=holders, clock=clock).project
    if todo.shares:
        for round_id in dict.fromkeys(r.round for r in signed.model.recipients if r.round and r.active):
            made = rotation.rotate_round(folder, round_id, root_pass=root_pass, hmu=hmu, clock=clock)
            signed, sheets = made.project, (*sheets, *made.sheets)
    if todo.root and new_root_pass is not None:
        made = succeed(folder, root_pass=root_pass, new_root_pass=new_root_pass, argon2=argon2, clock=clock)
        signed, sheets, root_pass = made.project, (*sheets, *made.sheets), new_root_pass
    root = steward.open_root(folder, signed, root_pass)
    who = (code, successor[0]) if successor else (code,)
    done = steward.stamp(steward.now_utc(clock))
    Ledger(folder, signed.model).append(root, "left", at=done, who=who, text=todo.person.role)
    return Rotated(signed, sheets)
