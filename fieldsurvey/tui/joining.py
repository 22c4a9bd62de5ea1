"""The first steps of a laptop: which project, called what, whose; six words made for the person. No screen.

What it makes is `Laptop.join`'s; here only the order of questions and what may be asked next are decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.errors import InputError
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.enrolment import write_card_near
from fieldsurvey.fieldwork.laptop import check_person
from fieldsurvey.project.signed import SUFFIX, SignedProject, read_project
from fieldsurvey.records.words import generate_passphrase, normalise_passphrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.drives import Drive


class NoProjectFileError(InputError):
    """A path that is not a project's file."""

    code = "input.no_project_file"
    template = "There is no file {path}."
    hint = "Type the path of the .fsp file that the steward gave, or put its stick in and look again."


class NotTypedBackError(InputError):
    """The six words were not typed back as shown."""

    code = "input.words_not_typed_back"
    template = "Those are not the words that were shown."
    hint = "Nothing was changed. Look at what you wrote down; [PgUp] shows the words again."


@dataclass
class Joining:
    """What is known so far."""

    home: Path
    clock: Clock
    project: SignedProject | None = None
    source: Path | None = None
    device_name: str = ""
    person: str = ""
    words: str = ""
    card: Path | None = None

    def choose(self, text: str) -> SignedProject:
        """Read the project file. Raises NoProjectFileError and what `read_project` refuses."""
        path = Path(text.strip().strip("'\"")).expanduser()
        if path.is_dir() and (inside := project_files((), path)):
            path = inside[0]  # a stick's folder: the file on it
        if not path.is_file():
            raise NoProjectFileError(path=str(path))
        self.project, self.source, self.words = read_project(path), path, ""
        return self.project

    def people(self) -> list[tuple[str, str]]:
        """(code, label) of the people the project lists."""
        return [(p.code, p.label) for p in self.project.model.people] if self.project else []

    def name_person(self, code: str) -> None:
        """Raises UnknownPersonError when the project lists people, and not this one."""
        code = code.strip()
        if self.project is not None:
            check_person(self.project, code)
        self.person = code

    def suggested_name(self) -> str:
        """What the laptop may be called."""
        return self.device_name or _("Laptop of {person}").format(person=self.person)

    def make_words(self) -> str:
        """Six words, or as many as the project's policy asks for; made once."""
        if not self.words and self.project is not None:
            self.words = generate_passphrase(self.project.model.policy.passphrase_bits)
        return self.words

    def check_words(self, typed: str) -> None:
        """Raises NotTypedBackError."""
        if normalise_passphrase(typed) != normalise_passphrase(self.words):
            raise NotTypedBackError

    def join(self) -> Laptop:
        """Make the vault (Argon2id: a second or two) and write the card for the steward beside the project file."""
        if self.project is None:
            raise NoProjectFileError(path="")
        laptop = Laptop.join(
            self.home,
            self.project.data,
            device_name=self.device_name or self.suggested_name(),
            person=self.person,
            passphrase=self.words,
            clock=self.clock,
        )
        self.card = write_card_near(laptop, self.source.parent if self.source else self.home)
        return laptop


def project_files(drives: Sequence[Drive], here: Path) -> list[Path]:
    """Project files on sticks and in the folder the program was started in, two levels deep."""
    found: list[Path] = []
    for place in [d.path for d in drives] + [here]:
        for pattern in (f"*{SUFFIX}", f"*/*{SUFFIX}"):
            try:
                found += sorted(p for p in place.glob(pattern) if p.is_file())
            except OSError:  # a stick that was pulled out while we looked
                continue
    return list(dict.fromkeys(found))[:20]
