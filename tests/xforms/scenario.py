"""Interviews for tests: forms written as Markdown tables, a fixed clock, a fixed seed. All data here is synthetic."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from fieldsurvey.xforms import LoadedForm, load_form
from fieldsurvey.xforms.live.interview import LiveInterview

NOW = datetime(2026, 3, 14, 15, 30, tzinfo=UTC)


def now() -> datetime:
    """The clock of every test."""
    return NOW


def table(survey: str, choices: str = "", settings: str = "") -> bytes:
    """A workbook: each argument is a sheet's rows, the header first, cells between bars."""
    sheets = [("survey", survey), ("choices", choices), ("settings", settings)]
    lines: list[str] = []
    for name, rows in sheets:
        if rows.strip():
            lines.append(f"| {name} |")
            lines.extend(f"| | {row.strip().strip('|').strip()} |" for row in rows.strip().splitlines())
    return "\n".join(lines).encode()


@cache
def form(survey: str, choices: str = "", settings: str = "") -> LoadedForm:
    """The form of a workbook, converted once."""
    return load_form(table(survey, choices, settings))


def start(survey: str, choices: str = "", settings: str = "", **keywords: Any) -> LiveInterview:
    """A blank interview."""
    return form(survey, choices, settings).start(now=now, seed=1, **keywords)


def xform(instance: str, binds: str = "", body: str = "", model: str = "") -> bytes:
    """An XForm by its parts; the instance's root is `data`."""
    return f"""<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
  xmlns:jr="http://openrosa.org/javarosa" xmlns:odk="http://www.opendatakit.org/xforms"
  xmlns:ev="http://www.w3.org/2001/xml-events" xmlns:orx="http://openrosa.org/xforms" xmlns:fs="urn:fieldsurvey">
  <h:head><h:title>Test</h:title><model>
    <instance><data id="test" version="1">{instance}</data></instance>{model}{binds}
  </model></h:head>
  <h:body>{body}</h:body>
</h:html>""".encode()


def start_xform(instance: str, binds: str = "", body: str = "", model: str = "", **keywords: Any) -> LiveInterview:
    """A blank interview of an XForm by its parts."""
    return load_form(xform(instance, binds, body, model)).start(now=now, seed=1, **keywords)


def value(interview: LiveInterview, ref: str) -> str:
    """The stored text at a ref, also where nobody is asked; "" when blank or not relevant."""
    node = interview.refs.node(ref)
    return node.text if node.relevant else ""


def relevant(interview: LiveInterview, ref: str) -> bool:
    """Whether a node is relevant."""
    return interview.refs.node(ref).relevant
