"""One chunk of records: how answers lie in tables, what counts as the same, and what hostile records do."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldsurvey.needs.opened.dataset import Table
from fieldsurvey.needs.opened.frames import Gathering
from fieldsurvey.needs.opened.worker import LEAST_ANSWERS, Bench, Chunk, FormSource, Sealed, Setup, open_chunk
from fieldsurvey.records.envelope import Header, record_hash, seal
from fieldsurvey.records.payload import FormRef, Payload
from fieldsurvey.records.recipients import RecipientPrivate
from forms import catalogue
from tests.needs.opened.forms import instance, xform

PROJECT, DEVICE = "0f" * 16, "1e" * 16
TAG = bytes(range(32))
HMU = RecipientPrivate.generate()
ONE, TWO = xform("1"), xform("2", size="decimal", more="later")
BROKEN = ONE.replace(b"/data/size + 1", b"/data/size +")
DAY = "<fieldwork_date>2026-03-02</fieldwork_date>"


def digest(form: bytes) -> str:
    """How a project names a form."""
    return hashlib.sha256(form).hexdigest()


def setup(*forms: bytes) -> Setup:
    """A round of one week over these forms."""
    sources = {digest(form): FormSource("synthetic", form) for form in forms}
    return Setup(PROJECT, (HMU.seed,), sources, date(2026, 3, 2), date(2026, 3, 8))


def payload(body: bytes, form: bytes = ONE, **changes: Any) -> bytes:
    """A payload with this instance."""
    fields: dict[str, Any] = {
        "form": FormRef(id="synthetic", version="1", hash=digest(form)),
        "instance": body.decode(),
        "person": "E01",
        "language": "es",
        "started": "2026-03-02T09:00:00+00:00",
        "finished": "2026-03-02T09:10:00+00:00",
    }
    return Payload(**{**fields, **changes}).to_bytes()


def record(data: bytes, number: int = 1, **changes: Any) -> Sealed:
    """Sealed by DEVICE as case `number`; `changes` are what central's log says instead."""
    header = Header(project=PROJECT, device=DEVICE, case=f"{number:032x}")
    blob = seal(header, data, [HMU.public])
    fields = {"device": DEVICE, "case": header.case, "revision": 1, "conflict": False, "proposal": False, **changes}
    return Sealed(record_hash=record_hash(blob), blob=blob, **fields)


def tables(chunk: Chunk, *forms: bytes) -> dict[str, Table]:
    """The tables that a chunk gives, by level."""
    bench = Bench(setup(*forms))
    versions = []
    for form in forms:
        known = bench.form(digest(form))
        assert known is not None
        versions.append((digest(form), "synthetic", known[1]))
    gathering = Gathering(versions)
    gathering.take(chunk)
    return {table.level: table for table in gathering.tables()}


def opened(*bodies: bytes, form: bytes = ONE) -> tuple[Chunk, dict[str, Table]]:
    """These instances, opened, and their tables."""
    chunk = Bench(setup(form)).open([record(payload(body, form), n) for n, body in enumerate(bodies, 1)])
    return chunk, tables(chunk, form)


def test_colliding_names_are_paths_and_ours_stay_ours() -> None:
    """Two questions of one name, and one that is called like a column of ours, come out apart; notes do not."""
    body = DAY + "<a><same>first</same></a><b><same>second</same></b><_case>mine</_case><story>x</story>"
    _chunk, found = opened(instance(body))
    (row,) = found[""].frame.to_dicts()
    assert (row["/data/a/same"], row["/data/b/same"], row["/data/_case"]) == ("first", "second", "mine")
    assert row["_case"] == f"{1:032x}"
    assert not {"same", "story", "instanceID"} & row.keys()


def test_nested_repeats_have_keys_and_blank_instances_stay() -> None:
    """Three houses, the last blank, with two, none and one person: six rows in two tables, tied by _row and _parent."""
    people = "<person><age>3</age><likes>tea rain</likes></person><person/>"
    houses = f"<house><rooms>2</rooms>{people}</house><house><rooms>1</rooms></house><house><person/></house>"
    _chunk, found = opened(instance(DAY + houses))
    house, person = found["house"].frame, found["person"].frame
    assert house.select("_row", "_parent", "_position", "rooms").rows() == [
        ("1", "", 1, 2),
        ("2", "", 2, 1),
        ("3", "", 3, None),
    ]
    assert person.select("_row", "_parent", "_position", "age", "likes").rows() == [
        ("1.1", "1", 1, 3, ["tea", "rain"]),
        ("1.2", "1", 2, None, None),
        ("3.1", "3", 1, None, None),
    ]
    joined = person.join(house, left_on=["_record", "_parent"], right_on=["_record", "_row"])
    assert joined["rooms"].to_list() == [2, 2, None]


