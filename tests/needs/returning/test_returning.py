"""From the HMU to the laptop and back: a record is returned with comments, mended, and the next revision counts."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.custody import begin_again
from fieldsurvey.fieldwork.withdrawals import withdraw
from fieldsurvey.project import handing, steward
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.returned import MAX_COMMENT, MAX_COMMENTS, MAX_GENERAL
from fieldsurvey.records.signing import SigningKey
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import WithdrawalCode
from sync.returned import returned_work
from tests.needs.returning.conftest import CANARY, NOW, WORDS, Province
from tests.vault.canaries import search

AGE = "/data/house[1]/person[2]/age"


def mend(laptop: Laptop, ref: str, value: str) -> int:
    """Unlock, answer, seal; the revision."""
    session = laptop.unlock(WORDS)
    [card] = session.returned()
    work = session.resume(card.draft_id)
    assert work.returned is not None
    work.answer(ref, value)
    revision = work.finalise().revision
    session.close()
    return revision


def test_a_record_goes_back_and_its_next_revision_counts(province: Province, tmp_path: Path) -> None:
    """The whole way by stick: comments beside the questions, the slip mended, central takes revision 2, the ledger has
    who opened it and what for, and the return is listed as out and then as back.
    """
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    sheet = tmp_path / "comments.csv"
    sheet.write_text(f"ref,comment\n{AGE},Three hundred?\nsize,In hectares?\nweight,\n", encoding="utf-8")
    said = province.json(
        "return", card.case[:8], "--comments", str(sheet), "--comment", "_case=Why?", "--general", "The rest is fine.",
        "--purpose", "ages that cannot be",
    )  # fmt: skip
    assert (said["case"], said["revision"], said["name"], said["round"]) == (card.case, 1, "laptop-1", "r1")
    assert (said["comments"], said["out"]) == (3, None)
    assert [one["state"] for one in province.json("returned")["returned"]] == ["pending"]
    [opening] = province.json("ledger")["openings"]
    assert (opening["count"], opening["round"]) == (1, "r1")
    assert opening["text"] == f"return {card.case[:8]} ages that cannot be"

    imported, collected = province.carry(laptop)
    assert (imported.returns, collected.returned) == (1, 1)
    session = laptop.unlock(WORDS)
    [found] = session.returned()
    work = session.resume(found.draft_id)
    assert work.returned is not None
    assert work.returned.comments == (
        ("/data/_case", "Why?"),
        ("/data/size", "In hectares?"),
        (AGE, "Three hundred?"),
    )
    assert work.returned.general == "The rest is fine."
    session.close()
    assert mend(laptop, AGE, "30") == 2
    imported, _ = province.carry(laptop)
    assert imported.returns == 0  # it is answered: it travels no more
    assert list((province.stick / "fieldsurvey" / "returned").iterdir()) == []
    assert "<age>300</age>" not in province.current(card.case).instance
    assert province.current(card.case).person == "E01"
    with province.central() as central:
        [view] = central.cases()
        assert view.current is not None
        assert (view.current.revision, view.in_conflict, len(view.superseded)) == (2, False, 1)
    [one] = province.json("returned")["returned"]
    assert (one["state"], one["answered"]) == ("back", 2)
    assert "came back as revision 2" in province("returned").stdout
    laptop.close()


def test_it_can_be_put_on_a_stick_at_once(province: Province, tmp_path: Path) -> None:
    """--to: central's notice and the file on the stick are the same."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    shutil.rmtree(province.stick)
    province("return", card.case, "--general", "Look again.", "--to", str(province.stick))
    [file] = (province.stick / "fieldsurvey" / "returned").iterdir()
    with province.central() as central:
        [notice] = central.store.notices("return")
        assert notice.data == file.read_bytes()
    laptop.close()


