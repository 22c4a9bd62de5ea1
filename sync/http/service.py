"""What the server does, without the web: admits a signed request, stages packs, merges, and hands out what central has.

`admit` runs before a byte of a body is read. The rest runs in threads, each with a connection of its own to central.
The server's word counts for nothing: what a laptop believes is a receipt that central's key signed.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, TypeVar, cast

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import FieldsurveyError, RefusedError, StorageError, UntrustedError
from fieldsurvey.fieldwork.withdrawals import MAX_KEPT, Withdrawals
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.container import Signer
from fieldsurvey.records.errors import SignatureError
from fieldsurvey.records.labels import SIGN_REQUEST
from fieldsurvey.records.receipt import Role, write_receipt
from fieldsurvey.records.withdrawal import Tombstone
from sync.batches import Batch, read_batch
from sync.central import Central, Merged
from sync.erasing import hear_reports, settle
from sync.errors import ForeignProjectError, NotCentralsKeyError
from sync.http.callers import Caller, Callers
from sync.http.lacking import lacking
from sync.http.limits import Buckets, Limits
from sync.http.nonces import Nonces
from sync.http.packs import Joined, read_offer
from sync.http.staging import NoRoomError, Staging
from sync.http.wire import (
    PAGE,
    Authorization,
    Heads,
    HeadsAsked,
    Hello,
    LogHeld,
    Offered,
    Taken,
    digest_of,
    join_pieces,
    split_pieces,
)
from sync.returned import pending_returns
from sync.vouching import Vouching

T = TypeVar("T")
_RETRY: Final = 15
_RECEIPTS: Final = 96 << 10
"""Digits of the receipts for one log, and stretches of it that are lacking: MAX_LOGS of them fit into one answer."""
_LACKS: Final = 1_000


class Refusal(Exception):  # noqa: N818  an answer, not a fault
    """An HTTP status with a code of ours. `after`: seconds until it is worth trying again.

    `known`: it is a caller of the project's: what is on its way is let run out, so that the answer arrives.
    """

    def __init__(self, status: int, code: str, *, reason: str = "", after: float = 0.0, known: bool = False) -> None:
        super().__init__(code)
        self.status, self.code, self.reason, self.after, self.known = status, code, reason, after, known


class Service:
    """`central`: opens central, called once in each of `workers` threads. `project`: the newest signed version, asked
    for with every request, so it must be quick. `home`: where withdrawals are kept too, as an import from a stick does.
    """

    def __init__(
        self,
        central: Callable[[], Central],
        project: Callable[[], SignedProject],
        key: Signer,
        *,
        home: Path,
        limits: Limits | None = None,
        clock: Clock | None = None,
        workers: int = 2,
    ) -> None:
        """Raises NotCentralsKeyError, ForeignProjectError, StorageError."""
        self.limits = limits or Limits()
        self.clock = clock or SystemClock()
        self._open, self._project, self._key = central, project, key
        signed = project()
        self.name = signed.model.name
        if (Role.CENTRAL, key.public) not in signed.model.role_keys:
            raise NotCentralsKeyError(project=self.name)
        self._callers = Callers(signed.model)
        self._home = home
        now = self.clock.monotonic
        self.nonces = Nonces(self.limits.nonce_seconds, self.limits.nonces, now)
        self._buckets = Buckets(self.limits.rate, self.limits.burst, now)
        self._strangers = Buckets(self.limits.strangers, self.limits.strangers_burst, now)
        bounds = self.limits
        folder = home / "server" / "staging"
        self.staging = Staging(folder, quota=bounds.quota, room=bounds.room, age=bounds.age)
        self._local = threading.local()
        self._opened: list[Central] = []
        self._merging = [threading.Lock() for _ in range(64)]
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="central")
        self.pool.submit(self._begin, signed).result()

    def close(self) -> None:
        """Wait for what is under way, then let go of central."""
        self.pool.shutdown()
        for central in self._opened:
            central.close()

    # before a body is read

    def hello(self, address: str) -> Hello:
        """A nonce, for anybody. Raises Refusal."""
        self._stranger(address)
        return Hello(nonce=self.nonces.issue(), seconds=self.limits.nonce_seconds, pack=self.limits.pack)

    def admit(self, method: str, path: str, authorization: str, address: str) -> tuple[Caller, Authorization]:
        """Who asks, when the signature holds and the request is new. Raises Refusal."""
        said = Authorization.read(authorization)
        if said is None:
            self._stranger(address)
            raise Refusal(401, "unsigned")
        callers = self._known()
        caller = callers.find(said.key)
        if caller is None:
            self._stranger(address)
            raise Refusal(403, "revoked" if callers.revoked(said.key) else "not_enrolled")
        if not self.nonces.holds(said.nonce):
            self._stranger(address)
            raise Refusal(401, "nonce")
        try:
            caller.key.verify(SIGN_REQUEST, said.signed(callers.project.id, method, path), said.signature, "request")
        except SignatureError:
            self._stranger(address)
            raise Refusal(401, "signature") from None
        if (wait := self._buckets.take(caller.id)) > 0:
            raise Refusal(429, "slow_down", after=wait, known=True)
        if not self.nonces.use(caller.id, said.nonce, said.count):
            raise Refusal(401, "replayed")
        return caller, said

    # in a thread

    def heads(self, caller: Caller, body: bytes) -> Heads:
        """What central holds of some logs, proved where it can be, and what there is to fetch."""
        asked = HeadsAsked.from_bytes(body)
        central = self._central()
        held = []
        for log in asked.logs:
            if not caller.may(log.device):
                raise Refusal(403, "not_yours")
            lacks = tuple(lacking(central, log.device, log.to)[:_LACKS])
            receipts = self._receipts(central, log.device, log.to)
            held.append(LogHeld(device=log.device, lacks=lacks, receipts=receipts))
        return Heads(
            project=self._project().model.version,
            logs=tuple(held),
            packs=tuple(self.staging.have(caller.id, asked.packs)),
            withdrawals=self._digest(caller, "withdrawals"),
            returns=self._digest(caller, "returns"),
            erased=self._digest(caller, "erased"),
        )

    def keep_pack(self, caller: Caller, name: str, part: Path) -> None:
        """A pack whose hash was checked while it came in."""
        self.staging.keep(caller.id, name, part)

    def offer(self, caller: Caller, body: bytes) -> Offered:
        """A batch: which packs are missing, or merged. Its head is verified before any pack is asked for."""
        parts = read_offer(body)
        if parts is None or len(parts[1]) > self.limits.packs:
            raise Refusal(400, "malformed")
        head, names = parts
        with self._one_at_a_time(caller):
            there = set(self.staging.have(caller.id, names))
            missing = tuple(dict.fromkeys(name for name in names if name not in there))
            return self._expected(caller, head, names, missing) if missing else self._merge(caller, head, names)

    def whole(self, caller: Caller, body: BinaryIO) -> Offered:
        """A batch file in one piece, at its beginning: merged, or refused."""
        with self._one_at_a_time(caller):
            found = self._central().merge(body, partial(_admit, caller))
            self._erase(found)
            return self._merged(caller, found, (), found.new)

    def take(self, what: str, body: bytes) -> Taken:
        """Withdrawals: excluded at once, erased, reported. Or reports of erasure, to be passed on."""
        pieces = split_pieces(body)
        if pieces is None:
            raise Refusal(400, "malformed")
        central = self._central()
        if what == "erased":
            return Taken(new=hear_reports(central, pieces))
        project = self._project().model.id
        stones = [Tombstone.from_bytes(piece) for piece in pieces]
        if any(stone.project != project for stone in stones):
            raise Refusal(422, "refused", reason=ForeignProjectError.code)
        with self._settling:
            kept = Withdrawals(self._home)
            room = max(0, MAX_KEPT - sum(1 for _ in kept))
            new = sum(kept.enter(stone) for stone in stones[:room])
            self.settle()
        return Taken(new=new)

    def settle(self) -> None:
        """Withdrawals that are known here or at central take effect in both; what they name is erased and reported."""
        settle(self._central(), self._home, self._key, self.clock.now())

    def page(self, caller: Caller, what: str, after: str) -> bytes:
        """Small signed files of a kind in the order of their SHA-256, those after `after` (hexadecimal, or "")."""
        pieces: list[bytes] = []
        size = 0
        for digest, data in self._files(caller, what):
            if digest > after:
                if pieces and size + len(data) > PAGE:
                    break
                pieces.append(data)
                size += len(data)
        return join_pieces(pieces)

    def project_after(self, version: int) -> bytes:
        """The signed project, when it is newer; else nothing."""
        signed = self._project()
        return signed.data if signed.model.version > version else b""

    def run(self, function: Callable[[], T]) -> T:
        """`function`, with what it raises as a Refusal. Bugs come through."""
        try:
            return function()
        except NoRoomError:
            raise Refusal(507, "no_room", after=_RETRY, known=True) from None
        except (UntrustedError, RefusedError) as error:
            raise Refusal(422, "refused", reason=error.code) from None
        except StorageError as error:  # busy, full, gone away: nothing was merged, and trying again is right
            raise Refusal(503, "busy", reason=error.code, after=_RETRY) from None
        except FieldsurveyError as error:
            raise Refusal(422, "refused", reason=error.code) from None

    def _expected(self, caller: Caller, head: bytes, names: Sequence[str], missing: tuple[str, ...]) -> Offered:
        """A batch that is not all here: which packs are missing, unless central has everything in it already."""
        batch = read_batch(cast("BinaryIO", io.BytesIO(head)), self._project().model.id)
        _admit(caller, batch)
        if not self._central().lacks(batch):
            return self._merged(caller, batch, names, 0)
        return Offered(missing=missing)

    def _merge(self, caller: Caller, head: bytes, names: Sequence[str]) -> Offered:
        try:
            with Joined(head, self.staging.paths(caller.id, names)) as stream:
                found = self._central().merge(cast("BinaryIO", stream), partial(_admit, caller))
        except (UntrustedError, RefusedError):
            if damaged := self.staging.drop_damaged(caller.id, names):  # ours, not the batch's fault
                return Offered(missing=tuple(dict.fromkeys(damaged)))
            self.staging.drop(caller.id, names)
            raise
        except FileNotFoundError:  # swept in this very moment
            return Offered(missing=tuple(dict.fromkeys(n for n in names if not self.staging.have(caller.id, [n]))))
        self._erase(found)
        return self._merged(caller, found, names, found.new)

    def _erase(self, found: Merged) -> None:
        """A record without a tag of its own may be of a case that somebody took back: it goes as soon as it came."""
        if found.cases and self._central().erase(found.cases):
            with self._settling:
                self.settle()

    def _merged(self, caller: Caller, batch: Batch | Merged, names: Sequence[str], new: int) -> Offered:
        self.staging.drop(caller.id, names)
        return Offered(new=new, receipts=self._receipts(self._central(), batch.device, batch.last))

    def _receipts(self, central: Central, device: str, end: int = 0) -> tuple[str, ...]:
        """`end`: how far the caller's own copy of the log goes, or what it sent: where it was restored, or carries no
        more, it has no other way to follow up to ours.
        """
        central.trust(self._project().model)
        vouching = Vouching(central, device)
        known = vouching.receipts()[-60:]
        given = [*known, *vouching.receipts_at([end], known)]
        files = []
        room = _RECEIPTS
        for receipt in given[-64:]:
            file = write_receipt(receipt, self._key).hex()
            if len(file) <= room:  # of a log that somebody made many histories of, not all: others are in this answer
                files.append(file)
                room -= len(file)
        return tuple(files)

    def _files(self, caller: Caller, what: str) -> list[tuple[str, bytes]]:
        """(SHA-256, file) of what there is to fetch."""
        store = self._central().store
        found: Iterable[bytes]
        if what == "withdrawals":
            found = (data for _tag, data in store.tombstones())
        elif what == "erased":
            found = (notice.data for notice in store.notices("erasure"))
        else:
            mine: list[str | None] = [*sorted(caller.own)] if caller.own is not None else [None]
            theirs = {notice.data for device in mine for notice in store.notices("return", device)}
            found = (data for data in pending_returns(self._central()) if data in theirs) if theirs else ()
        return sorted({(hashlib.sha256(data).hexdigest(), data) for data in found})

    def _digest(self, caller: Caller, what: str) -> str:
        return digest_of(data for _digest, data in self._files(caller, what))

    def _one_at_a_time(self, caller: Caller) -> threading.Lock:
        """Identical pushes at the same moment: the second waits, and then has nothing to do."""
        return self._merging[int(caller.id[:2], 16) % len(self._merging)]

    def _known(self) -> Callers:
        signed = self._project()
        if self._callers.project is not signed.model:
            self._callers = Callers(signed.model)
            self.pool.submit(self._learn, signed)
        return self._callers

    def _begin(self, signed: SignedProject) -> None:
        self._learn(signed)
        self.settle()

    def _learn(self, signed: SignedProject) -> None:
        self._central().learn(signed.model)

    def _stranger(self, address: str) -> None:
        if (wait := self._strangers.take(address)) > 0:
            raise Refusal(429, "slow_down", after=wait)

    def _central(self) -> Central:
        found: Central | None = getattr(self._local, "central", None)
        if found is None:
            found = self._local.central = self._open()
            with self._lock:
                self._opened.append(found)
        return found


def _admit(caller: Caller, batch: Batch) -> None:
    """Raises Refusal for a log that is not the caller's to speak of."""
    if not caller.may(batch.device):
        raise Refusal(403, "not_yours")
