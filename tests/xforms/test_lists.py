"""Lists from files: CSV, XML, GeoJSON, external choices, search(), the last saved record, entities."""

from __future__ import annotations

import json

from fieldsurvey.xforms import ViolationKind, load_form
from fieldsurvey.xforms.live.interview import LiveInterview
from tests.xforms.scenario import now, start, start_xform, table, value

TOWNS = b"name,label,province\na,Alpha,p1\nb,Beta,p2\nc,Beta Alta,p2\n"


def choices(interview: LiveInterview, ref: str) -> list[tuple[str, str]]:
    """Values and labels offered now."""
    return [(choice.value, choice.label) for choice in interview.question(ref).choices]


def test_a_csv_file_with_other_delimiters_quotes_and_a_mark() -> None:
    """Semicolons and tabs, quoted cells, a byte order mark, short rows."""
    source = table("| type | name | label |\n| select_one_from_file t.csv | t | T |")
    for data in (
        b'\xef\xbb\xbfname;label\na;"Alpha; one"\nb\n',
        b'name\tlabel\na\t"Alpha; one"\nb\t\n',
    ):
        interview = load_form(source, {"t.csv": data}).start(now=now, seed=1)
        assert choices(interview, "/data/t") == [("a", "Alpha; one"), ("b", "")]


def test_a_filter_and_columns_of_another_name() -> None:
    """choice_filter over a file, `value` and `label` parameters."""
    survey = """
    | type | name | label | choice_filter | parameters |
    | text | p | P | | |
    | select_one_from_file t.csv | t | T | province = ${p} | value=label, label=name |
    """
    interview = load_form(table(survey), {"t.csv": TOWNS}).start(now=now, seed=1)
    interview.answer("/data/p", "p2")
    assert choices(interview, "/data/t") == [("Beta", "b"), ("Beta Alta", "c")]


def test_xml_and_geojson_files() -> None:
    """An XML list as it is; features as items with their geometry."""
    source = table(
        "| type | name | label |\n| select_one_from_file t.xml | t | T |\n| select_one_from_file g.geojson | g | G |"
    )
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-78.1, 0.3]},
            "properties": {"id": "x", "title": "Somewhere"},
        }
    ]
    media = {
        "t.xml": b"<root><item><name>a</name><label>Alpha</label></item></root>",
        "g.geojson": json.dumps({"type": "FeatureCollection", "features": features}).encode(),
    }
    interview = load_form(source, media).start(now=now, seed=1)
    assert choices(interview, "/data/t") == [("a", "Alpha")]
    (choice,) = interview.question("/data/g").choices
    assert (choice.value, choice.label, choice.properties["geometry"]) == ("x", "Somewhere", "0.3 -78.1 0 0")


def test_a_missing_file_is_an_empty_list_and_said_beforehand() -> None:
    """As in ODK; the form says which file it misses."""
    form = load_form(table("| type | name | label |\n| select_one_from_file t.csv | t | T |"))
    assert choices(form.start(now=now, seed=1), "/data/t") == []
    (problem,) = form.missing_media()
    assert problem.code == "media.missing"
    assert "t.csv" in problem.message


def test_a_broken_file_is_said_at_the_question() -> None:
    """The form loads; the question has no choices and, once answered, a violation that names the row."""
    source = table("| type | name | label |\n| select_one_from_file t.geojson | t | T |")
    for broken in (b"[]", b"{", b'{"type": "FeatureCollection", "features": [1]}'):
        interview = load_form(source, {"t.geojson": broken}).start(now=now, seed=1)
        assert choices(interview, "/data/t") == []
        interview.answer("/data/t", "a")
        (problem,) = interview.problems()
        assert problem.kind is ViolationKind.ERROR
        assert "survey, row 2" in (problem.message or "")


