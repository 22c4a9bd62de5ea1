"""The primitives give the published answers, and a second reader that shares no code opens what we seal."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from fieldsurvey.records.envelope import seal
from fieldsurvey.records.recipients import RecipientPrivate
from fieldsurvey.records.signing import SigningKey
from tests.records import reader, vectors
from tests.records.conftest import Actors


def test_xwing_seed_gives_the_published_public_key() -> None:
    """A recipient's 32-byte seed expands as X-Wing says, in our code and in the second reader."""
    seed = bytes.fromhex(vectors.XWING_SEED)
    ours = RecipientPrivate(seed).public.bytes
    assert hashlib.sha256(ours).hexdigest() == vectors.XWING_PUBLIC_SHA256
    assert reader.xwing_keys(seed)[2] == ours


def test_xwing_ciphertext_gives_the_published_secret() -> None:
    """The second reader's decapsulation is X-Wing's, so that its opening of our wraps proves ours to be X-Wing too."""
    seed, ciphertext = bytes.fromhex(vectors.XWING_SEED), bytes.fromhex(vectors.XWING_CIPHERTEXT)
    assert reader.xwing_decapsulate(seed, ciphertext).hex() == vectors.XWING_SECRET


def test_hpke_key_schedule_gives_the_published_key_and_nonce() -> None:
    """The second reader's key schedule is that of RFC 9180."""
    secret, info = bytes.fromhex(vectors.HPKE_SHARED_SECRET), bytes.fromhex(vectors.HPKE_INFO)
    key, nonce = reader.hpke_key_and_nonce(vectors.HPKE_KEM, secret, info)
    assert (key.hex(), nonce.hex()) == (vectors.HPKE_KEY, vectors.HPKE_BASE_NONCE)


@pytest.mark.parametrize(("seed", "public", "message", "signature"), vectors.ED25519)
def test_ed25519_gives_the_published_keys(seed: str, public: str, message: str, signature: str) -> None:
    """A signing key's seed gives RFC 8032's public key, and its signatures verify RFC 8032's way (label included)."""
    key = SigningKey(bytes.fromhex(seed))
    assert key.public.bytes.hex() == "01" + public
    assert key._ed.sign(bytes.fromhex(message)).hex() == signature


def test_mldsa65_seed_gives_the_published_public_key() -> None:
    """ML-DSA-65 key generation is that of FIPS 204."""
    public = MLDSA65PrivateKey.from_seed_bytes(bytes(range(32))).public_key().public_bytes_raw()
    assert hashlib.sha256(public).hexdigest() == vectors.MLDSA65_PUBLIC_SHA256


@pytest.mark.parametrize("length", [0, 1, 1019, 1020, 1021, 16380, 16381, 16400, 40_000])
def test_a_second_reader_opens_our_records(actors: Actors, length: int) -> None:
    """A reader written from docs/format.md alone opens a record with each recipient's seed, at every chunk border."""
    header, payload = actors.header(withdrawal="cd" * 32), bytes(i % 251 for i in range(length))
    blob = seal(header, payload, [actors.operational.public, actors.escrow.public])
    for private in (actors.operational, actors.escrow):
        assert reader.open_fse1(blob, private.seed) == (header.model_dump(mode="json"), payload)
