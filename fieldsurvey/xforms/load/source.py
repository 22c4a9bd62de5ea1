"""Recognises what a form was handed in as, and finds the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Media, Origin
from fieldsurvey.xforms.definition.context import OriginOf, xml_origin
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.load.kept import Kept, digest
from fieldsurvey.xforms.load.rows import RowMap
from fieldsurvey.xforms.load.workbook import Converted, convert_file, convert_folder

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".md", ".csv")
_CONVERTED: Kept[Converted] = Kept()
FindMedia = Callable[[str], bytes | None]


class FormFileError(StorageError):
    """The file or folder of a form cannot be read."""

    code = "storage.form"
    template = "{path} cannot be read: {reason}."
    hint = "Nothing was changed. Check the path and its permissions."


@dataclass(frozen=True)
class Source:
    """XForm XML with what is needed to explain and complete it."""

    xml: bytes
    origin_of: OriginOf
    find_media: FindMedia
    warnings: tuple[str, ...] = ()
    rows: RowMap | None = None
    key: str = ""  # the hash of the bytes it came from, "" for a folder

    def origin_in(self, message: str) -> Origin | None:
        """The row that a converter's message names."""
        return self.rows.from_message(message) if self.rows is not None else None


def read_source(source: str | Path | bytes, media: Media | None = None) -> Source:
    """A path (folder, workbook, XForm) or bytes; raises FormError or FormFileError."""
    if isinstance(source, bytes):
        return _from_bytes(source, "", "", finder(media))
    path = Path(source)
    find = finder(media) if media is not None else beside(path if path.is_dir() else path.parent)
    if path.is_dir():
        return _converted(convert_folder(path), find)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormFileError(path=str(source), reason=error.strerror or str(error)) from None
    return _from_bytes(data, path.suffix.lower(), path.stem, find)


def _from_bytes(data: bytes, suffix: str, stem: str, find: FindMedia) -> Source:
    suffix = suffix if suffix in {*WORKBOOKS, ".xml"} else _sniff(data)
    if suffix == ".xml":
        return Source(data, xml_origin, find, key=digest("xform", data))
    key = digest(suffix, stem, data)
    converted = _CONVERTED.get(key)
    if converted is None:
        converted = convert_file(data, suffix, stem)
        _CONVERTED.put(key, converted, len(converted.xml) + sum(map(len, converted.media.values())))
    return _converted(converted, find, key)


def _converted(converted: Converted, find: FindMedia, key: str = "") -> Source:
    made = converted.media

    def find_any(name: str) -> bytes | None:
        return made.get(base_name(name)) or find(name)

    return Source(converted.xml, converted.rows.origin, find_any, converted.warnings, converted.rows, key)


def _sniff(data: bytes) -> str:
    """The kind of form by its first bytes."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") or data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return ".xml"
    if data.startswith(b"PK"):
        return ".xlsx"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return ".xls"
    if start.startswith(b"|"):
        return ".md"
    if b"survey" in data[:4096].lower():
        return ".csv"
    raise FormError(
        [
            FormProblem(
                "source.unknown",
                _("This is neither an XLSForm nor an XForm."),
                _("Name an .xlsx, .xls, .md or .csv workbook, a folder with one CSV per sheet, or an XForm .xml."),
            )
        ]
    )


def base_name(address: str) -> str:
    """`jr://file-csv/towns.csv` -> `towns.csv`."""
    return address.rpartition("/")[2]


def no_media(_address: str) -> bytes | None:
    """No files at all."""
    return None


def finder(media: Media | None) -> FindMedia:
    """A caller's media as a function of an address: by the whole address, else by its file name."""
    if media is None:
        return no_media
    if isinstance(media, Mapping):
        table = media

        def find(address: str) -> bytes | None:
            return table.get(address) or table.get(base_name(address))

        return find
    ask = media

    def find_by_call(address: str) -> bytes | None:
        return ask(address)

    return find_by_call


def beside(folder: Path) -> FindMedia:
    """Files beside the form, in its `media` folder, or in `shared` beside the form's folder."""

    def find(address: str) -> bytes | None:
        name = base_name(address)
        if not name or name in {".", ".."} or "\\" in name:
            return None
        for place in (folder, folder / "media", folder.parent / "shared"):
            path = place / name
            if path.is_file():
                return path.read_bytes()
        return None

    return find
