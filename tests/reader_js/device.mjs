// Device cards, log entries and withdrawals.
import { Cursor, H, ascii, canonical, concat, ensure, equal, hex, parse, uint, unhex } from "./bytes.mjs";
import { checkRecipient, checkSigningKey, fromWords, toWords, verify } from "./keys.mjs";
import { bytes, day, fields, hash, id, instant, int, is, label, matches, nullable, structure } from "./shapes.mjs";

const ENTRY = 169;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const MAX_SEQ = 2n ** 53n - 1n;

const card = structure("fieldsurvey device card", {
  project: id,
  device: id,
  name: label,
  created: instant,
  sign: bytes(33),
  carrier: bytes(33),
  hpke: bytes(1216),
  parent: nullable(fields({ device: id, seq: int(0), head: hash })),
  signature: bytes(65),
}, { proof: bytes(65) });

/** A card as it stands in a project or a batch. */
export function checkCard(value) {
  is(card, value);
  checkSigningKey(unhex(value.sign), [1]);
  checkSigningKey(unhex(value.carrier), [1]);
  ensure(value.carrier !== value.sign, "one key for two purposes");
  checkRecipient(unhex(value.hpke));
  ensure(value.device === hex(H("device id", unhex(value.sign)).subarray(0, 16)), "a device of another key");
  ensure(value.format_version === 1 || value.parent !== null, "a proof of nothing");
  const { signature, ...rest } = value;
  verify(unhex(value.sign), "sign device card", canonical(rest), unhex(signature));
  return value;
}

/** Refuses a card of version 2 whose proof is not of the former card's carrier key. */
export function checkProof(value, former) {
  ensure(value.parent.device === former.device && value.project === former.project, "a proof of another log");
  const { device, seq, head } = value.parent;
  const said = concat(unhex(value.project), unhex(value.device), unhex(device), uint(BigInt(seq), 8), unhex(head));
  verify(unhex(former.carrier), "sign new log", said, unhex(value.proof));
}

export function readCard(data) {
  return checkCard(parse(data, 16 << 10));
}

export function readEntry(data) {
  ensure(data.length === ENTRY, "a log entry of another length");
  const cursor = new Cursor(data);
  const [project, device] = [cursor.take(16), cursor.take(16)];
  const seq = cursor.take(8).reduce((value, byte) => value * 256n + BigInt(byte), 0n);
  ensure(seq >= 1n && seq <= MAX_SEQ, "a sequence number that cannot be");
  return { project, device, seq, record: cursor.take(32), head: cursor.take(32), signature: cursor.take(65) };
}

export function logStart(project, device) {
  return H("log start", project, device);
}

/** Chain from `previous` (head and sequence number before the run); every signature or only the last. */
export function checkRun(cardOfLog, previous, entries, every) {
  let { head, seq } = previous;
  entries.forEach((entry, i) => {
    ensure(hex(entry.project) === cardOfLog.project && hex(entry.device) === cardOfLog.device, "an entry of another log");
    seq += 1n;
    ensure(entry.seq === seq, "a gap in the log");
    head = H("log head", head, uint(seq, 8), entry.record);
    ensure(equal(head, entry.head), "the chain does not hold");
    if (every || i === entries.length - 1) {
      const signed = concat(entry.project, entry.device, uint(seq, 8), head);
      verify(unhex(cardOfLog.sign), "sign log entry", signed, entry.signature);
    }
  });
  return head;
}

/** A log from its first entry on. */
export function readLog(data, cardOfLog) {
  ensure(data.length % ENTRY === 0, "a log that is cut off");
  const entries = Array.from({ length: data.length / ENTRY }, (_, i) => readEntry(data.subarray(ENTRY * i, ENTRY * (i + 1))));
  const start = logStart(unhex(cardOfLog.project), unhex(cardOfLog.device));
  const head = checkRun(cardOfLog, { head: start, seq: 0n }, entries, true);
  return { head: hex(head), records: entries.map((entry) => hex(entry.record)) };
}

function times(a, b) {
  let product = 0;
  for (let i = 0; i < 5; i++) if ((b >> i) & 1) product ^= a << i;
  for (let i = 8; i >= 5; i--) if ((product >> i) & 1) product ^= 0b100101 << (i - 5);
  return product;
}

function checkDigit(digits) {
  let sum = 0;
  digits.forEach((digit, i) => {
    let term = digit;
    for (let n = 0; n < 16 - i; n++) term = times(term, 2);
    sum ^= term;
  });
  return ALPHABET[sum];
}

/** A withdrawal code as somebody wrote it, letters or words -> its sixteen letters. */
export function readCode(written, words) {
  if (written.trim().split(/\s+/).length === 7) return digitsOf(fromWords(written.trim().toLowerCase(), words));
  const letters = written.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  ensure(/^[0-9A-HJKMNP-TV-Z]{17}$/.test(letters), "no withdrawal code");
  const digits = [...letters.slice(0, 16)].map((letter) => ALPHABET.indexOf(letter));
  ensure(checkDigit(digits) === letters[16], "a withdrawal code with a mistake");
  ensure(valueOf(letters.slice(0, 16)) < 2n ** 77n, "a withdrawal code that cannot be");
  return letters.slice(0, 16);
}

function digitsOf(value) {
  return Array.from({ length: 16 }, (_, i) => ALPHABET[Number((value >> BigInt(5 * (15 - i))) & 31n)]).join("");
}

function valueOf(letters) {
  return [...letters].reduce((value, letter) => value * 32n + BigInt(ALPHABET.indexOf(letter)), 0n);
}

export function codeText(letters) {
  const check = checkDigit([...letters].map((letter) => ALPHABET.indexOf(letter)));
  return `${letters.match(/.{4}/g).join("-")}-${check}`;
}

export function codeWords(letters, words) {
  return toWords(valueOf(letters), 7, words);
}

export function codeTag(letters, project) {
  return hex(H("withdrawal tag", unhex(project), ascii(letters)));
}

const tombstone = structure("fieldsurvey tombstone", {
  code: matches(/^[0-9A-HJKMNP-TV-Z]{16}$/),
  project: id,
  requested: day,
});

export function readTombstone(data) {
  ensure(data.length > 8 && data.length <= 1024 + 8, "too long or too short for a tombstone");
  const plain = data.subarray(0, data.length - 8);
  const check = H("tombstone check", plain).subarray(0, 8);
  ensure(hex(check) === hex(data.subarray(data.length - 8)), "a tombstone that was damaged");
  const cursor = new Cursor(plain);
  cursor.magic("FSW1");
  const value = is(tombstone, parse(cursor.rest(), 1024));
  ensure(valueOf(value.code) < 2n ** 77n, "a withdrawal code that cannot be");
  return { ...value, tag: codeTag(value.code, value.project) };
}

