"""From an opened round to its release, through the ledger: what was made from the same records is not made twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from fieldsurvey.base.canonical import canonical
from fieldsurvey.needs.ledger import Ledger
from fieldsurvey.needs.opened.dataset import Dataset
from fieldsurvey.needs.release import FORM, Progress, build_release
from fieldsurvey.needs.report.content import ReportContent
from fieldsurvey.project.signed import SignedProject

RULES: Final = 2
"""Goes up when the rules of this room change, so that what was prepared by others is made again."""


@dataclass(frozen=True)
class Rounds:
    """One round's way out."""

    project: SignedProject
    round_id: str
    ledger: Ledger

    def published(self) -> ReportContent | None:
        """The tables that stand, None while the round is not published."""
        entry = self.ledger.last(self.round_id)
        return None if entry is None else self.ledger.content(entry)

    def prepared(
        self,
        load: Callable[[], Dataset],
        issued: date,
        *,
        simulated: bool = False,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> ReportContent:
        """The protected, audited release; nothing is entered in the ledger. Raises what `build_release` does."""
        dataset = load()
        mark = fingerprint(dataset, self.project)
        found = self.ledger.prepared(self.round_id, mark)
        if found is None:
            found = build_release(
                dataset,
                self.project,
                number=1,
                issued=issued,
                progress=progress,
                executor=executor,
            )
            self.ledger.prepare(self.round_id, mark, found)
        return replace(found, simulated=simulated)

    def release(
        self,
        load: Callable[[], Dataset],
        issued: date,
        *,
        simulated: bool = False,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> ReportContent:
        """The same, entered in the ledger. Raises ReissueError when published tables would change by too little."""
        dataset = load()
        made = self.prepared(lambda: dataset, issued, simulated=simulated, progress=progress, executor=executor)
        return self.ledger.publish(self.round_id, fingerprint(dataset, self.project), made)


def fingerprint(dataset: Dataset, project: SignedProject) -> str:
    """What a release depends on: the records (by hash), the forms, the indicators, the policy, the round, the rules."""
    records = sorted(dataset.frame(FORM)["_record"].to_list()) if FORM in dataset.forms else []
    parts = {
        "rules": RULES,
        "records": records,
        "quality": dataset.quality.model_dump(mode="json"),
        "round": dataset.round.model_dump(mode="json"),
        "policy": project.model.policy.model_dump(mode="json"),
        "indicators": project.model.indicators or "",
        "forms": sorted(form.hash for form in project.model.forms),
    }
    return hashlib.sha256(canonical(parts)).hexdigest()
