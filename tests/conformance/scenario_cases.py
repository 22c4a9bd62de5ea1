"""Runs `scenarios.jsonl`: interviews recorded step by step, with what was checked on the way and the instance after.

Only `check` steps and `instance_after` are scored. Steps on refs with position 0 are skipped (a quirk of a helper),
and what was recorded as volatile (it depends on the clock or on chance).
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fieldsurvey.base.errors import FieldsurveyError, InputError
from fieldsurvey.xforms import LoadedForm, NotAnswerableError, ViolationKind, load_form
from tests.conformance.compare import instance_differences
from tests.conformance.forms_cases import Outcome, recorded_at
from tests.conformance.looking import LOOK, Cursor, plain

RESTORES = {"save_and_reload", "reload_form", "edit_submitted_instance", "new_instance"}
PROPERTIES = {"deviceID": "deviceid", "phoneNumber": "phonenumber", "email": "email", "username": "username"}


def run(folder: Path) -> Outcome:
    """Every case of `folder / "scenarios.jsonl"`."""
    outcome = Outcome()
    with (folder / "scenarios.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                Scenario(json.loads(line), outcome, recorded_at(folder)).run()
    return outcome


def verify(algorithm: str, message: bytes, signature: bytes, key: bytes) -> bool:
    """Signatures are checked by whoever uses the engine; here by the library the program has."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return algorithm == "Ed25519"


def nowhere() -> str:
    """What a JavaRosa without a client puts where a position belongs."""
    return "no client implementation"


class NotLoadedError(InputError):
    """A step of a case whose form did not load."""


