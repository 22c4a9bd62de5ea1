"""The steward's folder: where a project is made, widened and signed.

    project.fsp             the newest signed version; versions/ keeps the earlier ones
    root.key                signs the project; opens with the root passphrase (root-new.key: a handing over cut off)
    hmu.key                 opens records, signs returned work, locks the dataset; opens with the HMU's passphrase
    hmu-CODE.key            a member's share of what opens hmu.key, where two people are needed
    rounds/ROUND/           the round's operational keys, which open with hmu.key, until they are destroyed
    ledger.jsonl            what was done with the keys: see `ledger`
    escrow.key              the second recipient, only when asked for by a passphrase of its own
    sheets/                 root and escrow, each as three sheets of which two give the key back: print, then delete
    central.key supervisor.key   sign receipts; no passphrase

Each change signs the next version. What is trusted is decided here by people; nothing here reads records.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import StorageError, UnlockError
from fieldsurvey.base.files import fsync_folder, storage_error, write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.project import keys, shares
from fieldsurvey.project.draft import Draft, checked
from fieldsurvey.project.errors import (
    BadValueError,
    FewRecipientsError,
    KeyFileError,
    NoProjectError,
    StewardExistsError,
)
from fieldsurvey.project.formfile import FormFile
from fieldsurvey.project.model import Project, Recipient, RoleKey
from fieldsurvey.project.policy import Plan, Policy
from fieldsurvey.project.signed import SignedProject, read_project, write_project
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey
from fieldsurvey.records.slots import Argon2Params
from fieldsurvey.records.words import check_strength

PROJECT_FILE: Final = "project.fsp"
VERSIONS: Final = "versions"
SHEETS: Final = "sheets"
DEFAULT_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class _NewKeys:
    root: RootKey
    hmu: keys.HmuKeys
    escrow: RecipientPrivate
    central: SigningKey
    supervisor: SigningKey


def new_project(
    folder: Path,
    name: str,
    *,
    root_pass: str,
    hmu_pass: str,
    escrow_pass: str | None = None,
    sheets: bool = True,
    days: int = DEFAULT_DAYS,
    policy: Policy | None = None,
    argon2: Argon2Params | None = None,
    clock: Clock | None = None,
) -> SignedProject:
    """Make a project with fresh keys in `folder`, which must not exist or be empty; whole or not at all.

    Escrow exists as sheets, as a key file when `escrow_pass` is given, or both; never neither. `days` until it expires.
    Raises StewardExistsError, MissingExtraError, WeakPassphraseError, StorageError.
    """
    check_free(folder)
    if not sheets and escrow_pass is None:
        raise FewRecipientsError(count=1)
    for given in (root_pass, hmu_pass, escrow_pass):
        if given is not None:
            check_strength(given, (policy or Policy()).passphrase_bits)
    project_id = secrets.token_hex(16)
    made = _NewKeys(
        RootKey.generate(),
        keys.HmuKeys.generate(project_id),
        RecipientPrivate.generate(),
        SigningKey.generate(),
        SigningKey.generate(),
    )
    model = _first_version(project_id, name, made, now_utc(clock), days=days, policy=policy or Policy())
    files: dict[str, bytes] = {
        keys.ROOT: keys.lock_root(project_id, made.root, root_pass, argon2),
        keys.HMU: keys.lock_hmu(made.hmu, hmu_pass, argon2),
        keys.CENTRAL: keys.role_key_bytes(project_id, Role.CENTRAL, made.central),
        keys.SUPERVISOR: keys.role_key_bytes(project_id, Role.SUPERVISOR, made.supervisor),
    }
    if escrow_pass is not None:
        files[keys.ESCROW] = keys.lock_escrow(project_id, made.escrow, escrow_pass, argon2)
    data = write_project(model, {}, made.root)
    signed = read_project(data, pinned=made.root.public.fingerprint)
    if sheets:
        files |= _sheets(signed, made)
    _make_folder(folder, {**files, PROJECT_FILE: data})
    return signed


def _first_version(project_id: str, name: str, made: _NewKeys, now: datetime, *, days: int, policy: Policy) -> Project:
    return checked(
        Project,
        id=project_id,
        name=name,
        version=1,
        issued=stamp(now),
        expires=stamp(now + timedelta(days=days)),
        root=made.root.public.bytes.hex(),
        recipients=(
            Recipient.of("operational", made.hmu.recipient.public, created=stamp(now)),
            Recipient.of("escrow", made.escrow.public, created=stamp(now)),
        ),
        roles=(
            _role(Role.HMU, "HMU", made.hmu.sign),
            _role(Role.CENTRAL, "Central", made.central),
            _role(Role.SUPERVISOR, "Supervisor", made.supervisor),
        ),
        policy=policy,
    )


def check_free(folder: Path) -> None:
    """Raises StewardExistsError unless `folder` is empty or does not exist."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise StewardExistsError(place=str(folder))


