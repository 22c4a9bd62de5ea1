"""Formats that a passphrase or sheets lock: slots, key files, sheets of a key.

Argon2id is replaced where a file is made so that it would be reached: what it gives for altered parameters is another
key, and that is all that counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from unittest.mock import patch

from fieldsurvey.base.canonical import canonical
from fieldsurvey.project import shares
from fieldsurvey.project.errors import SharesError
from fieldsurvey.records import slots
from fieldsurvey.records.keyfile import lock_secret, unlock_secret
from fieldsurvey.vault.keys import SLOT_LABEL, SlotContent
from tests.records.conftest import seed
from tests.records.format_kit import WORDS, Format
from tests.records.structured import Specimen

_SLOT_CUTS = (4, 8, 9, 10, 26, 38)
_SLOT_LENGTHS = ((4, 4), (8, 1), (9, 1))


def _cut_slot(data: bytes, end: int) -> Specimen:
    return Specimen(data, (*_SLOT_CUTS, len(data) - end), _SLOT_LENGTHS)


def slot_formats() -> Iterator[Format]:
    floor = slots.FLOOR
    content = [SlotContent(seed("vault"), seed(f"person {code}"), code).to_bytes() for code in ("E01", "E02")]
    vault = [slots.lock_slot(one, WORDS, label=SLOT_LABEL, params=floor) for one in content]
    files = [lock_secret(canonical({"purpose": "synthetic", "seed": seed(name).hex()}), WORDS, floor) for name in "ab"]

    def open_vault(data: bytes) -> object:
        return SlotContent.from_bytes(slots.open_slot(data, WORDS, label=SLOT_LABEL))

    def open_file(data: bytes) -> object:
        return unlock_secret(data, WORDS)

    def no_check() -> AbstractContextManager[object]:
        stack = ExitStack()
        stack.enter_context(patch.object(slots, "_check_of", lambda _locked: _Any(b"12345678")))
        stack.enter_context(_cheap(sealed=False))
        return stack

    yield Format("vault slot", tuple(_cut_slot(slot, 24) for slot in vault), open_vault, no_check)
    yield Format("key file", tuple(_cut_slot(slot, 24) for slot in files), open_file, no_check)
    with _cheap():
        made = [slots.lock_slot(one, WORDS, label=SLOT_LABEL, params=floor)[:-8] for one in content]
    yield Format(
        "vault slot made to fit",
        tuple(_cut_slot(slot, 16) for slot in made),
        lambda data: open_vault(data + hashlib.sha256(b"fieldsurvey slot v1 check" + data).digest()[:8]),
        lambda: _cheap(sealed=False),
        setting=_cheap,
    )


class _Any(bytes):
    """Equal to everything: a check that is not one."""

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    __hash__ = bytes.__hash__


class _Unsealed:
    """Encryption without its tag's check."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def decrypt(self, _nonce: bytes, data: bytes, _bound: bytes) -> bytes:
        return self._key[:0] + data


def _cheap(*, sealed: bool = True) -> AbstractContextManager[object]:
    """Argon2id replaced by a hash; with `sealed` False the cipher's tag is not looked at either."""
    stack = ExitStack()
    stack.enter_context(
        patch.object(slots, "_derive", lambda head, words, _: hashlib.sha256(head + words.encode()).digest())
    )
    if not sealed:
        stack.enter_context(patch.object(slots, "AESGCMSIV", _Unsealed))
        stack.enter_context(patch.object(SlotContent, "from_bytes", lambda data: data))
    return stack


def sheet_format() -> Format:
    mine = shares.split(seed("root"))
    foreign = shares.split(seed("other root"))
    pages = [
        shares.sheet(words, project="Prueba", fingerprint_words="abad abajo", what="root", number=number).encode()
        for number, words in ((1, mine[0]), (2, mine[1]), (1, foreign[0]))
    ]
    combine = cache(lambda words: shares.combine([words, mine[2]]))

    def read(data: bytes) -> object:
        return combine(shares.words_of_sheet(data.decode("utf-8", "replace")))

    def checkless() -> AbstractContextManager[object]:
        return patch("shamir_mnemonic.rs1024.verify_checksum", lambda *_: True)

    def weak(data: bytes) -> object:
        import shamir_mnemonic  # as the program does: only where keys are made or recovered

        try:
            return shamir_mnemonic.Share.from_mnemonic(shares.words_of_sheet(data.decode("utf-8", "replace"))).value
        except (shamir_mnemonic.MnemonicError, ValueError):
            raise SharesError from None

    specimens = tuple(Specimen(page, tuple(i + 1 for i, byte in enumerate(page) if byte == 10)) for page in pages)
    return Format("key sheet", specimens, read, checkless, weak, loose=True)
