// Reads every file of a folder of golden files: node main.mjs FOLDER [N]. Prints what they hold as one JSON object, by
// file name. With N, bytes at N places of each file are damaged in turn, and `refused` counts what was told.
import { readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { H, Refused, attempt, ensure, hex, unhex } from "./bytes.mjs";
import { readBatch, readReceipt } from "./container.mjs";
import { checkProof, codeTag, codeText, codeWords, readCard, readCode, readLog, readTombstone } from "./device.mjs";
import { readErasure } from "./erased.mjs";
import { ed25519Public, fingerprint, fingerprintWords, recipient, rootPublic } from "./keys.mjs";
import { openRound } from "./opened.mjs";
import { readLedger, readProject, recipientsOn } from "./project.mjs";
import { joinParts, openRecord, readPayload } from "./record.mjs";
import { readReturn } from "./returned.mjs";
import { readBackup } from "./vault.mjs";
import { fromSheets, openKeyFile, readSecret } from "./secrets.mjs";

const [folder, places] = process.argv.slice(2);
const read = (name) => new Uint8Array(readFileSync(join(folder, name)));
const keys = JSON.parse(readFileSync(join(folder, "keys.json"), "utf8"));
const words = readFileSync(join(folder, "words.txt"), "utf8").trim().split("\n");
const lines = (data) => attempt("no text", () => new TextDecoder("utf-8", { fatal: true }).decode(data).trim().split("\n"));
const once = (make) => {
  let made;
  return () => (made ??= make());
};
const trusted = once(() => readProject(read("project.fsp"), keys.pinned).content);
const logCard = once(() => readCard(read("device.card")));
const parts = once(() => {
  const key = recipient(unhex(keys.recipients[0]));
  const names = readdirSync(folder).filter((name) => /^attachment-.*\.fse$/.test(name));
  return new Map(names.map((name) => openRecord(read(name), key)).map((part) => [hex(part.hash), part]));
});
const hmuKey = once(() => openKeyFile(read("hmu.key"), keys.passphrases["hmu.key"]));

function card(data) {
  const found = readCard(data);
  if (found.proof !== undefined) checkProof(found, logCard());
  return found;
}

function record(data) {
  const opened = keys.recipients.map((seed) => recipient(unhex(seed))).flatMap((key) => {
    try {
      return [openRecord(data, key)];
    } catch (error) {
      if (error instanceof Refused && error.message.startsWith("not sealed")) return [];
      throw error;
    }
  });
  ensure(opened.length > 0, "sealed to none of the recipients");
  const [first] = opened;
  ensure(opened.every((one) => hex(one.payload) === hex(first.payload)), "recipients that read different things");
  const inside = first.header.kind === "record" ? interview(first) : { part: hex(first.payload) };
  return { header: first.header, hash: hex(first.hash), recipients: first.ids.map(hex), opened_by: opened.length, ...inside };
}

function interview(opened) {
  const payload = readPayload(opened.payload);
  const files = payload.attachments.map((one) => joinParts(one, opened.header, (name) => parts().get(name)));
  return { payload, files: files.map((file) => hex(sha256(file))) };
}

function project(data) {
  const found = readProject(data, keys.pinned);
  const on = Object.fromEntries(keys.days.map((day) => [day, recipientsOn(found.content, day)]));
  return { ...found, sealed_to: on, root_words: fingerprintWords(unhex(found.content.root), words) };
}

function publicOf(secret) {
  if (secret.purpose === "share") return null;
  const seed = unhex(secret.seed);
  if (secret.purpose === "root") return hex(fingerprint(rootPublic(seed)));
  return hex(["hmu", "escrow", "round"].includes(secret.purpose) ? recipient(seed).id : fingerprint(ed25519Public(seed)));
}

/** The lock of two people's key is in their shares; a round's is in hmu.key. */
function passphraseOf(name) {
  if (name === "two-people.key") {
    const words = ["hmu-H03.key", "hmu-H01.key"].map((share) => openKeyFile(read(share), keys.passphrases[share]).words);
    return hex(fromSheets(words));
  }
  return name === "round.key" ? hex(H("round lock", unhex(hmuKey().dataset))) : keys.passphrases[name];
}

function key(data, name) {
  const locked = passphraseOf(name);
  const secret = locked === undefined ? readSecret(data) : openKeyFile(data, locked);
  return { ...secret, public: publicOf(secret) };
}

/** Any two of the sheets; one alone is refused. */
function sheets(data) {
  const found = lines(data);
  found.forEach((sheet) => {
    let alone = false;
    try {
      fromSheets([sheet]);
      alone = true;
    } catch (error) {
      ensure(error instanceof Refused, error.message);
    }
    ensure(!alone, "one sheet was enough");
  });
  const pairs = found.flatMap((one, i) => found.slice(i + 1).map((other) => hex(fromSheets([one, other]))));
  ensure(new Set(pairs).size === 1, "pairs that give different seeds");
  return { seed: pairs[0] };
}

function codes(data) {
  return lines(data).map((line) => {
    const letters = readCode(line, words);
    return { text: codeText(letters), words: codeWords(letters, words), tag: codeTag(letters, keys.project) };
  });
}

const readers = {
  ".fse": record,
  ".card": card,
  ".bin": (data) => readLog(data, logCard()),
  ".fsb": (data) => {
    const { content, frames } = readBatch(data);
    return { content, frames: frames.map((frame) => hex(sha256(frame))) };
  },
  ".fsr": (data) => readReceipt(data, trusted()),
  ".fsc": (data) => readReturn(data, trusted(), recipient(unhex(keys.device))),
  ".fsx": (data) => readErasure(data, trusted()),
  ".fsp": project,
  ".fsw": readTombstone,
  ".key": key,
  ".fso": (data, name) => openRound(data, hmuKey(), name.replace(/\.fso$/, "")),
  ".sheets": sheets,
  ".codes": codes,
  ".fsv": (data) => readBackup(data, keys.passphrases["laptop.fsv"], recipient(unhex(keys.recipients[1])), unhex(keys.draft_file)),
  ".jsonl": (data) => readLedger(data, trusted()),
};

async function damaged(name, data, reader) {
  const counts = { tried: 0, refused: 0 };
  const wanted = Math.min(data.length, Number(places));
  for (let i = 0; i < wanted; i++) {
    const copy = Uint8Array.from(data);
    copy[Math.floor((i * data.length) / wanted)] ^= 0x80;
    counts.tried += 1;
    try {
      await reader(copy, name);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      counts.refused += 1;
    }
  }
  return counts;
}

const found = {};
for (const name of readdirSync(folder).sort()) {
  const reader = readers[extname(name)];
  if (reader === undefined) continue;
  found[name] = places === undefined ? await reader(read(name), name) : await damaged(name, read(name), reader);
}
process.stdout.write(JSON.stringify(found));
