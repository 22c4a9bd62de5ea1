"""What is known while conditions are followed: of answers, of where an expression stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fieldsurvey.xforms.check.possible import Possible, join
from fieldsurvey.xforms.definition.model import NodeDef


class ExhaustedError(Exception):
    """The budget is used up: nothing can be said. Never leaves the package."""


@dataclass(slots=True)
class Env:
    """What is known of nodes, by index, beyond what their types say.

    `memo` holds what calculated nodes may then be, `inputs` what each of these depends on.
    """

    known: dict[int, Possible] = field(default_factory=dict)
    memo: dict[int, Possible] = field(default_factory=dict)
    inputs: dict[int, frozenset[int]] = field(default_factory=dict)

    def knowing(self, d: NodeDef, possible: Possible) -> Env:
        """The same with one more thing known."""
        index, inputs = d.index, self.inputs
        memo = {key: held for key, held in self.memo.items() if key != index and index not in inputs[key]}
        return Env({**self.known, index: possible}, memo, inputs)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands. `columns` is what the item of a list has, inside a filter of choices."""

    here: NodeDef
    columns: Mapping[str, Possible] | None = None
    depth: int = 0


def joined(ways: list[Env], env: Env) -> Env:
    """What is known whichever of several ways it is."""
    shared = set(ways[0].known).intersection(*(way.known for way in ways[1:]))
    known = dict(env.known)
    for index in shared:
        possible = ways[0].known[index]
        for way in ways[1:]:
            possible = join(possible, way.known[index])
        known[index] = possible
    return env if known == env.known else Env(known, inputs=env.inputs)
