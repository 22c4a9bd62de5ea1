"""Gets what the JavaScript reader needs: node, and its public libraries from the lock file, once for a lock file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
OLDEST_NODE = (20, 19)
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=5")


def _without(why: str) -> NoReturn:
    if os.environ.get("FIELDSURVEY_STRICT") == "1":
        pytest.fail(f"the JavaScript reader cannot run: {why}")
    pytest.skip(f"the JavaScript reader cannot run: {why}")


def _packages() -> Path:
    """A folder with `node_modules` as the lock file says: made in a place of its own, then moved here whole."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    ready = HERE / "node_modules" / f".lock-{lock[:16]}"
    if ready.exists():
        return HERE
    with tempfile.TemporaryDirectory(dir=HERE, prefix=".node_modules-") as made:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, made)
        try:
            subprocess.run(NPM, cwd=made, check=True, capture_output=True, text=True, timeout=900)
        except subprocess.CalledProcessError as error:
            _without(f"its libraries could not be had ({error.stderr.strip().splitlines()[-1:]})")
        except subprocess.TimeoutExpired:
            _without("its libraries did not come within fifteen minutes")
        (Path(made) / "node_modules" / ready.name).touch()
        if not ready.exists():  # else another process was first, and may be using it
            with suppress(OSError):
                shutil.rmtree(HERE / "node_modules", ignore_errors=True)
                (Path(made) / "node_modules").rename(HERE / "node_modules")
    return HERE


@pytest.fixture(scope="session")
def reader() -> tuple[str, ...]:
    """The command that reads a folder of golden files. Skips, or fails with FIELDSURVEY_STRICT=1, where it cannot."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        _without("node and npm are not on this machine")
    said = subprocess.run((node, "--version"), check=True, capture_output=True, text=True).stdout
    if tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2]) < OLDEST_NODE:
        _without(f"node is {said.strip()}, and its libraries want {'.'.join(map(str, OLDEST_NODE))}")
    return (node, str(_packages() / "main.mjs"))
