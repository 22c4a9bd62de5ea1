"""A second reader of sealed records, written from docs/format.md alone. It shares no code with fieldsurvey.records.

Only primitives are used: SHA-2, SHA-3, SHAKE, HMAC, ML-KEM, X25519, ChaCha20-Poly1305, AES-GCM.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

XWING_KEM = 0x647A
HKDF_SHA256 = 1
CHACHA = 3


def bind(label: str, *parts: bytes) -> bytes:
    out = len(label).to_bytes(2, "big") + label.encode()
    for part in parts:
        out += len(part).to_bytes(4, "big") + part
    return out


def xwing_keys(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey, bytes]:
    expanded = hashlib.shake_256(seed).digest(96)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
    return mlkem, x25519, mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def xwing_decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    mlkem, x25519, public = xwing_keys(seed)
    post_quantum = mlkem.decapsulate(ciphertext[:1088])
    classical = x25519.exchange(X25519PublicKey.from_public_bytes(ciphertext[1088:]))
    return hashlib.sha3_256(post_quantum + classical + ciphertext[1088:] + public[1184:] + rb"\.//^\ ".strip()).digest()


def hkdf_extract(salt: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, material, "sha256")


def hkdf_expand(key: bytes, info: bytes, length: int, algorithm: str = "sha256") -> bytes:
    out = block = b""
    count = 1
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([count]), algorithm)
        out += block
        count += 1
    return out[:length]


def hpke_key_and_nonce(kem: int, shared_secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    suite = b"HPKE" + kem.to_bytes(2, "big") + HKDF_SHA256.to_bytes(2, "big") + CHACHA.to_bytes(2, "big")

    def extract(salt: bytes, label: bytes, material: bytes) -> bytes:
        return hkdf_extract(salt, b"HPKE-v1" + suite + label + material)

    def expand(key: bytes, label: bytes, context: bytes, length: int) -> bytes:
        return hkdf_expand(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context, length)

    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared_secret, b"secret", b"")
    return expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)


def cobblestone_open(key: bytes, context: bytes, ciphertext: bytes) -> bytes:
    salt, commitment, chunks = ciphertext[:24], ciphertext[24:56], ciphertext[56:]
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + salt + context
    derived = hkdf_expand(key, info, 32 + 12 + 32, "sha512")
    assert derived[44:] == commitment
    base = int.from_bytes(derived[32:44], "big")
    out = b""
    number = 0
    while True:
        chunk, chunks = chunks[: 16384 + 16], chunks[16384 + 16 :]
        out += AESGCM(derived[:32]).decrypt((base ^ number).to_bytes(12, "big"), chunk, None)
        if len(chunk) < 16384 + 16:
            assert not chunks
            return out
        number += 1


def open_fse1(blob: bytes, seed: bytes) -> tuple[dict[str, Any], bytes]:
    """(header, payload) of a record, for the holder of `seed`."""
    assert blob[:5] == b"FSE1\x01"
    header_length, count = int.from_bytes(blob[5:7], "big"), blob[7]
    ids_at = 8 + header_length
    wraps_at = ids_at + 8 * count
    body_at = wraps_at + 1168 * count
    header, ids = blob[8:ids_at], blob[ids_at:wraps_at]
    public = xwing_keys(seed)[2]
    mine = hashlib.sha256(bind("fieldsurvey/1/recipient id", public)).digest()[:8]
    index = [ids[i : i + 8] for i in range(0, len(ids), 8)].index(mine)
    wrap = blob[wraps_at + 1168 * index : wraps_at + 1168 * (index + 1)]
    info = bind("fieldsurvey/1/record wrap", hashlib.sha256(header + ids).digest(), mine)
    key, nonce = hpke_key_and_nonce(XWING_KEM, xwing_decapsulate(seed, wrap[:1120]), info)
    body_key = ChaCha20Poly1305(key).decrypt(nonce, wrap[1120:], None)
    context = bind("fieldsurvey/1/record body", hashlib.sha256(blob[8:body_at]).digest())
    padded = cobblestone_open(body_key, context, blob[body_at:])
    length = int.from_bytes(padded[:4], "big")
    assert not any(padded[4 + length :])
    return json.loads(header), padded[4 : 4 + length]
