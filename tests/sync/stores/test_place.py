"""Where central is: the file that says so, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.base.errors import FieldsurveyError
from sync.place import (
    DATABASE,
    FILE,
    CentralLostError,
    Place,
    PlaceError,
    central_exists,
    open_central,
    read_place,
    write_place,
)


def test_without_a_file_it_is_in_the_home(tmp_path: Path) -> None:
    """central.db, made when it is not there."""
    assert not central_exists(tmp_path)
    with open_central(tmp_path) as central:
        assert central.store.place == str(tmp_path / DATABASE)
    assert central_exists(tmp_path)
    write_place(tmp_path, read_place(tmp_path))
    assert not (tmp_path / FILE).exists()


def test_it_opens_where_the_file_says(tmp_path: Path, dsn: str) -> None:
    """A database or another file, written and read back; back home the file goes."""
    elsewhere = Place(path=tmp_path / 'with "quotes" and ñ' / DATABASE)
    assert elsewhere.path is not None
    elsewhere.path.parent.mkdir()
    for place in (Place.named(dsn), elsewhere):
        place.store().close()
        write_place(tmp_path, place)
        assert read_place(tmp_path) == place
        with open_central(tmp_path) as central:
            assert central.status().counts.entries == 0
    write_place(tmp_path, Place(path=tmp_path / DATABASE))
    assert not (tmp_path / FILE).exists()


def test_a_central_that_is_gone_is_not_made_anew(tmp_path: Path, dsn: str) -> None:
    """An empty one in its place would say that nothing was ever sent."""
    for place in (Place(path=tmp_path / "gone.db"), Place(dsn=dsn)):
        write_place(tmp_path, place)
        with pytest.raises(CentralLostError, match=r"central.toml"):
            open_central(tmp_path)
    assert not (tmp_path / "gone.db").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1",
        "format = 1",
        'format = "fieldsurvey central 2"\npath = "a"',
        'format = "fieldsurvey central 1"',
        'format = "fieldsurvey central 1"\npath = 7',
        'format = "fieldsurvey central 1"\npath = "a"\ndsn = "dbname=a"',
        'format = "fieldsurvey central 1"\ndsn = "dbname=a"\nmore = 1',
        'format = "fieldsurvey central 1"\ndsn = "dbname=a password=secret"',
        'format = "fieldsurvey central 1"\ndsn = "nonsense secret"',
        "\x00",
    ],
)
def test_a_file_that_says_nothing_usable_is_refused(tmp_path: Path, text: str) -> None:
    """Typed, and never by opening something else instead; a password in it is not repeated."""
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(PlaceError) as caught:
        open_central(tmp_path)
    assert "secret" not in caught.value.message
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(PlaceError):
        read_place(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:secret@h/d",
        "host=h dbname=d password=secret",
        "postgresql://h",
        "host=h",
        " ",
        "http://h/d",
        "a\nb",
    ],
)
def test_what_cannot_be_a_place_is_refused(text: str) -> None:
    """A password above all: it would lie in a file, and in every message."""
    with pytest.raises(PlaceError) as caught:
        Place.named(text)
    assert "secret" not in caught.value.message


def test_what_can_be_a_place(tmp_path: Path) -> None:
    """Both spellings of a database, and a file even if it looks like one."""
    assert Place.named("postgresql://u@h/d").dsn == "postgresql://u@h/d"
    assert Place.named("host=h dbname=d").dsn == "host=h dbname=d"
    assert Place.named(str(tmp_path / "central.db")).path == tmp_path / "central.db"
    odd = tmp_path / "a=b"
    odd.touch()
    assert Place.named(str(odd)).path == odd


def test_a_database_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """No server, no such host: one typed error, within seconds."""
    from sync.postgres_store import PostgresStore

    with pytest.raises(FieldsurveyError) as caught:
        PostgresStore(f"host={tmp_path} dbname=none", patience=0.3)
    assert caught.value.code == "storage.central_gone"
