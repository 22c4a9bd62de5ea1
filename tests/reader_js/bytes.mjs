// Conventions of the page: bytes, hexadecimal, canonical JSON, bind and H.
import { sha256 } from "@noble/hashes/sha2.js";

export const VERSION = 1;
const MAX_DEPTH = 32;
const MAX_COMMAS = 80_000;

/** What a reader says of bytes that are not what they should be. Any other error is a mistake of the reader. */
export class Refused extends Error {}

export function ensure(condition, why) {
  if (!condition) throw new Refused(why);
}

/** Runs a library's function; what it throws is a refusal. */
export function attempt(why, run) {
  try {
    return run();
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(`${why}: ${error.message}`);
  }
}

export function hex(bytes) {
  return Buffer.from(bytes).toString("hex");
}

export function unhex(text, length) {
  ensure(typeof text === "string" && /^([0-9a-f]{2})*$/.test(text), "not hexadecimal");
  ensure(length === undefined || text.length === 2 * length, "hexadecimal of another length");
  return new Uint8Array(Buffer.from(text, "hex"));
}

export function concat(...parts) {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

export function equal(a, b) {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

export function compare(a, b) {
  return Buffer.compare(a, b);
}

export function ascii(text) {
  return new Uint8Array(Buffer.from(text, "ascii"));
}

export function uint(value, width) {
  const bytes = new Uint8Array(width);
  let rest = BigInt(value);
  for (let i = width - 1; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

/** Reads from the front, never beyond the end. */
export class Cursor {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(length) {
    ensure(length <= this.bytes.length - this.at, "cut off");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  number(width) {
    return this.take(width).reduce((value, byte) => value * 256 + byte, 0);
  }

  magic(name) {
    ensure(equal(this.take(name.length), ascii(name)), `not ${name}`);
    const version = this.number(1);
    ensure(version === VERSION, `${name} of version ${version}, which this reader does not know`);
  }

  rest() {
    return this.take(this.bytes.length - this.at);
  }

  end() {
    ensure(this.at === this.bytes.length, "more than there should be");
  }
}

export function label(name) {
  return ascii(`fieldsurvey/${VERSION}/${name}`);
}

export function bind(name, ...parts) {
  return bindRaw(label(name), ...parts);
}

function bindRaw(name, ...parts) {
  const sized = parts.flatMap((part) => [uint(part.length, 4), part]);
  return concat(uint(name.length, 2), name, ...sized);
}

export function H(name, ...parts) {
  return sha256(bind(name, ...parts));
}

/** Strings by code point, not by UTF-16 unit. */
function byCodePoint(a, b) {
  return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}

function written(value, depth) {
  ensure(depth < MAX_DEPTH || value === null || typeof value !== "object", "nested too deep");
  if (Array.isArray(value)) return `[${value.map((item) => written(item, depth + 1)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort(byCodePoint);
    return `{${names.map((name) => `${written(name, depth)}:${written(value[name], depth + 1)}`).join(",")}}`;
  }
  ensure(typeof value !== "number" || Number.isSafeInteger(value), "a number that is no whole one");
  ensure(typeof value !== "string" || value.isWellFormed(), "a lone surrogate");
  return JSON.stringify(value);
}

function commas(value) {
  if (value === null || typeof value !== "object") return 0;
  const inside = Object.values(value);
  return inside.reduce((sum, one) => sum + commas(one), Math.max(0, inside.length - 1));
}

export function canonical(value) {
  return new Uint8Array(Buffer.from(written(value, 0), "utf8"));
}

/** Canonical JSON, and nothing else. */
export function parse(bytes, max) {
  ensure(bytes.length <= max, "too long");
  const value = attempt("not JSON", () => JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)));
  ensure(equal(canonical(value), bytes), "not written canonically");
  ensure(commas(value) < MAX_COMMAS, "too many members");
  return value;
}
