"""What the HMU says to a record: a table, or words on the command line; and the questions that it speaks of.

A question is named by its whole path, `/data/person[2]/age`, or by its name where that is one question outside repeats.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fieldsurvey.base.files import storage_error
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import n_
from fieldsurvey.needs.returning.errors import (
    CommentsFileError,
    LongCommentError,
    NoCommentsError,
    UnknownRefsError,
)
from fieldsurvey.records.returned import MAX_COMMENT, MAX_COMMENTS, MAX_GENERAL
from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.live.describe import question_type
from fieldsurvey.xforms.live.validity import QUESTIONS

if TYPE_CHECKING:
    from fieldsurvey.xforms.form import LoadedForm

MAX_FILE: Final = 4 << 20
_POSITION: Final = re.compile(r"\[[1-9][0-9]*\]")
_COLUMNS: Final = ("ref", "comment")


def read_comments(path: Path) -> dict[str, str]:
    """Question -> comment, in the file's order; lines without a comment are left out.

    CSV in UTF-8, its columns separated by commas or semicolons. Raises CommentsFileError, StorageError.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise storage_error(error, path) from error
    if len(data) > MAX_FILE:
        raise CommentsFileError(path=path, reason=_("too long"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommentsFileError(path=path, reason=_("not UTF-8")) from None
    head = text.partition("\n")[0]
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head and "," not in head else ","))
    except csv.Error:
        raise CommentsFileError(path=path, reason=_("not CSV")) from None
    if not rows or not set(_COLUMNS) <= rows[0].keys():
        raise CommentsFileError(path=path, reason=_("no columns ref and comment, or no line"))
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        ref, comment = ((row[name] or "").strip() for name in _COLUMNS)
        if ref and ref in found:
            raise CommentsFileError(path=path, reason=_("line {number}: {ref} twice").format(number=number, ref=ref))
        if comment and not ref:
            raise CommentsFileError(path=path, reason=_("line {number}: no ref").format(number=number))
        if comment:
            found[ref] = comment
    return found


def check_said(comments: Mapping[str, str], general: str) -> None:
    """Raises NoCommentsError, LongCommentError: before anybody is asked for a passphrase."""
    if not comments and not general.strip():
        raise NoCommentsError
    longest = max(map(len, comments.values()), default=0)
    for found, limit, what in (
        (len(comments), MAX_COMMENTS, n_("{n} comments")),
        (longest, MAX_COMMENT, n_("a comment of {n} letters")),
        (len(general), MAX_GENERAL, n_("a general comment of {n} letters")),
    ):
        if found > limit:
            raise LongCommentError(what=_(what).format(n=found), limit=limit)


def whole_refs(form: LoadedForm, xml: bytes, comments: Mapping[str, str]) -> dict[str, str]:
    """The comments by whole path, in the form's order. Raises UnknownRefsError with every question that is not there.

    A row that the record does not have is not there; a question that was not asked in it is.
    """
    asked = [
        node
        for node in form.nodes
        if node.control is not None and node.control.kind in QUESTIONS and question_type(node) != "note"
    ]
    places = {node.path: number for number, node in enumerate(asked)}
    repeats = {node.path: _repeats(node) for node in asked}
    names: dict[str, list[str]] = defaultdict(list)
    for node in asked:
        names[node.name].append(node.path)
    rows = set(form.answers(xml).instances)
    found: dict[str, str] = {}
    unknown = []
    for given, text in comments.items():
        named = names.get(given, [])
        ref = named[0] if len(named) == 1 else given
        if _is_there(ref, repeats, rows) and ref not in found:
            found[ref] = text
        else:
            unknown.append(given)
    if unknown:
        raise UnknownRefsError(refs=", ".join(unknown))
    return dict(sorted(found.items(), key=lambda item: (places[_POSITION.sub("", item[0])], item[0])))


def _repeats(node: NodeDef) -> list[str]:
    """The paths of the repeats around a question, the outermost first."""
    found = []
    outer = node.parent
    while outer is not None:
        if outer.kind == "repeat":
            found.append(outer.path)
        outer = outer.parent
    return found[::-1]


def _is_there(ref: str, repeats: Mapping[str, Iterable[str]], rows: set[str]) -> bool:
    static = _POSITION.sub("", ref)
    if static not in repeats:
        return False
    prefixes = []
    steps = ref.split("/")
    for end in range(2, len(steps) + 1):
        prefix = "/".join(steps[:end])
        if prefix.endswith("]"):
            prefixes.append(prefix)
    return [_POSITION.sub("", prefix) for prefix in prefixes] == list(repeats[static]) and set(prefixes) <= rows
