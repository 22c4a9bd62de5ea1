"""What reading a record, log, container, receipt, card or code can refuse. Nothing else is caught: it is a bug.

UntrustedError
├── KeyFormatError         a public key that is malformed, weak or of an algorithm we do not take
├── FormatVersionError     of another version of its format than this program reads
├── FieldError             a field is missing, unknown, out of bounds or not in its one spelling
├── RecordFormatError      not a well-formed FSE1
├── AlteredError           the seal does not open: altered, or not sealed to this key
├── SignatureError         a signature is missing or does not hold
├── LogError               a device's log was edited, shortened, reordered or forged
├── ContainerError         not a well-formed FSB1 of the kind expected
└── AttachmentError        the parts of a file are not those that its record names
InputError
└── CodeError              a withdrawal code that was mistyped
RefusedError
├── NotARecipientError     the record is not sealed to this key
└── NoRecipientError       sealing to nobody, or to more than eight
"""

from __future__ import annotations

from typing import Final

from fieldsurvey.base.errors import InputError, RefusedError, UntrustedError
from fieldsurvey.base.i18n import n_

_FRESH = "It was refused whole and nothing was changed. Ask for a fresh copy."


class KeyFormatError(UntrustedError):
    """A public key that cannot be trusted to be one."""

    code = "untrusted.key"
    template = "A public key is not usable ({reason})."
    hint = "It was refused and nothing was changed. The file it came from is damaged or was made to deceive."


class FormatVersionError(UntrustedError):
    """Of another version of its format. `found` is what the file says, `known` what this program reads."""

    code = "untrusted.version"
    template = "This {what} is of version {found} of its format; this program reads version {known}."
    hint = (
        "Nothing was taken from it. A higher version needs a newer fieldsurvey. Version 0 was a draft that is read no "
        "longer: make the file anew."
    )


class FieldError(UntrustedError):
    """A field of a parsed structure. `field` is the schema's name for it, never its content."""

    code = "untrusted.field"
    template = "A {what} is not well formed: {field} ({reason})."
    hint = _FRESH


class RecordFormatError(UntrustedError):
    """Not a well-formed FSE1."""

    code = "untrusted.record"
    template = "This is not a well-formed record ({reason})."
    hint = _FRESH


class AlteredError(UntrustedError):
    """The seal does not open."""

    code = "untrusted.altered"
    template = "A sealed record does not open: it was altered after sealing."
    hint = "Nothing was taken from it. Look for another copy of the batch that carried it."


class SignatureError(UntrustedError):
    """A signature is missing or does not hold."""

    code = "untrusted.signature"
    template = "The signature on this {what} does not hold."
    terms = frozenset({"what"})
    hint = _FRESH


class LogError(UntrustedError):
    """A device's log does not hold together from `seq` on."""

    code = "untrusted.log"
    template = "The log of device {device} does not hold together at entry {seq} ({reason})."
    terms = frozenset({"reason"})
    hint = (
        "Nothing of it was taken. Export again from the laptop itself; if it happens again, tell the project's steward."
    )


class ContainerError(UntrustedError):
    """Not a well-formed FSB1 of the kind expected."""

    code = "untrusted.container"
    template = "This is not a whole fieldsurvey {kind} file ({reason})."
    terms = frozenset({"kind", "reason"})
    hint = _FRESH


class AttachmentError(UntrustedError):
    """The parts of a file are not those that its record names."""

    code = "untrusted.attachment"
    template = "An attachment is not whole ({reason})."
    hint = "Nothing of it was kept. Import the other batches of that laptop, then try again."


class CodeError(InputError):
    """A withdrawal code that was mistyped."""

    code = "input.withdrawal_code"
    template = "That is not a withdrawal code ({reason})."
    hint = "Nothing was changed. Compare it with the slip: 17 letters and digits, or the words in their order."


class NotARecipientError(RefusedError):
    """The record is not sealed to this key."""

    code = "refused.not_a_recipient"
    template = "This record is not sealed to this key."
    hint = "Nothing was changed. It opens with the HMU's key, or with the escrow key."


class NoRecipientError(RefusedError):
    """Sealing to nobody, or to more than eight."""

    code = "refused.recipients"
    template = "A record must be sealed to between 1 and 8 recipients; there are {count}."
    hint = "Nothing was sealed, and the draft is kept as it was. The project file names the recipients."


TERMS: Final = (
    n_("batch"), n_("project"), n_("receipt"), n_("return"), n_("erasure"), n_("backup"), n_("backup note"),
    n_("device card"), n_("request"), n_("ledger"), n_("succession"), n_("file"),
    n_("truncated"), n_("too long"), n_("magic"), n_("kind"), n_("content"), n_("manifest"), n_("manifest length"),
    n_("signatures"), n_("frames"), n_("frame address"), n_("frame length"), n_("frame twice"), n_("frame altered"),
    n_("something follows the end"),
    n_("another log"), n_("chain"), n_("empty"), n_("length or number"), n_("not the first"), n_("sequence"),
    n_("signature"), n_("start"),
)  # fmt: skip
"""What the errors above name: kinds of files and things, and reasons."""
