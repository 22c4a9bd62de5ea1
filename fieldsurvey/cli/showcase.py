"""The demo's survey, from an empty folder to a report. It uses what the commands use, and nothing else.

Everything in it is synthetic. Passphrases lie beside it in the clear and Argon2id runs at its floor: a real project
does neither.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Final, cast

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.files import write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.i18n import language
from fieldsurvey.cli.common import say
from fieldsurvey.cli.progress import Progress, progress_bar
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.project import steward
from fieldsurvey.project.draft import Draft
from fieldsurvey.project.formfile import form_of
from fieldsurvey.project.keys import CENTRAL, HMU, read_role_key, unlock_hmu
from fieldsurvey.project.ledger import Ledger as KeyLedger
from fieldsurvey.project.policy import Plan, Policy, Round
from fieldsurvey.records.slots import FLOOR
from fieldsurvey.records.words import generate_passphrase
from fieldsurvey.xforms.contract import Question
from fieldsurvey.xforms.live.interview import LiveInterview
from fieldsurvey.xforms.simulate import Prefer, preferences, simulate_interview
from forms import catalogue
from sync.folder import collect, export_batches
from sync.importing import import_folder
from sync.place import open_central

MARKER: Final = ".fieldsurvey-demo"
ROUND: Final = "r1"
DAYS: Final = 14
ROLES: Final = ("root", "hmu", "device")
# A laptop, its enumerator, and where it works: seats and rural parishes of four cantons, by their DPA codes.
LAPTOPS: Final = (
    ("Laptop 1", "E01", {"100150": 5, "100157": 3, "100151": 3}),
    ("Laptop 2", "E02", {"100450": 5, "100456": 4, "100457": 1}),
    ("Laptop 3", "E03", {"100350": 4, "100250": 4, "100356": 1}),
)
ASSEMBLIES: Final = 2
ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo made. `declined`: asked, and declined or could not take part; kept as a count."""

    folder: Path
    home: Path
    sealed: int
    laptops: int
    declined: int
    report: Path
    workbook: Path
    passphrase_file: Path

    def as_dict(self) -> dict[str, str | int]:
        """For `--json`."""
        return {key: value if isinstance(value, int) else str(value) for key, value in asdict(self).items()}