def test_search_reads_a_file_by_collects_rules() -> None:
    """All rows, rows that contain, rows under a filter; numbered choices stand as they are."""
    survey = """
    | type | name | label | appearance |
    | text | q | Q | |
    | select_one towns | all | All | minimal search('t') |
    | select_one towns | some | Some | search('t', 'contains', 'label', ${q}) |
    | select_one towns | few | Few | search('t', 'startswith', 'label', ${q}, 'province', 'p2') |
    """
    listed = "| list_name | name | label |\n| towns | 99 | Other |\n| towns | name | label |"
    interview = load_form(table(survey, listed), {"t.csv": TOWNS}).start(now=now, seed=1)
    assert [name for name, _label in choices(interview, "/data/all")] == ["99", "a", "b", "c"]
    assert interview.question("/data/all").appearance == ("minimal",)
    interview.answer("/data/q", "alt")
    assert choices(interview, "/data/some") == [("99", "Other"), ("c", "Beta Alta")]
    interview.answer("/data/q", "b")
    assert [name for name, _label in choices(interview, "/data/few")] == ["99", "b", "c"]
    interview.answer("/data/few", "b")
    interview.answer("/data/q", "a")
    assert interview.question("/data/few").raw == "b"


def test_external_choices_of_a_workbook() -> None:
    """select_one_external: rows of the external_choices sheet, filtered."""
    sheets = table(
        "| type | name | label | choice_filter |\n"
        "| text | p | P | |\n| select_one_external town | t | T | province=${p} |"
    )
    sheets += b"\n| external_choices |\n| | list_name | name | label | province |\n| | town | a | Alpha | p1 |"
    sheets += b"\n| | town | b | Beta | p2 |\n| | other | z | Zeta | p2 |"
    interview = load_form(sheets).start(now=now, seed=1)
    interview.answer("/data/p", "p2")
    assert choices(interview, "/data/t") == [("b", "Beta")]


def test_or_other_asks_which() -> None:
    """The choice `other` opens a text question."""
    interview = start(
        "| type | name | label |\n| select_one c or_other | a | A |",
        "| list_name | name | label |\n| c | x | X |",
    )
    assert "other" in [name for name, _label in choices(interview, "/data/a")]
    interview.answer("/data/a", "other")
    interview.answer("/data/a_other", "something else")
    assert interview.finalise().values["/data/a_other"] == "something else"


def test_the_last_saved_record_comes_from_the_caller() -> None:
    """A default from the last record; blank when there is none."""
    survey = "| type | name | label | default |\n| text | street | Street | ${last-saved#street} |"
    form = load_form(table(survey))
    assert value(form.start(now=now, seed=1), "/data/street") == ""
    saved = form.start(now=now, seed=1)
    saved.answer("/data/street", "synthetic street")
    again = form.start(now=now, seed=1, last_saved=saved.finalise().xml)
    assert value(again, "/data/street") == "synthetic street"


def test_entities_come_from_the_caller() -> None:
    """A list of entities is what the caller says it is now."""
    form = load_form(table("| type | name | label |\n| select_one_from_file trees.csv | t | T |"))
    interview = form.start(now=now, seed=1, entities={"trees": [{"name": "e1", "label": "Oak", "__version": "2"}]})
    assert choices(interview, "/data/t") == [("e1", "Oak")]


def test_rank_and_range() -> None:
    """A ranking is an order of choices; a range takes its steps and nothing else."""
    survey = """
    | type | name | label | parameters |
    | rank c | order | Order | |
    | range | level | Level | start=0 end=10 step=2 |
    """
    interview = start(survey, "| list_name | name | label |\n| c | a | A |\n| c | b | B |")
    assert interview.question("/data/order").type == "rank"
    interview.answer("/data/order", "b a")
    assert interview.question("/data/order").value == "b a"
    interview.answer("/data/level", "3")
    assert interview.question("/data/level").raw == "3"
    interview.answer("/data/level", "4")
    question = interview.question("/data/level")
    assert (question.type, question.value, question.parameters["end"]) == ("range", "4", "10")


def test_metadata_is_filled_from_what_the_caller_says() -> None:
    """start, today, deviceid, username; the end when it is finalised."""
    kinds = ("start", "today", "deviceid", "username", "end")
    survey = "\n".join(["| type | name | label |", *(f"| {kind} | {kind} | |" for kind in kinds)])
    interview = start(survey, metadata={"deviceid": "d-1", "username": "EN-01"})
    assert value(interview, "/data/start") == "2026-03-14T15:30:00.000Z"
    assert value(interview, "/data/today") == "2026-03-14"
    assert (value(interview, "/data/deviceid"), value(interview, "/data/username")) == ("d-1", "EN-01")
    assert value(interview, "/data/end") == ""
    assert "2026-03-14T15:30:00.000Z</end>" in interview.finalise().xml.decode()


