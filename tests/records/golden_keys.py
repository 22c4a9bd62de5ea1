"""The keys and the project of the golden files: synthetic, and the same each time."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

from fieldsurvey.project.keys import HmuKeys
from fieldsurvey.project.model import Device, Media, Person, Project, ProjectForm, Recipient, RoleKey
from fieldsurvey.project.policy import Argon2, Plan, Policy, Quota, Retention, Round
from fieldsurvey.project.succession import Succession, hand_over
from fieldsurvey.records.device import DeviceCard, LogParent
from fieldsurvey.records.receipt import Role
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import RootKey, SigningKey

PROJECT = "0f" * 16
XFORM = b'<h:html xmlns:h="http://www.w3.org/1999/xhtml"><!-- synthetic --></h:html>\n'
EARLIER = XFORM.replace(b"synthetic", b"synthetic, earlier")
MEDIA = b"name,label\nagua,Agua\n"
INDICATORS = b"id,title\nwater,Agua\n"
ROUND = Round(
    id="2026-a",
    title="Primera ronda",
    start="2026-01-01",
    end="2026-02-28",
    parishes=("180150",),
    quotas=(Quota(parish="180150", sex="female", count=12), Quota(count=40)),
    modules=("health",),
    routes=("door-to-door",),
)
NEXT = Round(id="2026-b", title="Segunda ronda", start="2026-04-01", end="2026-05-31")


class Keys:
    """Everybody's keys."""

    @staticmethod
    def seed(name: str) -> bytes:
        """The fixed seed of a golden key."""
        return hashlib.sha256(f"golden: {name}".encode()).digest()

    def __init__(self) -> None:
        self.first_root, self.root = RootKey(self.seed("first root")), RootKey(self.seed("root"))
        self.device, self.carrier = SigningKey(self.seed("device")), SigningKey(self.seed("carrier"))
        self.central, self.supervisor = SigningKey(self.seed("central")), SigningKey(self.seed("supervisor"))
        self.escrow = RecipientPrivate(self.seed("escrow"))
        self.round_operational = RecipientPrivate(self.seed("round operational"))
        self.round_escrow = RecipientPrivate(self.seed("round escrow"))
        self.hmu = HmuKeys(
            PROJECT,
            RecipientPrivate(self.seed("operational")),
            SigningKey(self.seed("hmu")),
            self.seed("dataset"),
            earlier=(RecipientPrivate(self.seed("earlier operational")),),
            earlier_datasets=(self.seed("earlier dataset"),),
        )

    @property
    def operational(self) -> RecipientPrivate:
        """The HMU's own."""
        return self.hmu.recipient

    def told(self) -> dict[str, Any]:
        """What `keys.json` says; passphrases are `golden_hmu`'s."""
        from tests.records.golden_hmu import PASSPHRASES  # both build on this module
        from tests.records.golden_vault import WORDS

        return {
            "project": PROJECT,
            "pinned": self.first_root.public.fingerprint,
            "recipients": [self.operational.seed.hex(), self.escrow.seed.hex()],
            "passphrases": {**PASSPHRASES, "laptop.fsv": WORDS},
        }

    def card(self) -> DeviceCard:
        """The laptop that sealed the records."""
        return DeviceCard.make(
            self.device,
            project=PROJECT,
            name="Laptop 1 (synthetic)",
            carrier=self.carrier.public,
            recipient=RecipientPrivate(self.seed("device recipient")).public,
            created="2026-01-05T08:00:00-05:00",
        )

    def renewed_card(self) -> DeviceCard:
        """Another, whose log goes on from the first one's."""
        return DeviceCard.make(
            SigningKey(self.seed("second device")),
            project=PROJECT,
            name="Laptop 1, otra vez (synthetic)",
            carrier=SigningKey(self.seed("second carrier")).public,
            recipient=RecipientPrivate(self.seed("second device recipient")).public,
            created="2026-01-20T08:00:00.25Z",
            parent=LogParent(device=self.card().device, seq=3, head="5e" * 32),
        )

    @property
    def frames(self) -> dict[str, bytes]:
        """What the project carries."""
        return {hashlib.sha256(data).hexdigest(): data for data in (XFORM, EARLIER, MEDIA, INDICATORS)}

    @cached_property
    def handed_over(self) -> Succession:
        """The first root's statement; ML-DSA draws randomness, so it is made once."""
        return hand_over(PROJECT, self.first_root, self.root.public, 3)

    def project(self, card: DeviceCard, renewed: DeviceCard) -> Project:
        """With rounds, a round's keys, a succession, a retired key, a revoked device, and somebody who left."""
        made, gone = "2026-01-02T12:00:00Z", "2026-01-04T12:00:00Z"
        retired = Recipient.of("operational", self.hmu.earlier[0].public, created=made)
        return Project(
            format_version=1,  # that of the golden files; golden_servers.py has the one after it
            id=PROJECT,
            name="Proyecto sintético",
            version=4,
            issued="2026-01-05T12:00:00Z",
            expires="2036-01-05T12:00:00Z",
            root=self.root.public.bytes.hex(),
            successions=(self.handed_over,),
            recipients=(
                Recipient.of("operational", self.operational.public, created=gone),
                Recipient.of("escrow", self.escrow.public),
                Recipient.of("operational", self.round_operational.public, round_id=ROUND.id, created=gone),
                Recipient.of("escrow", self.round_escrow.public, round_id=ROUND.id, created=gone),
                retired.model_copy(update={"retired": gone}),
            ),
            roles=(
                RoleKey(role=Role.CENTRAL, label="Central", public=self.central.public.bytes.hex()),
                RoleKey(role=Role.HMU, label="HMU", public=self.hmu.sign.public.bytes.hex()),
                RoleKey(role=Role.SUPERVISOR, label="S", public=self.supervisor.public.bytes.hex(), person="S01"),
                RoleKey(
                    role=Role.CENTRAL,
                    label="Central, antes",
                    public=SigningKey(self.seed("earlier central")).public.bytes.hex(),
                    retired=gone,
                ),
            ),
            devices=(
                Device(
                    id=card.device,
                    name="Laptop 1",
                    card=card,
                    status="revoked",
                    revoked_from=4,
                    revoked_reason="broken",
                ),
                Device(id=renewed.device, name="Laptop 1, otra vez", card=renewed),
            ),
            people=(
                Person(code="E01", label="Uno"),
                Person(code="S01", label="Dos", role="supervisor"),
                Person(code="H01", label="Tres", role="hmu", left="2026-01-04"),
            ),
            forms=self._forms(),
            indicators=hashlib.sha256(INDICATORS).hexdigest(),
            plan=Plan(rounds=(ROUND, NEXT)),
            policy=self._policy(),
        )

    @staticmethod
    def _forms() -> tuple[ProjectForm, ...]:
        now = ProjectForm(
            id="needs",
            version="1",
            title="Necesidades",
            hash=hashlib.sha256(XFORM).hexdigest(),
            allowed=("photo",),
            media=(Media(name="needs.csv", hash=hashlib.sha256(MEDIA).hexdigest()),),
        )
        before = {"version": "0", "hash": hashlib.sha256(EARLIER).hexdigest(), "status": "earlier", "media": ()}
        return now, now.model_copy(update=before)

    @staticmethod
    def _policy() -> Policy:
        return Policy(
            languages=("es", "qu"),
            review_window_hours=4,
            argon2=Argon2(memory_kib=64 * 1024, iterations=3, lanes=4),
            recovery_slot=True,
            people_to_open=2,
            hmu_people=3,
            consent_forms=("survey",),
            ethics_approval="Acta sintética 1",
            retention=Retention(hmu_until="2031-01-05"),
        )
