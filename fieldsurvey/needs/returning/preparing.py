"""One record opened at the HMU and sealed to the laptop that made it, with comments. It shows no answer to anybody.

Nothing is written here: see `cli.needs_return`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from fieldsurvey.base.errors import RefusedError, UntrustedError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.needs.opened.errors import RetentionEndedError
from fieldsurvey.needs.opened.layout import layout_of
from fieldsurvey.needs.opened.opening import check_may_open
from fieldsurvey.needs.returning.comments import check_said, whole_refs
from fieldsurvey.needs.returning.errors import (
    AlreadyOutError,
    CaseWithdrawnError,
    LongCommentError,
    NoSuchCaseError,
    NotOpenedError,
    NotReturnableError,
)
from fieldsurvey.records.envelope import MAX_REVISION, Opened, open_record, record_hash
from fieldsurvey.records.payload import Payload
from fieldsurvey.records.returned import MAX_BODY, Comment, ReturnedWork, ReturnManifest, write_return
from fieldsurvey.xforms import FormError, load_form
from sync.returned import answered, returns_of

if TYPE_CHECKING:
    from fieldsurvey.project.keys import HmuKeys
    from fieldsurvey.project.model import Device, Project
    from fieldsurvey.project.signed import SignedProject
    from fieldsurvey.xforms.form import LoadedForm
    from sync.central import Central
    from sync.merge import CaseView, Version

LEAST: Final = 4
"""Digits of a case's id that may stand for it, if they tell it apart."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A return, ready to be noted and handed on. `round`: the id of the round whose day the interview has, or None.

    `comments`: how many questions are commented; `people`: who opened it.
    """

    manifest: ReturnManifest
    device_name: str
    round: str | None
    comments: int
    people: tuple[str, ...]
    data: bytes = field(repr=False)


def find_case(central: Central, given: str) -> CaseView:
    """The case of that id, or the only one that begins so. Raises NoSuchCaseError."""
    wanted = given.strip().lower().removesuffix("…")
    found = []
    if len(wanted) >= LEAST and set(wanted) <= set("0123456789abcdef"):
        for view in central.cases():  # ordered by id
            if view.case.startswith(wanted):
                found.append(view)
            elif view.case > wanted:
                break
    if len(found) != 1:
        raise NoSuchCaseError(case=given, count=len(found))
    return found[0]


def prepare_return(
    central: Central,
    project: SignedProject,
    hmu_keys: HmuKeys,
    case: str,
    comments: Mapping[str, str],
    *,
    now: datetime,
    general: str = "",
    again: bool = False,
) -> Prepared:
    """Open the current record of a case and seal it to its laptop, with `comments` by question.

    `again`: also when it is out already. Raises NoCommentsError, LongCommentError, NoSuchCaseError, CaseWithdrawnError,
    NotReturnableError, AlreadyOutError, NotOpenedError, UnknownRefsError, RetentionEndedError, and what `open_round`
    refuses before it opens anything. StorageError of central's.
    """
    check_said(comments, general)
    model = project.model
    check_may_open(central, model, hmu_keys, max(1, len(hmu_keys.people)))
    _check_kept(model, now.date())
    view = find_case(central, case)
    current = _current(view)
    device = _laptop(model, current)
    if not again:
        _check_not_out(central, model, current)
    opened = _opened(central, current, hmu_keys)
    record = _payload(opened, current)
    form = _form(project, record, current)
    xml = record.instance.encode("utf-8")
    try:
        said = whole_refs(form, xml, comments)
        day = _day(form, xml)
    except FormError as error:
        raise NotOpenedError(case=current.case[:8], reason=error.message) from None
    work = ReturnedWork(
        issued=now.isoformat("T", "seconds"),
        record=record.model_copy(update={"paradata": {}}),
        comments=tuple(Comment(ref=ref, text=text) for ref, text in said.items()),
        general=general.strip(),
    )
    if len(work.to_bytes()) > MAX_BODY:
        raise LongCommentError(what=_("the record with its comments"), limit=f"{MAX_BODY >> 20} MiB")
    manifest = ReturnManifest(
        project=model.id,
        device=device.id,
        case=current.case,
        revision=current.revision,
        record=current.record_hash.hex(),
        withdrawal=opened.header.withdrawal,
    )
    data = write_return(manifest, work, device.card.recipient, hmu_keys.sign)
    survey_round = next((r.id for r in model.plan.rounds if day and r.start <= day <= r.end), None)
    return Prepared(manifest, device.name, survey_round, len(said), hmu_keys.people, data)


def _check_kept(model: Project, today: date) -> None:
    until = model.policy.retention.hmu_until
    if until is not None and today > date.fromisoformat(until):
        raise RetentionEndedError(round="–", until=until, today=today.isoformat())


def _current(view: CaseView) -> Version:
    if view.current is not None:
        return view.current
    if view.withdrawn:
        raise CaseWithdrawnError(case=view.case[:8])
    raise NotReturnableError(case=view.case[:8], reason=_("only what another laptop proposes has come so far"))


def _laptop(model: Project, current: Version) -> Device:
    """The laptop that made the record, if it can still open what is sealed to it and add to its log."""
    device = model.device(current.device)
    reason = ""
    if device is None:
        reason = _("its laptop is not enrolled")
    elif device.status != "enrolled":
        reason = _("its laptop was revoked")
    elif any(model.before(other) == device for other in model.devices):
        reason = _("its laptop began a new log since (a new vault, or a restored backup)")
    elif current.revision >= MAX_REVISION - 1:
        reason = _("it has been revised too often")
    if device is None or reason:
        raise NotReturnableError(case=current.case[:8], reason=reason)
    return device


def _check_not_out(central: Central, model: Project, current: Version) -> None:
    held = central.store.case(current.case)
    for manifest in returns_of(central, model.role_keys, current.device):
        same = (manifest.case, manifest.revision) == (current.case, current.revision)
        if same and not answered(manifest, held):
            raise AlreadyOutError(case=current.case[:8], revision=current.revision)


def _opened(central: Central, current: Version, hmu_keys: HmuKeys) -> Opened:
    case = current.case[:8]
    blob = central.store.body(current.record_hash)
    if blob is None or record_hash(blob) != current.record_hash:
        raise NotOpenedError(case=case, reason=_("central has lost it."))
    try:
        opened = open_record(blob, *hmu_keys.recipients)
    except (UntrustedError, RefusedError) as error:
        raise NotOpenedError(case=case, reason=error.message) from None
    header = opened.header
    if (header.device, header.case, header.revision) != (current.device, current.case, current.revision):
        raise NotOpenedError(case=case, reason=_("it is not what its log entry says."))
    return opened


def _payload(opened: Opened, current: Version) -> Payload:
    try:
        record = Payload.from_bytes(opened.payload)
    except UntrustedError as error:
        raise NotOpenedError(case=current.case[:8], reason=error.message) from None
    if record.mode == "practice":
        raise NotReturnableError(case=current.case[:8], reason=_("it is a practice interview"))
    return record


def _form(project: SignedProject, record: Payload, current: Version) -> LoadedForm:
    """The version that it was made with: the laptop will use the same."""
    source = project.form_bytes_of(record.form.hash)
    if source is None:
        reason = _("the project no longer carries {form}, version {version}").format(
            form=record.form.id, version=record.form.version
        )
        raise NotReturnableError(case=current.case[:8], reason=reason)
    return load_form(source, dict(project.media_of(record.form.hash)))


def _day(form: LoadedForm, xml: bytes) -> str | None:
    """The fieldwork date, YYYY-MM-DD."""
    path = layout_of(form.nodes).fieldwork_date
    value = form.answers(xml).values.get(path) if path else None
    return None if value is None else str(value)[:10]
