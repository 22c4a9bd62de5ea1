"""A device's keys: the card that shows them, the carrier key, and the secrets that only the vault key opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.vault.errors import VaultDamagedError
from fieldsurvey.vault.keys import DEVICE_SECRETS, derive, lock_box, open_box

_SEED: Final = 32


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """New ones, ready for the device's row: `secrets` is locked, `carrier` lies in the clear on purpose."""

    card: DeviceCard
    carrier: bytes = field(repr=False)
    secrets: bytes = field(repr=False)

    @classmethod
    def make(
        cls,
        vault_key: bytes,
        *,
        project: str,
        name: str,
        now: datetime,
        parent: LogParent | None = None,
        former: SigningKey | None = None,
    ) -> DeviceKeys:
        """Fresh keys. `parent`: the log that this device's goes on from, `former` the carrier key that proves it.

        Raises FieldError (name).
        """
        signing, carrier, hpke = SigningKey.generate(), SigningKey.generate(), RecipientPrivate.generate()
        card = DeviceCard.make(
            signing,
            project=project,
            name=name,
            carrier=carrier.public,
            recipient=hpke.public,
            created=now.isoformat("T", "seconds"),
            parent=parent,
            former=former,
        )
        box = lock_box(
            derive(vault_key, DEVICE_SECRETS),
            signing.to_bytes() + hpke.seed,
            DEVICE_SECRETS,
            bytes.fromhex(card.device),
        )
        return cls(card, carrier.to_bytes(), box)


def open_secrets(vault_key: bytes, card: DeviceCard, box: bytes) -> tuple[SigningKey, bytes]:
    """The signing key and the HPKE seed of `card`. Raises VaultDamagedError."""
    secrets = open_box(derive(vault_key, DEVICE_SECRETS), box, DEVICE_SECRETS, bytes.fromhex(card.device))
    signing = SigningKey.from_bytes(secrets[:_SEED])
    if signing.public != card.sign_key or len(secrets) != 2 * _SEED:
        raise VaultDamagedError(what="device secrets")
    return signing, secrets[_SEED:]
