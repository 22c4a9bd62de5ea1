"""`fieldsurvey project server`: where laptops send when there is a line."""

from __future__ import annotations

from typing import Annotated

import typer

from fieldsurvey.base.errors import InputError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import ngettext
from fieldsurvey.cli.common import Json, command, result
from fieldsurvey.cli.project.group import Folder, app, place_of, root_passphrase, summary
from fieldsurvey.project import steward


class PinsError(InputError):
    """Not two pins."""

    code = "input.pins"
    template = "A server needs two different pins of 64 digits; {count} given."
    hint = "Nothing was changed. `fieldsurvey sync serve --pins` at central shows them: the key in use and the spare."


@app.command()
@command
def server(
    url: Annotated[
        str | None, typer.Argument(help="https://HOST or https://HOST:PORT. Without it: which there are.")
    ] = None,
    *,
    pin: Annotated[
        list[str] | None, typer.Option("--pin", help="SHA-256 of a TLS key, from `sync serve --pins`; give two.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Name this server no more.")] = False,
    folder: Folder = None,
    json_: Json = False,
) -> None:
    """Name the server that laptops send to over HTTPS, by its address and its two keys, and sign the project.

    Laptops send to whoever holds one of the two keys and to nobody else; names and certificates of others count for
    nothing. Several addresses of the same central may be named: laptops try them in order. Publish the project
    afterwards; a laptop that takes it pushes by itself whenever it has a line.

    Example: fieldsurvey project server https://central.example:8443 --pin 3f… --pin a0…
    """
    place = place_of(folder)
    before = steward.read_steward(place)
    named = [(one.url, one.pins) for one in before.model.servers]
    if url is None:
        lines = [f"{known}\n    {pins[0]}\n    {pins[1]}" for known, pins in named] or [_("No server is named.")]
        result(json_, summary(before), "\n".join(lines))
        return
    kept = [(known, pins) for known, pins in named if known != url]
    if remove:
        if len(kept) == len(named):
            result(json_, summary(before), _("{url} is not named.").format(url=url))
            return
    else:
        pins = tuple(text.strip().lower() for text in pin or [])
        if len(set(pins)) != 2 or len(pins) != 2:
            raise PinsError(count=len(pins))
        kept.append((url, (pins[0], pins[1])))
    signed = steward.set_servers(place, kept, root_pass=root_passphrase())
    count = len(signed.model.servers)
    text = ngettext(
        "The project is now at version {number}, with {count} server. Publish it for laptops to take.",
        "The project is now at version {number}, with {count} servers. Publish it for laptops to take.",
        count,
    )
    result(json_, summary(signed), text.format(number=signed.model.version, count=count))
