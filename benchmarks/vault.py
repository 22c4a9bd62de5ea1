"""`python -m benchmarks vault`: what durability, sealing and unlocking cost beside the bare calls they rest on.

Ours and the peer take turns in one run, so that what else the machine does falls on both.
"""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.sqlite import open_sqlite, transaction
from fieldsurvey.records import slots
from fieldsurvey.records.envelope import Header, open_record, seal
from fieldsurvey.records.padding import pad
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import DEFAULT, FLOOR, Argon2Params
from fieldsurvey.vault import Vault, open_locked

ROUNDS = 150
SIZES = (2_000, 20_000, 200_000)  # bytes of a draft: about 20, 200 and 2,000 questions answered
PAYLOADS = (1_800, 20_000, 1_000_000)  # bytes of answers in a record
CHANGE = 220  # bytes of one change
WORDS = "synthetic words for a benchmark only here"
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
Call = Callable[[], object]


def main(_words: list[str]) -> str:
    """Three Markdown tables."""
    with tempfile.TemporaryDirectory() as folder:
        return "\n\n".join([autosave(Path(folder)), sealing(), unlocking(Path(folder))])


def side_by_side(calls: Sequence[Call], rounds: int = ROUNDS, warm: int = 5) -> list[float]:
    """The lower quartile of each in milliseconds, which other work disturbs least; they take turns at being first."""
    taken: list[list[float]] = [[] for _ in calls]
    order = list(zip(calls, taken, strict=True))
    for number in range(rounds + warm):
        for call, found in order:
            start = time.perf_counter()
            call()
            if number >= warm:  # the first ones fill caches and find room on the disk
                found.append((time.perf_counter() - start) * 1000)
        order.reverse()
    return [statistics.quantiles(found, n=4)[0] for found in taken]


def new_vault(path: Path, params: Argon2Params = FLOOR) -> Vault:
    """For one synthetic person."""
    return Vault.create(
        path,
        project=secrets.token_hex(16),
        root=secrets.token_hex(32),
        project_version=1,
        name="benchmark",
        person="E01",
        passphrase=WORDS,
        now=SystemClock().now(),
        params=params,
    )


def autosave(folder: Path) -> str:
    """One durable answer, and one fsynced commit of the same bytes on a connection opened the same way."""
    lines = ["| draft, bytes | autosave ms | bare commit ms | ratio (limit 1.5) |", "| ---: | ---: | ---: | ---: |"]
    bare = open_sqlite(folder / "bare.db")
    bare.execute("CREATE TABLE t (x BLOB)")
    vault = new_vault(folder / "vault.db")

    def commit(data: bytes) -> None:
        with transaction(bare, "bare"):
            bare.execute("INSERT INTO t VALUES (?)", (data,))

    for size in SIZES:
        draft = vault.drafts.create(secrets.token_bytes(32), b"{}", secrets.token_bytes(size))
        stored = len(pad(bytes(CHANGE))) + 28  # what our change takes: padded, with nonce and tag
        ours, peer = side_by_side(
            [lambda d=draft: d.append(secrets.token_bytes(CHANGE)), lambda n=stored: commit(secrets.token_bytes(n))],
            warm=60,
        )
        lines.append(f"| {size:,} | {ours:.2f} | {peer:.2f} | {ours / peer:.2f} |")
    vault.close()
    return "\n".join(lines)


def sealing() -> str:
    """Seal and open a record; bare: HPKE to each recipient of one key, and one AES-256-GCM over the padded bytes."""
    lines = [
        "| answers, bytes | seal ms | bare ms | ratio | open ms | bare ms | ratio |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    people = [RecipientPrivate.generate(), RecipientPrivate.generate()]
    header = Header(project="ab" * 16, device="cd" * 16, case="ef" * 16)
    public = [person.public for person in people]
    key, nonce = secrets.token_bytes(32), bytes(12)
    for size in PAYLOADS:
        payload = secrets.token_bytes(size)
        padded = pad(payload)

        def bare_seal(data: bytes = padded) -> tuple[list[bytes], bytes]:
            return [SUITE.encrypt(key, one._native, b"info") for one in public], AESGCM(key).encrypt(nonce, data, None)

        record = seal(header, payload, public)
        wraps, body = bare_seal()

        def bare_open(wrap: bytes = wraps[0], sealed: bytes = body) -> bytes:
            return AESGCM(SUITE.decrypt(wrap, people[0]._native, b"info")).decrypt(nonce, sealed, None)

        a, b, c, d = side_by_side(
            [
                lambda p=payload: seal(header, p, public),
                bare_seal,
                lambda r=record: open_record(r, people[0]),
                bare_open,
            ],
            ROUNDS if size < 100_000 else 40,
        )
        lines.append(f"| {size:,} | {a:.2f} | {b:.2f} | {a / b:.2f} | {c:.2f} | {d:.2f} | {c / d:.2f} |")
    return "\n".join(lines)


def unlocking(folder: Path) -> str:
    """Open and unlock a vault; how much of it is Argon2id, timed inside."""
    lines = [
        "| Argon2id: memory, passes, lanes | open and unlock ms | of that, Argon2id ms | the rest ms |",
        "| --- | ---: | ---: | ---: |",
    ]
    derive = slots._derive
    inside: list[float] = []

    def timed(head: bytes, passphrase: str, params: Argon2Params) -> bytes:
        start = time.perf_counter()
        key = derive(head, passphrase, params)
        inside.append((time.perf_counter() - start) * 1000)
        return key

    slots._derive = timed
    for params in (FLOOR, DEFAULT):
        path = folder / f"unlock{params.memory_kib}.db"
        new_vault(path, params).close()
        inside.clear()
        whole = []
        for _ in range(15):
            start = time.perf_counter()
            locked = open_locked(path)
            vault = locked.unlock(WORDS)
            whole.append((time.perf_counter() - start) * 1000)
            vault.close()
            locked.close()
        rest = [all_of_it - argon2 for all_of_it, argon2 in zip(whole, inside, strict=True)]
        cost = f"{params.memory_kib >> 10} MiB, {params.iterations}, {params.lanes}"
        figures = [statistics.median(column) for column in (whole, inside, rest)]
        lines.append("| " + " | ".join([cost, *(f"{figure:.1f}" for figure in figures)]) + " |")
    slots._derive = derive
    return "\n".join(lines)
