"""docs/format.md says what the code does: every label, every field of every structure, every size it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fieldsurvey.project.keys import _Secret
from fieldsurvey.project.ledger import LedgerLine
from fieldsurvey.project.model import Device, Media, Person, Project, ProjectForm, Recipient, RoleKey, Server
from fieldsurvey.project.policy import Argon2, Plan, Policy, Quota, Retention, Round
from fieldsurvey.project.succession import Succession
from fieldsurvey.records import container, envelope, labels, log, recipients, signing
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.envelope import Header
from fieldsurvey.records.erased import ErasedCase, ErasureReport
from fieldsurvey.records.payload import Attachment, Consent, FormRef, Payload
from fieldsurvey.records.receipt import Receipt
from fieldsurvey.records.returned import Comment, ReturnedWork, ReturnManifest
from fieldsurvey.records.wire import Wire
from fieldsurvey.records.withdrawal import Tombstone
from sync.manifests import BatchEntry, BatchManifest

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0].strip(): part for part in re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE)}


def section(start: str) -> str:
    """The section whose heading begins so."""
    return next(text for heading, text in SECTIONS.items() if heading.startswith(start))


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("Record", Header),
        ("Payload", Payload),
        ("Payload", FormRef),
        ("Payload", Consent),
        ("Payload", Attachment),
        ("Device card", DeviceCard),
        ("Device card", LogParent),
        ("Batch", BatchManifest),
        ("Batch", BatchEntry),
        ("Receipt", Receipt),
        ("Return", ReturnManifest),
        ("Return", ReturnedWork),
        ("Return", Comment),
        ("Erasure", ErasureReport),
        ("Erasure", ErasedCase),
        ("Withdrawal", Tombstone),
        ("Key files", _Secret),
        ("Ledger", LedgerLine),
        *(
            ("Project", model)
            for model in (
                Project,
                Succession,
                Recipient,
                RoleKey,
                Server,
                Device,
                Person,
                ProjectForm,
                Media,
                Plan,
                Round,
                Quota,
            )
        ),
        *(("Project", model) for model in (Policy, Retention, Argon2)),
    ],
)
def test_every_field_is_described(heading: str, model: type[Wire]) -> None:
    """Each field's name stands in its section."""
    text = section(heading)
    missing = [name for name in model.model_fields if not re.search(rf"\b{name}\b", text)]
    assert missing == []


def test_a_field_that_is_not_described_is_noticed() -> None:
    """The control: a structure that the page does not know is missed there."""

    class Undescribed(Wire):
        zebra: int

    with pytest.raises(AssertionError):
        test_every_field_is_described("Record", Undescribed)


def test_every_label_is_listed() -> None:
    """Who adds a purpose must say so in the page."""
    listed = [value for name, value in vars(labels).items() if name.isupper() and isinstance(value, str)]
    assert len(listed) == len(set(listed)) >= 13
    for label in listed:
        assert label in PAGE or f"…/{label.rpartition('/')[2]}" in PAGE, label


def test_the_sizes_are_those_of_the_code() -> None:
    """Numbers that a reader needs, as they are printed."""
    for number in (
        recipients.PUBLIC_BYTES,
        recipients.WRAP_BYTES,
        recipients.MLKEM_BYTES,
        signing.KEY_BYTES[2],
        signing.SIGNATURE_BYTES[2],
        envelope.MAX_HEADER,
        container.MAX_FRAMES,
        log.ENTRY_BYTES,
    ):
        assert f"{number:,}" in PAGE
    assert (envelope.MAGIC, container.MAGIC) == (b"FSE1\x01", b"FSB1\x01")
    assert (container.MAX_FRAME, container.MAX_FILE, container.MAX_MANIFEST) == (16 << 20, 64 << 20, 4 << 20)
