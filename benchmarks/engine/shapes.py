"""The forms of the comparison, generated: the same XForm and the same answers for every engine.

A Run is an XForm, the repeats to add, and passes of answers in form order. Synthetic, all of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from xml.sax.saxutils import escape, quoteattr

LANGUAGES = ("es", "en", "qvi")


@dataclass
class Run:
    """`passes` holds (ref without positions, value) in form order; `repeats` how many instances each repeat gets."""

    name: str
    xform: str
    passes: list[list[tuple[str, str]]]
    repeats: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """What the peers' drivers read."""
        return {"passes": [[list(step) for step in one] for one in self.passes], "repeats": self.repeats}


@dataclass
class _Builder:
    form_id: str
    nodes: list[str] = field(default_factory=list)
    binds: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def bind(self, name: str, kind: str = "string", **attributes: str) -> None:
        """A leaf below /data with its bind; attribute names use `_` for `:`."""
        self.nodes.append(f"<{name}/>")
        more = "".join(f" {k.replace('_', ':')}={quoteattr(v)}" for k, v in attributes.items())
        self.binds.append(f'<bind nodeset="/data/{name}" type="{kind}"{more}/>')

    def label(self, key: str, *texts: str) -> str:
        """An itext reference; one text serves all languages unless three are given."""
        self.texts[key] = list(texts) if len(texts) == len(LANGUAGES) else [texts[0]] * len(LANGUAGES)
        return f"<label ref=\"jr:itext('{key}')\"/>"

    def input(self, name: str, text: str) -> None:
        """A question that is typed."""
        label = self.label(f"{name}:label", *(f"{text} [{code}]" for code in LANGUAGES))
        self.body.append(f'<input ref="/data/{name}">{label}</input>')

    def select(self, name: str, text: str, itemset: str) -> None:
        """A select one over an itemset's nodeset."""
        label = self.label(f"{name}:label", *(f"{text} [{code}]" for code in LANGUAGES))
        inner = f'<itemset nodeset={quoteattr(itemset)}><value ref="name"/><label ref="label"/></itemset>'
        self.body.append(f'<select1 ref="/data/{name}">{label}{inner}</select1>')

    def instance(self, name: str, rows: Iterable[dict[str, str]]) -> None:
        """A secondary instance."""
        items = "".join(
            "<item>" + "".join(f"<{k}>{escape(v)}</{k}>" for k, v in row.items()) + "</item>" for row in rows
        )
        self.extra.append(f'<instance id="{name}"><root>{items}</root></instance>')

    def xml(self, translated: bool = True) -> str:
        """The XForm."""
        itext = ""
        if translated:
            blocks = (
                f'<translation lang="{code}">'
                + "".join(f'<text id="{k}"><value>{escape(v[i])}</value></text>' for k, v in self.texts.items())
                + "</translation>"
                for i, code in enumerate(LANGUAGES)
            )
            itext = f"<itext>{''.join(blocks)}</itext>"
        return (
            '<?xml version="1.0"?><h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" '
            'xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms" '
            'xmlns:odk="http://www.opendatakit.org/xforms">'
            f"<h:head><h:title>{self.form_id}</h:title><model>{itext}"
            f'<instance><data id="{self.form_id}" version="1">{"".join(self.nodes)}'
            "<orx:meta><orx:instanceID/></orx:meta></data></instance>"
            f"{''.join(self.extra)}{''.join(self.binds)}"
            '<bind nodeset="/data/orx:meta/orx:instanceID" type="string" jr:preload="uid"/>'
            f"</model></h:head><h:body>{''.join(self.body)}</h:body></h:html>"
        )


def household(seed: int = 1) -> Run:
    """60 questions in three languages with province -> canton -> parish and ordinary logic."""
    rng = Random(seed)
    b = _Builder("household")
    b.instance("provinces", ({"name": f"p{i}", "label": f"Province {i}"} for i in range(24)))
    b.instance("cantons", ({"name": f"c{i}", "label": f"Canton {i}", "province": f"p{i % 24}"} for i in range(221)))
    b.instance("parishes", ({"name": f"q{i}", "label": f"Parish {i}", "canton": f"c{i % 221}"} for i in range(1040)))
    answers: list[tuple[str, str]] = []
    for name, pool, test in (
        ("province", "provinces", ""),
        ("canton", "cantons", "[province = /data/province]"),
        ("parish", "parishes", "[canton = /data/canton]"),
    ):
        b.bind(name, required="true()")
        b.select(name, name.title(), f"instance('{pool}')/root/item{test}")
    answers += [("/data/province", "p5"), ("/data/canton", "c5"), ("/data/parish", "q5")]
    for i in range(57):
        name = f"q{i}"
        if i % 4 == 0:
            b.bind(name, "int", constraint=". >= 0 and . <= 120", required="true()")
            answers.append((f"/data/{name}", str(rng.randrange(0, 90))))
        elif i % 4 == 1:
            b.bind(name, "int", relevant=f"/data/q{i - 1} >= 5", constraint=f". <= /data/q{i - 1}")
            answers.append((f"/data/{name}", "3"))
        elif i % 4 == 2:
            b.bind(name, "string", relevant=f"/data/province = 'p5' and /data/q{i - 2} != ''")
            answers.append((f"/data/{name}", f"text {rng.randrange(1000)}"))
        else:
            b.bind(name, "int", calculate=f"/data/q{i - 3} * 2 + coalesce(/data/q{i - 2}, 0)")
            continue
        b.input(name, f"Question {i}")
    b.bind("total", "int", calculate=" + ".join(f"coalesce(/data/q{i}, 0)" for i in range(3, 57, 4)))
    edits = [
        (r, str((int(v) + 7) % 90)) if r.startswith("/data/q") and v.isdigit() and v != "3" else (r, v)
        for r, v in answers
    ]
    return Run("household", b.xml(), [answers, edits])


