"""A form on its way into a project: its compiled XForm, the files it uses, and what it asks for that it should not.

The engine compiles and checks; this only reads from the XForm what a project's manifest says of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from fieldsurvey.base.files import storage_error
from fieldsurvey.project.errors import FormFileError

_XFORMS = "{http://www.w3.org/2002/xforms}"
_HTML = "{http://www.w3.org/1999/xhtml}"
_OURS = "{https://fieldsurvey.org/xforms}"
_PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ADDRESS = re.compile(rb"jr://[A-Za-z-]+/([^\"'<>\s{}]+)")
_PLACES: Final = {"geopoint", "geotrace", "geoshape"}
_MEDIA: Final = {"image": "photo", "audio": "audio", "video": "video"}
SENSITIVE: Final = ("photo", "audio", "video", "file", "signature", "barcode", "geo")
"""What a form about people may not ask for: each gives people away, or tells where they live."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A compiled form. `sensitive` holds (type, reference) for every question of a type in SENSITIVE."""

    id: str
    version: str
    title: str
    xform: bytes
    media: Mapping[str, bytes] = field(default_factory=dict)
    sensitive: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def read_form(source: Path, *, name: str = "") -> FormFile:
    """Compile and check a workbook, a folder of CSV sheets or an XForm.

    Raises FormError (with sheet and row), FormFileError, StorageError. `name` is what messages call it.
    """
    # Start-up: the engine and pyxform load only when a form is added, never on a laptop that interviews.
    from fieldsurvey.xforms import FormError, load_form
    from fieldsurvey.xforms.check import refusals
    from fieldsurvey.xforms.load.source import read_source

    shown = name or str(source)
    # What the engine cannot run, or a terminal cannot ask, must not reach a laptop; both name sheet and row.
    loaded = load_form(source)
    refused = refusals(loaded)
    if refused:
        raise FormError(refused)
    try:
        read = read_source(source)
    except OSError as error:
        raise storage_error(error, source) from error
    media = {}
    for address in sorted({*media_names(read.xml), *loaded.media_names}):
        found = read.find_media(address)
        if found is None:
            raise FormFileError(place=shown, reason=f"{address}?")
        media[address] = found
    return form_of(read.xml, media, name=shown, warnings=tuple(read.warnings))


def form_of(
    xform: bytes, media: Mapping[str, bytes] | None = None, *, name: str = "form", warnings: tuple[str, ...] = ()
) -> FormFile:
    """What a compiled XForm says of itself. Raises FormFileError. Does not check its expressions: the engine does."""
    if b"<!DOCTYPE" in xform or b"<!ENTITY" in xform:
        raise FormFileError(place=name, reason="DOCTYPE")
    try:
        root = ET.fromstring(xform)  # noqa: S314  no DTD, so no entities: refused above
    except ET.ParseError:
        raise FormFileError(place=name, reason="XML") from None
    instance = root.find(f"{_HTML}head/{_XFORMS}model/{_XFORMS}instance")
    if instance is None or not len(instance):
        raise FormFileError(place=name, reason="instance")
    data = instance[0]
    form_id = data.get("id") or data.tag.rpartition("}")[0].lstrip("{")
    if not form_id:
        raise FormFileError(place=name, reason="id")
    wrong = _consent_faults(root)
    if wrong:
        raise FormFileError(place=name, reason=wrong)
    title = root.findtext(f"{_HTML}head/{_HTML}title") or form_id
    return FormFile(
        form_id, data.get("version") or "", title.strip()[:200], xform, dict(media or {}), _sensitive(root), warnings
    )


def media_names(xform: bytes) -> tuple[str, ...]:
    """File names that the XForm refers to by jr:// address, each once; the instances of a session are not files."""
    names = (match[1].decode("utf-8", "replace").rpartition("/")[2] for match in _ADDRESS.finditer(xform))
    found = {name for name in names if name not in {"last-saved", "session"}}
    return tuple(sorted(found))


def _consent_faults(root: ET.Element) -> str:
    """Why the questions of consent cannot be told apart in a record; "" when they can."""
    repeats = [repeat.get("nodeset", "") + "/" for repeat in root.iter(f"{_XFORMS}repeat")]
    seen = set()
    for bind in root.iter(f"{_XFORMS}bind"):
        purpose = bind.get(f"{_OURS}consent", "").strip()
        if not purpose:
            continue
        if not _PURPOSE.fullmatch(purpose):
            return f"fs:consent: {purpose[:64]!r}"
        if purpose in seen:
            return f"fs:consent: {purpose}, {purpose}"
        if any(bind.get("nodeset", "").startswith(repeat) for repeat in repeats):
            return f"fs:consent: {bind.get('nodeset')} (repeat)"
        seen.add(purpose)
    return ""


def _sensitive(root: ET.Element) -> tuple[tuple[str, str], ...]:
    found = []
    for bind in root.iter(f"{_XFORMS}bind"):
        kind = (bind.get("type") or "").rpartition(":")[2]
        if kind in _PLACES:
            found.append(("geo", bind.get("nodeset", "")))
        elif kind == "barcode":
            found.append(("barcode", bind.get("nodeset", "")))
    for upload in root.iter(f"{_XFORMS}upload"):
        kind = _MEDIA.get(upload.get("mediatype", "").partition("/")[0], "file")
        if "signature" in upload.get("appearance", "").split():
            kind = "signature"
        found.append((kind, upload.get("ref", "")))
    return tuple(sorted(set(found)))
