"""A log that goes on from another: claimed by a card, proven by the former laptop's carrier key."""

from __future__ import annotations

import pytest

from fieldsurvey.base.canonical import canonical
from fieldsurvey.base.errors import UntrustedError
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.labels import SIGN_DEVICE_CARD
from fieldsurvey.records.signing import SigningKey
from tests.records.conftest import PROJECT, Actors


def again(actors: Actors, former: SigningKey, **changes: object) -> DeviceCard:
    """A card whose log goes on from that of the actors' laptop, as `former` signs it."""
    parent = LogParent(device=actors.card.device, seq=7, head="ef" * 32)
    made = DeviceCard.make(
        actors.central,
        project=PROJECT,
        name="Laptop 1 again (synthetic)",
        carrier=actors.device.public,
        recipient=actors.card.recipient,
        created="2026-02-01T08:00:00-05:00",
        parent=parent,
        former=former,
    )
    if not changes:
        return made
    content = made.content() | changes
    del content["signature"]
    signed = actors.central.sign(SIGN_DEVICE_CARD, canonical(content))
    return DeviceCard.from_bytes(canonical(content | {"signature": signed.hex()}))


def test_that_a_log_goes_on_from_another_is_proven(actors: Actors) -> None:
    """By the former laptop's carrier key. With any other key, for another entry, head or log it is only claimed."""
    proven = again(actors, actors.carrier)
    assert proven.format_version == 2
    assert DeviceCard.from_bytes(proven.to_bytes()) == proven
    assert proven.goes_on_from(actors.card)
    assert not again(actors, actors.device).goes_on_from(actors.card)  # not even the key that signs entries
    parent = proven.content()["parent"]
    for other in (parent | {"seq": 8}, parent | {"head": "ab" * 32}):
        assert not again(actors, actors.carrier, parent=other).goes_on_from(actors.card)
    assert not again(actors, actors.carrier, parent=parent | {"device": "cd" * 16}).goes_on_from(actors.card)
    assert not actors.card.goes_on_from(proven)


def test_a_proof_is_of_one_card(actors: Actors) -> None:
    """Taken from a card that has it and put on another's, it proves nothing."""
    proven = again(actors, actors.carrier)
    parent = LogParent(device=actors.card.device, seq=7, head="ef" * 32)
    thief = DeviceCard.make(
        SigningKey.generate(),
        project=PROJECT,
        name="Laptop 2 (synthetic)",
        carrier=SigningKey.generate().public,
        recipient=actors.card.recipient,
        created="2026-02-01T08:00:00-05:00",
        parent=parent,
        former=SigningKey.generate(),
    )
    stolen = thief.model_copy(update={"proof": proven.proof})
    assert proven.goes_on_from(actors.card)
    assert not stolen.goes_on_from(actors.card)


@pytest.mark.parametrize("change", [{"parent": None}, {"proof": None}, {"proof": "01" * 64}, {"format_version": 1}])
def test_a_card_of_version_2_has_a_parent_and_a_proof(actors: Actors, change: dict[str, object]) -> None:
    """And one of version 1 has no proof; anything else is refused, rightly signed or not."""
    with pytest.raises(UntrustedError):
        again(actors, actors.carrier, **change)
