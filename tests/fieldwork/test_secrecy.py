"""What a lost laptop reveals is nothing: no answer on the disk, and no key on it that opens a record."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.project.model import Person
from fieldsurvey.records.envelope import open_record, read_envelope
from fieldsurvey.records.errors import AlteredError
from fieldsurvey.records.labels import RECORD_BODY, RECORD_WRAP, bind
from fieldsurvey.records.recipients import WRAP_BYTES, RecipientPrivate
from fieldsurvey.records.slots import FLOOR
from tests.fieldwork.conftest import OTHER_WORDS, WORDS, SyntheticProject, join
from tests.vault.canaries import search, spellings

LONG = "ENUMERATOR-01"
CANARIES = [f"canario-Ñandú-{n}-é{n * 7919 + 104729}" for n in range(6)]


def _interview(session: Session) -> Any:
    """A draft with a canary in each place where a person can type."""
    work = session.start("synthetic")
    work.answer("/data/story", CANARIES[0])
    work.next()
    work.answer("/data/age", CANARIES[1])  # does not parse: kept as raw text
    work.set_note("/data/age", CANARIES[2])
    work.add_repeat("/data/person")
    work.answer("/data/person[1]/first", CANARIES[3])
    work.apply([{"answer": {"/data/story": CANARIES[4]}}, {"answer": {"/data/story": CANARIES[0]}}])
    return work


def test_no_answer_is_found_on_the_disk(laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While answering, after a snapshot, after closing, after finalising and discarding: 0 hits in any encoding."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    session = laptop.unlock(WORDS)
    work = _interview(session)
    assert search(tmp_path, CANARIES) == []
    for n in range(40):
        work.answer("/data/story", CANARIES[5] + str(n))
    assert search(tmp_path, CANARIES) == []
    work.close()
    assert search(tmp_path, CANARIES) == []
    work = session.resume(work.draft_id)
    work.answer("/data/age", "30")
    work.finalise()
    assert search(tmp_path, CANARIES) == []
    _interview(session).discard()
    session.close()
    laptop.close()
    assert search(tmp_path, CANARIES) == []
    assert (tmp_path / "home" / "vault.db").stat().st_size > 20_000  # there was something to search


@pytest.mark.parametrize("encoding", sorted(spellings("x" * 9)))
@pytest.mark.parametrize("place", ["vault.db", "vault.db-wal", "new file"])
def test_the_search_finds_what_is_planted(laptop: Laptop, tmp_path: Path, encoding: str, place: str) -> None:
    """Control: one canary in one encoding anywhere below the folder is a hit."""
    session = laptop.unlock(WORDS)
    _interview(session)
    with (tmp_path / "home" / place).open("ab") as file:
        file.write(b"..." + spellings(CANARIES[3])[encoding] + b"...")
    assert any(CANARIES[3] in hit and f"({encoding})" in hit for hit in search(tmp_path, CANARIES))


def test_the_search_sees_real_encodings() -> None:
    """Control of the control: what Python's own encoders write is what the search looks for."""
    import base64

    text = "antes " + CANARIES[0] + " después"
    for shift in range(3):
        found = base64.b64encode(b"x" * shift + text.encode())
        assert any(spelt in found for name, spelt in spellings(CANARIES[0]).items() if name.startswith("base64+"))
    assert spellings(CANARIES[0])["json"] in json.dumps({"a": text}).encode()
    assert spellings(CANARIES[0])["utf-16-le"] in text.encode("utf-16")


def test_the_vault_does_not_say_which_form(project: SyntheticProject, clock: FixedClock, tmp_path: Path) -> None:
    """Form id and title, the person's code and the project's hash of the form are in no file of the vault.

    The code is a long one: three letters would be in the ciphertext by chance once in five hundred runs.
    """
    project.people = (Person(code=LONG, label="Enumerator 1"),)
    laptop = join(tmp_path / "home", project, clock, person=LONG)
    session = laptop.unlock(WORDS)
    _interview(session)
    words = ["synthetic", "A synthetic form", LONG, session.forms()[0].hash]
    vault = tmp_path / "copy"
    vault.mkdir()
    for path in laptop.home.glob("vault.db*"):
        (vault / path.name).write_bytes(path.read_bytes())
    assert search(vault, words) == []
    session.close()
    laptop.close()


