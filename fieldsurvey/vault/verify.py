"""Everything in a vault, checked: the chain, every signature, every record's hash and shape, every AEAD that opens.

It finds and changes nothing. What only other people on the laptop can open is counted, not checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.sqlite import DatabaseDamagedError
from fieldsurvey.records.device import DeviceCard
from fieldsurvey.records.envelope import read_header, record_hash
from fieldsurvey.records.log import LogEntry, start_head, verify_run
from fieldsurvey.records.receipt import Level
from fieldsurvey.vault.erasure import erased
from fieldsurvey.vault.schema import check_tables
from fieldsurvey.vault.sealed_log import SealedLog
from fieldsurvey.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong. `part`: tables, log, former log, record, receipt, slot, people or draft; `where`: its
    number or id.
    """

    part: str
    where: str
    reason: str


@dataclass(slots=True)
class VerifyReport:
    """What was looked at, and what was found. `unchecked`: drafts that only other people can open.

    `former`: logs before this one; their entries and records are in the other counts.
    """

    entries: int = 0
    records: int = 0
    purged: int = 0
    slots: int = 0
    drafts: int = 0
    changes: int = 0
    unchecked: int = 0
    former: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_log(log: SealedLog) -> VerifyReport:
    """What a locked vault can show, former logs included. Raises StorageError when SQLite itself cannot read it."""
    report = VerifyReport()
    try:
        check_tables(log.store.connection, log.path)
    except DatabaseDamagedError:
        report.findings.append(Finding("tables", "", _("a table, trigger or view that is not ours, or one is missing")))
    for former in log.former_logs():
        report.former += 1
        _one_log(former, report)
    _one_log(log, report)
    for slot in log.slots():
        report.slots += 1
        if slot.damaged:
            report.findings.append(Finding("slot", str(slot.number), _("damaged")))
    return report


def _one_log(log: SealedLog, report: VerifyReport) -> None:
    card = log.device_card()
    label = "former log" if log.former else "log"
    previous, last = start_head(card.project, card.device), 0
    safe, withdrawn = log.acknowledged().get(Level.BACKED_UP.value, 0), erased(log)
    for seq, data, record in log.rows():
        report.entries += 1
        try:
            entry = LogEntry.from_bytes(data)
            verify_run(card.sign_key, card.project, card.device, previous, [entry], every_signature=True)
            reason = "" if entry.seq == seq else _("another entry's place")
        except FieldsurveyError as error:
            reason = error.message
        if reason:
            report.findings.append(Finding(label, str(seq), reason))
        previous = data[72:104]  # the head it claims: what comes later may be whole
        if record is None and seq > safe and seq not in withdrawn:
            report.findings.append(
                Finding("record", str(seq), _("its body is missing: not withdrawn, not in a backup of central"))
            )
        else:
            _look_at_record(report, seq, data[40:72], record, card)
        last = seq
    head = log.head()
    if (head.seq, head.head) != (last, previous):
        report.findings.append(Finding(label, str(head.seq), _("the head is not the last entry's")))
    _receipts(log, report)


def verify_vault(vault: Vault) -> VerifyReport:
    """All of it, as far as the person who unlocked can open it. Raises StorageError."""
    report = verify_log(vault.locked)
    try:
        vault.people.listed()
    except FieldsurveyError as error:
        report.findings.append(Finding("people", "", error.message))
    for draft_id in vault.drafts.ids():
        report.drafts += 1
        try:
            report.changes += len(vault.drafts.open(draft_id).changes)
        except FieldsurveyError as error:
            report.findings.append(Finding("draft", draft_id, error.message))
    report.unchecked = vault.locked.draft_count() - report.drafts
    return report


def _look_at_record(report: VerifyReport, seq: int, logged: bytes, record: bytes | None, card: DeviceCard) -> None:
    if record is None:
        report.purged += 1
        return
    report.records += 1
    if record_hash(record) != logged:
        report.findings.append(Finding("record", str(seq), _("it is not the record that was logged")))
    try:
        header = read_header(record)
    except FieldsurveyError as error:
        report.findings.append(Finding("record", str(seq), error.message))
        return
    if (header.project, header.device) != (card.project, card.device):
        report.findings.append(Finding("record", str(seq), _("it is another project's or device's")))


def _receipts(log: SealedLog, report: VerifyReport) -> None:
    try:
        for receipt in log.receipts():
            if log.head_at(receipt.up_to) != bytes.fromhex(receipt.head):
                report.findings.append(Finding("receipt", receipt.level.value, _("its head is not the log's")))
    except FieldsurveyError as error:
        report.findings.append(Finding("receipt", "", error.message))
