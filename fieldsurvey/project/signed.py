"""Reading and writing .fsp files: a project, its root's signature, its compiled forms and media.

A laptop pins the root's fingerprint when it joins and takes only newer projects of that root, or of a root to which it
handed over. Expiry is a warning, never an obstacle to an interview or an export: laptops' clocks are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.files import storage_error
from fieldsurvey.project.errors import ForeignRootError, OlderProjectError, ProjectFormatError
from fieldsurvey.project.model import WARN_DAYS, Project
from fieldsurvey.records.codewords import fingerprint_words
from fieldsurvey.records.container import MAX_FILE, Signer, open_container, write_container
from fieldsurvey.records.recipients import RecipientPublic

SUFFIX: Final = ".fsp"


class SignedProject:
    """A project whose root signature holds and whose frames are all there. `data` is the file it was read from."""

    def __init__(self, model: Project, frames: Mapping[str, bytes], data: bytes) -> None:
        self.model = model
        self.data = data
        self.frames = dict(frames)
        self.root_fingerprint = model.root_key.fingerprint
        self.words = fingerprint_words(self.root_fingerprint)

    def form_bytes(self, form_id: str) -> bytes:
        """The compiled XForm of a form's current version. KeyError when the project has no such form."""
        form = self.model.form(form_id)
        if form is None:
            raise KeyError(form_id)
        return self.frames[form.hash]

    def form_bytes_of(self, form_hash: str) -> bytes | None:
        """The XForm with that SHA-256 (64 hexadecimal digits), earlier versions included; None when unknown."""
        return self.frames[form_hash] if self.model.form_of_hash(form_hash) else None

    def media(self, form_id: str) -> dict[str, bytes]:
        """File name -> bytes of what a form's current version uses. KeyError when the project has no such form."""
        form = self.model.form(form_id)
        if form is None:
            raise KeyError(form_id)
        return {item.name: self.frames[item.hash] for item in form.media}

    def media_of(self, form_hash: str) -> dict[str, bytes]:
        """The same for a form exactly; empty when unknown."""
        form = self.model.form_of_hash(form_hash)
        return {item.name: self.frames[item.hash] for item in form.media} if form else {}

    @property
    def indicators_csv(self) -> bytes | None:
        """The table of indicators, or None."""
        return self.frames[self.model.indicators] if self.model.indicators else None

    def recipients_for(self, day: date) -> tuple[RecipientPublic, ...]:
        """To whom an interview with that fieldwork date is sealed; empty means that it may not be sealed at all."""
        return tuple(recipient.key for recipient in self.model.recipients_on(day.isoformat()))

    def days_left(self, now: datetime) -> int:
        """Whole days until `expires`; negative once it has passed."""
        return self.model.days_left(now)

    def expires_soon(self, now: datetime) -> bool:
        """Whether it has expired or will within WARN_DAYS: time to sign and publish the next version."""
        return self.days_left(now) < WARN_DAYS

    def is_expired(self, now: datetime) -> bool:
        """Whether `expires` has passed. A reason to warn and to ask for a newer project, nothing else."""
        return now > datetime.fromisoformat(self.model.expires)


def write_project(model: Project, frames: Mapping[str, bytes], root: Signer) -> bytes:
    """The .fsp file. Raises ProjectFormatError unless `frames` (SHA-256 in hexadecimal -> bytes) are those named."""
    if frames.keys() != _named(model):
        raise ProjectFormatError(reason="frames")
    ordered = [frames[address] for address in sorted(frames)]
    return b"".join(write_container("project", model.content(), ordered, root))


def read_project(
    source: bytes | Path, *, pinned: str | None = None, at_least_version: int | None = None
) -> SignedProject:
    """A project, checked whole.

    `pinned` is the root fingerprint already trusted (None only when a laptop joins, and then a person compares the
    words), and is also satisfied by a root to which the pinned one handed over, directly or through others.
    `at_least_version` is the version already had. Raises ForeignRootError, OlderProjectError, UntrustedError,
    StorageError.
    """
    data = source if isinstance(source, bytes) else _read_file(source)
    container = open_container(data, "project")
    model = Project.from_bytes(canonical(container.manifest))
    container.verify(model.root_key)
    frames = {address.hex(): frame for address, frame in container.frames()}
    if frames.keys() != _named(model):
        raise ProjectFormatError(reason="frames")
    found = model.root_key.fingerprint
    if pinned is not None and pinned not in model.root_fingerprints:
        raise ForeignRootError(
            pinned=pinned, pinned_words=fingerprint_words(pinned), found=found, found_words=fingerprint_words(found)
        )
    if at_least_version is not None and model.version < at_least_version:
        raise OlderProjectError(found=model.version, have=at_least_version)
    return SignedProject(model, frames, data)


def _named(model: Project) -> set[str]:
    named = {form.hash for form in model.forms} | {item.hash for form in model.forms for item in form.media}
    return named | ({model.indicators} if model.indicators else set())


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(MAX_FILE + 1)  # one more, so that a longer file is seen to be longer
    except OSError as error:
        raise storage_error(error, path) from error
