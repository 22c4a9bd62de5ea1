"""Whose report of an erasure counts for which laptop: it holds for the one that it was, too, where that is proven."""

from __future__ import annotations

import pytest

from fieldsurvey.fieldwork.erasures import Trust
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey

PROJECT = "0f" * 16


def card(name: str, parent: DeviceCard | None = None, former: SigningKey | None = None) -> DeviceCard:
    """A synthetic laptop's; its carrier key follows from its name."""
    return DeviceCard.make(
        SigningKey.generate(),
        project=PROJECT,
        name=name,
        carrier=carrier(name).public,
        recipient=RecipientPrivate.generate().public,
        created="2026-03-01T08:00:00Z",
        parent=LogParent(device=parent.device, seq=3, head="5e" * 32) if parent else None,
        former=former,
    )


def carrier(name: str) -> SigningKey:
    """The carrier key of the laptop of that name."""
    return SigningKey(name.encode().ljust(32, b"."))


def test_what_a_restored_laptop_says_holds_for_the_one_that_it_was() -> None:
    """Through as many restorations as there were, each proven."""
    first = card("first")
    second = card("second", first, carrier("first"))
    third = card("third", second, carrier("second"))
    trust = Trust.of(None, third, first, second)
    assert trust.line(third.device) == (third.device, second.device, first.device)


@pytest.mark.parametrize("former", [None, carrier("thief"), SigningKey.generate()])
def test_a_bare_claim_speaks_for_nobody_else(former: SigningKey | None) -> None:
    """A laptop that nobody enrolled, whose card came with a batch, cannot report for another that it erased anything:
    neither unsigned, in a card of version 1, nor signed by itself or by a stranger.
    """
    first = card("first")
    thief = card("thief", first, former)
    assert Trust.of(None, first, thief).line(thief.device) == (thief.device,)
