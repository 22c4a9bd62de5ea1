"""`python -m benchmarks autosave`: one durable answer against one fsynced SQLite commit of the same bytes."""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fieldsurvey.base.clock import SystemClock
from fieldsurvey.base.sqlite import open_sqlite, transaction
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.vault import Vault

ROUNDS = 150
SIZES = (2_000, 20_000, 200_000)  # bytes of a draft: about 20, 200 and 2,000 questions answered
CHANGE = 220  # bytes of one change


def median_ms(call: Callable[[], object]) -> float:
    """Median of ROUNDS calls."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def main(_words: list[str]) -> str:
    """A Markdown table, one line a draft's size."""
    lines = ["| draft, bytes | autosave ms | bare commit ms | ratio (limit 1.5) |", "| ---: | ---: | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as folder:
        bare = open_sqlite(Path(folder) / "bare.db")
        bare.execute("CREATE TABLE t (x BLOB)")
        vault = Vault.create(
            Path(folder) / "vault.db",
            project=secrets.token_hex(16),
            root=secrets.token_hex(32),
            project_version=1,
            name="benchmark",
            person="E01",
            passphrase="synthetic words for a benchmark only here",
            now=SystemClock().now(),
            params=FLOOR,
        )
        for size in SIZES:
            draft = vault.drafts.create(secrets.token_bytes(32), b"{}", secrets.token_bytes(size))
            ours = median_ms(lambda d=draft: d.append(secrets.token_bytes(CHANGE)))

            def commit() -> None:
                with transaction(bare, "bare"):
                    bare.execute("INSERT INTO t VALUES (?)", (secrets.token_bytes(CHANGE + 28),))

            peer = median_ms(commit)
            lines.append(f"| {size} | {ours:.2f} | {peer:.2f} | {ours / peer:.2f} |")
        vault.close()
    return "\n".join(lines)
