// FSB1: batches and receipts, and what they share with projects.
import { sha256 } from "@noble/hashes/sha2.js";
import { Cursor, ensure, equal, hex, parse, unhex } from "./bytes.mjs";
import { checkCard, checkRun } from "./device.mjs";
import { keyId, signatureLength, verify } from "./keys.mjs";
import { readRecord } from "./record.mjs";
import { anything, bool, bytes, fields, hash, id, instant, int, is, list, oneOf, seq, structure, table } from "./shapes.mjs";

const MAX_FILE = 64 << 20;
const MAX_FRAME = 16 << 20;
const MAX_MANIFEST = 4 << 20;
const MAX_FRAMES = 16384;

/** A container of that kind: its content, its frames, and what verifies its signatures. */
export function readContainer(data, kind) {
  ensure(data.length <= MAX_FILE, "a container that is too long");
  const cursor = new Cursor(data);
  cursor.magic("FSB1");
  const length = cursor.number(4);
  const count = cursor.number(1);
  ensure(length >= 2 && length <= MAX_MANIFEST, "a manifest of a length that cannot be");
  ensure(count >= 1 && count <= 4, "a number of signatures that cannot be");
  const manifestBytes = cursor.take(length);
  const signatures = Array.from({ length: count }, () => readSignature(cursor));
  ensure(new Set(signatures.map((one) => hex(one.keyId))).size === count, "two signatures of one key");
  const manifest = parse(manifestBytes, MAX_MANIFEST);
  checkManifest(manifest, kind);
  const frames = manifest.frames.map(([wanted, size]) => {
    const frame = cursor.take(size);
    ensure(hex(sha256(frame)) === wanted, "a frame that is not what the manifest says");
    return frame;
  });
  cursor.end();
  const check = (key) => {
    const mine = signatures.find((one) => equal(one.keyId, keyId(key)));
    ensure(mine !== undefined, "not signed by that key");
    verify(key, `sign container/${kind}`, manifestBytes, mine.signature);
  };
  return { content: manifest.content, frames, check, count };
}

function readSignature(cursor) {
  const id8 = cursor.take(8);
  const algorithm = cursor.number(1);
  cursor.at -= 1;
  return { keyId: id8, signature: cursor.take(signatureLength(algorithm)) };
}

function checkManifest(manifest, kind) {
  const frame = (value, where) => {
    ensure(Array.isArray(value) && value.length === 2, `${where}: no frame`);
    hash(value[0], where);
    int(0, MAX_FRAME)(value[1], where);
  };
  fields({ content: table(anything), frames: list(frame, 0, MAX_FRAMES), kind: oneOf(kind) })(manifest, "manifest");
  ensure(new Set(manifest.frames.map(([one]) => one)).size === manifest.frames.length, "a frame twice");
}

const entry = { seq, head: hash, record: hash, signature: bytes(65) };
const batch = structure(
  "fieldsurvey batch",
  { project: id, card: anything, previous: hash, entries: list(fields(entry), 1) },
  { entries: list(fields({ ...entry, erased: bool }), 1) },
);

export function readBatch(data) {
  const container = readContainer(data, "batch");
  const content = is(batch, container.content);
  const card = checkCard(content.card);
  container.check(unhex(card.carrier));
  ensure(container.count === 1, "a batch has one signature");
  ensure(content.project === card.project, "a batch of another project");
  const entries = content.entries.map((entry) => ({
    project: unhex(content.project),
    device: unhex(card.device),
    seq: BigInt(entry.seq),
    record: unhex(entry.record),
    head: unhex(entry.head),
    signature: unhex(entry.signature),
  }));
  checkRun(card, { head: unhex(content.previous), seq: entries[0].seq - 1n }, entries, false);
  const present = entries.filter((_, i) => content.entries[i].erased !== true);
  ensure((content.format_version === 2) === present.length < entries.length, "a version that the entries do not need");
  ensure(container.frames.length === present.length, "entries without records");
  container.frames.forEach((frame, i) => {
    ensure(equal(sha256(frame), present[i].record), "a record that is not its entry's");
    const { header } = readRecord(frame);
    ensure(header.project === card.project && header.device === card.device, "a record of another device");
  });
  return { content, frames: container.frames };
}

const receipt = structure("fieldsurvey receipt", {
  project: id,
  device: id,
  up_to: seq,
  head: hash,
  level: oneOf("received", "committed", "backed_up"),
  by: oneOf("central", "hmu", "supervisor"),
  issued: instant,
}, {
  absent: list(list(seq, 2, 2), 1, 1000),
});

/** `project`: the content of the project whose role keys count. */
export function readReceipt(data, project) {
  ensure(data.length <= 64 << 10, "too long for a receipt");
  const container = readContainer(data, "receipt");
  ensure(container.frames.length === 0, "a receipt has no frames");
  const content = is(receipt, container.content);
  ensure(content.project === project.id, "a receipt of another project");
  ensure((content.format_version === 2) === (content.absent?.length > 0), "a version that does not fit");
  (content.absent ?? []).reduce((before, [first, last]) => {
    ensure(before + 1 < first && first <= last && last <= content.up_to, "stretches out of order");
    return last;
  }, -1);
  ensure(content.by !== "supervisor" || content.level === "received", "more than a supervisor can say");
  const keys = project.roles.filter((role) => role.role === content.by && role.retired === null);
  const signed = keys.some((role) => {
    const key = unhex(role.public);
    try {
      container.check(key);
      return true;
    } catch {
      return false;
    }
  });
  ensure(signed, "no role key of the project signed this");
  return content;
}