class Scenario:
    """One recorded interview. `seats` are the interviews in it by number: restoring or editing opens another."""

    def __init__(self, case: dict[str, Any], outcome: Outcome, now: datetime) -> None:
        self.case = case
        self.now = datetime.fromisoformat(case["now"]) if case.get("now") else now
        self.outcome = outcome
        self.javarosa = case["source"].startswith("javarosa")
        self.form: LoadedForm | None = None
        self.source = ""
        self.seats: dict[int, Cursor] = {}
        self.previous_op = ""
        self.metadata: dict[str, str] = {}
        self.fabricated = False

    def run(self) -> None:
        """All steps; what cannot be done counts as wrong at its check."""
        if self.case.get("load_should_fail"):
            self.refused()
            return
        for step in self.case["steps"]:
            self.step(step)
            self.previous_op = step["op"]
            self.fabricated = written_by_hand(step)

    def refused(self) -> None:
        """A form that must be refused when it is loaded, or show an error at once."""
        step = next((step for step in self.case["steps"] if step["op"] == "load" and step.get("form_xml")), None)
        if step is None:
            self.outcome.skip("checks", "the form itself is not among the cases")
            return
        try:
            self.load(step)
            broken = any(problem.kind is ViolationKind.ERROR for problem in self.seats[1].interview.problems())
        except FieldsurveyError:
            broken = True
        self.outcome.count("checks", broken, self.case["id"], "loaded, should be refused")

    def step(self, step: dict[str, Any]) -> None:
        """One step, then the instance after it."""
        op = step["op"]
        if step.get("quirk_ref0") and step.get("resolved_ref"):
            step = {**step, "ref": step["resolved_ref"]}
        elif "[0]" in str(step.get("ref", "")) and op != "check":
            self.outcome.skips["position 0"] = self.outcome.skips.get("position 0", 0) + 1
            return
        problem: str | None = None
        try:
            if op == "load":
                self.load(step)
            elif op in RESTORES:
                self.restore(step)
            elif op == "check":
                self.check(step)
            elif self.seats:
                self.act(step)
        except FieldsurveyError as error:
            problem = f"{type(error).__name__}: {error}"
        if step.get("instance_after"):
            self.compare(step, problem)

    # -- acting --------------------------------------------------------------------------------------------------

    def load(self, step: dict[str, Any]) -> None:
        """The form, and a blank interview of it."""
        if not step.get("form_xml"):
            return
        options = step.get("options") or {}
        resources = step.get("resources") or []
        media = {r["url"]: r["body"].encode() for r in resources if r.get("body") is not None}
        media |= {url.rpartition("/")[2]: body for url, body in list(media.items())}
        self.source = step["form_xml"]
        self.metadata = {PROPERTIES.get(k, k): v for k, v in (options.get("preloadProperties") or {}).items()}
        self.form = load_form(step["form_xml"].encode("utf-8"), media)
        number = max(self.seats, default=0) + 1 if self.seats and self.previous_op != "load" else 1
        if options.get("editInstance"):
            interview = self.form.resume_instance(options["editInstance"].encode(), **self.keywords())
        else:
            interview = self.form.start(**self.keywords())
        self.seats[number] = Cursor(interview, javarosa=self.javarosa)
        if number != 1:
            self.seats[1] = self.seats[number]

    def keywords(self) -> dict[str, Any]:
        """The world of the recording."""
        zone = self.case.get("tz") or "UTC"
        return {
            "now": lambda: self.now,
            "timezone": zone,
            "seed": 1,
            "metadata": self.metadata,
            "verify": verify,
            "locate": nowhere if self.javarosa else None,
        }

    def seat(self, step: dict[str, Any]) -> Cursor:
        """The interview that a step is about."""
        number = step.get("scenario", 1)
        if not self.seats:
            raise NotLoadedError
        return self.seats.get(number) or self.seats[max(self.seats)]

    def restore(self, step: dict[str, Any]) -> None:
        """Another interview from what the last one was saved as."""
        op = step["op"]
        if op == self.previous_op and not self.javarosa:
            return  # a helper and what it calls were both recorded
        if self.form is None or not self.seats:
            raise NotLoadedError
        before = self.seats[max(self.seats)] if not self.javarosa else self.seats[1]
        if op == "new_instance":
            interview = self.form.start(**self.keywords())
        elif self.fabricated and step.get("instance_after"):
            interview = self.form.resume_instance(answers_only(step["instance_after"], self.form), **self.keywords())
            interview.extra_meta.pop("deprecatedID", None)
        elif self.javarosa:
            interview = self.form.resume(before.interview.draft(), **self.keywords())
        else:
            interview = self.form.resume_instance(before.interview.instance().xml, **self.keywords())
            if op != "edit_submitted_instance":
                interview.extra_meta.pop("deprecatedID", None)
        made = Cursor(interview, javarosa=self.javarosa)
        self.seats[1 if self.javarosa else max(self.seats) + 1] = made

    def act(self, step: dict[str, Any]) -> None:
        """An answer, a repeat, a move, a language."""
        seat = self.seat(step)
        op = step["op"]
        if op == "answer":
            self.answer(seat, step)
        elif op == "add_repeat":
            seat.add(step["ref"])
        elif op == "remove_repeat":
            match = re.fullmatch(r"(.*)\[(\d+)\]", step["ref"])
            if match:
                seat.interview.remove_repeat(plain(match[1], seat.interview), int(match[2]))
        elif op == "set_language":
            seat.interview.set_language(step["lang"])
        elif op == "next":
            seat.next()
        elif op == "prev":
            seat.previous()
        elif op == "rewind":
            seat.rewind()

    def answer(self, seat: Cursor, step: dict[str, Any]) -> None:
        """Answer, also where an enumerator could not: the recordings set values anywhere."""
        interview = seat.interview
        ref = plain(step["ref"], interview)
        if self.javarosa:
            seat.make(ref)
        node = interview.refs.node(ref)
        text = answer_text(step)
        if isinstance(step.get("value"), bool) and node.d.control is not None and node.d.control.kind == "trigger":
            text = "OK" if step["value"] else None
        before = node.text
        try:
            interview.answer(ref, text)
        except NotAnswerableError:
            interview.put(node, text or "")
            interview.state.actions.finish()
        violation = interview.state.bad.get(node)
        if self.javarosa and violation in {ViolationKind.CHOICE, ViolationKind.TYPE}:  # its helper asks nobody
            interview.state.put(node, text or "")
            interview.state.actions.finish()
        if self.javarosa and step.get("by_position") and violation is ViolationKind.CONSTRAINT:
            interview.put(node, before)  # JavaRosa does not store what a constraint refuses
            interview.state.actions.finish()
        if not step.get("by_position"):
            seat.at_ref(ref)

    # -- checking ------------------------------------------------------------------------------------------------

    def check(self, step: dict[str, Any]) -> None:
        """Compare what is expected with what is there."""
        if step.get("volatile"):
            self.outcome.skip("checks", "volatile")
            return
        look = LOOK.get(step["kind"])
        if look is None:
            self.outcome.skip("checks", f"nothing here is like {step['kind']}")
            return
        try:
            found, right = look(self.seat(step), step, self.source)
        except (FieldsurveyError, KeyError) as error:
            found, right = f"{type(error).__name__}: {error}", False
        detail = {"kind": step["kind"], "ref": step.get("ref"), "expected": step.get("expected"), "found": found}
        self.outcome.count("checks", right, self.case["id"], detail)

    def compare(self, step: dict[str, Any], problem: str | None) -> None:
        """The instance after a step."""
        if step.get("volatile"):
            self.outcome.skip("instances", "volatile")
            return
        if not self.seats:
            self.outcome.count("instances", False, self.case["id"], problem or "not loaded")
            return
        seat = self.seats[max(self.seats)] if step["op"] in RESTORES else self.seat(step)
        try:
            differs = instance_differences(step["instance_after"], seat.interview.instance().xml, self.source)
        except ET.ParseError:
            self.outcome.skip("instances", "what was recorded is not well-formed XML")
            return
        if problem and differs:
            differs.insert(0, problem)
        self.outcome.count("instances", not differs, self.case["id"], {"op": step["op"], "differs": differs[:4]})


def written_by_hand(step: dict[str, Any]) -> bool:
    """Whether a step says that what is restored next was not serialised by the form but written by the test."""
    actual = step.get("actual")
    return isinstance(actual, dict) and actual.get("__cls") == "FabricatedInstanceFile"


def answers_only(recorded: str, form: LoadedForm) -> bytes:
    """What a recording restored, without all that the form works out: the instance itself was not recorded.

    From the result stay the answers and the repeat instances; calculated and blank leaves go, so that what is
    checked afterwards has to be worked out and filled in again.
    """
    root = ET.fromstring(recorded)
    by_path = {d.path: d for d in form.nodes}

    def strip(element: ET.Element, path: str) -> None:
        for child in list(element):
            below = f"{path}/{child.tag.rpartition('}')[2]}"
            d = by_path.get(below)
            calculated = d is not None and d.bind is not None and d.bind.calculate is not None
            if not len(child) and (calculated or not child.text):
                element.remove(child)
            else:
                strip(child, below)

    strip(root, f"/{root.tag}")
    return ET.tostring(root)


def answer_text(step: dict[str, Any]) -> str | None:
    """The value of an answer as text."""
    value = step.get("value")
    if step.get("complex_value") or isinstance(value, dict):
        return step.get("value_after")
    if value is None:
        return step.get("value_after") if "value_after" in step and "value" not in step else None
    if isinstance(value, list):
        return " ".join(str(part.get("value", part)) if isinstance(part, dict) else str(part) for part in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
