"""A joined laptop of a synthetic project, with the built-in forms; Argon2id at its floor."""

from __future__ import annotations

import hashlib
import secrets
from importlib import resources
from pathlib import Path

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.project.model import Person, Project, ProjectForm, Recipient
from fieldsurvey.project.policy import Plan, Policy
from fieldsurvey.project.signed import write_project
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey
from fieldsurvey.records.slots import FLOOR

WORDS = "enero mapa nube cobre lila pauta"
TITLES = {"needs": "Necesidades", "assembly": "Asamblea"}


def compiled(form: str) -> bytes:
    """A built-in form as it ships."""
    return (resources.files("forms") / form / "form.xml").read_bytes()


def project_bytes(forms: dict[str, bytes], *, policy: Policy | None = None, plan: Plan | None = None) -> bytes:
    """A signed project file holding these forms (id -> XForm)."""
    root = RootKey.generate()
    listed = tuple(
        ProjectForm(
            id=form_id, version="1", title=TITLES.get(form_id, form_id), hash=hashlib.sha256(source).hexdigest()
        )
        for form_id, source in forms.items()
    )
    model = Project(
        id=secrets.token_hex(16),
        name="Proyecto sintético",
        version=1,
        issued="2026-02-01T08:00:00Z",
        expires="2036-02-01T08:00:00Z",
        root=root.public.bytes.hex(),
        recipients=(
            Recipient.of("operational", RecipientPrivate.generate().public),
            Recipient.of("escrow", RecipientPrivate.generate().public),
        ),
        roles=(),
        people=(Person(code="E01", label="Enumeradora 1"), Person(code="E02", label="Enumerador 2")),
        forms=listed,
        plan=plan or Plan(),
        policy=policy or Policy(languages=("es", "en")),
    )
    return write_project(model, {hashlib.sha256(source).hexdigest(): source for source in forms.values()}, root)


def joined(
    home: Path,
    forms: dict[str, bytes] | None = None,
    *,
    clock: Clock | None = None,
    policy: Policy | None = None,
    plan: Plan | None = None,
) -> Laptop:
    """A laptop that joined for E01, whose passphrase is WORDS."""
    forms = forms or {name: compiled(name) for name in TITLES}
    return Laptop.join(
        home,
        project_bytes(forms, policy=policy, plan=plan),
        device_name="Laptop sintética",
        person="E01",
        passphrase=WORDS,
        clock=clock or SystemClock(),
        argon2=FLOOR,
    )
