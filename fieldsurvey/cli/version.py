"""`fieldsurvey --version`."""

import sys

from fieldsurvey import __version__


def show() -> None:
    """One line."""
    sys.stdout.write(f"fieldsurvey {__version__}\n")
