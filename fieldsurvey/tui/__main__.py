"""The child: hardens itself, then shows the app (or `--plain`). Ends with a code of `exits.Exit`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from fieldsurvey.tui.harden import harden


def main() -> NoReturn:
    """Never returns to a living process: what was unlocked ends with it."""
    harden()
    # After hardening: Textual reads its environment when it is imported.
    from fieldsurvey.base.errors import FieldsurveyError, render
    from fieldsurvey.base.i18n import set_language
    from fieldsurvey.tui.exits import Exit

    set_language(None)
    try:
        code = _plain() if "--plain" in sys.argv[1:] else _screen()
    except FieldsurveyError as error:
        sys.stderr.write(render(error).as_text() + "\n")
        code = int(Exit.REFUSED)
    except KeyboardInterrupt:
        code = int(Exit.QUIT)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(Exit.CRASHED)
    except BaseException as error:  # noqa: BLE001  the last frame: whatever it is, its locals must not be printed
        sys.excepthook(type(error), error, error.__traceback__)
        code = int(Exit.CRASHED)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # no thread, no atexit hook and no destructor keeps what was unlocked alive


def _screen() -> int:
    # after hardening, and only the front end that was asked for
    from fieldsurvey.base import paths
    from fieldsurvey.tui.app import FieldsurveyApp

    words = sys.argv[1:]
    start = words[words.index("--start") + 1] if "--start" in words[:-1] else ""
    app = FieldsurveyApp(paths.home(), joined=paths.vault_path().exists(), start=start)
    app.run()
    return app.return_code or 0


def _plain() -> int:
    # after hardening, and without Textual
    from fieldsurvey.base import paths
    from fieldsurvey.tui.harden import no_core_dumps
    from fieldsurvey.tui.plain import run

    no_core_dumps()  # the screen does this once Unlock is painted
    return run(paths.home())


if __name__ == "__main__":
    main()
