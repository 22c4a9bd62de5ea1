"""A synthetic central with a server, in the process or on a port of this machine. Nothing here is anybody's."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.project.model import Project, Server
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.signing import SigningKey
from sync.central import Central
from sync.http.limits import Limits
from sync.http.service import Service
from sync.http.serving import Running
from sync.http.tls import ServerKeys, server_keys
from sync.http.web import application
from sync.http.wire import Hello, authorize
from tests.sync.laptops import SyntheticLaptop
from tests.sync.projects import NOW, SyntheticProject


def free_port() -> int:
    """One that nobody takes until it is used again: systems give out higher ones, each test process has its own."""
    own = 20_000 + 1_000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 12)
    for port in random.sample(range(own, own + 1_000), 1_000):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free port")


class ServedProject(SyntheticProject):
    """A synthetic project that names servers."""

    servers: tuple[Server, ...] = ()

    def model(self, version: int | None = None) -> Project:
        """With the servers."""
        return super().model(version).newest().model_copy(update={"servers": self.servers})


@dataclass
class Place:
    """Where a central and its server live; `signed` is the project that they have at the moment."""

    home: Path
    project: ServedProject
    signed: SignedProject
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def make(cls, home: Path, *laptops: SyntheticLaptop, limits: Limits | None = None) -> Place:
        """With these laptops enrolled."""
        home.mkdir(parents=True, exist_ok=True)
        project = ServedProject(laptops[0].card.project if laptops else "")
        for one in laptops:
            project.devices[one.device] = {"id": one.device, "name": one.card.name, "card": one.card}
        return cls(home, project, project.publish(), limits=limits or Limits())

    def enrol(self, card: Any, **standing: Any) -> None:
        """Enrol a device, or change how it stands; the server knows at once."""
        self.signed = self.project.enrol(card, **standing)

    def central(self) -> Central:
        """Another connection to the same central."""
        return Central.open(self.home / "central.db", wait=5.0, clock=self.clock)

    @contextmanager
    def service(self, **kwargs: Any) -> Iterator[Service]:
        """What is behind the web."""
        made = Service(
            self.central, lambda: self.signed, self.project.central, home=self.home, limits=self.limits,
            **{"clock": self.clock, **kwargs},
        )  # fmt: skip
        try:
            yield made
        finally:
            made.close()

    @contextmanager
    def running(self, port: int = 0, **kwargs: Any) -> Iterator[Running]:
        """On a port of this machine, with real TLS and real time; the project names it from then on."""
        keys = server_keys(self.home)
        with self.service(clock=None, **kwargs) as service:
            running = Running(service, keys, port=port)
            self.name(running.url, keys)
            try:
                yield running
            finally:
                running.stop()

    def name(self, url: str, keys: ServerKeys) -> Server:
        """Name a server in the project."""
        server = Server(url=url, pins=keys.pins)
        if self.project.servers != (server,):
            self.project.servers = (server,)
            self.signed = self.project.publish()
        return server


class Asker:
    """Speaks to an application in this process, as a laptop's carrier key would."""

    def __init__(self, app: Starlette, project: str, signer: SigningKey) -> None:
        self.app, self.project, self.signer = app, project, signer
        self.nonce, self.count = "", 0

    def raw(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
        """A request exactly as it is given."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="https://synthetic") as client:
                return await client.request(method, path, content=body, headers=headers)

        return asyncio.run(ask())

    def hello(self) -> str:
        """A nonce."""
        self.nonce = Hello.from_bytes(self.raw("GET", "/v1/hello").content).nonce
        return self.nonce

    def header(self, method: str, path: str, body: bytes = b"", **changes: Any) -> str:
        """A fresh authorization."""
        self.count += 1
        return authorize(
            changes.get("signer", self.signer), changes.get("project", self.project),
            method=method, path=path, nonce=changes.get("nonce", self.nonce or self.hello()), count=self.count,
            body=body,
        )  # fmt: skip

    def ask(self, method: str, path: str, body: bytes = b"", **changes: Any) -> httpx.Response:
        """A signed request."""
        return self.raw(method, path, body, {"authorization": self.header(method, path, body, **changes)})

    def put(self, data: bytes) -> httpx.Response:
        """A pack."""
        return self.ask("PUT", f"/v1/packs/{hashlib.sha256(data).hexdigest()}", data)


@contextmanager
def asking(place: Place, laptop: SyntheticLaptop, **kwargs: Any) -> Iterator[tuple[Asker, Service]]:
    """An application in this process, and the laptop that speaks to it."""
    with place.service(**kwargs) as service:
        yield Asker(application(service), laptop.card.project, laptop.carrier), service