def test_what_is_refused_says_why_and_sends_nothing(province: Province, tmp_path: Path) -> None:
    """Each with its code; nothing is noted at central, and only what was opened enters the ledger."""
    laptop, stranger = province.join("laptop-1"), province.join("stranger", enrolled=False)
    card, taken = province.interview(laptop), province.interview(laptop)
    unknown = province.interview(stranger)
    province.carry(laptop)
    province.carry(stranger)
    assert taken.withdrawal_code
    withdraw(laptop.locked, WithdrawalCode.parse(taken.withdrawal_code), date(2026, 3, 3))
    province.carry(laptop)
    sheet = tmp_path / "comments.csv"
    ok = ("--general", "Look again.")

    def refused(*words: str) -> str:
        return str(province.json("return", *words, code=1)["error"])

    assert refused(card.case) == "needs.no_comments"
    assert refused(card.case, "--general", " ") == "needs.no_comments"
    assert refused("ffffffff", *ok) == "needs.no_case"
    assert refused("", *ok) == "needs.no_case"
    assert refused("%", *ok) == "needs.no_case"
    assert refused(taken.case, *ok) == "needs.case_withdrawn"
    assert refused(unknown.case, *ok) in {"needs.no_case", "needs.not_returnable"}
    assert refused(card.case, "--comment", "nothing") == "needs.comment_word"
    assert refused(card.case, "--comment", "size=a", "--comment", "size=b") == "needs.comment_word"
    assert refused(card.case, "--general", "x" * (MAX_GENERAL + 1)) == "needs.long_comment"
    assert refused(card.case, "--comment", "size=" + "x" * (MAX_COMMENT + 1)) == "needs.long_comment"
    for text in ("a,b\n1,2\n", "", "ref,comment\n", "ref,comment\nsize,x\nsize,y\n", "ref,comment\n,x\n"):
        sheet.write_text(text, encoding="utf-8")
        assert refused(card.case, "--comments", str(sheet)) == "needs.comments_file", text
    sheet.write_bytes(b"ref,comment\nsize,\xff\n")
    assert refused(card.case, "--comments", str(sheet)) == "needs.comments_file"
    lines = [f"q{number},x" for number in range(MAX_COMMENTS + 1)]
    sheet.write_text("\n".join(["ref,comment", *lines]), encoding="utf-8")
    assert refused(card.case, "--comments", str(sheet)) == "needs.long_comment"
    assert refused(card.case, "--comments", str(tmp_path / "none.csv")).startswith("storage")
    with province.central() as central:
        assert returned_work(central) == []
    assert province.json("ledger")["openings"] == []
    laptop.close()
    stranger.close()


@pytest.mark.parametrize(
    "ref",
    [
        "nothing", "/data/nothing", "same", "age", "sum", "story", "/data/a", "/data/house[1]",
        "/data/house/person/age", "/data/house[2]/person[1]/age", "/data/house[1]/person[3]/age", "/data/size[1]",
        "/data/house[1]/person[0]/age", "/data/house[01]/person[1]/age", "data/size", "/data/size/", "",
    ],
)  # fmt: skip
def test_a_question_that_is_not_there_is_named(province: Province, ref: str) -> None:
    """No question, an ambiguous name, a calculation, a note, a group, a row that the record does not have."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    said = province.json("return", card.case, "--comment", f"{ref}=x", code=1)
    assert said["error"] == ("needs.unknown_refs" if ref else "needs.comment_word")
    assert ref in said["message"]
    laptop.close()


def test_names_paths_and_rows_are_found(province: Province, tmp_path: Path) -> None:
    """A name that one question has, whole paths, questions that were not asked; semicolons and a byte order mark."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    sheet = tmp_path / "comments.csv"
    sheet.write_text("comment;ref\nx;/data/a/same\ny;/data/b/same\nz;rooms\n", encoding="utf-8-sig")
    assert province.json("return", card.case, "--comments", str(sheet), code=1)["error"] == "needs.unknown_refs"
    sheet.write_text("comment;ref\nx;/data/b/same\ny;/data/a/same\nz;/data/house[1]/rooms\n", encoding="utf-8-sig")
    assert province.json("return", card.case, "--comments", str(sheet))["comments"] == 3
    province.carry(laptop)
    session = laptop.unlock(WORDS)
    work = session.resume(session.returned()[0].draft_id)
    assert work.returned is not None
    assert list(work.returned.by_ref) == ["/data/a/same", "/data/b/same", "/data/house[1]/rooms"]
    session.close()
    laptop.close()


