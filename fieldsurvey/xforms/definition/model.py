"""The static form: the node tree with its frames, binds, controls, texts, actions and secondary instances.

A *frame* is what is made anew for each instance of a repeat (the root frame is made once). Every node has one slot in
its frame; a repeat takes one slot in the frame outside it (its range) and opens a frame of its own, in which the
repeat's own node has slot 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fieldsurvey.xforms.contract import Origin
from fieldsurvey.xforms.errors import FormProblem


@dataclass(slots=True, eq=False)
class Expression:
    """XPath as written, where it stands and what it is for. `context` is the node it is evaluated at."""

    source: str
    context: NodeDef | None
    column: str
    origin: Origin | None = None


@dataclass(slots=True, eq=False)
class Text:
    """A label, hint or message: literal parts and outputs, or `itext` when it is looked up by language.

    `itext` is an id; `dynamic` is an expression that gives text (`jr:itext(...)` of something computed).
    """

    parts: tuple[str | Expression, ...] = ()
    itext: str | None = None
    dynamic: Expression | None = None


Forms = dict[str, tuple[str | Expression, ...]]
"""The forms of one itext entry: "" for plain text, else image, audio, video, big-image, guidance, short, long."""


@dataclass(slots=True, eq=False)
class Bind:
    """What a bind says about a node. `extra` keeps attributes of other vocabularies."""

    type: str = ""
    relevant: Expression | None = None
    required: Expression | None = None
    read_only: Expression | None = None
    constraint: Expression | None = None
    calculate: Expression | None = None
    constraint_message: Text | None = None
    required_message: Text | None = None
    warning: Expression | None = None
    warning_message: Text | None = None
    missing: str = ""
    preload: str = ""
    preload_params: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    origin: Origin | None = None


@dataclass(slots=True, eq=False)
class NodeDef:
    """An element of the primary instance. `path` has no positions: `/data/person/age`."""

    name: str
    prefix: str
    ns: str
    path: str
    parent: NodeDef | None
    kind: Literal["leaf", "group", "repeat"] = "leaf"
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[NodeDef] = field(default_factory=list)
    default: str = ""
    bind: Bind | None = None
    attribute_binds: dict[str, Bind] = field(default_factory=dict)
    control: Control | None = None
    origin: Origin | None = None
    index: int = -1
    frame: Frame = None  # type: ignore[assignment]  # set for every node before the definition is handed out
    slot: int = -1
    is_attribute: bool = False
    instances: list[Values] | None = None  # a repeat: the instances the form starts with
    by_name: dict[str, NodeDef] = field(default_factory=dict, repr=False)  # what `child` found out
    counted: int = 0  # how many children that knows of

    @property
    def outer(self) -> Frame:
        """The frame in which the node has its place among siblings: for a repeat, the one outside it."""
        if self.kind == "repeat":
            assert self.frame.outer is not None
            return self.frame.outer
        return self.frame

    @property
    def outer_slot(self) -> int:
        """The slot in `outer`: that of the range for a repeat."""
        return self.frame.range_slot if self.kind == "repeat" else self.slot

    def child(self, name: str) -> NodeDef | None:
        """The child element called `name` (local name)."""
        if self.counted < len(self.children):  # the tree is still growing
            for child in self.children[self.counted :]:
                if not child.is_attribute:
                    self.by_name.setdefault(child.name, child)
            self.counted = len(self.children)
        return self.by_name.get(name)


@dataclass(slots=True, eq=False)
class Values:
    """Instance data by child: text of leaves, nested values of groups, lists of values for repeats."""

    text: str = ""
    children: dict[str, list[Values]] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Frame:
    """The slots that one instance of a repeat has (or the root, once)."""

    repeat: NodeDef | None
    outer: Frame | None
    depth: int
    nodes: list[NodeDef] = field(default_factory=list)
    range_slot: int = -1  # where the repeat's range is kept in `outer`

    def chain(self) -> list[Frame]:
        """From the root frame to this one."""
        chain: list[Frame] = []
        frame: Frame | None = self
        while frame is not None:
            chain.append(frame)
            frame = frame.outer
        return chain[::-1]


@dataclass(slots=True, eq=False)
class Item:
    """A choice written in the body."""

    value: str
    label: Text | None


@dataclass(slots=True, eq=False)
class Itemset:
    """Choices taken from a nodeset: `value` and `label` are paths below each of its nodes."""

    nodeset: Expression
    value: str
    label: Expression | None
    label_itext: bool = False
    randomize: bool = False
    seed: Expression | None = None


@dataclass(slots=True, eq=False)
class Action:
    """setvalue, setgeopoint or recordaudio, and the events that run it."""

    kind: str
    target: NodeDef
    events: tuple[str, ...]
    value: Expression | None = None
    text: str = ""
    source: NodeDef | None = None  # the control whose changes run it
    quality: str = ""  # of a recording: normal, low, voice-only …
    where: Expression | None = None  # the target as a nodeset, when predicates choose among its instances
    origin: Origin | None = None


@dataclass(slots=True, eq=False)
class Control:
    """A control of the body. `ref` is None for a presentation group."""

    kind: str
    ref: NodeDef | None
    parent: Control | None
    appearance: tuple[str, ...] = ()
    label: Text | None = None
    hint: Text | None = None
    items: tuple[Item, ...] = ()
    itemset: Itemset | None = None
    ticks: Itemset | None = None  # a range: the labels along its scale
    search: tuple[Expression, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    children: list[Control] = field(default_factory=list)
    count: Expression | None = None
    no_add_remove: bool = False
    origin: Origin | None = None
    number: int = -1
    place: int = -1

    @property
    def field_list(self) -> bool:
        """Whether what is inside shows together."""
        return self.kind in {"group", "repeat"} and "field-list" in self.appearance


@dataclass(slots=True, eq=False)
class SecondaryInstance:
    """A list kept in the form (`data`, raw XML element) or outside it (`src`, jr:// address)."""

    id: str
    src: str
    data: object | None
    origin: Origin | None = None


@dataclass(slots=True, eq=False)
class FormDef:
    """Everything the engine needs to know of a form."""

    id: str
    version: str
    title: str
    root: NodeDef
    nodes: list[NodeDef]
    root_frame: Frame
    controls: list[Control]
    languages: tuple[str, ...]
    default_language: str
    itext: dict[str, dict[str, Forms]]
    secondary: dict[str, SecondaryInstance]
    actions: list[Action]
    expressions: list[Expression]
    namespaces: dict[str, str]
    root_values: Values
    by_path: dict[str, NodeDef]
    submission: dict[str, str] = field(default_factory=dict)
    warnings: list[FormProblem] = field(default_factory=list)
