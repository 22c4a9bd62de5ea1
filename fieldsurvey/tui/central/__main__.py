"""The child that shows central: hardens itself first, as the interview's does. Ends with a code of `exits.Exit`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from fieldsurvey.base.i18n import n_
from fieldsurvey.tui.harden import harden

KEPT = n_("What was merged is whole, and what was under way was taken back. Start it again, and import again.")


def main() -> NoReturn:
    """Never returns."""
    harden(KEPT)
    # After hardening: Textual reads its environment when it is imported.
    from fieldsurvey.base import paths
    from fieldsurvey.base.errors import FieldsurveyError, render
    from fieldsurvey.base.i18n import set_language
    from fieldsurvey.tui.central.app import CentralApp
    from fieldsurvey.tui.central.desk import Desk
    from fieldsurvey.tui.exits import Exit

    set_language(None)
    try:
        app = CentralApp(Desk.at(paths.home()))
        app.run()
        code = app.return_code or 0
    except FieldsurveyError as error:
        sys.stderr.write(render(error).as_text() + "\n")
        code = int(Exit.REFUSED)
    except KeyboardInterrupt:
        code = int(Exit.QUIT)
    except BaseException as error:  # noqa: BLE001  the last frame: whatever it is, its locals must not be printed
        sys.excepthook(type(error), error, error.__traceback__)
        code = int(Exit.CRASHED)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a job's thread may be waiting for a disk: what it had not finished is rolled back


if __name__ == "__main__":
    main()
