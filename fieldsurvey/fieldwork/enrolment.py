"""The file that a laptop hands to the steward: its card, public keys signed by itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import write_atomic
from fieldsurvey.fieldwork.laptop import Laptop

CARD_SUFFIX: Final = ".fsd"


def write_card(laptop: Laptop, where: Path) -> Path:
    """Write the card to `where`, a file or a folder (then named after the laptop); returns its path.

    Raises StorageError.
    """
    card = laptop.locked.device_card()
    name = re.sub(r"[^\w-]+", "-", card.name).strip("-").lower() or "laptop"
    path = where / f"{name}-{card.device[:6]}{CARD_SUFFIX}" if where.is_dir() else where
    write_atomic(path if path.suffix else path.with_suffix(CARD_SUFFIX), card.to_bytes())
    return path if path.suffix else path.with_suffix(CARD_SUFFIX)


def write_card_near(laptop: Laptop, folder: Path) -> Path:
    """`write_card` to `folder`, or to the laptop's own folder where that cannot be written. Raises StorageError."""
    try:
        return write_card(laptop, folder)
    except StorageError:  # a stick that is write-protected: the card can be fetched from here
        return write_card(laptop, laptop.home)