def read_steward(folder: Path) -> SignedProject:
    """The newest signed version in a steward's folder. Raises NoProjectError, UntrustedError, StorageError."""
    path = folder / PROJECT_FILE
    if not path.is_file():
        raise NoProjectError(place=str(folder))
    return read_project(path)


def change(
    folder: Path, root_pass: str, edit: Callable[[Draft], object], *, clock: Clock | None = None
) -> SignedProject:
    """Apply `edit` to a draft of the next version, sign it, keep the one before under versions/.

    Raises UnlockError, whatever `edit` raises, StorageError; on any of them the folder is as it was.
    """
    before = read_steward(folder)
    return sign_next(folder, before, open_root(folder, before, root_pass), edit, clock=clock)


def open_root(folder: Path, project: SignedProject, root_pass: str) -> RootKey:
    """The project's present root. Raises UnlockError, KeyFileError, StorageError."""
    for name in (keys.ROOT_NEW, keys.ROOT):  # a handing over that was cut off leaves both
        if name == keys.ROOT or (folder / name).exists():
            try:
                root = keys.unlock_root(folder / name, root_pass)
            except UnlockError:
                if name == keys.ROOT:
                    raise
                continue
            if root.public == project.model.root_key:
                if name == keys.ROOT_NEW:  # finish it: the only copy of the present root must not be written over
                    settle_root(folder)
                return root
    raise KeyFileError(place=str(folder / keys.ROOT))


def settle_root(folder: Path) -> None:
    """Put the new root's key in the place of the one before. Raises StorageError."""
    try:
        (folder / keys.ROOT_NEW).replace(folder / keys.ROOT)
        fsync_folder(folder)
    except OSError as error:
        raise storage_error(error, folder / keys.ROOT) from error


def sign_next(
    folder: Path,
    before: SignedProject,
    root: RootKey,
    edit: Callable[[Draft], object],
    *,
    clock: Clock | None = None,
) -> SignedProject:
    """`change` with a root that is already open. `edit` may hand over to `root` from the one before."""
    issued = max(now_utc(clock), datetime.fromisoformat(before.model.issued))
    following = {"version": before.model.version + 1, "issued": stamp(issued)}
    draft = Draft(before.model.newest().model_copy(update=following), before.frames)
    edit(draft)
    draft.prune()
    data = write_project(draft.model, draft.frames, root)
    signed = read_project(data, pinned=before.root_fingerprint, at_least_version=before.model.version + 1)
    try:
        (folder / VERSIONS).mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    write_atomic(folder / VERSIONS / f"{before.model.version:06d}.fsp", before.data)
    write_atomic(folder / PROJECT_FILE, data)
    return signed


def add_form(
    folder: Path,
    form: FormFile,
    *,
    root_pass: str,
    about_people: bool = True,
    allow: Iterable[str] = (),
    clock: Clock | None = None,
) -> SignedProject:
    """Add a form or its next version; see Draft.add_form and `change`."""
    return change(
        folder, root_pass, lambda draft: draft.add_form(form, about_people=about_people, allow=allow), clock=clock
    )


def set_plan(folder: Path, plan: Plan, *, root_pass: str, clock: Clock | None = None) -> SignedProject:
    """Replace the rounds; see `change`."""
    return change(folder, root_pass, lambda draft: draft.set_plan(plan), clock=clock)


def set_servers(
    folder: Path, servers: Iterable[tuple[str, Iterable[str]]], *, root_pass: str, clock: Clock | None = None
) -> SignedProject:
    """Name the servers (address, its two pins) that laptops send to, in place of those before; see `change`."""
    return change(folder, root_pass, lambda draft: draft.set_servers(servers), clock=clock)


