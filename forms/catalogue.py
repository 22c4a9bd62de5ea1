"""The built-in questionnaires: which there are, and their compiled bytes, from wherever the package is installed.

Only data leaves here; reading a form is the engine's, tabulating its answers is `needs`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One questionnaire. `folder` is under this package; `compiled` is its XForm, relative to this package."""

    id: str
    folder: str
    compiled: str
    title: str


BUILT_IN: tuple[BuiltIn, ...] = (
    BuiltIn("assembly", "assembly", "assembly/form.xml", "Asamblea pública"),
    BuiltIn("needs", "needs", "needs/form.xml", "Necesidades de personas y hogares"),
)


def compiled(form_id: str) -> bytes:
    """The XForm XML of a built-in form; KeyError when there is none of that id."""
    form = {form.id: form for form in BUILT_IN}[form_id]
    return files("forms").joinpath(form.compiled).read_bytes()


def folder(form_id: str) -> Path:
    """The folder with the sheets of a built-in form; KeyError when there is none of that id."""
    form = {form.id: form for form in BUILT_IN}[form_id]
    return Path(str(files("forms").joinpath(form.folder)))


def indicators() -> bytes:
    """The table of indicators, UTF-8 CSV; its syntax is in the README beside it."""
    return files("forms").joinpath("indicators.csv").read_bytes()
