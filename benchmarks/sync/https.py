"""`python -m benchmarks sync https [--records N]`: 1, 8 and 64 laptops push to one server at once, over real TLS.

Server and laptops share this machine's cores; the server is `fieldsurvey sync serve`, begun anew for each line of the
table, with central on SQLite (synchronous=FULL). A laptop's part is counted in full: handshake, hello, what central
holds, packs, the batch, and central's signed receipt in its hands; of the laptop's own disk nothing is counted.
"One at a time": each record is a push of its own, which is how a server of single submissions is asked; a line is
kept, and the server's rates are lifted, by which a laptop would be told to come back later. A CPU second of the server
is what its process used, kernel included: where other work slows the machine down, that figure stands. Memory is the
server process's peak (VmHWM). The insides of records are random; all else is real.

For comparison only, since it was measured in other runs: ODK Central v2026.2.2 on two cores of this kind took 87
(1 client) to 165 (8 clients) submissions/s of 4 KB, with 0.3 to 1.2 GB of memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.sync.simulation import PROJECT, Laptop
from fieldsurvey.cli import sync_serve
from fieldsurvey.project.keys import CENTRAL, role_key_bytes
from fieldsurvey.project.model import Device, Project, Recipient, RoleKey, Server
from fieldsurvey.project.signed import write_project
from fieldsurvey.project.steward import PROJECT_FILE
from fieldsurvey.records.receipt import Level, Role, read_receipt
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey
from sync.batches import plan_batches, write_batch
from sync.central import Central
from sync.http.line import Line
from sync.http.sending import Tally, ask_heads, send_batch
from sync.http.tls import server_keys

CLIENTS: Final = (1, 8, 64)
ODK: Final = {1: 87, 8: 165, 64: 165}
ODK_MEMORY: Final = 300
_OPEN: Final = """
import sys
from fieldsurvey.cli import sync_serve
from sync.http.limits import Limits
sync_serve.LIMITS = Limits(rate=1e6, burst=1_000_000, strangers=1e6, strangers_burst=1_000_000)
sys.exit(sync_serve.main(sys.argv[1:]))
"""


def main(words: list[str]) -> str:
    """Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sync https", description=__doc__)
    parser.add_argument("--records", type=int, default=16_384)
    parser.add_argument("--singly", type=int, default=1_024)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    options = parser.parse_args(words)
    lines = [
        "| laptops | records | KB each | batches | records/s | MB/s | a server's CPU s | MiB (idle) | ODK/s | ratio |",
        "| --: | --: | --: | :-- | --: | --: | --: | --: | --: | --: |",
    ]
    if options.records:
        lines += [_line(count, options.records // count, singly=False) for count in options.clients]
    if options.singly:
        lines += [_line(count, max(1, options.singly // count), singly=True) for count in options.clients]
    return "\n".join(lines)


def _line(count: int, each: int, *, singly: bool) -> str:
    laptops = [_laptop(number, each) for number in range(count)]
    size = sum(len(record) for one in laptops for _entry, record in one.kept.values())
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder), laptops, limited=not singly) as served:
        idle, before = served.memory(), served.cpu()
        seconds = _all_push(laptops, served.server, served.keys, singly=singly)
        cpu, memory = served.cpu() - before, f"{served.memory():.0f} ({idle:.0f})"
        assert served.entries() == count * each, "a record is missing at central"
    total = count * each
    rate = total / seconds
    how = "one at a time" if singly else "up to 1,024"
    return (
        f"| {count} | {total:,} | {size / total / 1000:.1f} | {how} | {rate:,.0f} | {size / seconds / 1e6:.1f} "
        f"| {total / cpu:,.0f} | {memory} | {ODK.get(count, 165)} | {rate / ODK.get(count, 165):.1f} |"
    )


def _laptop(number: int, records: int) -> Laptop:
    made = Laptop(number, connected=True)
    dice = random.Random(number)
    for _ in range(records):
        made.interview(dice)
    return made


def _all_push(laptops: list[Laptop], server: Server, keys: Any, *, singly: bool) -> float:
    """Seconds from the start of all to the last one's last receipt. Two processes, a thread for each laptop."""
    context = multiprocessing.get_context("fork")
    halves = [half for half in (laptops[::2], laptops[1::2]) if half]
    start, ready = context.Event(), context.Semaphore(0)
    workers = [
        context.Process(
            target=_half, args=(half, server, keys), kwargs={"singly": singly, "start": start, "ready": ready}
        )
        for half in halves
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    began = time.perf_counter()
    start.set()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0, "a laptop failed"
    return time.perf_counter() - began


def _half(laptops: list[Laptop], server: Server, keys: Any, *, singly: bool, start: Any, ready: Any) -> None:
    failed: list[BaseException] = []

    def go(one: Laptop) -> None:
        start.wait()
        try:
            _push(one, server, keys, singly=singly)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=go, args=(one,)) for one in laptops]
    for thread in threads:
        thread.start()
    ready.release()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def _push(one: Laptop, server: Server, keys: Any, *, singly: bool) -> None:
    last = max(one.kept)
    with Line(server, PROJECT, one.carrier) as line:
        line.hello()
        ask_heads(line, [(one.card.device, last)])
        receipts: tuple[str, ...] = ()
        for plan in plan_batches(one, 1, last, max_entries=1 if singly else 1_024):
            receipts = send_batch(line, partial(write_batch, one, plan), Tally(), resume=plan.first == 1)
        confirmed = [read_receipt(bytes.fromhex(receipt), keys) for receipt in receipts]
    assert max(receipt.up_to for receipt in confirmed if receipt.level is Level.COMMITTED) == last, "not confirmed"


@contextmanager
def _served(home: Path, laptops: list[Laptop], *, limited: bool) -> Iterator[_Served]:
    """`fieldsurvey sync serve` as a user starts it. Not `limited`: the same entry with rates that hold nobody back."""
    root, central = RootKey.generate(), SigningKey.generate()
    model = Project(
        id=PROJECT,
        name="simulated",
        version=1,
        issued="2026-03-01T08:00:00Z",
        expires="2028-03-01T08:00:00Z",
        root=root.public.bytes.hex(),
        recipients=(Recipient.of("operational", RecipientPrivate.generate().public),),
        roles=(RoleKey(role=Role.CENTRAL, label="central", public=central.public.bytes.hex()),),
        devices=tuple(Device(id=one.card.device, name=one.card.name, card=one.card) for one in laptops),
    )
    steward = home / "steward"
    steward.mkdir()
    (steward / PROJECT_FILE).write_bytes(write_project(model, {}, root))
    (steward / CENTRAL).write_bytes(role_key_bytes(PROJECT, Role.CENTRAL, central))
    pins = server_keys(home).pins
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    if limited:
        words = [sys.executable, "-P", "-m", "fieldsurvey", "sync", "serve", "--host", "127.0.0.1", "--port", port]
    else:
        Central.open(home / "central.db").close()
        words = [sys.executable, "-P", "-c", _OPEN, "127.0.0.1", port, "en"]
    environ = {**sync_serve.ENVIRONMENT, **os.environ, "FIELDSURVEY_HOME": str(home), "PYTHONDONTWRITEBYTECODE": ""}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environ, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline(), "the server did not start"
        try:
            yield _Served(Server(url=f"https://127.0.0.1:{port}", pins=pins), model.role_keys, home, process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


@dataclass(frozen=True)
class _Served:
    """Where the server is, the keys that sign receipts, and what the kernel says of its process."""

    server: Server
    keys: Any
    home: Path
    process: int

    def cpu(self) -> float:
        """Seconds that it has used, kernel included."""
        words = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """MiB that it has had at most."""
        for text in Path(f"/proc/{self.process}/status").read_text(encoding="ascii").splitlines():
            if text.startswith("VmHWM:"):
                return int(text.split()[1]) / 1024
        return 0.0

    def entries(self) -> int:
        """At central."""
        with Central.open(self.home / "central.db") as one:
            return one.store.counts().entries