def test_one_that_is_out_is_sent_again_only_when_asked(province: Province) -> None:
    """Nor after it came back does the old one stand in the way of the next."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    send = ("return", card.case, "--general", "Look again.")
    province(*send)
    assert province.json(*send, code=1)["error"] == "needs.already_out"
    province(*send, "--again")
    province.carry(laptop)
    assert mend(laptop, "/data/size", "4") == 2
    province.carry(laptop)
    assert {one["state"] for one in province.json("returned")["returned"]} == {"back"}
    assert province.json(*send)["revision"] == 2
    province.carry(laptop)
    assert mend(laptop, "/data/size", "5") == 3
    province.carry(laptop)
    assert "<size>5</size>" in province.current(card.case).instance
    laptop.close()


def test_two_people_send_it_back_where_the_policy_says_so(
    province: Province, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One alone, or nobody saying what for: refused. Both: sent, and both are in the ledger."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    first, second = "oliva afinar orden leal recreo conejo", "brasa cobre delfin enebro faro gruta"
    handing.members(
        province.steward,
        {"H01": first, "H02": second, "H03": "papel nogal musgo lirio kiosco jarra"},
        root_pass=WORDS,
        hmu=["zumo duna yate horno grato lunes"],
    )

    def present(*passphrases: str) -> None:
        for role, words in zip(("HMU", "HMU2"), passphrases, strict=True):
            (tmp_path / role).write_text(words, encoding="utf-8")
            monkeypatch.setenv(f"FIELDSURVEY_PASSPHRASE_FILE_{role}", str(tmp_path / role))

    send = ("return", card.case, "--general", "Look again.")
    present(first, second)
    assert province.json(*send, code=1)["error"] == "needs.return_purpose"
    present(first, first)
    assert province.json(*send, "--purpose", "x", code=1)["error"] == "input.few_people"
    assert province.json("ledger")["openings"] == []
    present(first, second)
    province(*send, "--purpose", "ages")
    [opening] = province.json("ledger")["openings"]
    assert (opening["who"], opening["text"]) == (["H01", "H02"], f"return {card.case[:8]} ages")
    laptop.close()


def test_a_withdrawal_stops_a_return_on_its_way(province: Province) -> None:
    """Sent back, then withdrawn: it leaves central's way, the laptop drops it, and nothing of it is mended."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    province("return", card.case, "--general", "Look again.")
    province.carry(laptop)
    assert card.withdrawal_code
    withdraw(laptop.locked, WithdrawalCode.parse(card.withdrawal_code), date(2026, 3, 3))
    session = laptop.unlock(WORDS)
    assert session.returned() == []
    session.close()
    assert len(list((province.stick / "fieldsurvey" / "returned").iterdir())) == 1
    imported, _ = province.carry(laptop)
    assert imported.returns == 0
    assert list((province.stick / "fieldsurvey" / "returned").iterdir()) == []
    assert province.json("returned")["returned"] == []  # central keeps nothing of it
    laptop.close()


