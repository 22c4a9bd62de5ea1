"""Yes or no on the terminal, as people here write it."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from fieldsurvey.cli.common import agreed


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("y", True), ("s", True), ("Sí", True), ("si", True), ("n", False), ("", False), ("perhaps\nNO", False)],
)
def test_yes_in_spanish_and_english_and_enter_is_no(typed: str, expected: bool) -> None:
    """What is neither is asked again: nothing is erased by a word that was not understood."""
    said: list[bool] = []
    app = typer.Typer()
    app.command()(lambda: said.append(agreed("Erase?")))
    done = CliRunner().invoke(app, input=f"{typed}\n")
    assert (done.exit_code, said) == (0, [expected]), done.output
