"""The same interview through JavaRosa (`Interviews.java`, over the jar inside pyxform's wheel) and through ours."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyxform

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.xforms import ViolationKind, load_form
from fieldsurvey.xforms.live.interview import LiveInterview
from tests.conformance.compare import instance_differences
from tests.conformance.forms_cases import events

HERE = Path(__file__).parent
JAR = Path(pyxform.__file__).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"
NOW = datetime(2026, 3, 14, 15, 30, tzinfo=UTC)
Step = list[str]
"""`answer REF TEXT`, `add REF`, `remove REF[n]`, `language NAME`, `validate`."""


@dataclass(frozen=True)
class Case:
    """A form, the files beside it, and what is done in an interview of it."""

    name: str
    xml: str
    steps: list[Step]
    media: dict[str, str] = field(default_factory=dict)


def cases() -> list[Case]:
    """The interviews of `interviews.jsonl`: forms made up for this test."""
    lines = (HERE / "interviews.jsonl").read_text(encoding="utf-8").splitlines()
    return [Case(**json.loads(line)) for line in lines]


def java() -> str | None:
    """The Java to run, None when it or the jar is not there."""
    return shutil.which("java") if JAR.exists() else None


def javarosa(found: list[Case], folder: Path) -> list[list[dict[str, Any]]]:
    """What JavaRosa said to every case: one answer for loading it and one for each step."""
    lines: list[str] = []
    for number, case in enumerate(found):
        media = folder / f"media{number}"
        media.mkdir()
        for name, text in case.media.items():
            (media / name).write_text(text, encoding="utf-8")
        form = folder / f"{number}.xml"
        form.write_text(case.xml, encoding="utf-8")
        lines += ["\t".join(["case", str(number), str(form), str(media)]), *("\t".join(step) for step in case.steps)]
    steps = folder / "steps.tsv"
    steps.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [java() or "java", "-Xss8m", "-cp", str(JAR), str(HERE / "Interviews.java"), str(steps)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    answers: list[list[dict[str, Any]]] = []
    for line in printed.splitlines():
        said = json.loads(line)
        if "case" in said:
            answers.append([])
        else:
            answers[-1].append(said)
    return answers


def differences(case: Case, answers: list[dict[str, Any]]) -> list[str]:
    """Where our interview of a case differs from JavaRosa's, step by step."""
    media = {name: text.encode() for name, text in case.media.items()}
    interview = load_form(case.xml.encode(), media).start(now=lambda: NOW, timezone="UTC", seed=1)
    if len(answers) != len(case.steps) + 1:
        return [f"JavaRosa answered {len(answers)} times: {answers[-1:]}"]
    found: list[str] = []
    for number, (step, said) in enumerate(zip([["load"], *case.steps], answers, strict=True)):
        problem = act(interview, step, said)
        differs = [problem] if problem else []
        differs += instance_differences(said["xml"], interview.instance().xml, case.xml)
        if events(interview) != [f"{place[0]} {place[1]}" for place in said["walk"]]:
            differs.append(f"walk: {said['walk']}, ours {events(interview)}")
        else:
            differs += [text for place in said["walk"] if place[0] == "Q" for text in shown(interview, place)]
        found += [f"{case.name}, {number} {step}: {text}" for text in differs]
    return found


def act(interview: LiveInterview, step: Step, said: dict[str, Any]) -> str:
    """Do a step; what JavaRosa did not store is taken back. Returns what one of the two would not do."""
    kind, *rest = step
    result = said.get("result") or ""
    refused = result == "not there" or result.startswith("failed")
    try:
        if kind == "answer":
            node = interview.refs.node(rest[0])
            before = node.text
            interview.answer(rest[0], rest[1] or None)
            violation = interview.state.bad.get(node)
            untaken = {"1": ViolationKind.REQUIRED, "2": ViolationKind.CONSTRAINT}.get(result)
            if violation is not None and (violation is untaken or (refused and violation is ViolationKind.TYPE)):
                interview.put(node, before)
                interview.state.actions.finish()
                return ""
        elif kind == "add":
            interview.add_repeat(rest[0])
        elif kind == "remove":
            ref, _bracket, position = rest[0][:-1].rpartition("[")
            interview.remove_repeat(ref, int(position))
        elif kind == "language":
            interview.set_language(rest[0])
    except FieldsurveyError as error:
        return "" if refused else f"ours: {error}"
    return f"JavaRosa: {result}" if refused else ""


def shown(interview: LiveInterview, place: list[Any]) -> list[str]:
    """What differs in a question as it is shown: label, required, read-only, choices."""
    kinds = {d.path: d.kind for d in interview.state.program.form.nodes}
    ref = path = ""
    for step in place[1].split("/")[1:]:
        name = re.sub(r"\[\d+\]", "", step)
        path += f"/{name}"
        ref += f"/{step if kinds[path] == 'repeat' else name}"
    question = interview.question(ref)
    ours = [" ".join(question.label.split()), question.required, question.read_only]
    theirs = [" ".join((place[2] or "").split()), place[3], place[4]]
    if len(place) > 5:
        ours.append([[choice.value, choice.label] for choice in question.choices])
        theirs.append(place[5])
    return [] if ours == theirs else [f"{ref}: {theirs}, ours {ours}"]