class Showcase:
    """One demo in `folder`, which is replaced."""

    def __init__(self, folder: Path, *, records: int, seed: int, quiet: bool = False) -> None:
        self.folder = folder
        self.records = records
        self.seed = seed
        self.quiet = quiet
        self.hmu_home = folder / "hmu"
        self.stick = folder / "stick"
        today = datetime.now(UTC).replace(hour=14, minute=0, second=0, microsecond=0)
        self.first_day = today - timedelta(days=DAYS)
        self.words: dict[str, str] = {}

    def run(self) -> Summary:
        """Everything, in the order in which it happens in the field."""
        self._prepare()
        with self._step(_("Project: keys, forms, a round")):
            self._make_project()
        with self._step(_("Laptops join and are enrolled")):
            laptops = self._join_laptops()
        with self._step(_("Interviews")) as progress:
            declined = self._interviews(laptops, progress)
        with self._step(_("Batches travel by stick; central merges; receipts come back")) as progress:
            sealed = self._carry(laptops, progress)
        for laptop in laptops:
            laptop.close()
        with self._step(_("The HMU opens the round, tabulates, protects, reports")) as progress:
            report, workbook = self._needs(progress)
        return Summary(
            folder=self.folder,
            home=self.folder / "laptop-1",
            sealed=sealed,
            laptops=len(laptops),
            declined=declined,
            report=report,
            workbook=workbook,
            passphrase_file=self._passphrase_file("device"),
        )

    def _prepare(self) -> None:
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, mode=0o700)
        (self.folder / MARKER).touch()
        self.stick.mkdir()
        (self.folder / "passphrases").mkdir(mode=0o700)
        for role in ROLES:
            self.words[role] = generate_passphrase()
            write_atomic(self._passphrase_file(role), self.words[role].encode(), private=True)

    def _passphrase_file(self, role: str) -> Path:
        return self.folder / "passphrases" / f"{role}.txt"

    def _make_project(self) -> None:
        last = self.first_day + timedelta(days=DAYS - 1)
        places = tuple(parish for laptop in LAPTOPS for parish in laptop[2])
        plan = Plan(
            rounds=(
                Round(id=ROUND, title=_("Demo round"), start=_day(self.first_day), end=_day(last), parishes=places),
            )
        )

        def edit(draft: Draft) -> None:
            for form in catalogue.BUILT_IN:
                draft.add_form(form_of(catalogue.compiled(form.id), name=form.id))
            draft.set_indicators(catalogue.indicators())
            draft.set_plan(plan)
            for name, code, _places in LAPTOPS:
                draft.add_person(code, f"{_('Enumerator')} {name[-1]}")

        steward.new_project(
            self._steward,
            _("Demonstration (synthetic)"),
            root_pass=self.words["root"],
            hmu_pass=self.words["hmu"],
            policy=Policy(languages=("es", "en")),
            argon2=FLOOR,
        )
        steward.change(self._steward, self.words["root"], edit)

    @property
    def _steward(self) -> Path:
        return self.hmu_home / "steward"

    def _join_laptops(self) -> list[Laptop]:
        project = steward.read_steward(self._steward).data
        laptops = []
        for number, (name, code, _places) in enumerate(LAPTOPS, 1):
            laptop = Laptop.join(
                self.folder / f"laptop-{number}",
                project,
                device_name=name,
                person=code,
                passphrase=self.words["device"],
                clock=FixedClock(self.first_day),
                argon2=FLOOR,
            )
            laptops.append(laptop)
            steward.enrol(self._steward, laptop.locked.device_card().to_bytes(), root_pass=self.words["root"])
        enrolled = steward.read_steward(self._steward).data
        for laptop in laptops:
            laptop.update(enrolled)
        return laptops

    def _interviews(self, laptops: list[Laptop], progress: Progress | None) -> int:
        prefer = preferences(json.loads(files("forms").joinpath("needs/simulation.json").read_text("utf-8")))
        done = declined = 0
        share, over = divmod(self.records - ASSEMBLIES, len(laptops))
        for number, laptop in enumerate(laptops):
            rng = Random(f"{self.seed}/{number}")  # noqa: S311  simulation, no secret
            session = laptop.unlock(self.words["device"])
            forms = ["needs"] * (share + (number < over)) + ["assembly"] * (number < ASSEMBLIES)
            for count, form_id in enumerate(forms):
                _at(laptop, self.first_day + timedelta(days=count * DAYS // len(forms), minutes=count % 24 * 15))
                wanted = _in_places(prefer, LAPTOPS[number][2], rng) if form_id == "needs" else None
                declined += _one_interview(session, form_id, rng, wanted)
                done += 1
                if progress:
                    progress(done, self.records, "")
            session.close()
        return declined

    def _carry(self, laptops: list[Laptop], progress: Progress | None) -> int:
        for laptop in laptops:
            export_batches(laptop.locked, self.stick, progress=progress)
        key = read_role_key(self._steward / CENTRAL).key
        with open_central(self.hmu_home) as central:
            signed = steward.read_steward(self._steward)
            import_folder(central, self.stick, signed, key, progress, home=self.hmu_home)
        for laptop in laptops:
            collect(laptop, self.stick)
        return sum(laptop.status().acknowledged for laptop in laptops)

    def _needs(self, progress: Progress | None) -> tuple[Path, Path]:
        # start-up: polars and its kin, 0.4 s, when it is their turn
        from fieldsurvey.needs.export import export_release
        from fieldsurvey.needs.ledger import Ledger
        from fieldsurvey.needs.opened.opening import open_round, round_named
        from fieldsurvey.needs.opened.store import save_dataset
        from fieldsurvey.needs.publish import Rounds
        from fieldsurvey.needs.report import page

        project = steward.read_steward(self._steward)
        book = KeyLedger(self._steward, project.model)
        keys = unlock_hmu(self._steward / HMU, self.words["hmu"])
        with open_central(self.hmu_home) as central:
            central.learn(project.model)
            dataset = open_round(central, project, keys, round_named(project, ROUND), progress=progress)
        now, cases = datetime.now(UTC), dataset.quality.cases
        text = _("Demonstration (synthetic)")
        book.append(keys.sign, "opened", at=steward.stamp(now), who=keys.people, round_id=ROUND, count=cases, text=text)
        place = self.hmu_home / "needs"
        place.mkdir(mode=0o700)
        save_dataset(dataset, keys, place)
        way = Rounds(project, ROUND, Ledger(place))
        release = way.release(lambda: dataset, now.date(), simulated=True, progress=progress)
        report = place / f"{ROUND}.html"
        write_atomic(report, page(release, language()).encode("utf-8"))
        return report, export_release(release, place / ROUND, language()).workbook

    @contextmanager
    def _step(self, title: str) -> Iterator[Progress | None]:
        if not self.quiet:
            say(f"• {title}")
        with progress_bar(title, quiet=self.quiet) as progress:
            yield progress


def _one_interview(session: Session, form_id: str, rng: Random, prefer: Prefer | None) -> bool:
    """One simulated interview, sealed. True when the person declined or could not take part."""
    for _attempt in range(ATTEMPTS):
        work = session.start(form_id)
        # The engine is driven directly and saved once: the demo shows weeks in seconds, a person saves each answer.
        simulated = simulate_interview(cast("LiveInterview", work.interview), rng, prefer)
        work.save()
        if simulated.ready:
            break
        work.discard()  # the simulator found no answer that the form accepts: one in a hundred assemblies
    declined = any(item.ref.endswith("/thank_and_stop") for item in work.interview.outline())
    work.finalise()
    return declined


def _in_places(prefer: Prefer, places: dict[str, int], rng: Random) -> Prefer:
    """`prefer`, with the interview in one of a laptop's parishes; a canton's code begins its parishes' codes."""
    parish = rng.choices(list(places), list(places.values()))[0]
    fixed = {"canton": parish[:4], "parish": parish}

    def wish(question: Question, interview: LiveInterview) -> str | Mapping[str, float] | None:
        return fixed.get(question.name) or prefer(question, interview)

    return wish


def _at(laptop: Laptop, moment: datetime) -> None:
    """Set a demo laptop's clock."""
    assert isinstance(laptop.clock, FixedClock)
    laptop.clock.at = moment


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
