"""Returned work in the vault: what becomes of it is all or nothing, at every SQL statement; what is kept is bounded."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.records.container import write_container
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.returned import ReturnManifest, SealedReturn, read_return
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.vault import Vault, verify_log
from fieldsurvey.vault.purge import drop_withdrawn_returns
from fieldsurvey.vault.returned import (
    becomes_draft,
    drop_return,
    drop_withdrawn,
    has_room,
    keep_return,
    logged,
    sealed_return,
    stored_returns,
    waiting_returns,
)
from tests.vault.conftest import FORM
from tests.vault.test_finalise import Failing
from tests.vault.test_renewal import _seal_some

HMU = SigningKey(bytes(range(32)))
TAG = "7a" * 32
Sealer = Callable[[bytes], bytes]


def a_return(vault: Vault, case: str = "2a" * 16) -> SealedReturn:
    """A synthetic file; nobody opens it here."""
    card = vault.locked.device_card()
    manifest = ReturnManifest(
        project=card.project, device=card.device, case=case, revision=1, record="5e" * 32, withdrawal=TAG
    )
    frame = secrets.token_bytes(1168 + 56 + 1024 + 16)
    data = b"".join(write_container("return", manifest.content(), [frame], HMU))
    return read_return(data, [(Role.HMU, HMU.public)])


def begun(vault: Vault, came: SealedReturn) -> str:
    """The draft of one that was kept."""
    return vault.drafts.create(FORM, b"head", b"snapshot", also=becomes_draft(came.digest)).draft_id


def failing_everywhere(vault: Vault, work: Callable[[], object]) -> int:
    """Fail before each statement in turn, and look that nothing has changed; how many there were."""
    store = vault.locked.store
    whole = store.connection
    before = list(whole.iterdump())
    failures = 0
    while True:
        store.connection = Failing(whole, failures)  # type: ignore[assignment]
        try:
            work()
        except StorageError:
            store.connection = whole
            assert list(whole.iterdump()) == before
            failures += 1
            continue
        finally:
            store.connection = whole
        return failures


def test_becoming_a_draft_is_all_or_nothing(vault: Vault) -> None:
    """Either the file waits, or the draft is there and the file is not."""
    came = a_return(vault)
    keep_return(vault.locked, came)
    assert failing_everywhere(vault, lambda: begun(vault, came)) >= 4
    [one] = stored_returns(vault.locked)
    assert (one.state, [one.draft]) == ("draft", vault.drafts.ids())
    assert sealed_return(vault.locked, came.digest) is None


def test_becoming_a_draft_twice_is_refused(vault: Vault) -> None:
    """Two processes that read it at the same moment: one makes the draft, the other nothing."""
    came = a_return(vault)
    keep_return(vault.locked, came)
    begun(vault, came)
    with pytest.raises(LookupError):
        begun(vault, came)
    assert vault.locked.draft_count() == 1


def test_sealing_it_is_all_or_nothing(vault: Vault, sealed: Sealer) -> None:
    """The record, the log and what is remembered of the return move together."""
    came = a_return(vault)
    keep_return(vault.locked, came)
    draft_id = begun(vault, came)
    record = sealed(b"payload")
    assert failing_everywhere(vault, lambda: vault.finalise(draft_id, record)) >= 4
    assert [one.state for one in stored_returns(vault.locked)] == ["sealed"]
    assert verify_log(vault.locked).whole


def test_dropping_what_was_withdrawn_is_all_or_nothing(vault: Vault) -> None:
    """Files that wait; another case's stays. Keeping is, too."""
    came = a_return(vault)
    other = a_return(vault, "3b" * 16)
    assert failing_everywhere(vault, lambda: keep_return(vault.locked, came)) >= 2
    assert failing_everywhere(vault, lambda: drop_withdrawn(vault.locked, {TAG})) >= 2
    assert [one.state for one in stored_returns(vault.locked)] == ["gone"]
    keep_return(vault.locked, other)
    assert drop_withdrawn_returns(vault.locked, {"6c" * 32}) == 0
    assert waiting_returns(vault.locked) == 1
    drop_return(vault.locked, other.digest)
    assert waiting_returns(vault.locked) == 0


def test_the_same_file_is_kept_once(vault: Vault) -> None:
    """And an erased one stays erased."""
    came = a_return(vault)
    keep_return(vault.locked, came)
    keep_return(vault.locked, came)
    assert waiting_returns(vault.locked) == 1
    drop_return(vault.locked, came.digest)
    keep_return(vault.locked, came)
    assert waiting_returns(vault.locked) == 0


def test_room_and_log(vault: Vault, sealed: Sealer) -> None:
    """Room is counted in bytes that wait; a record is in the log by its hash, its body kept or not."""
    assert has_room(vault.locked, 64 << 20)
    assert not has_room(vault.locked, (64 << 20) + 1)
    came = a_return(vault)
    keep_return(vault.locked, came)
    assert has_room(vault.locked, (64 << 20) - len(came.data))
    assert not has_room(vault.locked, (64 << 20) - len(came.data) + 1)
    _seal_some(vault, sealed, 2)
    hashes = [entry.record_hash for entry, _ in vault.locked.entries()]
    assert all(logged(vault.locked, one) for one in hashes)
    assert not logged(vault.locked, bytes(32))
    vault.locked.store.connection.execute("DELETE FROM outbox")
    assert logged(vault.locked, hashes[0])
