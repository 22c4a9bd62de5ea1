"""What carrying and merging can refuse. What records.errors refuses inside a file comes through as it is.

StorageError
├── CentralBusyError       another process is merging into the same central
├── NewerCentralError      the database was made by a newer fieldsurvey
└── RecordLostError        central lacks a record that its log speaks of
UntrustedError
└── BatchError             a batch whose parts do not belong together
RefusedError
├── ForeignProjectError    a batch or receipt of another project
├── NothingHereError       a folder in which there is nothing of fieldsurvey's
└── NotCentralsKeyError    a key that the project does not know as central's
"""

from __future__ import annotations

from fieldsurvey.base.errors import RefusedError, StorageError, UntrustedError
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


class RecordLostError(StorageError):
    """A body that must be there is not."""

    code = "storage.record_lost"
    template = "{place} has lost record {seq} of device {device}."
    hint = (
        "Nothing was changed. `fieldsurvey central verify` says what is whole. Import again from the stick or the"
        " laptop that still has it, or restore a backup."
    )


class BatchError(UntrustedError):
    """Every part may be well formed, but they do not belong together."""

    code = "untrusted.batch"
    template = "This batch does not hold together ({reason})."
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


class NotCentralsKeyError(RefusedError):
    """No laptop would believe a receipt that this key signs."""

    code = "refused.central_key"
    template = "The key central would sign receipts with is not the one that the project {project} names."
    hint = "Nothing was imported. Put the newest project file beside central.key, or ask the steward for the right key."
