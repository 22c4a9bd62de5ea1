"""Pictures that an interview takes along: cleaned, encrypted beside the draft, sealed as parts with its record.

Only a form that is not about people may ask for one, or one whose override stands in the signed project. The picture
gets a name that says nothing. It does not decide how it is sealed: `records.attachments` does.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.base.files import storage_error
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork.stripping import CannotStripError, kind_of
from fieldsurvey.records.attachments import seal_parts
from fieldsurvey.records.envelope import Header, record_hash
from fieldsurvey.records.payload import Attachment
from fieldsurvey.vault.attachments import DraftFiles, StoredFile

if TYPE_CHECKING:
    from fieldsurvey.project.model import ProjectForm
    from fieldsurvey.records.recipients import RecipientPublic
    from fieldsurvey.xforms.contract import Question

Held = tuple[str, str, str, int]
"""What a draft keeps of a picture: id and key of its encrypted file, media type, bytes."""

_TYPES: Final = {"image": "photo", "file": "file"}


class AttachmentRefusedError(RefusedError):
    """A question that takes no file."""

    code = "fieldwork.attachment"
    template = "No file can be attached here: {reason}."
    hint = "Nothing was kept, and nothing was changed."


def check_attachable(question: Question, form: ProjectForm | None, *, practice: bool) -> None:
    """Raises AttachmentRefusedError unless this question of this form may take a file."""
    reason = refusal(question, form, practice=practice)
    if reason is not None:
        raise AttachmentRefusedError(reason=reason)


def refusal(question: Question, form: ProjectForm | None, *, practice: bool) -> str | None:
    """Why this question of this form may not take a file; None when it may."""
    kind = _TYPES.get(question.type)
    if kind is None:
        return _("the question does not ask for a picture")
    if "signature" in question.appearance:
        kind = "signature"
    if form is None or (form.about_people and kind not in form.allowed):
        return _("the form is about people, and a picture would give them away")
    if practice:
        return _("practice is kept nowhere")
    if question.read_only or not question.relevant:
        return _("the question cannot be answered now")
    return None


class Attachments:
    """Those of one draft. `held`: name in the answers -> what is kept of it."""

    def __init__(self, home: Path, draft_id: str, held: dict[str, Held]) -> None:
        self._files = DraftFiles(home, draft_id)
        self.held = held

    def keep(self, source: Path) -> tuple[str, Held]:
        """Clean and encrypt a picture; its new name, and what is to be kept of it. The source stays as it is.

        Raises CannotStripError, StorageError; then nothing is kept.
        """
        try:
            with source.open("rb") as stream:
                kind = kind_of(stream)
                stored = self._files.add(kind.strip(stream))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise CannotStripError(reason=_("there is no such file")) from None
        except OSError as error:
            raise storage_error(error, source) from error
        return secrets.token_hex(8) + kind.suffix, (stored.id, stored.key, kind.media_type, stored.size)

    def read(self, name: str) -> Iterator[bytes]:
        """A picture as it will be sealed, in pieces. Raises KeyError, VaultDamagedError."""
        file_id, key, _, size = self.held[name]
        return self._files.read(StoredFile(file_id, key, size))

    def forget(self, held: Held) -> None:
        """Delete one that no answer came to name."""
        self._files.remove(held[0])

    def named_in(self, xml: str) -> list[str]:
        """The names that the answers still have."""
        return [name for name in self.held if f">{name}<" in xml]

    def sealed(
        self, names: Sequence[str], header: Header, recipients: Sequence[RecipientPublic], done: list[Attachment]
    ) -> Iterator[bytes]:
        """The parts of these pictures, one after the other; `done` then holds what the record says of each."""
        for name in names:
            parts = []
            for blob in seal_parts(header, self.read(name), recipients):
                parts.append(record_hash(blob).hex())
                yield blob
            _, _, media_type, size = self.held[name]
            done.append(Attachment(name=name, media_type=media_type, size=size, parts=tuple(parts)))

    def clear(self) -> None:
        """Delete the encrypted files."""
        self._files.clear()
