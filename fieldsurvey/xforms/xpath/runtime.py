"""What a compiled expression is given when it runs: the context node, and an environment that holds everything else.

Nothing here reads a clock, a random source, a file or a key: the caller's `Env` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.index import table_of
from fieldsurvey.xforms.xpath.nodes import Node, Value

__all__ = ["Context", "Env", "Run", "Value"]


MOST_VISITS = 3_000_000
"""Some seconds of work."""


class Env:
    """Everything an expression may ask of the world; subclass it and override what the form needs.

    Each default is the honest answer of a world that has nothing: no instances, no labels, no signatures. The clock
    and randomness have no default answer: an expression that needs one that was not given has no value.
    """

    timezone: tzinfo = UTC
    language: str = ""
    properties: Mapping[str, str] = MappingProxyType({})
    version: str = ""
    """The form's version, for `version()`."""

    visits: int = MOST_VISITS
    """How many nodes the axes that look far (`preceding`, `descendant` …) may still look at; an Env's owner sets it
    anew for each piece of work, so that nothing that grows with the square of a roster can hang."""

    root: Node | None = None
    """Where absolute paths start, when it is not the root of the tree that `current()` is in."""

    def now(self) -> datetime:
        """The time, with its time zone."""
        raise EvaluationError(_("no clock was given"))

    def random(self) -> float:
        """A number in [0, 1)."""
        raise EvaluationError(_("no source of randomness was given"))

    def instance(self, name: str) -> Node | None:
        """The secondary instance `name`: a node whose child element is the instance's root element; None: unknown.

        Filters index a list once (see lookup.py), so a tree must not change after it was handed out;
        hand out a new tree when the data changed.
        """
        del name
        return None

    def itext(self, text_id: str, context: Context) -> Value:
        """The text of the form called `text_id` in the interview's language; a string or the nodes that hold it."""
        del text_id, context
        raise EvaluationError(_("the form has no text of that name"))

    def choice_label(self, value: str, ref: str, context: Context) -> str:
        """The label of the choice `value` of the select at `ref` (a path, absolute or from the context node)."""
        del value, ref, context
        raise EvaluationError(_("there are no choices there"))

    def pulldata(self, args: Sequence[str]) -> str:
        """`pulldata(list, column, key column, key)`; the default reads the secondary instance of that name."""
        if len(args) != 4:
            raise EvaluationError(_("pulldata takes a list, a column, a key column and a key"))
        source, column, key_column, key = args
        instance = self.instance(source)
        if instance is None:
            raise EvaluationError(_("there is no list of that name"))
        for root in instance.children:
            rows = table_of(root, "item").find(key_column, key)
            if rows:
                return next((cell.string() for cell in rows[0].children if cell.name == column), "")
        return ""

    def verify_signature(self, algorithm: str, message: bytes, signature: bytes, public_key: bytes) -> bool:
        """Whether `signature` is `public_key`'s over `message`; `algorithm` is "Ed25519"."""
        del algorithm, message, signature, public_key
        raise EvaluationError(_("nothing here can check a signature"))

    def position(self, node: Node) -> int | None:
        """The position from 1 of a repeat instance, when the engine knows it without counting siblings."""
        del node
        return None


class Context:
    """Where an expression runs. `node` is the context node, `origin` what `current()` means.

    `position` and `size` are those of XPath's context inside a predicate, and 0 and 1 outside of one.

    Closures never keep a context: the walker of predicates reuses one, setting `node` and `position` for each node.
    A subclass with slots of its own overrides `inner`.
    """

    __slots__ = ("env", "node", "origin", "position", "size")

    def __init__(self, node: Node, env: Env, *, origin: Node | None = None, position: int = 0, size: int = 1) -> None:
        self.node = node
        self.env = env
        self.origin = node if origin is None else origin
        self.position = position
        self.size = size

    def inner(self, node: Node, size: int) -> Context:
        """A context for the predicates of a step: same environment and origin."""
        return Context(node, self.env, origin=self.origin, position=1, size=size)


Run = Callable[[Context], Value]
"""A compiled expression."""