def wide(count: int, seed: int = 2) -> Run:
    """`count` questions, dense: each has a relevance, a constraint and a calculation on its neighbours."""
    rng = Random(seed)
    b = _Builder(f"wide{count}")
    answers: list[tuple[str, str]] = []
    for i in range(count):
        name = f"q{i}"
        if i % 5 == 4:
            b.bind(name, "int", calculate=f"/data/q{i - 1} + /data/q{i - 2} + /data/q{i - 3}")
            continue
        rules = {"constraint": ". >= 0 and . < 1000"}
        if i > 4:
            rules["relevant"] = f"/data/q{i - i % 5 - 1} >= 0 or /data/q{i - 5} != ''"
        if i % 7 == 0:
            rules["required"] = "true()"
        b.bind(name, "int", **rules)
        b.input(name, f"Question {i}")
        answers.append((f"/data/{name}", str(rng.randrange(1, 300))))
    edits = [(ref, str((int(v) + 11) % 300)) for ref, v in answers]
    return Run(f"wide{count}", b.xml(), [answers, edits])


def roster(members: int, seed: int = 3) -> Run:
    """A repeat of `members` with calculations per member and sums over all."""
    rng = Random(seed)
    b = _Builder(f"roster{members}")
    b.nodes.append("<person><name/><age/><months/><adult/></person>")
    b.binds += [
        '<bind nodeset="/data/person/name" type="string" required="true()"/>',
        '<bind nodeset="/data/person/age" type="int" constraint=". &gt;= 0 and . &lt; 120"/>',
        '<bind nodeset="/data/person/months" type="int" calculate="../age * 12"/>',
        '<bind nodeset="/data/person/adult" type="int" calculate="if(../age &gt;= 18, 1, 0)"/>',
    ]
    b.body.append(
        '<group ref="/data/person"><label>Person</label><repeat nodeset="/data/person">'
        '<input ref="/data/person/name"><label>Name</label></input>'
        '<input ref="/data/person/age"><label>Age</label></input></repeat></group>'
    )
    b.bind("people", "int", calculate="count(/data/person)")
    b.bind("months", "int", calculate="sum(/data/person/months)")
    b.bind("adults", "int", calculate="sum(/data/person/adult)")
    steps: list[tuple[str, str]] = []
    for i in range(members):
        steps += [("/data/person/name", f"synthetic {i}"), ("/data/person/age", str(rng.randrange(1, 90)))]
    return Run(f"roster{members}", b.xml(translated=False), [steps], {"/data/person": members})


def choices(count: int) -> Run:
    """One list of `count` choices filtered by equality, by other comparisons, and by text or numbers."""
    b = _Builder(f"choices{count}")
    groups = max(10, count // 100)
    b.instance(
        "items",
        ({"name": f"i{i}", "label": f"Item {i}", "g": f"g{i % groups}", "n": str(i % 97)} for i in range(count)),
    )
    b.bind("g")
    b.bind("limit", "int")
    for name in ("one", "two", "three"):
        b.bind(name)
    b.input("g", "Group")
    b.input("limit", "Limit")
    b.select("one", "By equality", "instance('items')/root/item[g = /data/g]")
    b.select("two", "By more", "instance('items')/root/item[n < /data/limit and g != /data/g]")
    start = "starts-with(name, concat('i1', /data/limit))"
    b.select("three", "By text", f"instance('items')/root/item[{start} or n > 90 + /data/limit]")
    passes = [
        [(f"/data/{name}", value) for name, value in zip(("g", "limit", "one", "two", "three"), values, strict=True)]
        for values in ((f"g{turn}", str(turn + 2), f"i{turn}", f"i{turn - 1}", f"i1{turn + 2}") for turn in range(3, 8))
    ]
    return Run(f"choices{count}", b.xml(), passes)


RUNS: dict[str, Callable[[], Run]] = {
    "household": household,
    **{f"wide{n}": (lambda n=n: wide(n)) for n in (250, 1000, 2000, 4000)},
    **{f"roster{n}": (lambda n=n: roster(n)) for n in (10, 50, 200)},
    **{f"choices{n}": (lambda n=n: choices(n)) for n in (1000, 20000)},
}


def queue(steps: Iterable[tuple[str, str]]) -> dict[str, deque[str]]:
    """Answers by ref without positions, in form order."""
    waiting: dict[str, deque[str]] = {}
    for ref, value in steps:
        waiting.setdefault(ref, deque()).append(value)
    return waiting
