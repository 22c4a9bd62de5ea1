"""Files that records take along, opened at the HMU: streamed from central to a file, each part verified before it.

What a laptop says of a file is not trusted: a name is used only where it is one that our laptops make. There is no
command that shows one record; this serves what is decided for all records of a form that is not about people.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fieldsurvey.base.files import write_atomic
from fieldsurvey.records.attachments import open_parts
from fieldsurvey.records.envelope import Header
from fieldsurvey.records.errors import AttachmentError
from fieldsurvey.records.payload import Attachment
from fieldsurvey.records.recipients import RecipientPrivate

_NAME: Final = re.compile(r"[0-9a-f]{16}\.(jpg|png|webp)")


def save_file(
    attachment: Attachment,
    header: Header,
    load: Callable[[bytes], bytes | None],
    folder: Path,
    *privates: RecipientPrivate,
) -> Path:
    """Write one file into `folder`, whole or not at all; where it is.

    `header` is that of the record that names the file; `load` gives a record by hash, as central's store does. Raises
    AttachmentError, what `open_record` raises, StorageError; then nothing is there.
    """
    if not _NAME.fullmatch(attachment.name):
        raise AttachmentError(reason="name")
    target = folder / attachment.name
    try:
        write_atomic(target, open_parts(attachment, header, load, *privates), private=True)
    finally:
        target.with_name(target.name + ".part").unlink(missing_ok=True)
    return target
