"""What opening a round and keeping its dataset can refuse. One record that does not open is never an error: a count.

RefusedError
├── ForeignKeyError        the HMU's key belongs to another project
├── ForeignCentralError    central serves another project
├── TooFewPeopleError      the policy wants more people present than there are
└── DatasetKeyError        the dataset was locked with another key
InputError
├── UnknownRoundError      the plan has no such round
├── NoDatasetError         the round was not opened yet
└── NoSuchTableError       no form or level of that name in the dataset
UntrustedError
└── DatasetDamagedError    altered, cut off, or another round's file under this round's name
StorageError
└── HelpersLostError       a process that was opening records ended unexpectedly
"""

from __future__ import annotations

from fieldsurvey.base.errors import InputError, RefusedError, StorageError, UntrustedError


class ForeignKeyError(RefusedError):
    """hmu.key of one project, records of another."""

    code = "needs.foreign_key"
    template = "This HMU key belongs to another project."
    hint = "Nothing was opened. Use the hmu.key from this project's steward folder."


class ForeignCentralError(RefusedError):
    """Central holds the records of another project."""

    code = "needs.foreign_central"
    template = "{place} holds the records of another project."
    hint = "Nothing was opened. Check FIELDSURVEY_HOME: it should be the folder of this project's HMU."


class TooFewPeopleError(RefusedError):
    """The signed policy asks for more people."""

    code = "needs.people"
    template = "By this project's policy a round opens before {needed} people with a passphrase each; there is {given}."
    hint = "Nothing was opened. Ask the other person to come, or the steward to change the policy."


class RetentionEndedError(RefusedError):
    """The day that the signed policy sets for the end of what is kept is over."""

    code = "needs.retention"
    template = "The project keeps answers until {until}; today is {today}. Round {round} is not opened any more."
    hint = (
        "Nothing was opened; published tables stay (--published). Destroy the round's keys: `fieldsurvey project "
        "destroy-keys {round}`. If this computer's clock is wrong, set it; a later day needs a newly signed policy."
    )


class DatasetKeyError(RefusedError):
    """Another key, or damage in the very first bytes."""

    code = "needs.dataset_key"
    template = "The dataset of round {round} was not locked with this HMU key."
    hint = "Nothing was changed. Use the project's own hmu.key, or open the round again: `fieldsurvey needs open`."


class UnknownRoundError(InputError):
    """Not in the signed plan, or none was named where there are several."""

    code = "needs.unknown_round"
    template = "Which round? The project's plan has: {known}."
    hint = "Nothing was opened. Name one of them with --round; `fieldsurvey project plan` sets them."


class NoDatasetError(InputError):
    """Nothing was opened under that name."""

    code = "needs.no_dataset"
    template = "Round {round} has not been opened here yet."
    hint = "Open it first: fieldsurvey needs open --round {round}"


class NoSuchTableError(InputError):
    """A form, or a repeat of it, that the dataset does not have. `known` lists those that it has."""

    code = "needs.no_table"
    template = "The dataset has no records of {form} {level}. It has: {known}."
    hint = "Nothing was changed. The project's forms and their repeats are named there."


class DatasetDamagedError(UntrustedError):
    """The seal does not hold."""

    code = "untrusted.dataset"
    template = "The dataset of round {round} is damaged or cut off."
    hint = (
        "Nothing was taken from it. Central still has every record: open the round again with `fieldsurvey needs open`."
    )


class HelpersLostError(StorageError):
    """A worker process was ended from outside, most often for want of memory."""

    code = "needs.helpers"
    template = "A process that was opening records ended unexpectedly; the machine may be out of memory."
    hint = "Nothing was changed, and central still has every record. Close other programs and open the round again."
