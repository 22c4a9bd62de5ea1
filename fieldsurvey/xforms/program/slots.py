"""Reading live nodes by slots: what the compiler is given instead of a walk through the tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from fieldsurvey.xforms.definition.model import Frame, NodeDef
from fieldsurvey.xforms.live.nodes import LiveFrame, LiveNode, Range
from fieldsurvey.xforms.program.references import References, Resolved
from fieldsurvey.xforms.xpath.ast import FunctionCall, Path, Step, TypeTest
from fieldsurvey.xforms.xpath.compiled import PathAccess
from fieldsurvey.xforms.xpath.compiler import Compiler
from fieldsurvey.xforms.xpath.nodes import Node, Value
from fieldsurvey.xforms.xpath.paths import compile_path
from fieldsurvey.xforms.xpath.runtime import Context

FrameOf = Callable[[Context], LiveFrame]
_PARENT = Step("parent", TypeTest("node"))


class SlotResolver:
    """Access to the paths of expressions at one definition. `missing` collects names that are nowhere in the form."""

    def __init__(self, root: NodeDef, here: NodeDef | None, namespaces: Mapping[str, str]) -> None:
        self.references = References(root, here)
        self.namespaces = namespaces
        self.missing: list[str] = []
        self.bare: set[str] = set()

    def path(self, path: Path, scope: tuple[Path, ...], every: bool) -> PathAccess | None:
        """See xpath.compiled.PathResolver."""
        found = self.references.resolve(path, scope, every=every)
        if found is None:
            return None
        if found.missing:
            self.missing.append(found.missing)
            if not path.absolute and path.start is None and all(step.axis != "parent" for step in path.steps):
                self.bare.add(found.missing)
            if any(step.predicates for step in path.steps):
                return None  # there is nothing to filter, but the filters must be expressions all the same
            return PathAccess(lambda _ctx: [])
        if found.target.slot < 0:  # a count that names its own repeat: there is no one instance it could mean
            self.missing.append(".")
            self.bare.add(".")
            return PathAccess(lambda _ctx: [])
        if found.predicates:
            return self.filtered(path, scope, found)
        return access(found)

    def filtered(self, path: Path, scope: tuple[Path, ...], found: Resolved) -> PathAccess | None:
        """A path with predicates: an absolute one is made relative, so that the walker starts inside what is bound."""
        if not path.absolute:
            return None
        bound = found.here.frame.chain()[: found.bound + 1]
        anchor = bound[-1].repeat
        ups = _distance(found.here, anchor)
        skip = len(anchor.path.split("/")) - 1 if anchor is not None else 1
        steps = (*[_PARENT] * ups, *path.steps[skip:])
        start = FunctionCall("current", ()) if found.from_origin else None
        relative = replace(path, absolute=False, steps=steps, start=start)
        if anchor is None and found.from_origin is False and ups == 0 and not path.steps[skip:]:
            return None
        compiler = Compiler(self, self.namespaces, "xforms")
        compiler.scope = scope
        compiled = compile_path(compiler, relative)
        run = compiled.run
        return PathAccess(run)  # type: ignore[arg-type]  # a path yields nodes


def _distance(here: NodeDef, anchor: NodeDef | None) -> int:
    """Steps up from `here` to `anchor`, or to the root element."""
    count = 0
    node = here
    while node is not anchor and node.parent is not None:
        node = node.parent
        count += 1
    return count


def frame_at(found: Resolved) -> FrameOf:
    """The frame in which the bound part of a reference lies."""
    ups = found.here.frame.depth - found.bound
    if found.bound == 0:
        if found.from_origin:
            return lambda ctx: ctx.origin.frame.root  # type: ignore[attr-defined]
        return lambda ctx: ctx.node.frame.root  # type: ignore[attr-defined]
    if found.from_origin:
        return lambda ctx: _up(ctx.origin.frame, ups)  # type: ignore[attr-defined]
    if ups == 0:
        return lambda ctx: ctx.node.frame  # type: ignore[attr-defined]
    if ups == 1:
        return lambda ctx: ctx.node.frame.outer  # type: ignore[attr-defined]
    return lambda ctx: _up(ctx.node.frame, ups)  # type: ignore[attr-defined]


def _up(frame: LiveFrame, count: int) -> LiveFrame:
    for _step in range(count):
        assert frame.outer is not None
        frame = frame.outer
    return frame


def access(found: Resolved) -> PathAccess:
    """Access to a path without predicates."""
    target = found.target
    if found.bound == target.frame.depth:
        return single(found)
    return several(found)


def single(found: Resolved) -> PathAccess:
    """The one node that a fully bound reference means."""
    slot = found.target.slot
    ups = found.here.frame.depth - found.bound
    frame_of = frame_at(found)

    def nodes(ctx: Context) -> list[Node]:
        node = frame_of(ctx).slots[slot]
        return [node] if node.relevant else []  # type: ignore[union-attr,list-item]  # a slot of a leaf or group

    if found.bound == 0 and not found.from_origin:

        def from_root(ctx: Context) -> Value:
            node: LiveNode = ctx.node.frame.root.slots[slot]  # type: ignore[attr-defined]
            if not node.relevant:
                return ""
            held = node._typed
            return node.value() if held is None else held

        return PathAccess(nodes, from_root)  # type: ignore[arg-type]  # one typed value, never nodes
    if ups == 0 and not found.from_origin:

        def from_here(ctx: Context) -> Value:
            node: LiveNode = ctx.node.frame.slots[slot]  # type: ignore[attr-defined]
            if not node.relevant:
                return ""
            held = node._typed
            return node.value() if held is None else held

        return PathAccess(nodes, from_here)  # type: ignore[arg-type]

    def value(ctx: Context) -> Value:
        node = frame_of(ctx).slots[slot]
        return node.value() if node.relevant else ""  # type: ignore[union-attr]

    return PathAccess(nodes, value)  # type: ignore[arg-type]


def several(found: Resolved) -> PathAccess:
    """The nodes of a reference into repeats that are not bound, in document order."""
    chain = found.target.frame.chain()[found.bound + 1 :]
    slot = found.target.slot
    frame_of = frame_at(found)
    if len(chain) == 1:
        range_slot = chain[0].range_slot

        def nodes_of_one(ctx: Context) -> list[Node]:
            found_range = frame_of(ctx).slots[range_slot]
            nodes = [frame.slots[slot] for frame in found_range.instances]  # type: ignore[union-attr]
            return [node for node in nodes if node.relevant]  # type: ignore[union-attr,misc]

        return PathAccess(nodes_of_one)

    def nodes(ctx: Context) -> list[Node]:
        frames = inside(frame_of(ctx), chain)
        found_nodes = [frame.slots[slot] for frame in frames]
        return [node for node in found_nodes if node.relevant]  # type: ignore[union-attr,misc]

    return PathAccess(nodes)


def inside(frame: LiveFrame, chain: list[Frame]) -> list[LiveFrame]:
    """Every frame reached from `frame` through the repeats of `chain`, outermost first."""
    frames = [frame]
    for level in chain:
        inner: list[LiveFrame] = []
        for one in frames:
            found = one.slots[level.range_slot]
            assert type(found) is Range
            inner.extend(found.instances)
        frames = inner
    return frames
