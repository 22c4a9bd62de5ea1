"""`python -m benchmarks [ROOM [WHAT …]]`: every figure is measured beside a peer or a limit in the same run."""

from __future__ import annotations

import importlib
import sys

ROOMS = {"engine": "benchmarks.engine.run", "vault": "benchmarks.vault", "sync": "benchmarks.sync.run"}


def main() -> None:
    """Print the tables of the rooms named, or of all."""
    rooms = [sys.argv[1]] if len(sys.argv) > 1 else list(ROOMS)
    for room in rooms:
        if room not in ROOMS:
            sys.exit(f"There is no benchmark {room!r}. There are: {', '.join(ROOMS)}.")
        table = importlib.import_module(ROOMS[room]).main(sys.argv[2:])
        print(f"## {room}\n\n{table}")


main()
