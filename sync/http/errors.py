"""What sending over a line can refuse, on the laptop's side. In every case the laptop keeps its data.

StorageError
├── LineError              there is no line, or it broke: trying again goes on from there
└── ServerBusyError        the server asks to come back later, or is out of room
UntrustedError
├── WrongServerError       the server's key is not one that the project names: nothing was sent
└── ServerAnswerError      the server answers what nobody may answer (garbage, lies, too much)
RefusedError
├── NoServerError          the project names no server
├── NotAdmittedError       the server does not take this laptop's requests (not enrolled, revoked)
├── PushRefusedError       the server refuses a batch
├── NotConfirmedError      the server says that it has all, but no receipt proves it
├── LostAtCentralError     central lost what it had confirmed, and it is not here any more either
├── AskedTooOftenError     the server asks again and again for what it was given
├── PushUnderWayError      another process of this laptop is sending
└── ServerKeyMissingError  the server's own folder: a key file is damaged or gone
"""

from __future__ import annotations

from fieldsurvey.base.errors import RefusedError, StorageError, UntrustedError


class LineError(StorageError):
    """No connection, a time-out, a connection that broke. `reason`: a word of the library's, never content."""

    code = "storage.line"
    template = "There is no line to {server}, or it broke ({reason})."
    hint = "Nothing was lost: what was not confirmed stays on this laptop. The next try goes on where this one stopped."


class ServerBusyError(StorageError):
    """It answers, but not now. `seconds`: when it wants to be asked again."""

    code = "storage.server_busy"
    template = "{server} cannot take more now; it asks to come back in {seconds} seconds."
    hint = "Nothing was lost: everything stays on this laptop, and what the server has already is not sent again."


class WrongServerError(UntrustedError):
    """The pin does not hold: checked inside the handshake, before a byte of ours went out."""

    code = "untrusted.server"
    template = "{server} shows a key ({found}) that the project does not name."
    hint = (
        "Nothing was sent. Somebody may be standing between this laptop and the server, or the server has a new key."
        " Ask the project's steward for the newest project, and use a stick until then."
    )


class ServerAnswerError(UntrustedError):
    """It is the right server by its key, but what it says cannot be used."""

    code = "untrusted.server_answer"
    template = "{server} gave an answer that cannot be used ({reason})."
    hint = "Nothing was lost: everything stays on this laptop. Tell the project's steward, and use a stick until then."


class NoServerError(RefusedError):
    """Nothing to send to."""

    code = "refused.no_server"
    template = "The project {project} names no server."
    hint = "Use a stick: fieldsurvey sync export. A steward names a server with `fieldsurvey project server`."


class NotAdmittedError(RefusedError):
    """What signs the request is not enrolled, or revoked. `reason` is a code of the server's."""

    code = "refused.not_admitted"
    template = "{server} does not take what this laptop sends ({reason})."
    hint = (
        "Nothing was lost: everything stays on this laptop, and a stick still takes it. Ask the project's steward"
        " whether this laptop is enrolled."
    )


class PushRefusedError(RefusedError):
    """A batch was refused whole."""

    code = "refused.push"
    template = "{server} refused what this laptop sent ({reason})."
    hint = "Central is as it was, and everything stays on this laptop. Export to a stick, and tell the steward."


class NotConfirmedError(RefusedError):
    """All was sent, and yet no receipt that central's key signed covers it."""

    code = "refused.not_confirmed_by_server"
    template = "{server} took everything, but has not proved that central holds it."
    hint = (
        "Everything stays on this laptop. Try again; if it happens again, use a stick and tell the project's steward."
    )


class LostAtCentralError(RefusedError):
    """Central's disk is gone or old, and what it lacks was let go of here, or is damaged."""

    code = "refused.lost_at_central"
    template = (
        "Central lost {count} records that it had confirmed, and this laptop does not have them any more: {entries}."
    )
    hint = (
        "Everything else was sent. Tell whoever keeps central: a backup has them (fieldsurvey central restore FILE), or"
        " a stick that went there."
    )


class AskedTooOftenError(RefusedError):
    """By itself a laptop sends again what was confirmed only so often. `count`: records that stayed here."""

    code = "refused.asked_too_often"
    template = "{server} asks again for records that it confirmed and that were sent again not long ago: {count}."
    hint = (
        "Everything stays on this laptop. Ask whoever keeps central whether its disk was lost once more; if it was,"
        " send by hand: fieldsurvey sync push."
    )


class PushUnderWayError(RefusedError):
    """Two at the same time would send everything twice."""

    code = "refused.push_under_way"
    template = "Another process ({process}) of this laptop is sending already."
    hint = "Nothing was changed. It ends by itself; `fieldsurvey sync status` shows what is confirmed."


class ServerKeyMissingError(RefusedError):
    """TLS keys on the server's side."""

    code = "refused.server_key"
    template = "The server's key {place} is missing or damaged."
    hint = (
        "Nothing was changed. Put it back from a copy. Without one: `fieldsurvey sync serve --spare` uses the spare"
        " key, which laptops trust already, and makes a new spare."
    )
