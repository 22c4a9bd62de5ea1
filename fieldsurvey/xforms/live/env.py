"""What expressions may ask of one interview: clock, randomness, language, lists, labels. See xpath.runtime.Env."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.live.nodes import LiveNode
from fieldsurvey.xforms.program import lists
from fieldsurvey.xforms.program.lists import below, by_column
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.nodes import Node
from fieldsurvey.xforms.xpath.runtime import Context, Env

if TYPE_CHECKING:
    from fieldsurvey.xforms.live.state import State

Verify = Callable[[str, bytes, bytes, bytes], bool]
"""(algorithm, message, signature, public key) -> whether the signature is good."""
Entities = Mapping[str, Sequence[Mapping[str, str]]]


@dataclass
class World:
    """What a caller hands in. `draws` counts the random numbers taken, so that a resumed interview goes on."""

    now: Callable[[], datetime]
    timezone: tzinfo
    seed: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    last_saved: bytes | None = None
    entities: Entities | None = None
    audit: Callable[[dict[str, Any]], None] | None = None
    verify: Verify | None = None
    locate: Callable[[], str | None] | None = None
    monotonic: Callable[[], float] | None = None
    record: Callable[[str, str], str | None] | None = None
    draws: int = 0

    def moment(self) -> datetime:
        """The time in the interview's zone."""
        return self.now().astimezone(self.timezone)

    def draw(self) -> float:
        """The next random number in [0, 1): a function of the seed and of how many were taken before."""
        self.draws += 1
        return random.Random(f"{self.seed}/{self.draws}").random()  # noqa: S311  survey randomness, not a secret


class InterviewEnv(Env):
    """An Env over the state of an interview."""

    def __init__(self, state: State, world: World) -> None:
        self.state = state
        self.world = world
        self.timezone = world.timezone
        self.language = state.language
        self.properties = world.metadata
        self.namespaces = state.program.namespaces
        self.version = state.program.form.version
        self._own: dict[str, Node | None] = {}
        self._keys: dict[tuple[str, str], dict[str, Node]] = {}

    def now(self) -> datetime:
        """The caller's clock."""
        return self.world.moment()

    def random(self) -> float:
        """The caller's seed."""
        return self.world.draw()

    def instance(self, name: str) -> Node | None:
        """A list of the form, the caller's entities, the last saved record, or the form itself."""
        if name in self._own:
            return self._own[name]
        found = self._special(name)
        if found is not None:
            self._own[name] = found
            return found
        found = self.state.program.lists.get(name)
        if found is None and name == self.state.program.form.root.name:
            return self.state.document
        return found

    def _special(self, name: str) -> Node | None:
        definition = self.state.program.lists.definitions.get(name)
        if definition is not None and definition.src == lists.LAST_SAVED:
            if self.world.last_saved is not None:
                return lists.parse_list("last-saved.xml", self.world.last_saved)
            return self.state.blank_document()
        entities = self.world.entities
        if entities is not None and name in entities:
            return lists.item_tree([dict(row) for row in entities[name]])
        return None

    def itext(self, text_id: str, context: Context) -> str:
        """The plain form of an entry in the interview's language; a blank id, of what is not chosen yet, has none."""
        if not text_id:
            return ""
        found = self.state.texts.entry(text_id)
        if found is None:
            raise EvaluationError(_("there is no text {id}").format(id=text_id))
        node = context.origin
        return self.state.texts.join(found.get("", ()), node if isinstance(node, LiveNode) else None)

    def choice_label(self, value: str, ref: str, context: Context) -> str:
        """The label of a choice of the select at `ref`."""
        return self.state.choices.label_of(value, ref, context)

    def pulldata(self, args: Sequence[str]) -> str:
        """The cell of one column in the row whose key column holds the key; columns may be paths, such as `@id`."""
        source, column, key_column, key = args
        document = self.instance(source)
        if document is None:
            raise EvaluationError(_("there is no list called {name}").format(name=source))
        if source in self._own:
            table = self._keys.get((source, key_column))
            if table is None:
                table = self._keys[source, key_column] = by_column(document, key_column)
        else:
            table = self.state.program.lists.keyed(source, key_column) or {}
        item = table.get(key)
        return "" if item is None else below(item, column)

    def verify_signature(self, algorithm: str, message: bytes, signature: bytes, public_key: bytes) -> bool:
        """The caller's verifier."""
        if self.world.verify is None:
            return super().verify_signature(algorithm, message, signature, public_key)
        return self.world.verify(algorithm, message, signature, public_key)

    def position(self, node: Node) -> int | None:
        """A repeat instance knows its position."""
        if isinstance(node, LiveNode) and node.d.kind == "repeat":
            return node.frame.position
        return None
