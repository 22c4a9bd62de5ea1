"""A progress bar on standard error, when that is a terminal; nothing otherwise. What it counts is the caller's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fieldsurvey.base.visible import visible

Progress = Callable[[int, int, str], None]


@contextmanager
def progress_bar(title: str, *, quiet: bool = False) -> Iterator[Progress | None]:
    """Gives a callback (done, total, text) that moves a bar; None when nobody would see it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    # start-up: rich.progress costs 0.05 s, and most commands show no bar
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(title, total=None, text="")
        yield lambda done, total, text: shown.update(task, completed=done, total=total, text=visible(text))
