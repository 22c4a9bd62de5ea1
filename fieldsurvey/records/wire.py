"""The base of every structure that crosses a border as canonical JSON: strict, frozen, nothing unknown, one spelling.

It does not sign and does not seal. Errors name the field, never its content.

A structure says its version in `format_version`. A field that came later is marked `Since(version)`: a file of an
earlier version is read without it (it then has its default) and encodes again without it, so its bytes stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from typing_extensions import TypeAliasType

from fieldsurvey.base.canonical import MAX_INTEGER, canonical, check_depth
from fieldsurvey.records.errors import FieldError, FormatVersionError

FORMAT_VERSION: Final = 1
"""Of every structure and file here."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_MANY: Final = 100
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _instant(text: str) -> str:
    if not _INSTANT.fullmatch(text):
        raise ValueError("instant")
    datetime.fromisoformat(text)
    return text


def _day(text: str) -> str:
    if not _DAY.fullmatch(text):
        raise ValueError("day")
    date.fromisoformat(text)
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""128 random or hashed bits, 32 hexadecimal digits."""
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256, 64 hexadecimal digits."""
Instant = Annotated[str, AfterValidator(_instant)]
"""ISO 8601 with seconds and an offset or Z; kept as it was written."""
Day = Annotated[str, AfterValidator(_day)]
"""YYYY-MM-DD."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A short text that a person reads."""
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""A short name that a program compares."""

Whole = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
"""An integer that every JSON reader keeps exact."""
Json = TypeAliasType("Json", "bool | Whole | str | list[Json] | dict[str, Json] | None")
"""What canonical JSON holds: no floats."""


@dataclass(frozen=True, slots=True)
class Since:
    """Marks a field, `x: Annotated[int, Since(2)] = 0`: files whose `format_version` is lower do not have it."""

    version: int


class Wire(BaseModel):
    """Canonical JSON on both sides: `from_bytes` refuses whatever `to_bytes` would not have written."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64")

    what: ClassVar[str] = "structure"
    max_bytes: ClassVar[int] = 4 << 20
    magic: ClassVar[bytes] = b""

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return self.magic + canonical(self.content())

    def content(self) -> dict[str, Any]:
        """What canonical JSON encodes: every field that the structure's own `format_version` has, and no other."""
        found = self.model_dump(mode="json")
        _leave_out(self, found, None)
        return found

    def newest(self) -> Self:
        """The same as a file of today's version: what is written anew is never written in an old version."""
        version = type(self).model_fields.get("format_version")
        return self if version is None else self.model_copy(update={"format_version": version.default})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises FieldError or NotCanonicalError unless `data` is exactly what `to_bytes` writes for a valid value, and
        FormatVersionError where it says that it is of another version.

        Comparing with the re-encoding also refuses duplicate keys, white space, other spellings and left-out defaults.
        """
        if len(data) > cls.max_bytes:
            raise FieldError(what=cls.what, field="*", reason="too long")
        check_magic(cls.what, cls.magic, data)
        if not data.startswith(cls.magic):
            raise FieldError(what=cls.what, field="*", reason="magic")
        text = data[len(cls.magic) :]
        check_depth(text)
        try:
            found = cls.model_validate_json(text)
        except ValidationError as error:
            raise field_error(cls.what, error, _newest(cls)) from None
        if found.to_bytes() != data:
            raise FieldError(what=cls.what, field="*", reason="encoding")
        return found


def _leave_out(value: Any, found: Any, version: int | None) -> None:
    """Drop from `found`, the JSON of `value`, what came after `version`; a part with a version of its own has its own.

    Parts of a structure without any version are of the newest.
    """
    if isinstance(value, Wire):
        version = getattr(value, "format_version", version)
        for name, since in _fields(type(value)).items():
            if version is not None and since > version:
                del found[name]
            else:
                _leave_out(getattr(value, name), found[name], version)
    elif isinstance(value, tuple | list):
        for part, encoded in zip(value, found, strict=True):
            _leave_out(part, encoded, version)


@cache
def _fields(kind: type[Wire]) -> dict[str, int]:
    """Field -> the version that it came with; 0 where it was always there."""
    return {
        name: max((mark.version for mark in info.metadata if isinstance(mark, Since)), default=0)
        for name, info in kind.model_fields.items()
    }


def _newest(kind: type[Wire]) -> int:
    """The highest version that a structure may say; that of every structure here where it says none."""
    version = kind.model_fields.get("format_version")
    return max(get_args(version.annotation)) if version is not None else FORMAT_VERSION


def field_error(what: str, error: ValidationError, known: int = FORMAT_VERSION) -> FieldError | FormatVersionError:
    """The first problem pydantic saw, without the input it saw it in; before all others, another version.

    `known`: the newest version of such a structure.

    A flood of problems is not listed: that would take two hundred times the file's size in memory.
    """
    if error.error_count() > _MANY:
        return FieldError(what=what, field="*", reason="too many faults")
    problems = error.errors(include_url=False, include_context=False)
    for problem in problems:
        found = problem["input"]
        if problem["loc"][-1:] == ("format_version",) and isinstance(found, int) and not isinstance(found, bool):
            return FormatVersionError(what=what, found=found, known=known)
    first = problems[0]
    return FieldError(what=what, field=str(first["loc"][0]) if first["loc"] else "*", reason=first["type"])


def check_magic(what: str, magic: bytes, data: bytes) -> None:
    """Raises FormatVersionError when `data` begins as `magic` does, but for its last byte, the version."""
    name = magic[:-1]
    if name and data.startswith(name) and len(data) > len(name) and data[len(name)] != magic[-1]:
        raise FormatVersionError(what=what, found=data[len(name)], known=magic[-1])
