// FSE1: sealed records and attachments.
import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { Cursor, ascii, attempt, bind, compare, concat, ensure, equal, hex, parse, uint } from "./bytes.mjs";
import { decapsulate } from "./keys.mjs";
import { anything, bool, code, fields, hash, id, instant, int, is, label, list, nullable, oneOf, structure, table, text, upTo } from "./shapes.mjs";

const WRAP = 1168;
const ENCAPSULATION = 1120;
const CHUNK = 16384;
const TAG = 16;
const MAX_PAYLOAD = 8 << 20;
const MAX_PART = 4 << 20;
const NONE = new Uint8Array(0);

const filled = (value, where) => {
  text(value, where);
  ensure(value.length > 0, `${where}: empty`);
};

const header = fields({
  project: id,
  device: id,
  case: id,
  revision: int(1, 2 ** 20),
  kind: oneOf("record", "attachment"),
  parent: nullable(hash),
  withdrawal: nullable(hash),
});

export const payload = structure("fieldsurvey payload", {
  form: fields({ id: label, version: upTo(200), hash }),
  instance: filled,
  person: code,
  language: upTo(35),
  started: instant,
  finished: instant,
  mode: oneOf("screen", "paper", "practice"),
  consent: list(fields({ purpose: code, version: upTo(200), language: upTo(35), given: bool, at: instant })),
  attachments: list(fields({ name: label, media_type: upTo(200), size: int(0, 2 ** 40), parts: list(hash, 0, 4096) })),
  notes: table(text),
  reasons: table(text),
  paradata: table(anything),
});

/** Whole structure and bounds; nothing is opened. */
export function readRecord(blob) {
  const cursor = new Cursor(blob);
  cursor.magic("FSE1");
  const headerLength = cursor.number(2);
  const count = cursor.number(1);
  ensure(headerLength >= 1 && headerLength <= 1024, "a header of a length that cannot be");
  ensure(count >= 1 && count <= 8, "a number of recipients that cannot be");
  const headerBytes = cursor.take(headerLength);
  const idBytes = cursor.take(8 * count);
  const wrapBytes = cursor.take(WRAP * count);
  const ids = Array.from({ length: count }, (_, i) => idBytes.subarray(8 * i, 8 * i + 8));
  ids.slice(1).forEach((next, i) => ensure(compare(ids[i], next) < 0, "recipients out of order"));
  const read = is(header, parse(headerBytes, 1024), "header");
  const fits = read.kind === "attachment" || (read.parent === null) === (read.revision === 1);
  ensure(fits, "a revision and a parent that do not go together");
  const wraps = ids.map((_, i) => wrapBytes.subarray(WRAP * i, WRAP * (i + 1)));
  return { header: read, headerBytes, idBytes, ids, wrapBytes, wraps, body: cursor.rest(), hash: sha256(blob) };
}

/** The header and the payload's bytes. */
export function openRecord(blob, key) {
  const record = readRecord(blob);
  const mine = record.ids.findIndex((one) => equal(one, key.id));
  ensure(mine >= 0, "not sealed to this recipient");
  const info = bind("record wrap", sha256(concat(record.headerBytes, record.idBytes)), key.id);
  const bodyKey = openWrap(key, info, record.wraps[mine]);
  const context = bind("record body", sha256(concat(record.headerBytes, record.idBytes, record.wrapBytes)));
  return { header: record.header, hash: record.hash, ids: record.ids, payload: unpad(openBody(bodyKey, context, record.body)) };
}

export function readPayload(bytes) {
  return is(payload, parse(bytes, MAX_PAYLOAD), "");
}

/** A file from its parts: `load` gives a part's record by its hash, opened, or undefined. */
export function joinParts(attachment, of, load) {
  ensure(new Set(attachment.parts).size === attachment.parts.length, "a part twice");
  const parts = attachment.parts.map((name) => {
    const part = load(name);
    ensure(part !== undefined && hex(part.hash) === name, "a part that is missing");
    const fits = part.header.kind === "attachment" && part.header.project === of.project && part.header.case === of.case;
    ensure(fits, "a part of something else");
    ensure(part.payload.length >= 1 && part.payload.length <= MAX_PART, "a part of a length that cannot be");
    return part.payload;
  });
  const whole = concat(...parts);
  ensure(whole.length === attachment.size, "a file of another size");
  return whole;
}

/** HPKE base mode, single message (RFC 9180), with the KEM's secret as it is. */
export function openWrap(key, info, wrap) {
  const secret = decapsulate(key, wrap.subarray(0, ENCAPSULATION));
  const suite = concat(ascii("HPKE"), uint(0x647a, 2), uint(1, 2), uint(3, 2));
  const labeledExtract = (salt, name, input) => extract(sha256, concat(ascii("HPKE-v1"), suite, ascii(name), input), salt);
  const labeledExpand = (from, name, context, length) =>
    expand(sha256, from, concat(uint(length, 2), ascii("HPKE-v1"), suite, ascii(name), context), length);
  const context = concat([0], labeledExtract(NONE, "psk_id_hash", NONE), labeledExtract(NONE, "info_hash", info));
  const schedule = labeledExtract(secret, "secret", NONE);
  const aead = labeledExpand(schedule, "key", context, 32);
  const nonce = labeledExpand(schedule, "base_nonce", context, 12);
  return attempt("the wrap does not open", () => chacha20poly1305(aead, nonce).decrypt(wrap.subarray(ENCAPSULATION)));
}

/** HKDF-Expand-SHA-512 to 76 bytes. The key is shorter than a hash, which the library refuses. */
function expandShort(key, info) {
  const first = hmac(sha512, key, concat(info, [1]));
  return concat(first, hmac(sha512, key, concat(first, info, [2]))).subarray(0, 76);
}

/** Cobblestone-256: the text, once its last chunk has opened. */
export function openBody(key, context, body) {
  const cursor = new Cursor(body);
  const salt = cursor.take(24);
  const commitment = cursor.take(32);
  const derived = expandShort(key, concat(ascii("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"), [0], salt, context));
  ensure(equal(commitment, derived.subarray(44)), "the body is of another key or context");
  const pieces = [];
  for (let k = 0; ; k++) {
    const left = body.length - cursor.at;
    const nonce = derived.slice(32, 44);
    uint(k, 12).forEach((byte, i) => (nonce[i] ^= byte));
    const chunk = cursor.take(Math.min(left, CHUNK + TAG));
    const piece = attempt("a chunk does not open", () => gcm(derived.subarray(0, 32), nonce).decrypt(chunk));
    pieces.push(piece);
    if (piece.length < CHUNK) break;
  }
  cursor.end();
  return concat(...pieces);
}

function padme(length) {
  if (length <= 1024) return 1024;
  const e = Math.floor(Math.log2(length));
  const s = Math.floor(Math.log2(e)) + 1;
  const unit = 2 ** (e - s);
  return Math.ceil(length / unit) * unit;
}

export function unpad(padded, most = MAX_PAYLOAD) {
  const cursor = new Cursor(padded);
  const length = cursor.number(4);
  ensure(length <= most, "a payload that is too long");
  const payloadBytes = cursor.take(length);
  ensure(padded.length === padme(4 + length), "padding of another length");
  ensure(cursor.rest().every((byte) => byte === 0), "padding that is not zero");
  return payloadBytes;
}
