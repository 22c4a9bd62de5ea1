// Recipients, signing keys, fingerprints and their words.
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { H, attempt, bind, concat, ensure, hex, label, unhex } from "./bytes.mjs";

const MLKEM_PUBLIC = 1184;
const MLKEM_CIPHERTEXT = 1088;
const PUBLIC = 1216;
const Q = 3329;
const ED25519 = 1;
const ROOT = 2;
const SIZES = { [ED25519]: { key: 33, signature: 65 }, [ROOT]: { key: 1985, signature: 3374 } };

/** A recipient from its 32-byte seed. */
export function recipient(seed) {
  const expanded = shake256(seed, { dkLen: 96 });
  const kem = ml_kem768.keygen(expanded.subarray(0, 64));
  const x = expanded.subarray(64);
  const xPublic = x25519.getPublicKey(x);
  const encoded = concat(kem.publicKey, xPublic);
  return { kem: kem.secretKey, x, xPublic, public: encoded, id: recipientId(encoded) };
}

export function recipientId(encoded) {
  return H("recipient id", encoded).subarray(0, 8);
}

export function checkRecipient(encoded) {
  ensure(encoded.length === PUBLIC, "a recipient of another length");
  const packed = encoded.subarray(0, 1152);
  ensure(packed.some((byte) => byte !== 0), "a recipient that is all zeros");
  for (let i = 0; i < packed.length; i += 3) {
    const [a, b, c] = packed.subarray(i, i + 3);
    ensure((a | ((b & 15) << 8)) < Q && ((b >> 4) | (c << 4)) < Q, "a recipient with a coefficient too large");
  }
  attempt("a recipient of small order", () => x25519.getSharedSecret(new Uint8Array(32).fill(7), encoded.subarray(MLKEM_PUBLIC)));
}

/** The shared secret of an encapsulation of 1,120 bytes. */
export function decapsulate(key, encapsulation) {
  const kemText = encapsulation.subarray(0, MLKEM_CIPHERTEXT);
  const xText = encapsulation.subarray(MLKEM_CIPHERTEXT);
  return attempt("no encapsulation", () => {
    const first = ml_kem768.decapsulate(kemText, key.kem);
    const second = x25519.getSharedSecret(key.x, xText);
    return sha3_256(concat(first, second, xText, key.xPublic, unhex("5c2e2f2f5e5c")));
  });
}

export function checkSigningKey(key, algorithms = [ED25519, ROOT]) {
  ensure(algorithms.includes(key[0]), "a signing key of an algorithm that is not meant");
  ensure(key.length === SIZES[key[0]].key, "a signing key of another length");
  const point = attempt("no point of the curve", () => ed25519.Point.fromBytes(key.subarray(1, 33)));
  ensure(!point.isSmallOrder(), "a signing key of small order");
}

export function signatureLength(algorithm) {
  ensure(SIZES[algorithm] !== undefined, "a signature of an unknown algorithm");
  return SIZES[algorithm].signature;
}

/** Throws Refused unless the signature over bind(label, data) holds. */
export function verify(key, name, data, signature) {
  checkSigningKey(key);
  ensure(signature[0] === key[0] && signature.length === SIZES[key[0]].signature, "a signature of another kind");
  const message = bind(name, data);
  const classical = attempt("no signature", () => ed25519.verify(signature.subarray(1, 65), message, key.subarray(1, 33), { zip215: false }));
  ensure(classical, `the signature "${name}" does not hold`);
  if (key[0] === ROOT) {
    const options = { context: label(name) };
    const later = attempt("no signature", () => ml_dsa65.verify(signature.subarray(65), message, key.subarray(33), options));
    ensure(later, `the second signature "${name}" does not hold`);
  }
}

export function fingerprint(key) {
  return H("key id", key);
}

export function keyId(key) {
  return fingerprint(key).subarray(0, 8);
}

/** The public key that stands for a role's or device's seed. */
export function ed25519Public(seed) {
  return concat([ED25519], ed25519.getPublicKey(seed));
}

/** The root's public key from its one seed. */
export function rootPublic(seed) {
  const halves = shake256(bind("root seed", seed), { dkLen: 64 });
  const later = ml_dsa65.keygen(halves.subarray(32));
  return concat([ROOT], ed25519.getPublicKey(halves.subarray(0, 32)), later.publicKey);
}

/** The first bits of some bytes as words, eleven bits each. */
export function toWords(bits, count, words) {
  const found = [];
  for (let i = count - 1; i >= 0; i--) found.push(words[Number((bits >> BigInt(11 * i)) & 2047n)]);
  return found.join(" ");
}

export function fromWords(spoken, words) {
  return spoken.split(" ").reduce((bits, word) => {
    const value = words.indexOf(word);
    ensure(value >= 0, `${word} is not one of the words`);
    return (bits << 11n) | BigInt(value);
  }, 0n);
}

export function fingerprintWords(key, words) {
  return toWords(BigInt(`0x${hex(fingerprint(key).subarray(0, 11))}`), 8, words);
}