def test_an_answer_that_is_not_of_its_type_is_blank_and_counted() -> None:
    """Text, more than 64 bits and an infinity in number columns are counted by column; the record stays."""
    bodies = [
        "<size>many</size>",
        f"<size>{10**30}</size>",
        "<weight>INF</weight>",
        "<weight>NaN</weight>",
        "<size>4</size>",
    ]
    chunk, found = opened(*(instance(DAY + body) for body in bodies))
    assert chunk.mistyped == {("synthetic", "size"): 2, ("synthetic", "weight"): 2}
    assert found[""].frame["size"].to_list() == [None, None, None, None, 4]
    assert found[""].frame["weight"].null_count() == 5


def test_versions_share_a_table() -> None:
    """A question that became decimal is decimal for both; one that is new is null before; the current order counts."""
    bench = Bench(setup(ONE, TWO))
    old = record(payload(instance(DAY + "<size>4</size><house><rooms>1</rooms></house>")), 2)
    new = record(payload(instance(DAY + "<size>4.5</size><later>x</later>", "2"), TWO), 1)
    found = tables(bench.open([old, new]), TWO, ONE)
    frame = found[""].frame
    assert frame.schema["size"] == pl.Float64
    assert frame.select("_form_version", "size", "later").rows() == [("2", 4.5, "x"), ("1", 4.0, None)]
    assert [column.name for column in found[""].columns] == frame.columns[13:]
    assert found["house"].frame["_record"].to_list() == [old.record_hash.hex()]


def test_versions_that_disagree_on_a_type_become_text() -> None:
    """A number that became a text is text for both, and nothing is lost."""
    text = xform("3", size="string")
    bench = Bench(setup(ONE, text))
    records = [
        record(payload(instance(DAY + "<size>4</size>")), 1),
        record(payload(instance(DAY + "<size>a lot</size>", "3"), text), 2),
    ]
    assert tables(bench.open(records), text, ONE)[""].frame["size"].to_list() == ["4", "a lot"]


def test_the_same_answers_are_a_twin_only_when_they_are_many() -> None:
    """From LEAST_ANSWERS on, two records that answer alike are flagged; one answer less, or one differing, is not."""

    def people(count: int, last: str = "1") -> bytes:
        ages = ["1"] * (count - 2) + [last]
        return instance(DAY + "<house>" + "".join(f"<person><age>{age}</age></person>" for age in ages) + "</house>")

    def flagged(*bodies: bytes) -> list[bool]:
        return opened(*bodies)[1][""].frame["_duplicate"].to_list()

    enough = people(LEAST_ANSWERS)
    assert flagged(enough, people(LEAST_ANSWERS, "2"), enough) == [True, False, True]
    few = people(LEAST_ANSWERS - 1)
    assert flagged(few, few) == [False, False]


def _foreign() -> Sealed:
    blob = seal(Header(project="ab" * 16, device=DEVICE, case=f"{1:032x}"), payload(instance(DAY)), [HMU.public])
    return Sealed(record_hash(blob), DEVICE, f"{1:032x}", 1, conflict=False, proposal=False, blob=blob)


def _with_hash_of_another() -> Sealed:
    one, other = record(payload(instance(DAY))), record(payload(instance(DAY)))
    return Sealed(other.record_hash, DEVICE, one.case, 1, conflict=False, proposal=False, blob=one.blob)


def _tagged(withdrawal: bytes | None = TAG) -> Sealed:
    header = Header(project=PROJECT, device=DEVICE, case=f"{1:032x}", withdrawal=TAG.hex())
    blob = seal(header, payload(instance(DAY)), [HMU.public])
    return Sealed(record_hash(blob), DEVICE, header.case, 1, False, False, blob, None, withdrawal)


def _blob(blob: bytes | None) -> Sealed:
    return Sealed(record_hash(blob or b""), DEVICE, f"{1:032x}", 1, conflict=False, proposal=False, blob=blob)


