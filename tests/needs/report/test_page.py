"""The page as a file: well-formed, self-contained, the same every time, in two languages."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from fieldsurvey.needs.report import NoWordsError, ReportContent, page
from fieldsurvey.needs.report.words import LANGUAGES, Words
from tests.needs.report import made
from tests.needs.report.reading import section, sections, text, tree

ORDER = [
    "method",
    "marks",
    "summary",
    "parishes",
    "participation",
    "profile",
    "top",
    "heat",
    "tables",
    "priorities",
    "barriers",
    "compare",
    "outcomes",
    "quality",
    "rules",
    "codebook",
]
OUTSIDE = re.compile(r"https?:|//|\bsrc=|@import|<script|<link|<iframe|<object|javascript:|url\((?!#)", re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_well_formed_with_every_reference_resolved(pages: dict[str, str], language: str) -> None:
    """The page parses as XML, no id is there twice, and every link and label points at something in it."""
    root = tree(pages[language])
    ids = [element.get("id", "") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 20
    wanted = [element.get("href", "#")[1:] for element in root.iter() if element.get("href")]
    wanted += [name for element in root.iter() for name in element.get("aria-labelledby", "").split()]
    wanted += re.findall(r"url\(#([^)]+)\)", pages[language])
    assert set(wanted) <= set(ids)
    assert root.get("lang") == language
    assert sections(pages[language]) == ORDER


def test_nothing_comes_from_outside(pages: dict[str, str]) -> None:
    """No address, script or resource; the page forbids itself to load any. The search finds a planted one."""
    assert OUTSIDE.search(pages["es"] + '<img src="https://example.org/x.png" />')
    for made_page in pages.values():
        assert not OUTSIDE.search(made_page)
        assert "content=\"default-src 'none'; style-src 'unsafe-inline';" in made_page


def test_same_bytes_every_time(whole: ReportContent, pages: dict[str, str]) -> None:
    """Rendered again, also by a process that hashes differently, the page is the same to the byte."""
    assert page(whole, "es") == pages["es"]
    program = (
        "import hashlib\nfrom tests.needs.report import made\nfrom fieldsurvey.needs.report import page\n"
        "print(hashlib.sha256(page(made.release(), 'es').encode()).hexdigest())"
    )
    seen = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
        seen.add(done.stdout)
    assert len(seen) == 1


def test_languages_hold_the_same_words() -> None:
    """Each language has every key of the others, with the same braces."""
    spanish, english = (Words(language)._texts for language in LANGUAGES)
    assert {name: set(part) for name, part in spanish.items()} == {name: set(part) for name, part in english.items()}
    for name, part in spanish.items():
        for key, value in part.items():
            braces = [sorted(re.findall(r"{\w+}", str(v))) for v in (value, english[name][key])]
            assert braces[0] == braces[1], f"{name}.{key}"


def test_language_without_words_is_refused(whole: ReportContent) -> None:
    """A language nobody wrote is a typed error that names those there are."""
    with pytest.raises(NoWordsError, match="es, en"):
        page(whole, "qvi")


def test_parts_that_are_missing_are_not_rendered() -> None:
    """A release with nothing but its names has a method, marks, rules and a codebook, and no empty section."""
    bare = made.release(
        consulted=None,
        parishes=None,
        participation=None,
        profile=None,
        needs=(),
        priorities=(),
        barriers=(),
        comparisons=(),
        outcomes=None,
        quality=None,
        simulated=False,
    )
    assert sections(page(bare)) == ["method", "marks", "rules", "codebook"]
    assert "SIMULADOS" not in page(bare)


def test_simulated_says_so(pages: dict[str, str]) -> None:
    """A simulated release says so above the numbers and at the foot of every printed page."""
    assert "DATOS SIMULADOS" in pages["es"]
    assert '@bottom-left { content: "Datos simulados"' in pages["es"]


def test_labels_are_text() -> None:
    """A label with markup in it stays text, in tables and in charts."""
    labels = made.labels()
    labels["sector"]["food"] = {"es": "<b onload='x'>&Comida</b>", "en": "x"}
    hostile = page(made.release(labels=labels, project="</title><script>x</script>"))
    assert "<b onload" not in hostile
    assert "<script" not in hostile
    assert "<b onload='x'>&Comida</b>" in text(section(hostile, "tables"))


def test_tables_and_charts_can_be_heard(pages: dict[str, str]) -> None:
    """Every table has a caption and scoped heads; every chart a title and a description with its numbers."""
    root = tree(pages["es"])
    for table in root.iter("table"):
        assert table.find("caption") is not None
        assert all(cell.get("scope") for cell in table.iter("th"))
    charts = list(root.iter("svg"))
    assert len(charts) == 7
    for chart in charts:
        assert chart.get("role") == "img"
        assert len(text(chart[1])) > 40
        assert chart[0].tag == "title"
        assert chart[1].tag == "desc"
    for mark in root.iter("span"):
        if mark.get("class") == "mark":
            assert mark[1].get("class") == "unseen"
            assert text(mark[1]) in {"reservado", "no se preguntó", "no se visitó"}


def test_stripes_are_lines(pages: dict[str, str]) -> None:
    """Stripes are lines of their own inside what they fill. A pattern, a browser prints as a picture for each use:
    fifty megabytes for a province.
    """
    root = tree(pages["es"])
    assert not [e.tag for e in root.iter() if e.tag in {"pattern", "image", "clipPath"}]
    heat = next(chart for chart in root.iter("svg") if "heat-" in chart.get("aria-labelledby", ""))
    striped = [e for e in heat.iter("path") if e.get("d", "").count("M") > 2]
    assert striped
    width, height = (float(value) for value in heat.get("viewBox", "").split()[2:])
    for path in striped:
        numbers = [float(value) for value in re.findall(r"-?[\d.]+", path.get("d", ""))]
        assert min(numbers) >= 0
        assert max(numbers[::2]) <= width
        assert max(numbers[1::2]) <= height
    assert len(pages["es"]) < 700_000


def test_claims_nothing_it_may_not(pages: dict[str, str]) -> None:
    """No arrows, intervals or p-values; what is asked of people consulted is never called a population's."""
    for made_page in pages.values():
        assert not re.search(r"[←-⇿±]|p-val|valor p\b|IC 95|95 ?% CI|&rarr;", made_page)
    assert "No es una muestra representativa" in pages["es"]
    assert "not a representative sample" in pages["en"]


