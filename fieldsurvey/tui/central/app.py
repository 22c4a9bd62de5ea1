"""The Textual application of central: the interview's themes, hardening, keys and footers, without a vault.

One piece of long work at a time, in a thread of its own; it goes on when its screen is left.
"""

from __future__ import annotations

from typing import Any, ClassVar

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.app import FieldsurveyApp
from fieldsurvey.tui.central.desk import Desk
from fieldsurvey.tui.central.job import Job
from fieldsurvey.tui.exits import Exit
from fieldsurvey.tui.screens.base import BaseScreen
from fieldsurvey.tui.screens.dialogs import AskYes


class CentralApp(FieldsurveyApp):
    """Over one Desk."""

    # There is no passphrase here: nothing to lock, and what is covered would never lock by itself.
    WITHOUT: ClassVar[frozenset[str]] = frozenset({"lock", "hide"})

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.home, joined=False, clock=desk.clock)
        self.desk = desk
        self.job: Job[Any] | None = None

    @property
    def working(self) -> bool:
        """Whether long work is under way."""
        return self.job is not None and self.job.running

    def first_screen(self) -> BaseScreen:
        """The laptops; what is carried, on a supervisor's."""
        if self.desk.relaying:
            from fieldsurvey.tui.central.screens.relay import RelayScreen  # it imports this module

            return RelayScreen()
        from fieldsurvey.tui.central.screens.devices import DevicesScreen  # it imports this module

        return DevicesScreen()

    def begin(self, job: Job[Any]) -> None:
        """Start it, unless another is under way."""
        if not self.working:
            self.job = job
            job.start()

    async def lock(self) -> None:
        """There is nothing to lock."""

    def hide(self) -> None:
        """There is nothing to hide."""

    async def leave(self) -> None:
        """At once; after asking, while something is under way."""
        if not self.working:
            self.exit(return_code=Exit.QUIT)
            return
        if isinstance(self.screen, AskYes):
            return
        ask = AskYes(
            _("Leave while this is under way?"),
            _("The file under way is taken back whole; what was finished before stays. It can be done again."),
            _("Leave"),
            _("Stay"),
        )
        self.push_screen(ask, self._decided)

    def _decided(self, yes: bool | None) -> None:
        if yes:
            self.exit(return_code=Exit.QUIT)
