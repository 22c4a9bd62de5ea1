"""Published test vectors, run against the library that is installed here. Literal hex: nothing is derived from us."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def _sha256() -> bool:
    """FIPS 180-4, "abc"."""
    digest = Hash(SHA256())
    digest.update(b"abc")
    return digest.finalize().hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _ed25519() -> bool:
    """RFC 8032, section 7.1, test 1; and the same signature does not fit another message."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    expected = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
        "4655141438e7a100b"
    )
    key = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    if key.sign(b"").hex() != expected:
        return False
    try:
        key.public_key().verify(bytes.fromhex(expected), b"x")
    except InvalidSignature:
        return True
    return False


def _x25519() -> bool:
    """RFC 7748, section 5.2, first vector."""
    scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    point = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    shared = x25519.X25519PrivateKey.from_private_bytes(scalar).exchange(
        x25519.X25519PublicKey.from_public_bytes(point)
    )
    return shared.hex() == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"


def _aes_gcm_siv() -> bool:
    """RFC 8452, appendix C.2, first vector (AES-256, empty plaintext)."""
    sealed = AESGCMSIV(b"\x01" + bytes(31)).encrypt(b"\x03" + bytes(11), b"", b"")
    return sealed.hex() == "07f5f4169bbf55a8400cd47ea6fd400f"


def _argon2id() -> bool:
    """RFC 9106, section 5.3."""
    derived = Argon2id(
        salt=b"\x02" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\x04" * 12, secret=b"\x03" * 8
    ).derive(b"\x01" * 32)
    return derived.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


CHECKS: dict[str, Callable[[], bool]] = {
    "SHA-256": _sha256,
    "Ed25519": _ed25519,
    "X25519": _x25519,
    "AES-256-GCM-SIV": _aes_gcm_siv,
    "Argon2id": _argon2id,
}


def failures(checks: dict[str, Callable[[], bool]] = CHECKS) -> list[str]:
    """Names of the algorithms whose answer is not the published one."""
    return [name for name, check in checks.items() if not check()]
