"""Digests, base64, signed texts, identifiers and shuffles. Randomness and signature checks come from the Env."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import uuid as uuids

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.xpath.convert import to_number, to_string, unpack
from fieldsurvey.xforms.xpath.errors import EvaluationError
from fieldsurvey.xforms.xpath.functions.numbers import whole
from fieldsurvey.xforms.xpath.functions.registry import function
from fieldsurvey.xforms.xpath.nodes import Node, Value
from fieldsurvey.xforms.xpath.runtime import Context

_ALGORITHMS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
_SIGNATURE = 64  # bytes of an Ed25519 signature, which stands before the message
_PUBLIC_KEY = 32
_MODULUS = 2**31 - 1  # Park and Miller's minimal standard generator
_MULTIPLIER = 16_807
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_IDENTIFIER = 10_000


@function("digest", "string, string, string? -> string")
def digest(text: str, algorithm: str, encoding: str = "base64") -> str:
    """The digest of the text's UTF-8 bytes: MD5, SHA-1, SHA-256, SHA-384 or SHA-512, in base64 or hex."""
    name = _ALGORITHMS.get(algorithm.upper().replace("-", ""))
    if name is None:
        raise EvaluationError(_("there is no digest of that name"))
    found = hashlib.new(name, text.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    if encoding.lower() == "hex":
        return found.hexdigest()
    if encoding.lower() == "base64":
        return base64.b64encode(found.digest()).decode("ascii")
    raise EvaluationError(_("there is no encoding of that name"))


def _decoded(text: str) -> bytes | None:
    """The bytes of base64, missing padding allowed; None when it is not base64."""
    packed = "".join(text.split())
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


@function("base64-decode", "string -> string")
def base64_decode(text: str) -> str:
    """The UTF-8 text that base64 stands for; "" when it is not base64."""
    data = _decoded(text)
    return "" if data is None else data.decode("utf-8", "replace")


@function("extract-signed", "string, string -> string")
def extract_signed(ctx: Context, contents: str, public_key: str) -> str:
    """The message in base64(signature of 64 bytes ‖ message) when the Ed25519 key signed it, else ""."""
    data, key = _decoded(contents), _decoded(public_key)
    if data is None or key is None or len(data) < _SIGNATURE or len(key) != _PUBLIC_KEY:
        return ""
    signature, message = data[:_SIGNATURE], data[_SIGNATURE:]
    if not ctx.env.verify_signature("Ed25519", message, signature, key):
        return ""
    return message.decode("utf-8", "replace")


@function("uuid", "number? -> string")
def uuid(ctx: Context, length: float | None = None) -> str:
    """A random UUID (RFC 4122, version 4), or that many random capitals and digits."""
    if length is None:
        words = [int(ctx.env.random() * 2**32) for _word in range(4)]
        number = sum(word << (32 * place) for place, word in enumerate(words))
        return str(uuids.UUID(int=number, version=4))
    count = whole(length)
    if count > MAX_IDENTIFIER:
        raise EvaluationError(_("an identifier of that length cannot be made"))
    return "".join(_BASE36[int(ctx.env.random() * 36)] for _place in range(max(count, 0)))


def _seed(value: Value) -> int:
    """A seed as a 64-bit integer: numbers lose their fraction; other text counts by its SHA-256."""
    value = unpack(value)
    number = to_number(value)
    if math.isnan(number):
        text = to_string(value)
        if text in {"", "NaN"}:
            return 0
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big", signed=True)
    if math.isinf(number):
        return 2**63 - 1 if number > 0 else -(2**63)
    return max(min(int(number), 2**63 - 1), -(2**63))


def shuffle(nodes: list[Node], seed: int) -> list[Node]:
    """The order that JavaRosa, Web Forms and Enketo give: Fisher-Yates from the inside out, driven by Park-Miller."""
    state = int(math.copysign(abs(seed) % _MODULUS, seed))
    if state <= 0:
        state += _MODULUS - 1
    result: list[Node] = []
    for index, node in enumerate(nodes):
        state = state * _MULTIPLIER % _MODULUS
        place = int((state - 1) / (_MODULUS - 1) * (index + 1))
        if place == index:
            result.append(node)
        else:
            result.append(result[place])
            result[place] = node
    return result


@function("randomize", "nodes, value? -> nodes")
def randomize(ctx: Context, nodes: list[Node], seed: Value | None = None) -> list[Node]:
    """The nodes in another order: always the same one for the same seed."""
    start = int(ctx.env.random() * (_MODULUS - 1)) + 1 if seed is None else _seed(seed)
    return shuffle(nodes, start)
