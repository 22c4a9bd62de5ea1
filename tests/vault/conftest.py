"""A vault with Argon2id at its floor, and records sealed to a synthetic HMU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fieldsurvey.records.envelope import Header, seal
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import Vault

WORDS = "enero mapa nube cobre lila pauta"
OTHER_WORDS = "zumo duna yate horno grato lunes"
PROJECT = "ab" * 16
ROOT = "cd" * 32
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
FORM = b"f" * 32

HMU = RecipientPrivate(b"\x07" * 32)


def make_vault(path: Path) -> Vault:
    """A new vault for enumerator E01."""
    return Vault.create(
        path,
        project=PROJECT,
        root=ROOT,
        project_version=1,
        name="Synthetic laptop",
        person="E01",
        passphrase=WORDS,
        now=NOW,
        params=FLOOR,
    )


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """Unlocked by E01."""
    made = make_vault(tmp_path / "vault.db")
    yield made
    made.close()
    made.locked.close()


@pytest.fixture
def sealed(vault: Vault) -> Callable[[bytes], bytes]:
    """Seals a payload for this vault's device."""
    return lambda payload: seal(
        Header(project=PROJECT, device=vault.device, case=payload.hex().ljust(32, "0")[:32]), payload, [HMU.public]
    )
