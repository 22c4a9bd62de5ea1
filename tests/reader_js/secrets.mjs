// Key files under a passphrase, and SLIP-39 sheets.
import { gcmsiv } from "@noble/ciphers/aes.js";
import { argon2id } from "@noble/hashes/argon2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import slip39 from "slip39";
import { Cursor, VERSION, ascii, attempt, concat, ensure, equal, parse } from "./bytes.mjs";
import { bytes, code, id, is, list, nullable, oneOf, structure, upTo } from "./shapes.mjs";

const CHECK = 8;
const HEAD = 4 + 4 + 1 + 1 + 16 + 12;

const secret = structure("fieldsurvey key", {
  purpose: oneOf("root", "hmu", "escrow", "central", "supervisor", "round", "share"),
  project: id,
  seed: nullable(bytes(32)),
  sign: nullable(bytes(32)),
  dataset: nullable(bytes(32)),
  earlier: list(bytes(32), 0, 100),
  earlier_datasets: list(bytes(32), 0, 100),
  person: nullable(code),
  words: nullable(upTo(400)),
});

/** One letter at a time, so that no letter depends on its neighbours; the dotless i folds to itself. */
function folded(text) {
  return [...text].map((letter) => (letter === "ı" ? letter : letter.toUpperCase().toLowerCase())).join("");
}

export function normalised(passphrase) {
  return folded(passphrase.normalize("NFKC"))
    .normalize("NFKC")
    .replace(/[\s\u002d\u2010-\u2015_]+/gu, " ")
    .trim();
}

/** The canonical JSON of a secret. */
export function readSecret(data) {
  const value = is(secret, parse(data, 16 << 10));
  const [hmu, share] = [value.purpose === "hmu", value.purpose === "share"];
  ensure((value.sign !== null) === hmu && (value.dataset !== null) === hmu, "keys that do not go together");
  ensure((value.person !== null) === share && (value.words !== null) === share, "a share that is none");
  ensure((value.seed === null) === share, "a seed where none should be");
  return value;
}

export function openKeyFile(data, passphrase) {
  return readSecret(openSlot(data, passphrase, "key file"));
}

export function openSlot(data, passphrase, purpose) {
  const cursor = new Cursor(data);
  cursor.magic("FSK");
  const memory = cursor.number(4);
  const iterations = cursor.number(1);
  const lanes = cursor.number(1);
  ensure(memory >= 19 * 1024 && memory <= 512 * 1024, "Argon2 memory out of bounds");
  ensure(iterations >= 2 && iterations <= 16 && lanes >= 1 && lanes <= 8, "Argon2 parameters out of bounds");
  const salt = cursor.take(16);
  const nonce = cursor.take(12);
  const sealed = cursor.take(data.length - HEAD - CHECK);
  const check = cursor.take(CHECK);
  const before = data.subarray(0, data.length - CHECK);
  const told = sha256(concat(ascii(`fieldsurvey slot v${VERSION} check`), before)).subarray(0, CHECK);
  ensure(equal(told, check), "a damaged key file");
  const password = new TextEncoder().encode(normalised(passphrase));
  const key = argon2id(password, salt, { m: memory, t: iterations, p: lanes, dkLen: 32, version: 0x13 });
  const associated = concat(data.subarray(0, HEAD), ascii(`fieldsurvey slot v${VERSION} ${purpose}`));
  return attempt("another passphrase", () => gcmsiv(key, nonce, associated).decrypt(sealed));
}

/** The 32-byte seed from two sheets, each a line of words. */
export function fromSheets(sheets) {
  return attempt("the sheets do not go together", () => {
    const seed = Uint8Array.from(slip39.recoverSecret(sheets, ""));
    ensure(seed.length === 32, "a seed of another length");
    return seed;
  });
}

