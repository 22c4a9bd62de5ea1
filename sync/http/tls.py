"""The server's TLS keys, and how a laptop knows them: by the SHA-256 of the public key (RFC 7469's pin, without HTTP).

The certificate is self-signed and says nothing: no authority, name or date is asked. The project names two pins, the
key in use and a spare, so that a stolen or lost key can be replaced without a new project. That the server holds the
key is proved by the handshake itself (TLS 1.3, CertificateVerify).

    HOME/server/tls.key, tls.crt   in use; readable by their owner only
    HOME/server/spare.key          takes its place with `sync serve --spare`
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from fieldsurvey.base.files import storage_error, write_atomic
from sync.http.errors import ServerKeyMissingError

FOLDER: Final = "server"
KEY: Final = "tls.key"
CERTIFICATE: Final = "tls.crt"
SPARE: Final = "spare.key"
_NAME: Final = "fieldsurvey"
_YEARS: Final = 30


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """Where the key in use lies, and both pins (64 hexadecimal digits), the one in use first. `made`: just now."""

    key: Path
    certificate: Path
    pins: tuple[str, str]
    made: bool = False


def server_keys(home: Path, *, use_spare: bool = False) -> ServerKeys:
    """The keys of a server; made where there are none. `use_spare`: the spare becomes the one in use, with a new spare.

    Raises ServerKeyMissingError when only some of them are there, StorageError.
    """
    folder = home / FOLDER
    key, certificate, spare = folder / KEY, folder / CERTIFICATE, folder / SPARE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise storage_error(error, folder) from error
    made = not key.exists() and not spare.exists() and not certificate.exists()
    if made:
        write_atomic(spare, _pem(ec.generate_private_key(ec.SECP256R1())), private=True)
        _use(ec.generate_private_key(ec.SECP256R1()), key, certificate)
    elif use_spare:
        _use(_read(spare), key, certificate)
        write_atomic(spare, _pem(ec.generate_private_key(ec.SECP256R1())), private=True)
    in_use = _read(key)
    if not certificate.exists():  # made again: nothing depends on it
        _use(in_use, key, certificate)
    return ServerKeys(key, certificate, (_pin(in_use), _pin(_read(spare))), made)


def _use(private: ec.EllipticCurvePrivateKey, key: Path, certificate: Path) -> None:
    # memory: a server that has its keys makes no certificate
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=365))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .sign(private, hashes.SHA256())
    )
    certificate.unlink(missing_ok=True)  # cut off here, it is made again from the key
    write_atomic(key, _pem(private), private=True)
    write_atomic(certificate, made.public_bytes(Encoding.PEM))


def _read(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        found = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise ServerKeyMissingError(place=str(path)) from None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise ServerKeyMissingError(place=str(path))
    return found


def _pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _pin(private: ec.EllipticCurvePrivateKey) -> str:
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()


def pin_of(certificate: bytes) -> str:
    """The pin of a certificate in DER; "" when it is none."""
    from cryptography import x509  # memory: see `_use`; only laptops look at certificates

    try:
        public = x509.load_der_x509_certificate(certificate).public_key()
        return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    except (ValueError, UnsupportedAlgorithm):  # no certificate: it has no pin, and "" is the pin of none
        return ""


class WrongPinError(ssl.SSLError):
    """The handshake ended with a key that is not pinned. `found` is that key's pin."""

    def __init__(self, found: str) -> None:
        super().__init__("pin")
        self.found = found


class PinnedContext(ssl.SSLContext):
    """TLS 1.3 to a server known by its key. The handshake itself fails on any other: nothing is sent after it."""

    pins: frozenset[str]

    def __new__(cls, pins: Iterable[str]) -> Self:
        """`pins`: 64 hexadecimal digits each."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.pins = frozenset(pins)
        made.minimum_version = ssl.TLSVersion.TLSv1_3
        made.check_hostname = False  # names are not what is trusted here: the key is
        made.verify_mode = ssl.CERT_NONE
        made.sslsocket_class = _PinnedSocket
        made.sslobject_class = _PinnedObject
        return made


def _check(connection: ssl.SSLSocket | ssl.SSLObject) -> None:
    """Raises WrongPinError unless the other side's key is pinned."""
    context = connection.context
    found = pin_of(connection.getpeercert(binary_form=True) or b"")
    if not isinstance(context, PinnedContext) or not found or found not in context.pins:
        raise WrongPinError(found)


class _PinnedSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        """Handshake, then the pin; the socket is closed by whoever made it when this raises."""
        super().do_handshake(block)
        _check(self)


class _PinnedObject(ssl.SSLObject):
    def do_handshake(self) -> None:
        """The same over memory buffers."""
        super().do_handshake()
        _check(self)


def server_context(keys: ServerKeys) -> ssl.SSLContext:
    """What the server speaks. Raises ServerKeyMissingError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(keys.certificate, keys.key)
    except (OSError, ValueError):
        raise ServerKeyMissingError(place=str(keys.certificate)) from None
    return context
