"""What two key sheets give back: the root, an escrow key, or, when the HMU lost its own, a new key for the HMU.

`rehearse` proves that two sheets would do it, and writes nothing. Nothing here reads records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.base.files import storage_error
from fieldsurvey.project import keys, shares, steward
from fieldsurvey.project.errors import ForeignSheetsError
from fieldsurvey.project.ledger import Ledger
from fieldsurvey.project.model import Recipient
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import Argon2Params
from fieldsurvey.records.words import check_strength


@dataclass(frozen=True, slots=True)
class FromSheets:
    """Which key of the project the sheets give: `round` for a round's escrow, `current` unless it was replaced."""

    what: Literal["root", "escrow"]
    id: str
    round: str | None
    current: bool
    secret: bytes = field(repr=False)


def rehearse(folder: Path, sheets: Sequence[str]) -> FromSheets:
    """Which key these sheets give; nothing is written.

    Raises what `shares.combine` raises, ForeignSheetsError, NoProjectError, UntrustedError, StorageError.
    """
    return _from_sheets(steward.read_steward(folder), sheets)


def recover(
    folder: Path,
    sheets: Sequence[str],
    passphrase: str,
    *,
    root_pass: str | None = None,
    argon2: Argon2Params | None = None,
    clock: Clock | None = None,
) -> tuple[FromSheets, Path]:
    """Write the key that the sheets give, locked by `passphrase`: root.key, escrow.key or rounds/ROUND/escrow.key.

    `root_pass` lets the ledger say so when it is an escrow key. Raises as `rehearse`, WeakPassphraseError,
    UnlockError.
    """
    project = steward.read_steward(folder)
    found = _from_sheets(project, sheets)
    check_strength(passphrase, project.model.policy.passphrase_bits)
    ledger = Ledger(folder, project.model)
    at = steward.stamp(steward.now_utc(clock))
    if found.what == "root":
        root = RootKey(found.secret)
        data, name = keys.lock_root(project.model.id, root, passphrase, argon2), keys.ROOT
    else:
        root = steward.open_root(folder, project, root_pass or "")
        data = keys.lock_escrow(project.model.id, RecipientPrivate(found.secret), passphrase, argon2)
        name = keys.ESCROW if found.round is None else f"{keys.ROUNDS}/{found.round}/{keys.ESCROW}"
    (path,) = steward.write_private(folder, {name: data})
    ledger.append(root, "recovered", at=at, round_id=found.round, text=found.what)
    return found, path


def recover_hmu(
    folder: Path,
    sheets: Sequence[str],
    *,
    root_pass: str,
    hmu_pass: str,
    argon2: Argon2Params | None = None,
    clock: Clock | None = None,
) -> SignedProject:
    """When hmu.key is lost: a new one that opens what escrow opens, and what is sealed from the next version on.

    It opens with one passphrase; `members` shares it out again. Rounds with keys of their own need their own escrow
    sheets, `recover_round` each; their key files, which nothing opens any more, are set aside. Raises as `recover`.
    """
    project = steward.read_steward(folder)
    found = _from_sheets(project, sheets)
    if found.what != "escrow" or found.round is not None:
        raise ForeignSheetsError
    check_strength(hmu_pass, project.model.policy.passphrase_bits)
    root = steward.open_root(folder, project, root_pass)
    ledger = Ledger(folder, project.model)
    fresh = keys.HmuKeys.generate(project.model.id)
    escrow = RecipientPrivate(found.secret)
    made = keys.HmuKeys(fresh.project, fresh.recipient, fresh.sign, fresh.dataset, (escrow,))
    at = steward.stamp(steward.now_utc(clock))
    signed = steward.sign_next(
        folder,
        project,
        root,
        lambda draft: (
            draft.retire_recipients(at, round_id=None, label="operational")
            .add_recipient(Recipient.of("operational", made.recipient.public, created=at))
            .set_role_key(Role.HMU, "HMU", made.sign.public, at)
            .set_policy(people_to_open=1)
        ),
        clock=clock,
    )
    steward.write_private(folder, {keys.HMU: keys.lock_hmu(made, hmu_pass, argon2)})
    for path in folder.glob(keys.MEMBERS):  # shares of a key that is gone
        steward.wipe(path)
    for path in folder.glob(f"{keys.ROUNDS}/*/operational-*.key"):
        try:
            path.rename(path.with_name(f"lost-{path.name}"))
        except OSError as error:
            raise storage_error(error, path) from error
    ledger.append(root, "recovered", at=at, round_id=found.round, text="hmu")
    return signed


def recover_round(
    folder: Path, sheets: Sequence[str], *, root_pass: str, hmu: Sequence[str], clock: Clock | None = None
) -> FromSheets:
    """When the HMU lost a round's operational key: let it open the round's records with the round's escrow key.

    That key then lies under rounds/ROUND/ until the round's keys are destroyed. Give a running round new keys
    afterwards (`rotate_round`). Raises as `recover`, FewPeopleError.
    """
    project = steward.read_steward(folder)
    found = _from_sheets(project, sheets)
    if found.round is None:
        raise ForeignSheetsError
    root = steward.open_root(folder, project, root_pass)
    ledger = Ledger(folder, project.model)
    held = keys.open_hmu(folder, hmu)
    name = f"{keys.ROUNDS}/{found.round}/operational-{found.id}.key"
    steward.write_private(folder, {name: keys.lock_round(held, RecipientPrivate(found.secret))})
    at = steward.stamp(steward.now_utc(clock))
    ledger.append(root, "recovered", at=at, who=held.people, round_id=found.round, text="hmu")
    return found


def _from_sheets(project: SignedProject, sheets: Sequence[str]) -> FromSheets:
    secret = shares.combine(shares.words_of_sheet(text) for text in sheets)
    try:
        root, recipient = RootKey(secret), RecipientPrivate(secret)
    except UntrustedError:  # a set of sheets of another length
        raise ForeignSheetsError from None
    if root.public.fingerprint in project.model.root_fingerprints:
        current = root.public == project.model.root_key
        if not current:  # an earlier root signs nothing any more
            raise ForeignSheetsError
        return FromSheets("root", root.public.fingerprint[:16], None, current, secret)
    for listed in project.model.recipients:
        if listed.label == "escrow" and listed.key == recipient.public:
            return FromSheets("escrow", listed.id, listed.round, listed.active, secret)
    raise ForeignSheetsError
