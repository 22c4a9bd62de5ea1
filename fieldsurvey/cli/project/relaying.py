"""`fieldsurvey project supervisor`: hand a supervisor the key that makes a laptop a relay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.project.group import Folder, app, place_of, summary
from fieldsurvey.project import steward
from fieldsurvey.project.errors import KeyFileError
from fieldsurvey.project.keys import MAX_KEY_FILE, SUPERVISOR, read_role_key
from fieldsurvey.records.receipt import Role
from sync.stick import Stick


@app.command()
@command
def supervisor(
    target: Annotated[Path, typer.Argument(metavar="STICK", help="The stick that goes to the supervisor.")],
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Put the supervisor's key and the newest project on a stick, for a supervisor's laptop to take.

    There: fieldsurvey sync import STICK --relay; it takes the key off the stick. The key signs that batches were
    received; it opens nothing, and nothing that it signs lets a laptop delete a record. Give the stick to nobody else
    before. When a supervisor leaves: `project handover`, then this again for all others.

    Example: fieldsurvey project supervisor /media/STICK
    """
    place = place_of(folder)
    project = steward.read_steward(place)
    path = place / SUPERVISOR
    key = read_role_key(path)
    if key.role is not Role.SUPERVISOR or (Role.SUPERVISOR, key.key.public) not in project.model.role_keys:
        raise KeyFileError(place=str(path))
    stick = Stick(target)
    stick.make(stick.root)
    signed = steward.publish(place, stick.project)
    try:
        with path.open("rb") as handle:
            data = handle.read(MAX_KEY_FILE)
    except OSError as error:
        raise storage_error(error, path) from error
    write_atomic(stick.root / SUPERVISOR, data, private=True)
    text = _(
        "The supervisor's key and version {number} of the project are on {target}.\n"
        "On the supervisor's laptop: fieldsurvey sync import STICK --relay, and compare the words:\n  {words}"
    ).format(number=signed.model.version, target=target, words=signed.words)
    result(json_, {**summary(signed), "target": str(stick.root / SUPERVISOR)}, text)
