"""A form ready to be answered: the contract's Form over its program."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Draft, Dropped, Media
from fieldsurvey.xforms.definition.model import NodeDef
from fieldsurvey.xforms.definition.parse import parse_form
from fieldsurvey.xforms.definition.xml import parse_xml
from fieldsurvey.xforms.errors import FormError, FormProblem
from fieldsurvey.xforms.live import audit as log
from fieldsurvey.xforms.live import describe, drafts, places
from fieldsurvey.xforms.live.env import Entities, Verify, World
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.live.navigation import Page
from fieldsurvey.xforms.live.nodes import LiveNode
from fieldsurvey.xforms.live.reading import Answers, ValueReader
from fieldsurvey.xforms.live.serialise import read_record
from fieldsurvey.xforms.live.state import State
from fieldsurvey.xforms.load.kept import Kept
from fieldsurvey.xforms.load.source import Source, no_media, read_source
from fieldsurvey.xforms.pause import collector_paused
from fieldsurvey.xforms.program.media import media_names
from fieldsurvey.xforms.program.program import Program

KEYWORDS = frozenset(
    {
        "timezone",
        "seed",
        "language",
        "metadata",
        "last_saved",
        "entities",
        "audit",
        "verify",
        "locate",
        "monotonic",
        "record",
    }
)


class LoadedForm:
    """See contract.Form. `xml` is the XForm it was read from, `nodes` its static tree in document order."""

    def __init__(self, source: Source) -> None:
        program = _program(source)
        definition = program.form
        self.source = source
        self.xml = source.xml
        self.definition = definition
        self.program = program
        self.id = definition.id
        self.version = definition.version
        self.title = definition.title
        self.hash = hashlib.sha256(source.xml).hexdigest()
        self.languages = definition.languages
        self.default_language = definition.default_language
        self._reader: ValueReader | None = None
        self.warnings: tuple[FormProblem, ...] = (
            *(FormProblem("workbook", text, "", source.origin_in(text)) for text in source.warnings),
            *definition.warnings,
            *self.program.warnings,
        )

    def missing_media(self) -> list[FormProblem]:
        """The files that the form names and that are not there; their lists are empty."""
        return [
            FormProblem(
                "media.missing",
                _("The file {name} is not there; its list is empty.").format(name=found.src.rpartition("/")[2]),
                _("Put it beside the form."),
                found.origin,
            )
            for found in self.program.lists.missing()
        ]

    @property
    def media_names(self) -> tuple[str, ...]:
        """The files that the form names, each once, in alphabetical order: lists, pictures, sounds, external choices.

        `search()` and `select_one_external` name theirs without an address; names that an answer makes are left out.
        """
        return media_names(self.definition, self.program.parsed)

    @property
    def audit(self) -> Mapping[str, str] | None:
        """The parameters of the audit log that the form asks for, None when it asks for none."""
        return log.parameters(self.definition)

    @property
    def nodes(self) -> Sequence[NodeDef]:
        """Every node with its bind, control and origin."""
        return self.definition.nodes

    def start(
        self,
        *,
        now: Callable[[], datetime],
        timezone: str | None = None,
        seed: int | None = None,
        language: str | None = None,
        metadata: Mapping[str, str] | None = None,
        last_saved: bytes | None = None,
        entities: Entities | None = None,
        audit: Callable[[dict[str, Any]], None] | None = None,
        verify: Verify | None = None,
        locate: Callable[[], str | None] | None = None,
        monotonic: Callable[[], float] | None = None,
        record: Callable[[str, str], str | None] | None = None,
    ) -> LiveInterview:
        """A blank interview: defaults and first-load actions have run."""
        state = self._state(
            now,
            {
                "timezone": timezone,
                "seed": seed,
                "language": language,
                "metadata": metadata,
                "last_saved": last_saved,
                "entities": entities,
                "audit": audit,
                "verify": verify,
                "locate": locate,
                "monotonic": monotonic,
                "record": record,
            },
        )
        state.begin(self.definition.root_values, first=True)
        interview = LiveInterview(state, self.hash)
        self._identify(interview)
        interview.watch("form start")
        return interview

    def resume(
        self, draft: Draft, changes: Sequence[dict[str, Any]] = (), *, now: Callable[[], datetime], **keywords: Any
    ) -> LiveInterview:
        """Go on from a snapshot and the changes since, at the exact place; takes `start`'s keywords.

        See contract.Form for drafts of another version of the form.
        """
        data = draft.data
        keywords = {"seed": data["seed"], "language": data["language"], **keywords}
        state = self._state(now, keywords)
        state.world.draws = data["draws"]
        entries = [entry for part in changes for entry in part["changes"]]
        dropped = dict(data.get("dropped", ()))
        drafts.restore(state, data, entries, dropped, anew=draft.form_hash != self.hash)
        state.actions.opened(first=False)
        interview = LiveInterview(state, self.hash)
        interview.extra_meta = dict(data["meta"])
        self._go_back(interview, data, entries)
        interview.dropped = tuple(Dropped(ref, text) for ref, text in dropped.items())
        interview.watch("form resume")
        return interview

    def resume_instance(self, xml: bytes, *, now: Callable[[], datetime], **keywords: Any) -> LiveInterview:
        """Edit something finalised: a new instanceID, the old one as deprecatedID."""
        state = self._state(now, keywords)
        values, dropped = read_record(xml, self.definition.root)
        state.begin(values, first=False)
        interview = LiveInterview(state, self.hash)
        interview.dropped = tuple(dropped)
        self._supersede(interview, xml)
        interview.watch("form resume")
        return interview

    def values(self, xml: bytes) -> dict[str, Any]:
        """Typed answers of a finalised instance by reference; blanks are left out."""
        return self.answers(xml).values

    def answers(self, xml: bytes) -> Answers:
        """What `values` gives, with the ref of every repeat instance, also of those without an answer."""
        if self._reader is None:
            self._reader = ValueReader(self.definition.root)
        return self._reader.read(xml)

    # -- parts ---------------------------------------------------------------------------------------------------

    def _state(self, now: Callable[[], datetime], keywords: Mapping[str, Any]) -> State:
        unknown = set(keywords) - KEYWORDS
        if unknown:
            raise TypeError(f"unexpected keywords: {', '.join(sorted(unknown))}")
        seed = keywords.get("seed")
        world = World(
            now,
            _zone(keywords.get("timezone"), now),
            secrets.randbits(64) if seed is None else seed,
            keywords.get("metadata") or {},
            keywords.get("last_saved"),
            keywords.get("entities"),
            keywords.get("audit"),
            keywords.get("verify"),
            keywords.get("locate"),
            keywords.get("monotonic"),
            keywords.get("record"),
        )
        wanted = keywords.get("language")
        chosen = describe.language(self.definition, wanted) if wanted else None
        return State(self.program, world, chosen or self.default_language)

    def _identify(self, interview: LiveInterview) -> None:
        """Give the instance its id where the form leaves that to the program."""
        state = interview.state
        node = _meta_node(state, "instanceID")
        if node is None:
            interview.extra_meta["instanceID"] = f"uuid:{state.new_uuid()}"
        elif not node.text and (node.d.bind is None or node.d.bind.calculate is None):
            state.put(node, f"uuid:{state.new_uuid()}")
            state.actions.finish()

    def _supersede(self, interview: LiveInterview, xml: bytes) -> None:
        """A new id, and the old one as what it replaces."""
        state = interview.state
        node = _meta_node(state, "instanceID")
        old = node.text if node is not None else _meta_of(xml).get("instanceID", "")
        fresh = f"uuid:{state.new_uuid()}"
        while fresh == old:  # the same seed as when the record was made
            fresh = f"uuid:{state.new_uuid()}"
        if node is not None:
            state.put(node, fresh)
        else:
            interview.extra_meta["instanceID"] = fresh
        deprecated = _meta_node(state, "deprecatedID")
        if deprecated is not None:
            state.put(deprecated, old)
        elif old:
            interview.extra_meta["deprecatedID"] = old
        state.actions.finish()

    def _go_back(self, interview: LiveInterview, data: dict[str, Any], entries: list[list[Any]]) -> None:
        """The place and the path: those of the snapshot, moved by the journal."""
        saved: list[Any] = list(data["path"])
        place: list[Any] = data["place"]
        for kind, *rest in entries:
            if kind == ">":
                saved.append(place)
                place = rest[0]
            elif kind == "<":
                saved.pop()
                place = rest[0] if rest else place
            elif kind == "=":
                place = rest[0]
            elif kind == "-":
                saved = [moved for one in saved if (moved := places.after_removal(one, *rest)) is not None]
                place = places.after_removal(place, *rest) or place
            elif kind == "l":
                interview.state.language = interview.state.env.language = rest[0]
        found = [places.restored(interview.navigator, interview.refs, one) for one in saved]
        interview.path = [page for page in found if isinstance(page, Page)]
        interview.page = places.restored(interview.navigator, interview.refs, place) or interview.navigator.first()


_PROGRAMS: Kept[Program] = Kept()


def _program(source: Source) -> Program:
    """The program of a form: the one kept for the same bytes, with this caller's media, or a new one."""
    kept = _PROGRAMS.get(source.key) if source.key else None
    if kept is not None:
        return kept.with_media(source.find_media)
    program = Program(parse_form(source.xml, source.origin_of), source.find_media)
    if source.key:
        _PROGRAMS.put(source.key, program.with_media(no_media), len(source.xml))
    return program


