"""What carrying and merging can refuse. What records.errors refuses inside a file comes through as it is.

StorageError
├── CentralBusyError       another process is merging into the same central
├── NewerCentralError      the database was made by a newer fieldsurvey
├── CentralGoneError       the database server cannot be reached, or went away in the middle
├── CentralMovedError      this database was left for another one
├── ForeignDatabaseError   a database that cannot be central's
├── RelayBusyError         another process is carrying for the same relay
├── RelayFullError         a relay has no room for a batch
├── UnreadableError        a file that cannot be read
├── OwnDiskFullError       this machine's disk is full, not the stick
└── StickTooSmallError     a stick has not the room for what is to be copied
UntrustedError
└── BatchError             a batch whose parts do not belong together
RefusedError
├── ForeignProjectError    a batch or receipt of another project
├── NothingHereError       a folder in which there is nothing of fieldsurvey's
├── NotCentralsKeyError    a key that the project does not know as central's
├── NotSupervisorsKeyError the same for a supervisor's
├── StoppedError           somebody here wanted it to stop
├── ErasedMeanwhileError   a record went from the log while a batch with it was written
└── NoRelayError           a laptop that is no supervisor's
"""

from __future__ import annotations

from typing import Final

from fieldsurvey.base.errors import InputError, RefusedError, StorageError, UntrustedError
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.base.i18n import n_
from fieldsurvey.base.sqlite import DatabaseBusyError


class CentralBusyError(DatabaseBusyError):
    """Waited, and another process still held it. `holder` says which, as far as it is known."""

    code = "storage.central_busy"
    template = "Another import is writing to {place}: {holder}."
    hint = "Nothing was changed by this one. Wait until the other has finished, then import the same folder again."


class NewerCentralError(StorageError):
    """Its tables are of a version this program does not know."""

    code = "storage.newer"
    template = "{place} was made by a newer fieldsurvey."
    hint = "Nothing was changed. Install the newer version on this machine, then try again."


class CentralGoneError(StorageError):
    """The database server is not there, does not let us in, or went away in the middle of something."""

    code = "storage.central_gone"
    template = "The database {place} cannot be reached, or went away: {reason}"
    hint = (
        "What was under way was rolled back, and everything that was shown as done before is kept. See that the"
        " database server runs and can be reached, then do the same again: nothing is added twice."
    )


class CentralMovedError(StorageError):
    """It was moved: what would be written here would be seen by nobody."""

    code = "storage.central_moved"
    template = "Central was moved from {place} to {to}."
    hint = "Nothing was changed. Start again; if it says the same: fieldsurvey central move --to NEW PLACE"


class ForeignDatabaseError(StorageError):
    """Tables of somebody else's, too old a server, or an encoding other than UTF-8."""

    code = "storage.foreign_database"
    template = "The database {place} cannot hold a central ({reason})."
    hint = (
        "Nothing was changed. It must be PostgreSQL 15 or newer, in UTF-8, without a schema named fieldsurvey of"
        " another program: make a database of its own for it."
    )


class BatchError(UntrustedError):
    """Every part may be well formed, but they do not belong together."""

    code = "untrusted.batch"
    template = "This batch does not hold together ({reason})."
    terms = frozenset({"reason"})
    hint = "It was refused whole and central is as it was before. Ask for a fresh export from the laptop itself."


class ForeignProjectError(RefusedError):
    """Made for another project."""

    code = "refused.foreign_project"
    template = "This belongs to another project ({found}), not to this one ({expected})."
    hint = "It was refused whole and central is as it was before. Check that it is the right stick."


class NothingHereError(RefusedError):
    """No `fieldsurvey` folder in the place named."""

    code = "refused.nothing_here"
    template = "There is nothing of fieldsurvey in {place}."
    hint = "Nothing was changed. Name the stick or the folder that contains `fieldsurvey`."


class NoFolderError(InputError):
    """The place is not there: a stick that is not plugged in must not become a folder on the system's disk."""

    code = "input.no_folder"
    template = "There is no stick or folder {place} to put anything in."
    hint = "Nothing was changed. Plug the stick in, or make the folder, then try again."


class NotCentralsKeyError(RefusedError):
    """No laptop would believe a receipt that this key signs."""

    code = "refused.central_key"
    template = "The key central would sign receipts with is not the one that the project {project} names."
    hint = "Nothing was imported. Put the newest project file beside central.key, or ask the steward for the right key."


class NotSupervisorsKeyError(RefusedError):
    """No laptop would believe a `received` that this key signs."""

    code = "refused.supervisor_key"
    template = "This key is not one that the project {project} names as a supervisor's."
    hint = (
        "Nothing was taken and nothing is lost. Ask the steward for the present supervisor.key and the newest project:"
        " fieldsurvey project supervisor STICK"
    )


class NoRelayError(RefusedError):
    """A laptop without a supervisor's key."""

    code = "refused.no_relay"
    template = "This is not a supervisor's laptop yet: there is no supervisor's key in {place}."
    hint = (
        "Nothing was changed. The steward puts the key on a stick (fieldsurvey project supervisor STICK); then, here:"
        " fieldsurvey sync import STICK --relay"
    )


class RelayBusyError(StorageError):
    """Two processes would carry for one relay at a time."""

    code = "storage.relay_busy"
    template = "Another process ({holder}) is carrying for this supervisor's laptop."
    hint = "Nothing was changed by this one. Wait until the other has finished, then do the same again."


class RelayFullError(StorageError):
    """The supervisor's laptop has no room for more, or has taken all it takes of strangers."""

    code = "storage.relay_full"
    template = "The supervisor's laptop takes no more of this: {reason}."
    hint = (
        "Nothing was lost: the batch stays on its stick and on its laptop. Hand on what is here (fieldsurvey sync"
        " export STICK --relay), take central's receipts, then import again."
    )


class UnreadableError(StorageError):
    """There, and not to be read: another user's, or no file."""

    code = "storage.unreadable"
    template = "{place} cannot be read: it belongs to somebody else, or the stick is damaged."
    hint = "Nothing of it was taken and nothing is lost. Ask for it once more, on another stick."


class OwnDiskFullError(NoSpaceError):
    """In the middle of a stick, and no fault of the stick's."""

    code = "storage.own_disk_full"
    template = "There is no room left on this machine's own disk ({place})."
    hint = (
        "What was taken before is safe here, and the stick is as it was. Free some space on this machine, then take the"
        " same stick again: nothing is taken twice."
    )


class StickTooSmallError(StorageError):
    """Looked at before anything is written."""

    code = "storage.stick_too_small"
    template = "{needed} MB are to be copied, and {place} has {free} MB free."
    hint = "Nothing was written and nothing is lost. Free some space on it, or use another stick, and try again."


class StoppedError(RefusedError):
    """Somebody stopped it, and what was half done was taken back."""

    code = "refused.stopped"
    template = "It was stopped before it was finished."
    hint = "Nothing half done was left. It can be begun again at any time."


class ErasedMeanwhileError(RefusedError):
    """Somebody took a record back, or central's receipt let it go, while a batch with it was being written."""

    code = "refused.erased_meanwhile"
    template = "A record was erased on this laptop while it was being copied or sent."
    hint = "Nothing of it went out and nothing is lost. Do the same again: it goes without that record."


BATCH_TERMS: Final = (
    n_("a card of another project"), n_("a record of another device"), n_("a record of another project"),
    n_("encoding"), n_("it changed while it was read"), n_("records and entries differ"), n_("signatures"),
    n_("too long"), n_("version"),
)  # fmt: skip
"""Why a batch does not hold together."""