def _bytes_below(thing: object, seen: set[int]) -> Iterator[bytes]:
    """Every byte string reachable through the attributes and items of `thing`, pieces of longer ones included."""
    if id(thing) in seen or isinstance(thing, (type, int, float, bool)) or thing is None:
        return
    seen.add(id(thing))
    if isinstance(thing, (bytes, bytearray)):
        yield bytes(thing)
        return
    if isinstance(thing, str):
        yield thing.encode("utf-8", "replace")
        return
    if isinstance(thing, dict):
        children = [*thing.keys(), *thing.values()]
    elif isinstance(thing, (list, tuple, set, frozenset)):
        children = list(thing)
    else:
        children = list(getattr(thing, "__dict__", {}).values())
        for kind in type(thing).__mro__:
            children += [getattr(thing, name, None) for name in getattr(kind, "__slots__", ())]
    for child in children:
        yield from _bytes_below(child, seen)


def _candidates(session: Session, laptop: Laptop) -> set[bytes]:
    """32-byte strings that could be keys: whatever the unlocked session reaches, and every blob of the database."""
    found = set(_bytes_below(session, set())) | {WORDS.encode()}
    connection = laptop.locked.store.connection
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for row in connection.execute(f"SELECT * FROM {table}").fetchall():
            found |= {value for value in row if isinstance(value, bytes) and len(value) < 4000}
    keys = {value for value in found if len(value) == 32}
    keys |= {bytes.fromhex(v.decode()) for v in found if len(v) == 64 and not v.strip(b"0123456789abcdef")}
    for value in found:
        if 32 < len(value) <= 200:  # keys held side by side
            keys |= {value[i : i + 32] for i in range(len(value) - 31)}
    return keys


def _opens(record: bytes, key: bytes) -> bool:
    """Whether `key` opens the record as a recipient's seed under any recipient's id, or as the body's key itself."""
    envelope = read_envelope(record)
    ids = b"".join(envelope.recipient_ids)
    import hashlib

    digest = hashlib.sha256(envelope.header_bytes + ids).digest()
    private = RecipientPrivate(key)
    keys = [key]
    for number, recipient in enumerate(envelope.recipient_ids):
        wrap = envelope.wraps[number * WRAP_BYTES : (number + 1) * WRAP_BYTES]
        try:
            keys.append(private.unwrap(wrap, bind(RECORD_WRAP, digest, recipient)))
        except AlteredError:
            continue
    context = bind(RECORD_BODY, hashlib.sha256(envelope.header_bytes + ids + envelope.wraps).digest())
    for body_key in keys:
        decryptor = Cobblestone256Decryptor(body_key, context)
        try:
            decryptor.update(envelope.body)
            decryptor.finalize()
        except InvalidTag:
            continue
        return True
    return False


def test_nothing_on_the_device_opens_a_sealed_record(laptop: Laptop, project: SyntheticProject) -> None:
    """Every 32 bytes that the unlocked laptop reaches, tried on every record: none opens. The HMU's two seeds do."""
    session = laptop.unlock(WORDS)
    session.vault.people.add("E02", OTHER_WORDS, FLOOR)
    for _ in range(2):
        work = _interview(session)
        work.answer("/data/age", "30")
        work.finalise()
    _interview(session)
    keys = _candidates(session, laptop)
    content = session.vault._content
    assert {content.vault_key, content.person_key, session.vault._hpke_seed} <= keys  # the search reaches the secrets
    assert {session.vault._signing.to_bytes(), laptop.locked.carrier.to_bytes()} <= keys
    records = [record for _, record in laptop.locked.entries()]
    assert [key for key in keys for record in records if _opens(record, key)] == []
    for seed in (project.operational.seed, project.escrow.seed):
        assert all(_opens(record, seed) for record in records)
    for record in records:
        with pytest.raises(FieldsurveyError):
            open_record(record, RecipientPrivate(session.vault._hpke_seed))
    session.close()
