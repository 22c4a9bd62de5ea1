"""What a format is to the campaign of damage, and the keys and records its specimens are made with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

from fieldsurvey.records.device import DeviceCard, LogParent, device_id
from fieldsurvey.records.envelope import Header, seal
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey, VerifyKey
from tests.records.conftest import PROJECT, seed
from tests.records.structured import Specimen

XFORM = b'<h:html xmlns:h="http://www.w3.org/1999/xhtml"><!-- synthetic --></h:html>\n'
WORDS = "enero mapa nube cobre lila pauta"
Reader = Callable[[bytes], object]
Checkless = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Format:
    """`read` is the program's; under `checkless` one of its checks is gone, or `weak` reads instead of it.

    `loose`: several spellings of one content are meant to be taken (words on a sheet), never of another.
    """

    name: str
    specimens: tuple[Specimen, ...]
    read: Reader
    checkless: Checkless = nullcontext
    weak: Reader | None = None
    loose: bool = False
    setting: Checkless = nullcontext


OPERATIONAL, ESCROW = RecipientPrivate(seed("operational")), RecipientPrivate(seed("escrow"))
DEVICE, CARRIER, CENTRAL, HMU = (SigningKey(seed(name)) for name in ("device", "carrier", "central", "hmu"))
ROOT = RootKey(seed("root"))


@cache
def card(name: str = "device", parent: LogParent | None = None, former: SigningKey | None = None) -> DeviceCard:
    """A synthetic laptop's. `former` signs that its log goes on from `parent`."""
    return DeviceCard.make(
        SigningKey(seed(name)),
        project=PROJECT,
        name=f"Laptop {name} (synthetic)",
        carrier=SigningKey(seed(f"carrier of {name}")).public,
        recipient=RecipientPrivate(seed(f"recipient of {name}")).public,
        created="2026-01-05T08:00:00-05:00",
        parent=parent,
        former=former,
    )


def no_signatures() -> AbstractContextManager[object]:
    return patch.object(VerifyKey, "verify", lambda *_: None)


def record(text: str, *recipients: RecipientPrivate, device: str = "device") -> bytes:
    header = Header(
        project=PROJECT,
        device=device_id(SigningKey(seed(device)).public),
        case=hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    )
    return seal(header, text.encode(), [recipient.public for recipient in recipients])
