"""Both stores forget what must not be passed on any more, and nothing else."""

from __future__ import annotations

from sync.store import Notice, Store


def test_a_notice_is_forgotten_by_its_kind_and_hash(store: Store) -> None:
    """The others stay; forgetting what is not there changes nothing."""
    leaves, stays = Notice("return", b"a" * 32, "d1" * 16, b"leaves"), Notice("return", b"b" * 32, "d1" * 16, b"stays")
    other = Notice("erasure", b"a" * 32, "", b"of another kind")
    with store.write() as writer:
        for notice in (leaves, stays, other):
            writer.notice(notice)
    with store.write() as writer:
        assert writer.forget("return", [leaves.digest, b"c" * 32]) == 1
        assert writer.forget("return", []) == 0
    assert (list(store.notices("return")), list(store.notices("erasure"))) == ([stays], [other])
