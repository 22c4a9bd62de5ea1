"""Work that the HMU returns, in the machine: real files, sealed to the laptop that made the record. All synthetic.

What they say does not matter here; whose they are, and who signed them, does.
"""

from __future__ import annotations

import hashlib
from functools import cache

from fieldsurvey.records.payload import FormRef, Payload
from fieldsurvey.records.returned import ReturnedWork, ReturnManifest, write_return
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.vault import SealedLog
from fieldsurvey.vault.returned import stored_returns
from sync.central import Central
from sync.returned import returned_work
from sync.store import Notice
from tests.sync.laptops import PROJECT
from tests.sync.machine import kit
from tests.sync.machine.model import Held, Known, Model


@cache
def _work() -> ReturnedWork:
    at = kit.BEGIN.isoformat()
    form = FormRef(id="synthetic", version="1", hash="00" * 32)
    record = Payload(form=form, instance="<data/>", person="E01", language="es", started=at, finished=at)
    return ReturnedWork(issued=at, record=record, general="synthetic: please look at this again")


@cache
def returned(known: Known, record_hash: bytes, laptop: int, key: SigningKey) -> tuple[ReturnManifest, bytes]:
    """The file that returns a record to a laptop, signed by this key."""
    manifest = ReturnManifest(
        project=PROJECT,
        device=known.device,
        case=known.case,
        revision=known.revision,
        record=record_hash.hex(),
        withdrawal=known.tag,
    )
    return manifest, write_return(manifest, _work(), kit.template(laptop).card.recipient, key)


def pass_on(central: Central, manifest: ReturnManifest, data: bytes) -> None:
    """What `needs return` does with it."""
    with central.store.write() as writer:
        writer.notice(Notice("return", hashlib.sha256(data).digest(), manifest.device, data))


def check_kept(log: SealedLog, model: Model) -> None:
    """A laptop keeps only what the HMU returned, of its own records, once each."""
    device = log.device_card().device
    kept = stored_returns(log)
    said = {(one.case, one.revision) for one in kept}
    assert len(said) == len(kept), "the same work was taken twice"
    meant = {(one.case, one.revision) for one in model.returned if one.device == device}
    assert said <= meant, "returned work that the HMU did not return to this laptop"


def check_pending(central: Central, held: Held, model: Model, withdrawn: set[str]) -> None:
    """What is out and what came back follows from what is held, in whatever order it came.

    Returned work of a withdrawn case is erased one day: then it is not listed any more.
    """
    expected = {}
    for manifest in held.returns:
        later = [
            known.revision
            for value in held.bodies
            if (known := model.headers[value]).case == manifest.case and known.revision > manifest.revision
        ]
        state = "withdrawn" if manifest.withdrawal in withdrawn else "back" if later else "pending"
        expected[manifest] = (state, max(later, default=0))
    found = {one.manifest: (one.state, one.answered) for one in returned_work(central)}
    odd = {(manifest, state) for manifest, state in found.items() ^ expected.items() if state[0] != "withdrawn"}
    assert not odd, f"returned work: {odd}"
    assert found.keys() <= expected.keys(), "returned work that nobody returned"
