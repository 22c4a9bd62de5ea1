"""The base of every structure that crosses a border as canonical JSON: strict, frozen, nothing unknown, one spelling.

It does not sign and does not seal. Errors name the field, never its content.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from typing_extensions import TypeAliasType

from fieldsurvey.base.canonical import canonical, check_depth
from fieldsurvey.records.errors import FieldError

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
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

Json = TypeAliasType("Json", "bool | int | str | list[Json] | dict[str, Json] | None")
"""What canonical JSON holds: no floats."""


class Wire(BaseModel):
    """Canonical JSON on both sides: `from_bytes` refuses whatever `to_bytes` would not have written."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64")

    what: ClassVar[str] = "structure"
    max_bytes: ClassVar[int] = 4 << 20
    magic: ClassVar[bytes] = b""

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return self.magic + canonical(self.model_dump(mode="json"))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises FieldError or NotCanonicalError unless `data` is exactly what `to_bytes` writes for a valid value.

        Comparing with the re-encoding also refuses duplicate keys, white space, other spellings and left-out defaults.
        """
        if len(data) > cls.max_bytes:
            raise FieldError(what=cls.what, field="*", reason="too long")
        if not data.startswith(cls.magic):
            raise FieldError(what=cls.what, field="*", reason="magic")
        text = data[len(cls.magic) :]
        check_depth(text)
        try:
            found = cls.model_validate_json(text)
        except ValidationError as error:
            raise field_error(cls.what, error) from None
        if found.to_bytes() != data:
            raise FieldError(what=cls.what, field="*", reason="encoding")
        return found


def field_error(what: str, error: ValidationError) -> FieldError:
    """The first problem pydantic saw, without the input it saw it in."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return FieldError(what=what, field=str(first["loc"][0]) if first["loc"] else "*", reason=first["type"])