REASONS: dict[str, Callable[[], Sealed]] = {
    "header": lambda: record(payload(instance(DAY)), revision=2),
    "header: a parent that it does not name": lambda: record(payload(instance(DAY)), parent=bytes(32)),
    "header: a tag that is not its own": lambda: record(payload(instance(DAY)), withdrawal=bytes(32)),
    "header: a tag taken from the log": lambda: _tagged(withdrawal=None),
    "foreign_project": _foreign,
    "altered": _with_hash_of_another,
    "malformed": lambda: _blob(b"FSE1 no record"),
    "lost": lambda: _blob(None),
    "payload": lambda: record(b"[" * 100_000),
    "form": lambda: record(payload(instance(DAY), BROKEN)),
    "unknown_form": lambda: record(payload(instance(DAY), TWO)),
    "practice": lambda: record(payload(instance(DAY), mode="practice")),
    "undated": lambda: record(payload(instance("<fieldwork_date>soon</fieldwork_date>"))),
    "outside": lambda: record(payload(instance("<fieldwork_date>2026-03-01</fieldwork_date>"))),
    "instance": lambda: record(payload(b"<data>" + b"<a>" * 5000)),
}


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_is_named_and_stops_nothing(reason: str) -> None:
    """The bad record is counted under its name; the good ones before and after it are kept."""
    good = [record(payload(instance(DAY)), number) for number in (7, 8)]
    chunk = Bench(setup(ONE, BROKEN)).open([good[0], REASONS[reason](), good[1]])
    assert chunk.counts == {"kept": 2, reason.partition(":")[0]: 1}


def test_a_record_with_its_tag_in_the_log_is_kept() -> None:
    """Control: what the log says of parent and tag is no reason where the header says the same."""
    assert Bench(setup(ONE)).open([_tagged()]).counts == {"kept": 1}


@pytest.mark.parametrize(
    "hostile",
    [
        '<!DOCTYPE d [<!ENTITY a "x">]><data><fieldwork_date>&a;</fieldwork_date></data>',
        "<data>" + "<house>" * 150 + "</house>" * 150 + "</data>",
        '<?xml version="1.0" encoding="UTF-16"?><data/>',
        "<data>&#xD800;</data>",
        f"<data>{DAY}<house>{'<person><age>1</age></person>' * 3000}</house></data>",
        f"<data>{DAY}{DAY}<size><deep>1</deep>2</size></data>",
        f"<data>{DAY}<house>text<rooms>1</rooms></house><house/><fieldwork_date/></data>",
        f"<data>{DAY}<size>{'9' * 400}</size><weight>1e999</weight></data>",
        "<data><fieldwork_date>0000-00-00</fieldwork_date></data>",
    ],
)
def test_hostile_instances_give_a_row_or_a_reason(hostile: str) -> None:
    """What an enrolled but dishonest laptop seals is a row or a count, never an error of ours."""
    chunk = Bench(setup(ONE)).open([record(payload(hostile.encode())), record(payload(instance(DAY)), 2)])
    assert chunk.counts.total() == 2
    assert tables(chunk, ONE)[""].frame.height == chunk.counts["kept"]


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<&]>", exclude_categories=("Cc", "Cs")), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["size", "weight", "ok", "_case", "rooms", "zzz"]), _TEXT), max_size=6))
def test_any_text_in_any_place_gives_a_row(parts: list[tuple[str, str]]) -> None:
    """Whatever text stands where, the record is kept, and what is no answer of its type is blank."""
    body = "".join(f"<{name}>{text}</{name}>" for name, text in parts)
    chunk, found = opened(instance(DAY + body + f"<house>{body}</house>"))
    assert chunk.counts["kept"] == found[""].frame.height == found["house"].frame.height == 1


def test_what_is_sent_to_a_worker_shows_no_secret() -> None:
    """A setup survives the trip to another process, works there, and prints neither the seed nor a sealed body."""
    made = setup(ONE)
    sent = pickle.loads(pickle.dumps(made))
    sealed = record(payload(instance(DAY)))
    assert open_chunk(sent, [sealed]).counts == {"kept": 1}
    assert open_chunk(setup(), [sealed]).counts == {"unknown_form": 1}  # another opening in the same process
    for shown in (repr(made), repr(sealed), repr(open_chunk(sent, [sealed]))):
        assert repr(HMU.seed) not in shown
        assert len(shown) < 400


def test_built_in_forms_say_when_the_fieldwork_was() -> None:
    """Every built-in form has the date that places its records in a round, outside any repeat."""
    for form in catalogue.BUILT_IN:
        source = FormSource(form.id, catalogue.compiled(form.id))
        bench = Bench(Setup(PROJECT, (HMU.seed,), {"x": source}, date(2026, 3, 2), date(2026, 3, 8)))
        known = bench.form("x")
        assert known is not None
        assert known[1].fieldwork_date
