"""A synthetic project in the field: a steward, three laptops, a stick, a central; and what was truly answered.

Besides the interviews, one laptop is made to log records that no honest laptop makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, cast

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.project import keys, steward
from fieldsurvey.project.draft import Draft
from fieldsurvey.project.formfile import form_of
from fieldsurvey.project.policy import Plan, Policy, Round
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.envelope import Header, record_hash, seal
from fieldsurvey.records.payload import FormRef, Payload
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from fieldsurvey.xforms.contract import Question
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.simulate import preferences, simulate_interview
from forms import catalogue
from sync.central import Central
from sync.folder import export_batches
from sync.importing import import_folder
from tests.needs.opened.forms import xform

WORDS = "enero mapa nube cobre lila pauta"
HMU_WORDS = "zumo duna yate horno grato lunes"
FIRST, LAST, LATER = (datetime(2026, 3, day, 9, tzinfo=UTC) for day in (2, 8, 9))
ROUND = Round(id="r1", title="Synthetic round", start="2026-03-02", end="2026-03-08")
NEXT = Round(id="r2", title="Synthetic round 2", start="2026-03-09", end="2026-03-20")
CANARY = "Zanahoria-canaria-7731 ñandú"
_WEIGHTS = files("forms").joinpath("needs/simulation.json")


@dataclass(frozen=True)
class Given:
    """An interview as it was sealed. `form`: its id, or why it is not in the first round.

    `values`: the engine's own typed answers before sealing, by reference.
    """

    form: str
    case: str
    values: Mapping[str, Any]
    xml: str
    code: str


@dataclass
class World:
    """Everything after the stick was imported."""

    folder: Path
    project: SignedProject
    hmu: keys.HmuKeys
    central: Path
    given: list[Given] = field(default_factory=list)

    def in_round(self, form: str) -> list[Given]:
        """What the first round must hold of a form, by case."""
        return sorted((given for given in self.given if given.form == form), key=lambda given: given.case)


class Maker:
    """Makes a World in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steward = folder / "steward"
        self.clock = FixedClock(FIRST)
        self.prefer = preferences(json.loads(_WEIGHTS.read_text(encoding="utf-8")))

    def make(self) -> World:
        """The whole way, once."""
        self.new_project()
        one, two, stranger = (self.join(f"laptop-{n}") for n in (1, 2, 3))
        for laptop in (one, two):
            steward.enrol(self.steward, laptop.locked.device_card().to_bytes(), root_pass=WORDS)
        signed = steward.read_steward(self.steward)
        hmu = keys.unlock_hmu(self.steward / keys.HMU, HMU_WORDS)
        world = World(self.folder, signed, hmu, self.folder / "central.db")
        self.fieldwork(world, one, two, stranger)
        with Central.open(world.central) as central:
            for laptop in (one, two, stranger):
                export_batches(laptop.locked, self.folder / "stick")
                laptop.close()
            import_folder(central, self.folder / "stick", signed, None)
            withdrawn = next(given for given in world.given if given.form == "withdrawn")
            raw = WithdrawalCode.parse(withdrawn.code).raw
            central.withdraw(Tombstone(project=signed.model.id, code=raw, requested="2026-03-05"))
        return world

    def new_project(self) -> None:
        """Built-in forms, two versions of the synthetic one, two rounds."""
        policy = Policy(languages=("es", "en"))
        steward.new_project(self.steward, "Synthetic", root_pass=WORDS, hmu_pass=HMU_WORDS, policy=policy, argon2=FLOOR)

        def edit(draft: Draft) -> None:
            for form in catalogue.BUILT_IN:
                draft.add_form(form_of(catalogue.compiled(form.id)))
            draft.add_form(form_of(xform("1")))
            draft.add_form(form_of(xform("2", size="decimal", more="later")))
            draft.set_plan(Plan(rounds=(ROUND, NEXT)))

        steward.change(self.steward, WORDS, edit)

    def join(self, name: str) -> Laptop:
        """A laptop with Argon2id at its floor."""
        data = steward.read_steward(self.steward).data
        return Laptop.join(
            self.folder / name, data, device_name=name, person="E01", passphrase=WORDS, clock=self.clock, argon2=FLOOR
        )

    def fieldwork(self, world: World, one: Laptop, two: Laptop, stranger: Laptop) -> None:
        """Interviews, honest and not."""
        rng = Random(7)
        with_one = one.unlock(WORDS)
        for day in (FIRST, FIRST, LAST, LAST):
            self.clock.at = day
            world.given.append(self.interview(with_one, "needs", rng))
        world.given.append(self.interview(with_one, "assembly", rng))
        withdrawn = self.interview(with_one, "needs", rng)
        world.given.append(Given("withdrawn", withdrawn.case, withdrawn.values, withdrawn.xml, withdrawn.code))
        self.clock.at = LATER
        later = self.interview(with_one, "needs", rng)
        world.given.append(Given("later", later.case, later.values, later.xml, later.code))
        self.clock.at = LAST
        with_two = two.unlock(WORDS)
        world.given += [self.interview(with_two, form, rng) for form in ("needs", "assembly")]
        Dishonest(world, with_one, with_two).log_all()
        with_stranger = stranger.unlock(WORDS)
        for _ in range(2):
            self.interview(with_stranger, "needs", rng)
        for session in (with_one, with_two, with_stranger):
            session.close()

    def interview(self, session: Session, form_id: str, rng: Random) -> Given:
        """One simulated interview, complete, with the canary wherever free text is taken."""
        work = session.start(form_id)
        while not simulate_interview(cast("LiveInterview", work.interview), rng, self.wish).ready:
            work.discard()
            work = session.start(form_id)
        work.save()
        instance = work.interview.finalise()
        card = work.finalise()
        return Given(form_id, card.case, dict(instance.values), instance.xml.decode(), card.withdrawal_code or "")

    def wish(self, question: Question, interview: LiveInterview) -> str | Mapping[str, float] | None:
        """People who take part and stay; free text that can be looked for."""
        stays = {"adult": "yes", "listen": "yes", "consent_survey": "yes", "break_off": "no", "check_help": "same"}
        stays |= {"check_stop": "yes", "check_duty": "report", "interpreter": "no"}
        if question.name in stays:
            return stays[question.name]
        if question.type == "text":
            return CANARY
        return self.prefer(question, interview)