def test_report_knows_no_counts() -> None:
    """The package takes constants from the tables, and nothing that opens, counts or protects."""
    allowed = {"Thresholds", "PUBLISHED", "SUPPRESSED", "NOT_ASKED", "NOT_VISITED", "STATUSES"}
    for source in Path(str(files("fieldsurvey.needs.report"))).glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fieldsurvey."):
                names = {alias.name for alias in node.names}
                inside = (node.module or "").startswith(("fieldsurvey.needs.report", "fieldsurvey.base"))
                assert inside or (node.module == "fieldsurvey.needs.tables" and names <= allowed), source.name


def test_prints_on_a4(pages: dict[str, str], tmp_path: Path) -> None:
    """Chromium prints it on A4 pages, some of them, without a network; small enough to send, and nothing a picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("FIELDSURVEY_STRICT") == "1":
            pytest.fail("a browser is needed to see the report")
        pytest.skip("no Chromium on this machine")
    source, target = tmp_path / "report.html", tmp_path / "report.pdf"
    source.write_text(pages["es"], "utf-8")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
    ]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [chromium, *options, profile, f"--print-to-pdf={target}", source.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    printed = target.read_bytes()
    assert len(printed) < 3_000_000
    assert b"/Subtype /Image" not in printed
    sizes = re.findall(rb"/MediaBox ?\[([\d. ]+)\]", printed)
    assert len(sizes) > 10
    for size in sizes:
        assert [round(float(value)) for value in size.split()][2:] in ([595, 842], [596, 842])
