"""The server's own process, which `fieldsurvey sync serve` becomes: it loads what a server needs and nothing else.

    python -m fieldsurvey.cli.sync_serve HOST PORT LANGUAGE [json] [made]

HOME is where every command finds it. The command line (typer, rich, the app's words) and what makes tables and keys
would be 25 MiB that this process holds for months and never uses; the command has used them before it became this.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any, Final

from fieldsurvey.base import paths
from fieldsurvey.base.errors import FieldsurveyError, render
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import language, set_language
from fieldsurvey.base.visible import filled, visible_json, visible_lines
from fieldsurvey.project.keys import CENTRAL, read_role_key
from sync.http import serving
from sync.http.limits import Limits
from sync.http.service import Service
from sync.http.steward_file import StewardFile
from sync.http.tls import ServerKeys, server_keys
from sync.place import open_central

PORT: Final = 8443
LIMITS: Final = Limits()
MODULE: Final = "fieldsurvey.cli.sync_serve"
ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""glibc's words for one heap for all threads, given back when it shrinks; another C library does not know them."""


def command(host: str, port: int, *, json_: bool, made: bool) -> list[str]:
    """What starts it. -P: a folder called `sync` in the working directory must not shadow ours."""
    said = {"json": json_, "made": made}
    return [sys.executable, "-P", "-m", MODULE, host, str(port), language(), *(word for word in said if said[word])]


def become(words: list[str], *, in_place: bool = os.name == "posix") -> int:
    """Put the server's process in this one's place; on Windows, which cannot, run it and give its exit code."""
    environ = {**ENVIRONMENT, **os.environ}
    sys.stdout.flush()
    if in_place:
        os.execve(words[0], words, environ)  # noqa: S606  our own interpreter and module
    with contextlib.suppress(KeyboardInterrupt):  # it gets the same key press, and ends by itself
        return subprocess.run(words, env=environ, check=False).returncode  # noqa: S603  our own interpreter and module
    return 0


def main(words: list[str]) -> int:
    """Serve until it is asked to end; 1 when something was in the way, said as every command says it."""
    host, port, chosen = words[:3]
    json_ = "json" in words[3:]
    set_language(chosen)
    try:
        _serve(host, int(port), json_=json_, made="made" in words[3:])
    except FieldsurveyError as error:
        shown = render(error)
        if json_:
            _print(visible_json(shown.as_dict()))
        else:
            sys.stderr.write(visible_lines(shown.as_text()) + "\n")
        return 1
    except KeyboardInterrupt:  # what was under way has finished
        return 0
    return 0


def _serve(host: str, port: int, *, json_: bool, made: bool) -> None:
    home, folder = paths.home(), paths.steward_dir()
    keys = replace(server_keys(home), made=made)
    project = StewardFile(folder)
    service = Service(
        lambda: open_central(home), project, read_role_key(folder / CENTRAL).key, home=home, limits=LIMITS
    )

    def ready(address: str) -> None:
        model = project().model
        named = any(set(server.pins) == set(keys.pins) for server in model.servers)
        data = {**keys_data(keys), "listening": address, "project": model.name, "named": named}
        lines = [filled(_("Serving {project} on {address}. Ctrl+C ends it."), project=service.name, address=address)]
        lines += [] if named else keys_lines(keys)
        _print(visible_json(data) if json_ else visible_lines("\n".join(lines)))

    try:
        serving.serve(service, keys, host, port, ready)
    finally:
        service.close()


def keys_data(keys: ServerKeys) -> dict[str, Any]:
    """For programs."""
    return {"pins": list(keys.pins), "made": keys.made, "folder": str(keys.key.parent)}


def keys_lines(keys: ServerKeys) -> list[str]:
    """For people: both pins, and what to do with them."""
    lines = []
    if keys.made:
        lines.append(_("Two TLS keys were made in {folder}. Back that folder up.").format(folder=keys.key.parent))
    lines += [
        _("The key in use: {pin}").format(pin=keys.pins[0]),
        _("The spare key:  {pin}").format(pin=keys.pins[1]),
        _("Name this server in the project, then publish it; the address is the one that laptops reach:"),
        f"    fieldsurvey project server https://CENTRAL.EXAMPLE:{PORT} --pin {keys.pins[0]} --pin {keys.pins[1]}",
    ]
    return lines


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