def load_form(source: str | Path | bytes, media: Media | None = None) -> LoadedForm:
    """A form from an XLSForm (folder of CSV sheets, .xlsx, .xls, .md, .csv) or an XForm, by path or as bytes.

    `media` gives the files that the form names: a mapping or a function from file name (or jr:// address) to bytes;
    by default they are looked for beside the form. Raises FormError with every problem, each with sheet and row.
    Of the last few forms what was worked out is kept: loading the same bytes again costs little more than their hash.
    """
    found = read_source(source, media)
    with collector_paused():
        return LoadedForm(found)


def _zone(name: str | None, now: Callable[[], datetime]) -> tzinfo:
    if name is None:
        return now().tzinfo or ZoneInfo("UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problem = FormProblem("timezone", _("There is no time zone {name}.").format(name=name))
        raise FormError([problem]) from None


def _meta_node(state: State, name: str) -> LiveNode | None:
    """The node of the meta block called `name`, None when the form has none (or repeats its meta block)."""
    meta = state.program.form.root.child("meta")
    d = meta.child(name) if meta is not None else None
    return state.root.node(d) if d is not None and d.kind == "leaf" and d.frame is state.root.d else None


def _meta_of(xml: bytes) -> dict[str, str]:
    """The meta block of an instance whose form has none."""
    root, _namespaces = parse_xml(xml)
    meta = root.find("meta")
    return {element.local: element.content().strip() for element in meta.elements} if meta is not None else {}
