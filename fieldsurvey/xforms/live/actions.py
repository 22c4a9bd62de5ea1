"""Actions and metadata: what runs when a form is opened, a repeat grows, a value changes, an interview ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.definition.model import Action, NodeDef
from fieldsurvey.xforms.live.datatypes import kind_of, stored, to_text, zulu
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range
from fieldsurvey.xforms.live.settle import located
from fieldsurvey.xforms.program.references import shared_depth
from fieldsurvey.xforms.program.slots import inside
from fieldsurvey.xforms.xpath.errors import EvaluationError, XPathNameError
from fieldsurvey.xforms.xpath.runtime import Context

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.state import State

ACTION = 100
"""The kind of fault of a setvalue, beside those of triggers."""
MAX_RUNS = 1000
"""Actions that one answer may set off before the form is taken to be going in a circle."""
PROPERTIES = {
    "deviceid": ("deviceid", "deviceID"),
    "phonenumber": ("phonenumber", "phone number"),
    "subscriberid": ("subscriberid",),
    "simserial": ("simserial",),
    "username": ("username",),
    "email": ("email",),
}


class Actions:
    """The actions of one interview."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.by_event: dict[str, list[Action]] = {}
        self.by_source: dict[int, list[Action]] = {}
        for action in state.program.form.actions:
            for event in action.events:
                if event == "xforms-value-changed":
                    if action.source is not None:
                        self.by_source.setdefault(action.source.index, []).append(action)
                else:
                    self.by_event.setdefault(event, []).append(action)
        self.waiting: list[tuple[Action, LiveFrame]] = []
        self.fresh: set[LiveFrame] = set()  # made since the form was opened

    def opened(self, *, first: bool) -> None:
        """A form was opened; `first` for a blank one.

        Instances that a count has just made are new ones, which were not there when the form was opened.
        """
        names = ("odk-instance-first-load", "odk-instance-load") if first else ("odk-instance-load",)
        for name in names:
            for action in self.by_event.get(name, ()):
                self.run(action, self.state.root)
                self.finish()
        self.fresh.clear()

    def new_repeat(self, frame: LiveFrame) -> None:
        """A repeat has a new instance: actions that stand in the repeat itself run, as in JavaRosa."""
        self.fresh.add(frame)
        for action in self.by_event.get("odk-new-repeat", ()):
            if action.source is not None and action.source is frame.d.repeat:
                self.run(action, frame)

    def value_changed(self, node: LiveNode) -> None:
        """Actions that wait for this node run when the change has settled."""
        for action in self.by_source.get(node.d.index, ()):
            self.waiting.append((action, node.frame))

    def finish(self) -> None:
        """Settle, and run what waits, until there is nothing left."""
        settler = self.state.settler
        settler.settle()
        for _round in range(MAX_RUNS):
            if not self.waiting:
                return
            action, frame = self.waiting.pop(0)
            self.run(action, frame)
            settler.settle()
        self.waiting.clear()

    def run(self, action: Action, frame: LiveFrame) -> None:
        """Set the target's value in every frame that the action means."""
        if action.kind == "recordaudio":
            self._record(action, frame)
            return
        if action.kind == "setgeopoint":
            self._locate(action, frame)
            return
        for node in self._nodes(action, frame):
            text = action.text
            if action.value is not None:
                self.state.settler.evaluations += 1
                try:
                    value = self.state.program.run(action.value, "scalar")(Context(node, self.state.env, position=0))
                    text = to_text(value, kind_of(node.d), self.state.env.timezone)
                except (EvaluationError, XPathNameError) as error:
                    self.state.faulty(node, ACTION, located(action.value, error))
                    continue
                self.state.faulty(node, ACTION, None)
            self.state.put(node, text)
            self.state.settler.recheck(node)

    def _locate(self, action: Action, frame: LiveFrame) -> None:
        """Set the target to where we are; where nothing tells, it is blank, and a note says why."""
        locate = self.state.world.locate
        found = locate() if locate is not None else None
        for node in self._nodes(action, frame):
            kind = kind_of(node.d)
            text = found if found is None or kind == "string" else stored(found, kind)
            self.state.put(node, text or "")
            if not text and node.ref not in self.state.notes:
                self.state.keep_note(node.ref, _("No position was available on this device."))

    def _record(self, action: Action, frame: LiveFrame) -> None:
        """Set the target to the file that a recording begun now will have; without a recorder it stays as it is."""
        record = self.state.world.record
        if record is None:
            return
        for node in self._nodes(action, frame):
            name = record(node.ref, action.quality)
            if name:
                self.state.put(node, name)

    def _nodes(self, action: Action, frame: LiveFrame) -> list[LiveNode]:
        """The nodes that an action sets."""
        if action.where is None:
            frames = _targets(action, frame)
            if self.fresh and frame is self.state.root:
                frames = [found for found in frames if self.fresh.isdisjoint(_around(found))]
            return [target.node(action.target) for target in frames]
        try:
            at = frame.first()
            if action.source is not None and action.source.frame is frame.d:
                at = frame.node(action.source)
            found = self.state.program.run(action.where, "nodes")(Context(at, self.state.env, position=0))
        except (EvaluationError, XPathNameError):
            return []
        return [node for node in found if isinstance(node, LiveNode)]

    # -- metadata ------------------------------------------------------------------------------------------------

    def preload(self) -> None:
        """jr:preload of a blank form."""
        for node in _leaves(self.state.root):
            text = self._preloaded(node.d)
            if text is not None and not node.text:
                node.put(text)

    def _preloaded(self, d: NodeDef) -> str | None:
        bind = d.bind
        if bind is None or not bind.preload:
            return None
        kind, params = bind.preload, bind.preload_params
        metadata = self.state.world.metadata
        if kind == "uid":
            return f"uuid:{self.state.new_uuid()}"
        if kind == "timestamp" and params == "start":
            return zulu(self.state.world.moment().isoformat(timespec="milliseconds"))
        if kind == "date" and params == "today":
            return self.state.world.moment().date().isoformat()
        if kind == "property":
            names = PROPERTIES.get(params, (params,))
            return next((metadata[name] for name in names if name in metadata), None)
        if kind in {"context", "patient"}:
            return metadata.get(params)
        return None

    def ended(self) -> None:
        """The time at which an interview is finalised."""
        for node in _leaves(self.state.root):
            bind = node.d.bind
            if bind is not None and bind.preload == "timestamp" and bind.preload_params == "end":
                self.state.put(node, zulu(self.state.world.moment().isoformat(timespec="milliseconds")))
        self.finish()


def _around(frame: LiveFrame | None) -> Iterator[LiveFrame]:
    """The frame and those around it."""
    while frame is not None:
        yield frame
        frame = frame.outer


def _targets(action: Action, frame: LiveFrame) -> list[LiveFrame]:
    """The frames in which an action's target lies, seen from where the action runs."""
    target = action.target
    shared = frame.d.depth
    if frame.d.repeat is not None:
        shared = shared_depth(frame.d.repeat, target)
    at = frame
    while at.d.depth > shared:
        assert at.outer is not None
        at = at.outer
    return inside(at, target.frame.chain()[at.d.depth + 1 :])


def _leaves(frame: LiveFrame) -> Iterator[LiveNode]:
    """Every leaf that has a bind, also in repeats."""
    for slot in frame.slots:
        if type(slot) is Range:
            for inner in slot.instances:
                yield from _leaves(inner)
        elif type(slot) is LiveNode and slot.d.bind is not None and slot.d.kind == "leaf" and not slot.d.is_attribute:
            yield slot
