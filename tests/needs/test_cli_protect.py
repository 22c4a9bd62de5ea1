"""`needs protect`: a CSV in, a protected CSV out, or a sentence that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from fieldsurvey.cli.needs import app

GOOD = "canton,parish,sex,count\nA,a1,f,12\nA,a1,m,3\nA,a2,f,20\nA,a2,m,25\nA,a3,f,9\nA,a3,m,8\nB,b1,f,17\nB,b1,m,15\n"


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, output, errors of `needs protect …`."""
    done = CliRunner().invoke(app, ["protect", *words])
    return done.exit_code, done.stdout, done.stderr


def test_protects_a_file(tmp_path: Path) -> None:
    """All cells with totals come out, each with its status, and with --audit its interval."""
    source, out = tmp_path / "table.csv", tmp_path / "out.csv"
    source.write_text(GOOD)
    code, text, _ = run(str(source), "--k", "5", "--dim", "canton>parish", "--out", str(out), "--audit", "--json")
    assert code == 0
    said = json.loads(text)
    made = pl.read_csv(out)
    assert made.columns == ["canton", "parish", "sex", "count", "status", "low", "high"]
    assert said["cells"] == made.height == 7 * 3
    assert said["primary"] == 1
    hidden = made.filter(pl.col("status") != "published")
    assert hidden["count"].is_null().all()
    assert ((hidden["high"] - hidden["low"]) >= 5).all()
    assert made.filter(pl.col("canton").is_null() & pl.col("sex").is_null())["count"].to_list() == [109]


def test_public_tables_do_not_say_which_is_which(tmp_path: Path) -> None:
    """With --public, primary and secondary look the same."""
    source, out = tmp_path / "table.csv", tmp_path / "out.csv"
    source.write_text(GOOD)
    assert run(str(source), "--dim", "canton>parish", "--out", str(out), "--public")[0] == 0
    assert set(pl.read_csv(out)["status"]) == {"published", "suppressed"}


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        ("a,count\nx,1.5\n", [], "row 2"),
        ("a,count\nx,many\n", [], "row 2"),
        ("a,number\nx,1\n", [], "count"),
        ("a,count\nx,1\n", ["--dim", "canton>parish"], "canton"),
        ("a,count,primary\nx,1,2\n", [], "primary"),
        ("a,count\nx,1\nx,2,3,4\n", [], "not a CSV table"),
        ("", [], "not a CSV table"),
    ],
)
def test_bad_tables_are_refused_whole(tmp_path: Path, text: str, words: list[str], says: str) -> None:
    """What cannot be used gives exit 1 and a sentence, and writes nothing."""
    source, out = tmp_path / "table.csv", tmp_path / "out.csv"
    source.write_text(text)
    code, _, shown = run(str(source), "--out", str(out), *words)
    assert code == 1
    assert says in shown
    assert "Traceback" not in shown
    assert not out.exists()


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    """A path that is not there is named."""
    code, _, shown = run(str(tmp_path / "none.csv"), "--out", str(tmp_path / "out.csv"))
    assert code == 1
    assert "none.csv" in shown