def test_pulldata_and_search_read_the_callers_entities() -> None:
    """Entities take the place of the file of that name, for look-ups by key and for search() too."""
    survey = """
    | type | name | label | calculation | appearance |
    | text | who | Who | | |
    | calculate | found | | pulldata('people', 'label', 'name', ${who}) | |
    | select_one s | pick | Pick | | search('people') |
    """
    form = load_form(
        table(survey, "| list_name | name | label |\n| s | name | label |"), {"people.csv": b"name,label\nf,File\n"}
    )
    entities = {"people": [{"name": "e", "label": "Entity"}]}
    interview = form.start(now=now, seed=1, entities=entities)
    interview.answer("/data/who", "e")
    assert value(interview, "/data/found") == "Entity"
    assert [choice.value for choice in interview.question("/data/pick").choices] == ["e"]
    without = form.start(now=now, seed=1)
    without.answer("/data/who", "f")
    assert value(without, "/data/found") == "File"


def test_an_entity_is_declared_in_the_meta_block() -> None:
    """Created where nothing was chosen, updated with the version it was read at where something was."""
    workbook = table(
        """
        | type | name | label | save_to |
        | text | n | N | full |
        | select_one_from_file people.csv | p | P | |
        """
    ) + (
        b"\n| entities |\n| | list_name | label | create_if | update_if | entity_id |"
        b"\n| | people | ${n} | ${p}='' | ${p}!='' | ${p} |"
    )
    form = load_form(workbook)
    interview = form.start(now=now, seed=1, entities={"people": [{"name": "e", "label": "E", "__version": "7"}]})
    interview.answer("/data/n", "synthetic")
    assert (
        b'<entity dataset="people" create="1" update="0" baseVersion="" trunkVersion="" branchId="" id="">'
        b"<label>synthetic</label></entity>" in interview.instance().xml
    )
    interview.answer("/data/p", "e")
    assert b'create="0" update="1" baseVersion="7" trunkVersion="" branchId="" id="e">' in interview.instance().xml


def test_an_answer_does_not_work_its_list_out_again() -> None:
    """Neither the list nor its choices are made anew; what the form sets itself is checked all the same."""
    towns = "name,label\n" + "".join(f"t{number},T{number}\n" for number in range(500))
    survey = """
    | type | name | label | choice_filter | calculation | trigger |
    | text | keep | Keep | | | |
    | select_one_from_file towns.csv | town | Town | name != ${keep} | | |
    | select_one_from_file towns.csv | set | Set | | ${keep} | ${keep} |
    """
    interview = load_form(table(survey), {"towns.csv": towns.encode()}).start(now=now, seed=1)
    before = interview.question("/data/town").choices
    count = interview.state.settler.evaluations
    for number in range(5):
        interview.answer("/data/town", f"t{number}")
    assert interview.state.settler.evaluations == count
    assert interview.question("/data/town").choices is before
    interview.answer("/data/keep", "t4")
    assert interview.question("/data/town").raw == "t4"
    after = interview.question("/data/town").choices
    assert len(after) == 499
    assert after[0] is before[0]
    assert value(interview, "/data/set") == "t4"
    interview.answer("/data/keep", "nowhere")
    assert value(interview, "/data/set") == ""
    assert interview.question("/data/set").raw == "nowhere"


def test_the_text_of_what_is_not_chosen_yet_is_blank_and_of_an_unknown_id_an_error() -> None:
    """`jr:itext()` of a column of a row that is not there yet must not keep an interview from being finished."""
    lists = (
        '<itext><translation lang="en"><text id="t1"><value>One</value></text></translation></itext>'
        "<instance id='l'><root><item><name>1</name><id>t1</id></item><item><name>2</name><id>t2</id></item></root>"
        "</instance>"
    )
    interview = start_xform(
        "<a/><b/>",
        "<bind nodeset='/data/b' calculate=\"jr:itext(instance('l')/root/item[name = /data/a]/id)\"/>",
        '<input ref="/data/a"/>',
        lists,
    )
    assert (value(interview, "/data/b"), interview.problems()) == ("", [])
    interview.answer("/data/a", "1")
    assert value(interview, "/data/b") == "One"
    interview.answer("/data/a", "2")
    assert [problem.kind for problem in interview.problems()] == [ViolationKind.ERROR]
