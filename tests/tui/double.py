"""A small in-memory form and interview behind the engine's contract, for tests of the front ends only. Synthetic."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from fieldsurvey.fieldwork.cards import SealedCard, State
from fieldsurvey.xforms.contract import (
    Change,
    ChangeKind,
    Choice,
    Draft,
    End,
    Group,
    Instance,
    OutlineItem,
    Place,
    Question,
    Repeat,
    Violation,
    ViolationKind,
)
from fieldsurvey.xforms.errors import NoSuchRefError, NotReadyError

Labels = dict[str, str]


@dataclass
class Spec:
    """A question of the double."""

    name: str
    type: str
    label: Labels
    hint: Labels = field(default_factory=dict)
    choices: list[tuple[str, Labels]] = field(default_factory=list)
    required: bool = False
    relevant: Callable[[dict[str, str]], bool] = lambda _answers: True
    constraint: Callable[[str], bool] = lambda _value: True
    message: str = ""
    warning: Callable[[str], bool] = lambda _value: True
    appearance: tuple[str, ...] = ()
    missing: str | None = None
    group: str | None = None
    repeat: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)


PARSES = {
    "integer": re.compile(r"-?\d+"),
    "decimal": re.compile(r"-?\d*\.?\d+"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "time": re.compile(r"\d\d:\d\d:\d\d"),
}


class DoubleInterview:
    """Linear forms with field-list groups and flat repeats; enough to lead a screen."""

    def __init__(self, specs: list[Spec], groups: dict[str, Labels], repeats: dict[str, Labels]) -> None:
        self.specs = specs
        self.groups = groups
        self.repeats = repeats
        self.language = "es"
        self.answers: dict[str, str] = {}
        self.raws: dict[str, str] = {}
        self.counts = dict.fromkeys(repeats, 0)
        self.notes: dict[str, str] = {}
        self.accepted: dict[str, str] = {}
        self.path: list[Place] = []
        self.log: list[tuple[str, ...]] = []
        self.current: Place = self._places()[0]

    # -- places

    def _refs(self, spec: Spec) -> list[str]:
        if spec.repeat:
            return [f"/data/{spec.repeat}[{i}]/{spec.name}" for i in range(1, self.counts[spec.repeat] + 1)]
        return [f"/data/{spec.group}/{spec.name}" if spec.group else f"/data/{spec.name}"]

    def _spec(self, ref: str) -> Spec:
        name = ref.rpartition("/")[2]
        for spec in self.specs:
            if spec.name == name and ref in self._refs(spec):
                return spec
        raise NoSuchRefError(ref=ref)

    def _places(self) -> list[Place]:
        found: list[Place] = []
        done: set[str] = set()
        for spec in self.specs:
            if spec.group:
                if spec.group not in done and (group := self.group(f"/data/{spec.group}")).questions:
                    found.append(group)
                done.add(spec.group)
            elif spec.repeat:
                if spec.repeat not in done:
                    inside = [s for s in self.specs if s.repeat == spec.repeat]
                    for i in range(1, self.counts[spec.repeat] + 1):
                        found += [self.question(f"/data/{spec.repeat}[{i}]/{s.name}") for s in inside]
                    found.append(
                        Repeat(
                            f"/data/{spec.repeat}",
                            self.repeats[spec.repeat][self.language],
                            self.counts[spec.repeat],
                            can_add=True,
                        )
                    )
                done.add(spec.repeat)
            elif spec.relevant(self.answers):
                found.append(self.question(self._refs(spec)[0]))
        return [*found, End()]

    @staticmethod
    def _key(place: Place) -> str:
        return "" if isinstance(place, End) else place.ref

    def _index(self) -> int:
        keys = [self._key(p) for p in self._places()]
        return keys.index(self._key(self.current))

    def next(self) -> Place:
        places = self._places()
        self.path.append(self.current)
        self.current = places[min(self._index() + 1, len(places) - 1)]
        return self.current

    def previous(self) -> Place:
        self.current = self.path.pop() if self.path else self._places()[max(self._index() - 1, 0)]
        return self.current

    def go_to(self, ref: str) -> Place:
        for place in self._places():
            if self._key(place) == ref or (isinstance(place, Group) and ref in place.questions):
                self.path.append(self.current)
                self.current = place
                return place
        raise NoSuchRefError(ref=ref)

    # -- nodes

    def question(self, ref: str) -> Question:
        spec = self._spec(ref)
        value = self.answers.get(ref)
        missing = f"/data/{spec.missing}" if spec.missing else None
        return Question(
            ref=ref,
            name=spec.name,
            type=spec.type,
            label=spec.label.get(self.language, ""),
            hint=spec.hint.get(self.language, ""),
            guidance="",
            appearance=spec.appearance,
            value=value,
            raw=self.raws.get(ref),
            choices=tuple(Choice(v, labels[self.language]) for v, labels in spec.choices),
            required=spec.required,
            relevant=spec.relevant(self.answers),
            read_only=spec.type == "note",
            violation=self._violation(spec, ref, value),
            parameters=spec.parameters,
            missing_ref=missing,
        )

    def _violation(self, spec: Spec, ref: str, value: str | None) -> Violation | None:
        if ref in self.raws:
            return Violation(ref, ViolationKind.TYPE)
        if value is None:
            filled = spec.missing and self.answers.get(f"/data/{spec.missing}")
            return Violation(ref, ViolationKind.REQUIRED) if spec.required and not filled else None
        if not spec.constraint(value):
            return Violation(ref, ViolationKind.CONSTRAINT, spec.message)
        if not spec.warning(value):
            return Violation(ref, ViolationKind.WARNING, spec.message, accepted=ref in self.accepted)
        return None

    def group(self, ref: str) -> Group:
        name = ref.rpartition("/")[2]
        if name not in self.groups:
            raise NoSuchRefError(ref=ref)
        inside = tuple(r for s in self.specs if s.group == name and s.relevant(self.answers) for r in self._refs(s))
        return Group(ref, self.groups[name][self.language], field_list=True, questions=inside)

    def outline(self) -> list[OutlineItem]:
        items = []
        number = 0
        seen: set[str] = set()
        for spec in self.specs:
            if spec.group and spec.group not in seen:
                seen.add(spec.group)
                label = self.groups[spec.group][self.language]
                items.append(OutlineItem(f"/data/{spec.group}", "group", label, 0, None, False, None, False))
            if spec.relevant(self.answers):
                for ref in self._refs(spec):
                    number += 1
                    q = self.question(ref)
                    answered = q.value is not None
                    items.append(
                        OutlineItem(ref, "question", q.label, 1, number, answered, q.violation, ref in self.notes)
                    )
        return items

    # -- changes

    def answer(self, ref: str, value: str | None) -> list[Change]:
        spec = self._spec(ref)
        self.log.append(("answer", ref, value or ""))
        self.answers.pop(ref, None)
        self.raws.pop(ref, None)
        self.accepted.pop(ref, None)
        pattern = PARSES.get(spec.type)
        if value is not None and pattern is not None and not pattern.fullmatch(value):
            self.raws[ref] = value
        elif value is not None:
            self.answers[ref] = value
        return [Change(ref, frozenset({ChangeKind.VALUE}))]

    def add_repeat(self, ref: str) -> str:
        name = ref.rpartition("/")[2]
        self.counts[name] += 1
        return f"{ref}[{self.counts[name]}]"

    def remove_repeat(self, ref: str, position: int) -> list[Change]:
        name = ref.rpartition("/")[2]
        kept: dict[str, str] = {}
        for key, value in self.answers.items():
            found = re.fullmatch(re.escape(ref) + r"\[(\d+)\](/.*)", key)
            at = int(found[1]) if found else 0
            if found and at != position:
                kept[f"{ref}[{at - (at > position)}]{found[2]}"] = value
            elif not found:
                kept[key] = value
        self.answers = kept
        self.counts[name] -= 1
        return []

    def set_language(self, language: str) -> None:
        self.language = language

    def note(self, ref: str) -> str:
        return self.notes.get(ref, "")

    def set_note(self, ref: str, text: str) -> None:
        self.notes[ref] = text

    def accept_warning(self, ref: str, reason: str) -> None:
        self.accepted[ref] = reason

    def problems(self) -> list[Violation]:
        return [i.violation for i in self.outline() if i.violation is not None]

    def draft(self) -> Draft:
        return Draft("double", "1", "", {})

    def mark(self) -> int:
        return len(self.log)

    def changes_since(self, mark: int) -> dict[str, Any]:
        return {"from": mark}

    def finalise(self) -> Instance:
        blocking = [p for p in self.problems() if p.blocks]
        if blocking:
            raise NotReadyError(blocking)
        return Instance("double", "1", "uuid:double", "", b"<data/>", dict(self.answers))


T = TypeVar("T")


class DoubleWork:
    """`fieldwork.Work` without a vault; `fail` makes changes raise once they are made, as a full disk would."""

    title = "Formulario de prueba"

    def __init__(self, interview: DoubleInterview) -> None:
        self.interview = interview
        self.draft_id = "double"
        self.fail: Exception | None = None
        self.pending = False
        self.ended = ""

    @property
    def saved(self) -> bool:
        return not self.pending

    def save(self) -> None:
        self._durable(lambda: None)

    def _durable(self, change: Callable[[], T]) -> T:
        result = change()
        self.pending = self.fail is not None
        if self.fail is not None:
            raise self.fail
        return result

    def answer(self, ref: str, value: str | None) -> list[Change]:
        return self._durable(lambda: self.interview.answer(ref, value))

    def next(self) -> Place:
        return self._durable(self.interview.next)

    def previous(self) -> Place:
        return self._durable(self.interview.previous)

    def go_to(self, ref: str) -> Place:
        return self._durable(lambda: self.interview.go_to(ref))

    def add_repeat(self, ref: str) -> str:
        return self._durable(lambda: self.interview.add_repeat(ref))

    def remove_repeat(self, ref: str, position: int) -> list[Change]:
        return self._durable(lambda: self.interview.remove_repeat(ref, position))

    def set_language(self, language: str) -> None:
        self._durable(lambda: self.interview.set_language(language))

    def set_note(self, ref: str, text: str) -> None:
        self._durable(lambda: self.interview.set_note(ref, text))

    def accept_warning(self, ref: str, reason: str) -> None:
        self._durable(lambda: self.interview.accept_warning(ref, reason))

    def finalise(self) -> SealedCard:
        self.interview.finalise()
        self.ended = "sealed"
        return SealedCard(1, "0" * 32, 0, 1024, State.SEALED, "ABCD-EFGH", "uno dos tres")

    def discard(self) -> None:
        self.ended = "discarded"

    def close(self) -> None:
        self.ended = "closed"


def both(es: str, en: str = "") -> Labels:
    """A label in two languages."""
    return {"es": es, "en": en or es}


MISSING = [
    ("dont_know", both("No sabe", "Doesn't know")),
    ("prefers_not", both("Prefiere no decir", "Prefers not to say")),
]


def sample() -> DoubleInterview:
    """One of every type, in two languages."""
    yes_no = [("yes", both("Sí", "Yes")), ("no", both("No", "No"))]
    parishes = [(f"p{i:03}", both(f"Parroquia {i}")) for i in range(1, 300)] + [("ang", both("Ángel Pamba"))]
    return DoubleInterview(
        [
            Spec("intro", "note", both("Buenos días. Voy a leerle unas preguntas.", "Good morning. I will read you.")),
            Spec("name", "text", both("¿Cómo se llama esta zona?", "What is this area called?")),
            Spec(
                "people",
                "integer",
                both("¿Cuántas personas duermen aquí?", "How many people sleep here?"),
                both("Incluya a los recién nacidos.", "Include newborns."),
                required=True,
                constraint=lambda v: 0 < int(v) < 31,
                message="Debe estar entre 1 y 30.",
                missing="people_missing",
            ),
            Spec("people_missing", "select", both("Motivo"), choices=MISSING),
            Spec("since", "date", both("¿Desde qué día vive aquí?", "Since which day?")),
            Spec(
                "water", "select", both("¿Tiene agua?", "Is there water?"), choices=[*yes_no, *MISSING], required=True
            ),
            Spec(
                "needs",
                "selectMultiple",
                both("¿Qué necesita?", "What is needed?"),
                choices=[("food", both("Comida", "Food")), ("work", both("Trabajo", "Work")), *MISSING],
            ),
            Spec("parish", "select", both("¿En qué parroquia?", "Which parish?"), choices=parishes),
            Spec("comment", "text", both("Comentarios", "Comments"), appearance=("multiline",)),
            Spec("rent", "decimal", both("Arriendo", "Rent"), warning=lambda v: float(v) < 1000, message="Es mucho."),
            Spec("x", "integer", both("Mujeres", "Women"), group="counts"),
            Spec("y", "integer", both("Hombres", "Men"), group="counts"),
            Spec("age", "integer", both("Edad", "Age"), repeat="person"),
            Spec("thanks", "acknowledge", both("Gracias por su tiempo.", "Thank you.")),
        ],
        {"counts": both("Personas presentes", "People present")},
        {"person": both("Personas del hogar", "Household members")},
    )


def replaced(question: Question, **changes: Any) -> Question:
    """A question with some fields changed."""
    return replace(question, **changes)
