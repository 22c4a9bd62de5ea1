"""How one root hands over to the next: the old one signs for the new one, once, and says so in every later project.

A laptop that pinned any root of the chain follows it to the present one. Who decides to hand over is `ceremonies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from fieldsurvey.records.device import HexKey
from fieldsurvey.records.labels import SIGN_SUCCESSION, bind
from fieldsurvey.records.signing import ED25519_MLDSA65, RootKey, VerifyKey
from fieldsurvey.records.wire import Wire

HexSignature = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=8192)]
_key = lru_cache(maxsize=64)(lambda public: VerifyKey(bytes.fromhex(public)))


class Succession(Wire):
    """`root` (a public key) signed for the root after it, which signs the project from `version` on."""

    root: HexKey
    version: Annotated[int, Field(ge=2, le=2**31)]
    signature: HexSignature

    @model_validator(mode="after")
    def _is_root(self) -> Succession:
        if self.root_key.algorithm != ED25519_MLDSA65:
            raise ValueError("root algorithm")
        return self

    @property
    def root_key(self) -> VerifyKey:
        """The root that handed over."""
        return _key(self.root)


def hand_over(project: str, old: RootKey, new: VerifyKey, version: int) -> Succession:
    """The statement by which `old` makes `new` the project's root from `version` on."""
    signature = old.sign(SIGN_SUCCESSION, _statement(project, new, version))
    return Succession(root=old.public.bytes.hex(), version=version, signature=signature.hex())


def check_chain(project: str, version: int, steps: Sequence[Succession], last: VerifyKey) -> None:
    """Raises SignatureError for a step that its root did not sign, ValueError for loops and versions out of order."""
    roots = [*(step.root_key for step in steps), last]
    if len(set(roots)) != len(roots):
        raise ValueError("root twice")
    versions = [step.version for step in steps]
    if any(later <= earlier for earlier, later in pairwise(versions)) or (versions and versions[-1] > version):
        raise ValueError("succession version")
    for step, following in zip(steps, roots[1:], strict=True):
        statement = _statement(project, following, step.version)
        step.root_key.verify(SIGN_SUCCESSION, statement, bytes.fromhex(step.signature), "succession")


def _statement(project: str, new: VerifyKey, version: int) -> bytes:
    return bind(SIGN_SUCCESSION, bytes.fromhex(project), new.bytes, version.to_bytes(4, "big"))
