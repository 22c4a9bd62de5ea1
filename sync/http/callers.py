"""Who may ask the server for what: the project says it, nothing else does."""

from __future__ import annotations

from dataclasses import dataclass, field

from fieldsurvey.project.model import Device, Project
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.signing import VerifyKey


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key signed. `own`: the logs a laptop may speak of (its own, and those before it); None: a relay, any."""

    id: str
    key: VerifyKey
    own: frozenset[str] | None = field(default=None)

    def may(self, device: str) -> bool:
        """Whether it may ask for, and hand on, that log."""
        return self.own is None or device in self.own


class Callers:
    """The callers of one version of a project, by the fingerprint of the key that signs."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known: dict[str, Caller] = {}
        self._revoked: set[str] = set()
        for device in project.devices:
            key = device.card.carrier_key
            if device.status == "revoked":
                self._revoked.add(key.fingerprint)
            else:
                self._known[key.fingerprint] = Caller(key.fingerprint[:32], key, _own(project, device))
        for role, key in project.role_keys:
            if role is Role.SUPERVISOR:
                self._known[key.fingerprint] = Caller(key.fingerprint[:32], key)

    def find(self, fingerprint: str) -> Caller | None:
        """Who has this key."""
        return self._known.get(fingerprint)

    def revoked(self, fingerprint: str) -> bool:
        """Whether it is a laptop's that is no longer trusted."""
        return fingerprint in self._revoked


def _own(project: Project, device: Device) -> frozenset[str]:
    """Its log, and those it goes on from, as far as the cards prove it.

    Of a log that is not in the project nothing is known and nothing kept but what nobody vouches for: there the card's
    word is enough, so that a laptop that was set up anew before it was enrolled still sends what it has.
    """
    found = {device.id}
    at: Device | None = device
    while at is not None and (parent := at.card.parent) is not None and parent.device not in found:
        before = project.device(parent.device)
        if before is not None and project.before(at) is None:
            break
        found.add(parent.device)
        at = before
    return frozenset(found)
