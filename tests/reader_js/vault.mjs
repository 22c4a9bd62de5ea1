// FSVB: a laptop's backup, and the vault in it.
import { gcmsiv } from "@noble/ciphers/aes.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import initSqlJs from "sql.js";
import { Cursor, attempt, bind, ensure, equal, hex, parse, uint, unhex } from "./bytes.mjs";
import { checkRun, logStart, readCard, readEntry, readTombstone } from "./device.mjs";
import { ed25519Public, recipient } from "./keys.mjs";
import { readProject } from "./project.mjs";
import { openBody, openWrap, readRecord, unpad } from "./record.mjs";
import { openSlot } from "./secrets.mjs";
import { hash, id, instant, int, is, label, structure } from "./shapes.mjs";

const LOG = 2n ** 40n;
const SQL = await initSqlJs();

const manifest = structure("fieldsurvey backup", {
  project: id,
  device: id,
  name: label,
  root: hash,
  seq: int(0),
  head: hash,
  made: instant,
  database: int(512),
  project_file: int(1),
  withdrawals: int(0, 16 << 20),
  files: int(0),
});

/** `escrow`: the recipient to whom the policy seals the recovery slot; `fileKey`: of the one file of a draft. */
export function readBackup(data, passphrase, escrow, fileKey) {
  const cursor = new Cursor(data);
  cursor.magic("FSVB");
  const length = cursor.number(4);
  ensure(length >= 2 && length <= 4096, "a manifest of a length that cannot be");
  const told = is(manifest, parse(cursor.take(length), 4096));
  const database = cursor.take(told.database);
  const project = cursor.take(told.project_file);
  const withdrawals = cursor.take(told.withdrawals);
  const files = cursor.take(told.files);
  ensure(equal(sha256(data.subarray(0, cursor.at)), cursor.take(32)), "a backup that was damaged");
  cursor.end();
  ensure(readProject(project, told.root).content.id === told.project, "a backup of another project");
  const db = new SQL.Database(database);
  const inside = readVault((sql) => db.exec(sql)[0]?.values ?? [], told, passphrase, escrow);
  db.close();
  return { manifest: told, database: hex(sha256(database)), project: hex(sha256(project)), withdrawals: stones(withdrawals), files: filesOf(files, fileKey), ...inside };
}

function stones(data) {
  const cursor = new Cursor(data);
  const found = [];
  while (cursor.at < data.length) found.push(readTombstone(cursor.take(cursor.number(2))));
  return found;
}

function filesOf(data, key) {
  const cursor = new Cursor(data);
  const found = [];
  while (cursor.at < data.length) {
    const [draft, file] = [cursor.take(16), cursor.take(16)];
    const content = openBody(key, bind("vault/draft file", draft, file), cursor.take(cursor.number(8)));
    found.push({ draft: hex(draft), id: hex(file), content: hex(sha256(content)) });
  }
  return found;
}

/** The log and its records without any key; with one person's words, that person's drafts. */
function readVault(rows, told, passphrase, escrow) {
  const [[cardBytes, secrets, number]] = rows("SELECT card, secrets, log FROM device");
  const card = readCard(cardBytes);
  ensure(card.device === told.device && card.project === told.project, "a vault of another device");
  const entries = rows(`SELECT entry FROM log WHERE seq >= ${LOG * BigInt(number)} ORDER BY seq`).map(([entry]) => readEntry(entry));
  const start = logStart(unhex(card.project), unhex(card.device));
  const head = checkRun(card, { head: start, seq: 0n }, entries, true);
  ensure(hex(head) === told.head && entries.length === told.seq, "a log with another end");
  const records = rows(`SELECT record FROM outbox WHERE seq >= ${LOG * BigInt(number)} ORDER BY seq`).map(([record]) => readRecord(record).hash);
  ensure(records.every((one, i) => equal(one, entries[i].record)), "records that are not the log's");
  const keys = openFirst(rows, passphrase);
  const recovered = recover(rows, card, escrow);
  ensure(equal(recovered.vault, keys.vault) && equal(recovered.own, keys.own), "a recovery slot of other keys");
  const own = open(derive(keys.vault, "device secrets"), secrets, "device secrets", unhex(card.device));
  ensure(hex(ed25519Public(own.subarray(0, 32))) === card.sign, "the secrets of another device");
  ensure(hex(recipient(own.subarray(32)).public) === card.hpke, "the recipient of another device");
  return { entries: rows("SELECT entry FROM log ORDER BY seq").map(([entry]) => hex(entry)), records: records.map(hex), person: keys.person, drafts: drafts(rows, card, keys) };
}

function openFirst(rows, passphrase) {
  const [[slot]] = rows("SELECT slot FROM slot ORDER BY number");
  return contentOf(openSlot(slot, passphrase, "vault"));
}

function recover(rows, card, escrow) {
  const [[box]] = rows("SELECT recovery FROM slot ORDER BY number");
  const cursor = new Cursor(box);
  ensure(equal(cursor.take(8), escrow.id), "a recovery slot for somebody else");
  const key = openWrap(escrow, bind("vault/recovery", unhex(card.project), escrow.id), cursor.take(1168));
  return contentOf(open(key, cursor.rest(), "recovery", unhex(card.project)));
}

function contentOf(data) {
  const inside = new Cursor(data);
  const keys = { vault: inside.take(32), own: inside.take(32) };
  const person = new TextDecoder().decode(inside.take(inside.number(1)));
  ensure(inside.rest().every((byte) => byte === 0), "a slot that is not padded with zeros");
  return { ...keys, person };
}

function drafts(rows, card, keys) {
  const owner = derive(keys.own, "owner").subarray(0, 16);
  const project = unhex(card.project);
  return rows("SELECT d.id, d.owner, d.counter, d.head, d.snapshot, k.box FROM draft d JOIN draft_key k ON k.number = d.number")
    .filter(([, of]) => equal(of, owner))
    .map(([draft, , counter, head, snapshot, box]) => {
      const key = open(derive(keys.own, "draft key"), box, "draft key", project, draft);
      const save = uint(counter, 8);
      const first = unpad(open(key, head, "draft head", project, draft, save));
      const form = first.subarray(0, 32);
      const text = unpad(open(key, snapshot, "draft snapshot", project, draft, form, save));
      return { form: hex(form), head: hex(first.subarray(32)), snapshot: hex(text) };
    });
}

function derive(key, name, ...parts) {
  return expand(sha256, extract(sha256, key, new Uint8Array(32)), bind(`vault/${name}`, ...parts), 32);
}

function open(key, box, name, ...parts) {
  const associated = bind(`vault/${name}`, ...parts);
  return attempt(`"${name}" does not open`, () => gcmsiv(key, box.subarray(0, 12), associated).decrypt(box.subarray(12)));
}