def enrol(
    folder: Path,
    card: Path | bytes,
    *,
    root_pass: str,
    name: str | None = None,
    people: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> SignedProject:
    """Trust the device whose card this is, and name new enumerators (code -> label); see `change`."""
    parsed = read_card(card)

    def edit(draft: Draft) -> None:
        draft.enrol(parsed, name=name)
        for code, label in (people or {}).items():
            draft.add_person(code, label)

    return change(folder, root_pass, edit, clock=clock)


def read_card(card: Path | bytes) -> DeviceCard:
    """A device card, its own signature checked. Raises UntrustedError, StorageError."""
    if isinstance(card, bytes):
        return DeviceCard.from_bytes(card)
    try:
        with card.open("rb") as handle:
            return DeviceCard.from_bytes(handle.read(DeviceCard.max_bytes + 1))
    except OSError as error:
        raise storage_error(error, card) from error


def read_small(path: Path, limit: int = 4 << 20) -> bytes:
    """A plan or table that a person wrote, at most 4 MiB. Raises BadValueError, StorageError."""
    try:
        with path.open("rb") as handle:
            data = handle.read(limit + 1)
    except OSError as error:
        raise storage_error(error, path) from error
    if len(data) > limit:
        raise BadValueError(field=str(path), reason="too long")
    return data


def publish(folder: Path, target: Path, *, one_recipient: bool = False) -> SignedProject:
    """Copy the newest version to `target` (a file, or a folder that then holds project.fsp), verified after writing.

    Raises FewRecipientsError when fewer than two recipients could open the records of some day, unless `one_recipient`.
    """
    signed = read_steward(folder)
    fewest = min((len(recipients) for recipients in signed.model.sealing_sets.values()), default=0)
    if fewest < 2 and not one_recipient:
        raise FewRecipientsError(count=fewest)
    write_atomic(target / PROJECT_FILE if target.is_dir() else target, signed.data)
    return signed


def _sheets(signed: SignedProject, made: _NewKeys) -> dict[str, bytes]:
    return {**root_sheets(signed, made.root, "root"), **escrow_sheets(signed, made.escrow, "escrow")}


def root_sheets(signed: SignedProject, root: RootKey, name: str) -> dict[str, bytes]:
    """Path below the folder -> page, for the root's three sheets."""
    return _pages(signed, name, _("root (signs the project)"), root.to_bytes(), root.public.fingerprint[:16])


def escrow_sheets(signed: SignedProject, escrow: RecipientPrivate, name: str, round_id: str = "") -> dict[str, bytes]:
    """The same for an escrow key: the project's, or a round's."""
    what = _("escrow (opens records when the HMU's key is lost)")
    if round_id:
        what = _("escrow of round {round} (opens its records when the HMU's key is lost)").format(round=round_id)
    return _pages(signed, name, what, escrow.seed, escrow.id.hex())


def _pages(signed: SignedProject, name: str, what: str, secret: bytes, key_id: str) -> dict[str, bytes]:
    made = shares.pages(secret, project=signed.model.name, fingerprint_words=signed.words, what=what, key_id=key_id)
    return {f"{SHEETS}/{name}-{number}.txt": page.encode("utf-8") for number, page in enumerate(made, 1)}


def write_private(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write each of `files` (path below `folder` -> bytes), readable by its owner only. Raises StorageError."""
    written = []
    for name, data in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise storage_error(error, path.parent) from error
        write_atomic(path, data, private=True)
        written.append(path)
    return written


def wipe(path: Path) -> None:
    """Overwrite a small file and remove it. Flash storage may keep what was there before. Raises StorageError."""
    try:
        with path.open("r+b") as handle:
            handle.write(secrets.token_bytes(path.stat().st_size))
            handle.flush()
            os.fsync(handle.fileno())
        path.unlink()
        fsync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, path) from error


def _make_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """All of `files` in `folder`, or nothing: written beside it, then renamed."""
    making = folder.with_name(folder.name + ".part")
    try:
        making.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise StewardExistsError(place=str(making)) from None
    except OSError as error:
        raise storage_error(error, folder) from error
    try:
        for name, data in files.items():
            (making / name).parent.mkdir(exist_ok=True, mode=0o700)
            write_atomic(making / name, data, private=True)
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
        fsync_folder(folder.parent)
    except (OSError, StorageError) as error:
        shutil.rmtree(making, ignore_errors=True)
        raise storage_error(error, folder) if isinstance(error, OSError) else error from None


def _role(role: Role, label: str, key: SigningKey) -> RoleKey:
    return RoleKey(role=role, label=label, public=key.public.bytes.hex())


def now_utc(clock: Clock | None) -> datetime:
    """The clock's time in UTC; the machine's without one."""
    return (clock or SystemClock()).now().astimezone(UTC)


def stamp(at: datetime) -> str:
    """An instant as projects write it, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
