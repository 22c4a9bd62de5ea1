"""Bounds on an .xlsx before it is parsed: how much it unpacks to, and how many rows its sheets have.

The reader of workbooks takes half a minute for a million rows; counting them in the packed XML takes a second at most.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.errors import FormError, FormProblem

MAX_UNPACKED = 256 * 1024 * 1024
MAX_ROWS = 250_000
MAX_ENTRIES = 10_000
_PIECE = 1 << 20
_ROW = b"<row "


def refuse_bombs(data: bytes) -> None:
    """Raises FormError for a workbook beyond the bounds; what is broken is left to its reader, which will say so."""
    if not data.startswith(b"PK"):
        if data.count(b"\n") > 2 * MAX_ROWS:  # text: all its sheets together
            _refuse(_("The workbook has more than {n} rows.").format(n=2 * MAX_ROWS))
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                _refuse(_("The workbook unpacks to more than {n} MiB.").format(n=MAX_UNPACKED // 2**20))
            for entry in entries:
                if "worksheets/" in entry.filename and rows_of(archive, entry) > MAX_ROWS:
                    _refuse(_("A sheet of the workbook has more than {n} rows.").format(n=MAX_ROWS))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError):
        return  # broken or locked: the reader will say so


def rows_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """The rows of one sheet, counted as far as the bound; what unpacks to more than it says is cut there."""
    count, kept, read = 0, b"", 0
    with archive.open(entry) as stream:
        while count <= MAX_ROWS and read <= MAX_UNPACKED and (piece := stream.read(_PIECE)):
            read += len(piece)
            text = kept + piece
            count += text.count(_ROW)
            kept = text[-len(_ROW) + 1 :]
    return count


def _refuse(message: str) -> None:
    remedy = _("Delete empty rows below the last question, and put long lists in a CSV file beside the form.")
    raise FormError([FormProblem("workbook.size", message, remedy)])