class Dishonest:
    """Records that no honest laptop seals, logged by an enrolled one; `log_all` says how many of each."""

    def __init__(self, world: World, session: Session, other: Session) -> None:
        self.world = world
        self.session = session
        self.other = other
        self.recipients = session.recipients()
        self.sample = next(given for given in world.given if given.form == "needs")

    def log_all(self) -> None:
        """One corrupted, foreign, practice, unreadable, of another form's; two of an unknown form; a twin; a conflict
        with two concurrent revisions; a proposal by another device.
        """
        sealed = bytearray(self.sealed(self.payload()))
        sealed[-1] ^= 1
        self.log(bytes(sealed))
        self.log(self.sealed(self.payload(), [RecipientPrivate.generate().public]))
        self.log(self.sealed(self.payload(mode="practice")))
        self.log(self.sealed(b"{}"))
        self.log(self.sealed(self.payload(instance='<other id="needs"/>')))
        self.log(self.sealed(self.payload(instance='<data id="needs"><opening>')))
        self.log(self.sealed(self.payload(instance='<data id="needs"><adult>yes</adult></data>')))
        for _ in range(2):
            unknown = FormRef(id="needs", version="99", hash="ab" * 32)
            self.log(self.sealed(self.payload(form=unknown)))
        self.keep("needs", self.sample.xml)
        first = self.keep("needs", _other_words(self.sample.xml, "uno"))
        for word in ("dos", "tres"):
            header = {"case": first.case, "revision": 2, "parent": first.hash}
            self.log(self.sealed(self.payload(instance=_other_words(self.sample.xml, word)), **header))
        proposed = self.keep("needs", _other_words(self.sample.xml, "cuatro"))
        header = {"case": proposed.case, "revision": 2, "parent": proposed.hash, "device": self.other.vault.device}
        self.log(self.sealed(self.payload(), **header), self.other)

    def keep(self, form: str, xml: str) -> _Logged:
        """An instance as a new case."""
        blob = self.sealed(self.payload(instance=xml))
        logged = _Logged(self.last_case, record_hash(blob).hex())
        self.log(blob)
        return logged

    def payload(self, **changes: Any) -> Payload:
        """Like the sample's, but."""
        form = self.world.project.model.form("needs")
        assert form is not None
        fields: dict[str, Any] = {
            "form": FormRef(id="needs", version="1", hash=form.hash),
            "instance": self.sample.xml,
            "person": "E01",
            "language": "es",
            "started": "2026-03-02T09:00:00+00:00",
            "finished": "2026-03-02T09:10:00+00:00",
        }
        return Payload(**{**fields, **changes})

    def sealed(self, payload: Payload | bytes, recipients: Any = None, **header: Any) -> bytes:
        """A record of a new case of the first laptop's, but for what `header` says."""
        vault = self.session.vault
        fields = {"project": vault.project, "device": vault.device, "case": Random().randbytes(16).hex(), **header}
        self.last_case = fields["case"]
        data = payload if isinstance(payload, bytes) else payload.to_bytes()
        return seal(Header(**fields), data, recipients or self.recipients)

    def log(self, blob: bytes, session: Session | None = None) -> None:
        """Through the vault, signed like any other."""
        vault = (session or self.session).vault
        vault.finalise(vault.drafts.create(bytes(32), b"head", b"snapshot").draft_id, blob)


@dataclass(frozen=True)
class _Logged:
    case: str
    hash: str


def _other_words(xml: str, word: str) -> str:
    """The same interview with different words in it, so that it is nobody's twin."""
    assert CANARY in xml
    return xml.replace(CANARY, f"{CANARY} {word}")
