"""Where central is, or a supervisor's relay, and what it is worked with: FIELDSURVEY_HOME, keys, a clock.

Every look and every job opens central for itself: what reads does not wait for what merges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import InputError
from fieldsurvey.project.keys import CENTRAL, SUPERVISOR, read_role_key
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.project.steward import PROJECT_FILE, read_steward
from fieldsurvey.records.signing import SigningKey
from sync.central import Central
from sync.place import central_exists, open_central
from sync.relay import FOLDER, Relay

T = TypeVar("T")
STEWARD = "steward"


class NotCentralError(InputError):
    """This machine has neither a central nor the key to make one."""

    code = "input.not_central"
    template = "There is no central in {place}, no key of central's to begin one with, and no relay."
    hint = "Set FIELDSURVEY_HOME to central's folder, or put the project file and central.key into its folder steward."


@dataclass(frozen=True, slots=True)
class Desk:
    """`home`: FIELDSURVEY_HOME of central."""

    home: Path
    clock: Clock

    @classmethod
    def at(cls, home: Path, clock: Clock | None = None) -> Desk:
        """Raises NotCentralError where there is nothing to show and nothing to import with."""
        desk = cls(home, clock or SystemClock())
        if not desk.begun and not desk.can_sign and not desk.relaying:
            raise NotCentralError(place=str(home))
        return desk

    @property
    def steward(self) -> Path:
        """The folder with the project file and central.key."""
        return self.home / STEWARD

    @property
    def begun(self) -> bool:
        """Whether anything was ever imported here."""
        return central_exists(self.home)

    @property
    def relaying(self) -> bool:
        """Whether this is a supervisor's laptop that carries for others, and no central."""
        return not self.begun and not self.can_sign and (self.home / FOLDER / SUPERVISOR).exists()

    @property
    def can_sign(self) -> bool:
        """Whether central's key is here: without it nothing is imported and no receipt written."""
        return (self.steward / CENTRAL).exists()

    def key(self) -> SigningKey:
        """Central's role key. Raises KeyFileError, StorageError."""
        return read_role_key(self.steward / CENTRAL).key

    def project(self) -> SignedProject | None:
        """The signed project beside the key, None where there is none. Raises what `read_steward` raises."""
        return read_steward(self.steward) if (self.steward / PROJECT_FILE).exists() else None

    def relay(self) -> Relay:
        """The supervisor's. Raises NoRelayError, NotSupervisorsKeyError, UntrustedError, StorageError."""
        return Relay.open(self.home, self.clock)

    def names(self) -> dict[str, str]:
        """Device -> its name in the project that is trusted here. Raises as `central` and `relay`."""
        if self.relaying:
            return {device.id: device.name for device in self.relay().project.model.devices}
        return self.read(names_of, {})

    def read(self, call: Callable[[Central], T], nothing: T) -> T:
        """What `call` finds in central; `nothing` before the first import. Raises StorageError."""
        if not self.begun:
            return nothing
        with self.central() as central:
            return call(central)

    @contextmanager
    def central(self) -> Iterator[Central]:
        """Central, open; it learns the newest project beside it first. Raises StorageError."""
        with open_central(self.home, clock=self.clock) as central:
            project = self.project()
            if project is not None:
                central.learn(project.model)  # a laptop enrolled since the last import counts now
            yield central


def names_of(central: Central) -> dict[str, str]:
    """Device -> its name in the project."""
    project = central.project()
    return {device.id: device.name for device in project.devices} if project else {}
