"""The first screen: every laptop, what it sent, what is missing; above it what somebody should do now."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.tui.actions import Scope, of, show_key
from fieldsurvey.tui.central.overview import Overview, Trouble, look
from fieldsurvey.tui.central.screens.base import FirstScreen, Table
from fieldsurvey.tui.central.screens.under_way import under_way
from fieldsurvey.tui.central.wording import alerts, backup_words, device_cells, device_head, summary
from fieldsurvey.tui.screens.base import bindings
from fieldsurvey.tui.symbols import symbols
from fieldsurvey.tui.widgets.bars import Heading, KeyBar, TopBar
from fieldsurvey.tui.widgets.text import Words, bracketed

AGAIN = 60.0
"""Seconds after which central is read again by itself, where reading takes less than a tenth of that."""
WATCH = 0.3


class DevicesScreen(FirstScreen):
    """Central at a glance."""

    SCOPES = (Scope.CENTRAL,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CENTRAL)

    def __init__(self) -> None:
        super().__init__()
        self.found: Overview | None = None
        self._took = 0.0
        self._reading = False

    def compose(self) -> ComposeResult:
        """Alerts, the list, the whole in a line."""
        yield TopBar(Heading(_("Central")))
        yield Words("", id="alerts")
        yield Words("", id="job")
        yield Table(expendable=(3, 5))  # the details have them
        yield Words("", id="sealed", classes="standing")
        yield KeyBar(of(Scope.CENTRAL, Scope.EVERYWHERE), self.ours.keymap, lines=2)

    def on_mount(self) -> None:
        """Fill it, and look again now and then: a server or a second import may be at work."""
        self.renewed()
        self.set_interval(WATCH, self._watch)
        self.set_interval(AGAIN, self._again)

    def on_screen_resume(self) -> None:
        """After an import, a backup."""
        if self.is_mounted and self.found is not None:
            self.action_again()

    def renewed(self) -> None:
        """Fill in what is not words."""
        self.query_one(Table).focus()
        self.action_again()

    def action_again(self) -> None:
        """Read central."""
        if not self._reading:
            self._reading = True
            self.query_one(TopBar).show(right=_("reading …"))
            self.run_worker(self._read())

    def _again(self) -> None:
        if self.is_current and self._took < AGAIN / 10:
            self.action_again()

    async def _read(self) -> None:
        begun = monotonic()
        try:
            found = await self.read(lambda: look(self.mine.desk))
        finally:
            self._reading = False
        self._took = monotonic() - begun
        self.query_one(TopBar).show(right="")
        if found is not None:
            self.found = found
            self._show(found)

    def _show(self, found: Overview) -> None:
        good, words = backup_words(found)
        sign = symbols().saved if good else symbols().caution
        version = _("version {version}").format(version=found.version) if found.version else ""
        self.query_one(TopBar).show(
            title=found.name or _("Central"), state=f"{sign} {words}", good=good, section=version, right=""
        )
        keys = self.ours.keymap
        lines = []
        for loud, text in alerts(
            found, backup_key=show_key(keys["central_backup"][0]), cases_key=show_key(keys["central_cases"][0])
        ):
            said = Content.assemble(f"{symbols().caution} ") + bracketed(text)
            lines.append(said.stylize("bold $error" if loud else "$warning", 0, 1).stylize("bold" if loud else "", 2))
        self.query_one("#alerts", Words).say(Content("\n").join(lines))
        rows = [(device_cells(row), _style(row.troubles)) for row in found.devices]
        self.query_one(Table).fill(device_head(), rows, _("No laptop is enrolled yet, and nothing was imported."))
        self.query_one("#sealed", Words).say(summary(found))

    def _watch(self) -> None:
        """How far the work beside is; read again when it has ended."""
        key = show_key(self.ours.keymap["central_take"][0])
        if self.is_current and under_way(self.mine, self.query_one("#job", Words), key):
            self.action_again()

    # -- what the keys do

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a laptop."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """The highlighted laptop."""
        at = self.query_one(Table).at
        if at is not None and self.found is not None and at < len(self.found.devices):
            from fieldsurvey.tui.central.screens.device import DeviceScreen  # when it is looked at

            self.app.push_screen(DeviceScreen(self.found.devices[at]))

    def action_cases(self) -> None:
        """Conflicts, proposals, originals that are missing."""
        from fieldsurvey.tui.central.screens.cases import CasesScreen  # when it is looked at

        self.app.push_screen(CasesScreen())

    def action_returned(self) -> None:
        """Work that the HMU gave back."""
        from fieldsurvey.tui.central.screens.returned import ReturnedScreen  # when it is looked at

        self.app.push_screen(ReturnedScreen())

    def action_log(self) -> None:
        """What happened here."""
        from fieldsurvey.tui.central.screens.log import LogScreen  # when it is looked at

        self.app.push_screen(LogScreen())

    def action_take(self) -> None:
        """A stick comes in; or what is under way."""
        self._stick("import")

    def action_receipts(self) -> None:
        """A stick goes out."""
        self._stick("receipts")

    def action_backup(self) -> None:
        """Another disk."""
        self._stick("backup")

    def _stick(self, purpose: str) -> None:
        from fieldsurvey.tui.central.screens.stick import StickScreen, purpose_now  # when it is looked at

        self.app.push_screen(StickScreen(purpose_now(self.mine, purpose)))


def _style(troubles: tuple[Trouble, ...]) -> str:
    """Beside the words: colour is never alone."""
    if not troubles:
        return ""
    return "$error" if troubles[0] in {Trouble.FORK, Trouble.GAP} else "$warning"