def test_a_laptop_that_was_revoked_is_refused(province: Province) -> None:
    """Nobody there is to mend anything any more."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    device = laptop.locked.device_card().device
    steward.change(province.steward, WORDS, lambda draft: draft.revoke(device, 2, "lost"))
    said = province.json("return", card.case, "--general", "x", code=1)
    assert said["error"] == "needs.not_returnable"
    assert "revoked" in said["message"]
    laptop.close()


def test_a_laptop_that_began_a_new_log_is_refused(province: Province) -> None:
    """It cannot open what is sealed to the device that it was. The control: another that only says it was this laptop,
    enrolled before it, keeps nothing from coming back.
    """
    laptop = province.join("laptop-1", enrolled=False)
    own = laptop.locked.device_card()
    false = DeviceCard.make(
        SigningKey.generate(),
        project=own.project,
        name="laptop-2",
        carrier=SigningKey.generate().public,
        recipient=own.recipient,
        created=own.created,
        parent=LogParent(device=own.device, seq=0, head=laptop.locked.head().head.hex()),
        former=SigningKey.generate(),
    )
    for card in (false, own):
        steward.enrol(province.steward, card.to_bytes(), root_pass=WORDS)
    case = province.interview(laptop).case
    province.carry(laptop)
    province.json("return", case, "--general", "x")
    begin_again(laptop, "E01", WORDS, FLOOR)
    steward.enrol(province.steward, laptop.locked.device_card().to_bytes(), root_pass=WORDS)
    said = province.json("return", case, "--general", "x", code=1)
    assert said["error"] == "needs.not_returnable"
    assert "began a new log" in said["message"]
    laptop.close()


def test_two_offline_revisions_are_both_kept(province: Province, tmp_path: Path) -> None:
    """A copied disk: both laptops mend the same return. One counts, the other stays and is shown as a conflict."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    province("return", card.case, "--general", "Look again.")
    province.carry(laptop)
    laptop.close()
    shutil.copytree(province.folder / "laptop-1", tmp_path / "clone")
    one = Laptop.open(province.folder / "laptop-1", province.clock)
    two = Laptop.open(tmp_path / "clone", province.clock)
    for copy, size in ((one, "7"), (two, "8")):
        assert mend(copy, "/data/size", size) == 2
        province.carry(copy)
        copy.close()
    with province.central() as central:
        [view] = central.cases()
        assert view.current is not None
        assert (view.current.revision, len(view.concurrent), view.in_conflict) == (2, 1, True)
    assert province.json("returned")["returned"][0]["answered"] == 2


def test_no_answer_and_no_comment_lies_anywhere(province: Province, tmp_path: Path) -> None:
    """HMU's home, central, stick and laptop, before and after mending: 0 hits in any encoding; the control is found."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    words = [CANARY, "canario-Ñandú-comenta-88", "canario-Ñandú-general-99"]
    province("return", card.case, "--comment", f"size={words[1]}", "--general", words[2], "--to", str(province.stick))
    assert search(tmp_path, words) == []
    province.carry(laptop)
    assert search(tmp_path, words) == []
    session = laptop.unlock(WORDS)
    session.resume(session.returned()[0].draft_id).close()
    assert search(tmp_path, words) == []
    session.close()
    mend(laptop, "/data/size", "3")
    province.carry(laptop)
    assert search(tmp_path, words) == []
    (tmp_path / "control").write_text(words[1], encoding="utf-16")
    assert search(tmp_path, words) != []
    laptop.close()


def test_doubtful_cases_are_listed_without_an_answer(province: Province, tmp_path: Path) -> None:
    """A copied disk mends one case twice: the round's doubts name it, its enumerator and its laptop."""
    laptop = province.join("laptop-1")
    card, other = province.interview(laptop), province.interview(laptop, "other words")
    province.carry(laptop)
    province("return", card.case, "--general", "Look again.")
    province.carry(laptop)
    laptop.close()
    shutil.copytree(province.folder / "laptop-1", tmp_path / "clone")
    for home, size in ((province.folder / "laptop-1", "7"), (tmp_path / "clone", "8")):
        copy = Laptop.open(home, province.clock)
        mend(copy, "/data/size", size)
        province.carry(copy)
        copy.close()
    assert province.json("returned", "--doubtful", "r1", code=1)["error"] == "needs.no_dataset"
    province("open", "--round", "r1")
    [found] = province.json("returned", "--doubtful", "r1")["doubtful"]
    assert (found["case"], found["form"], found["person"]) == (card.case, "synthetic", "E01")
    assert found["why"] == ["two revisions stand side by side"]
    said = province("returned", "--doubtful", "r1").stdout
    assert f"{card.case[:8]}  synthetic, E01 on laptop-1: two revisions stand side by side" in said
    assert other.case[:8] not in said
    assert CANARY not in said


def test_the_laptops_clock_of_the_hmu_is_in_it(province: Province) -> None:
    """When it was issued stands inside the seal, with an offset."""
    laptop = province.join("laptop-1")
    card = province.interview(laptop)
    province.carry(laptop)
    province("return", card.case, "--general", "Look again.")
    province.carry(laptop)
    session = laptop.unlock(WORDS)
    work = session.resume(session.returned()[0].draft_id)
    assert work.returned is not None
    assert work.returned.issued > NOW.isoformat()
    session.close()
    laptop.close()
