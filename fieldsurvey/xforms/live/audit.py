"""The client audit log: what an enumerator did and when, as events handed to the caller's callback.

Events and columns are those of https://getodk.github.io/xforms-spec/client-audit-logs. There are none unless the form
asks for them (`audit` in its meta block). Nothing is kept here: the caller does with an event what it must.

Times are milliseconds since 1970 in UTC: the wall clock when the interview was opened, and from there on the
caller's monotonic clock; without one, the wall clock, which then never goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fieldsurvey.xforms.contract import ViolationKind
from fieldsurvey.xforms.definition.model import FormDef
from fieldsurvey.xforms.live.navigation import END, PAGE, PROMPT, Page
from fieldsurvey.xforms.live.nodes import LiveNode

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.env import World
    from fieldsurvey.xforms.live.state import State

Event = dict[str, Any]


def parameters(form: FormDef) -> Mapping[str, str] | None:
    """What the form asks of its audit log (`track-changes`, `identify-user`, `location-priority` …); None: no log."""
    meta = form.root.child("meta")
    d = meta.child("audit") if meta is not None else None
    if d is None:
        return None
    extra = d.bind.extra if d.bind is not None else {}
    return {name.rpartition(":")[2]: value for name, value in extra.items()}


class Timer:
    """Milliseconds that never go back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.began = self.last = round(world.now().timestamp() * 1000)
        self.zero = world.monotonic() if world.monotonic is not None else 0.0

    def now(self) -> int:
        """The time of an event."""
        if self.world.monotonic is not None:
            at = self.began + round((self.world.monotonic() - self.zero) * 1000)
        else:
            at = round(self.world.now().timestamp() * 1000)
        self.last = max(self.last, at)
        return self.last


class Audit:
    """The log of one interview. `shown` gives the questions of a page."""

    def __init__(self, state: State, wanted: Mapping[str, str], shown: Callable[[Page], Iterable[LiveNode]]) -> None:
        assert state.world.audit is not None
        self.state = state
        self.emit = state.world.audit
        self.timer = Timer(state.world)
        self.shown = shown
        self.changes = wanted.get("track-changes") == "true"
        self.user = state.world.metadata.get("username", "") if wanted.get("identify-user") == "true" else None
        self.places = "location-priority" in wanted
        self.page: Page | None = None
        self.since = 0
        self.before: dict[LiveNode, str] = {}

    def happened(self, event: str, node: str = "", *, since: int | None = None, **columns: str) -> None:
        """One event; `since` when it lasted."""
        at = self.timer.now()
        made: Event = {"event": event, "node": node, "start": at if since is None else since}
        made["end"] = None if since is None else at
        if self.places:
            made |= self._where()
        if self.changes:
            made |= {"old-value": columns.get("old", ""), "new-value": columns.get("new", "")}
        if self.user is not None:
            made["user"] = self.user
        self.emit(made)

    def at(self, page: Page) -> None:
        """We are on this page now; the one we were on ends."""
        if page == self.page:
            return
        self.left()
        self.page = page
        self.since = self.timer.now()
        self.before = {node: node.text for node in self.shown(page)} if page.kind not in {END, PROMPT} else {}

    def left(self) -> None:
        """Nothing is on the screen any more."""
        page, self.page = self.page, None
        if page is None:
            return
        if page.kind == END:
            self.happened("end screen", since=self.since)
        elif page.kind == PROMPT:
            self.happened("add repeat", _ref(page), since=self.since)
        elif page.kind == PAGE:
            self.happened("group questions", _ref(page), since=self.since)
            if self.changes:
                self._questions(changed=True)
        else:
            self._questions(changed=False)

    def _questions(self, *, changed: bool) -> None:
        """An event for each question that was shown, or only for those whose value is another now."""
        for node, old in self.before.items():
            if changed and node.text == old:
                continue
            columns = {"old": old, "new": node.text} if node.text != old else {}
            self.happened("question", node.ref, since=self.since, **columns)
            if self.state.bad.get(node) in {ViolationKind.CONSTRAINT, ViolationKind.REQUIRED}:
                self.happened("constraint error", node.ref)

    def _where(self) -> Event:
        locate = self.state.world.locate
        found = ((locate() or "") if locate is not None else "").split()
        latitude, longitude, _altitude, accuracy = [*found, "", "", "", ""][:4]
        return {"latitude": latitude, "longitude": longitude, "accuracy": accuracy}


def _ref(page: Page) -> str:
    control = page.control
    if control is None or control.ref is None:
        return ""
    if control.ref.frame is page.frame.d:
        return page.frame.node(control.ref).ref
    return page.frame.prefix() + control.ref.path[page.frame.cut :]
