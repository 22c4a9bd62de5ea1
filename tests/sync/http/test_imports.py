"""What a laptop loads: sending works without the packages of central, and loads no network library before its time."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import importlib, pkgutil, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"starlette", "uvicorn", "psycopg"}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Missing())
import sync.http
for found in pkgutil.walk_packages(sync.http.__path__, "sync.http."):
    importlib.import_module(found.name)
from sync.http.serving import server
from fieldsurvey.project.errors import MissingExtraError
try:
    server(None, None)
except MissingExtraError as error:
    print("told", error.details["extra"])
"""
START = """
import sys
import fieldsurvey.cli.main, fieldsurvey.cli.sync
import fieldsurvey.tui.app, fieldsurvey.tui.screens.home, fieldsurvey.tui.sending, fieldsurvey.tui.plain.start
print(sorted({name.partition(".")[0] for name in sys.modules} & {"httpx", "httpcore", "starlette", "uvicorn", "h11"}))
"""


def said(program: str) -> str:
    """By a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_loads_without_centrals_packages() -> None:
    """And says which part to install when a server is asked for."""
    assert said(WITHOUT) == "told central"


def test_no_network_library_is_loaded_before_something_is_sent() -> None:
    """Neither by the app's screens nor by the command group; the control: the client does load one."""
    assert said(START) == "[]"
    assert "httpx" in said(START.replace("import sys\n", "import sys\nimport sync.http.line\n", 1))
