"""Drives this project's engine through one form: `python -m benchmarks.engine.ours FORM.xml RUN.tsv ROUNDS`.

It prints the lines that Driver.java and driver.mjs print, in nanoseconds of this thread's CPU time, collections of the
garbage collector included.
"""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
from collections import Counter
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SELECTS = frozenset({"select", "selectMultiple"})


def read(path: Path) -> tuple[dict[str, int], list[list[tuple[str, str]]]]:
    """What RUN.tsv holds: how many instances each repeat gets, and passes of (ref without positions, value)."""
    repeats: dict[str, int] = {}
    passes: dict[int, list[tuple[str, str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *rest = line.split("\t")
        if kind == "repeat":
            repeats[rest[0]] = int(rest[1])
        else:
            passes.setdefault(int(rest[0]), []).append((rest[1], rest[2]))
    return repeats, [passes[turn] for turn in sorted(passes)]


def say(kind: str, *values: object) -> None:
    """One line."""
    print(kind, *values, sep="\t")


def walk(interview, repeats, steps, first: bool) -> None:
    """One pass of answers; repeats get their instances in the first."""
    seen: Counter[str] = Counter()
    for ref, value in steps:
        live = ref
        repeat = next((r for r in repeats if ref.startswith(f"{r}/")), None)
        if repeat is not None:
            seen[ref] += 1
            if first and seen[ref] > 1 and seen[ref] > seen[repeat]:
                start = time.thread_time_ns()
                interview.add_repeat(repeat)
                say("add", time.thread_time_ns() - start)
            seen[repeat] = max(seen[repeat], seen[ref])
            live = f"{repeat}[{seen[ref]}]{ref[len(repeat) :]}"
        node = interview.refs.node(live)
        if node.d.control is not None and node.d.control.itemset is not None:
            # The filter apart from the labels: no part of the contract, which gives both together
            start = time.thread_time_ns()
            found = interview.state.choices.nodes(node.d.control, node)
            say("filter", time.thread_time_ns() - start, ref, len(found))
        start = time.thread_time_ns()
        shown = interview.question(live)
        elapsed = time.thread_time_ns() - start
        if not shown.relevant:  # the peers' navigation passes over it, too
            continue
        if shown.type in SELECTS:
            say("offer", elapsed, ref, len(shown.choices))
        start = time.thread_time_ns()
        interview.answer(live, value)
        say("answer", time.thread_time_ns() - start)


def main(form_file: str, run_file: str, rounds: int) -> None:
    """All rounds, and one more that counts memory."""
    begun = time.process_time_ns()
    from fieldsurvey.xforms import load_form  # the import is part of a cold start

    xform = Path(form_file).read_bytes()
    repeats, passes = read(Path(run_file))
    for number in range(rounds):
        data = xform + f"<!-- {number} -->".encode()  # other bytes: a form seen before would load from the cache
        start = time.thread_time_ns()
        interview = load_form(data).start(now=lambda: NOW, seed=1)
        place = interview.current
        say("load", time.thread_time_ns() - start)
        if not number:
            say("cold", time.process_time_ns() - begun)
        assert place is not None
        for turn, steps in enumerate(passes):
            walk(interview, repeats, steps, turn == 0)
        start = time.thread_time_ns()
        interview.problems()
        say("validate", time.thread_time_ns() - start)
    say("instance", interview.finalise().xml.decode().replace("\n", ""))
    tracemalloc.start()
    held = load_form(xform).start(now=lambda: NOW, seed=1)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        walk(held, repeats, passes[0], True)
    say("memory", tracemalloc.get_traced_memory()[0])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
