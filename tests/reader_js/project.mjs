// The signed project.
import { sha256 } from "@noble/hashes/sha2.js";
import { H, Refused, bind, canonical, ensure, hex, parse, uint, unhex } from "./bytes.mjs";
import { readContainer } from "./container.mjs";
import { checkCard } from "./device.mjs";
import { checkRecipient, checkSigningKey, fingerprint, recipientId, verify } from "./keys.mjs";
import { anything, bool, bytes, code, day, fields, hash, id, instant, int, is, label, list, matches, nullable, oneOf, parish, seq, structure, text, upTo } from "./shapes.mjs";

const MAX_VERSION = 2 ** 31;
const MAX_ACTIVE = 8;

export const round = fields({
  id: code,
  title: label,
  start: day,
  end: day,
  parishes: list(parish),
  quotas: list(fields({ parish: nullable(parish), mobility: nullable(code), sex: nullable(code), age: nullable(code), count: int(0, 1_000_000) })),
  modules: list(code),
  routes: list(code),
});

const policy = fields({
  languages: list(text),
  review_window_hours: int(0, 12),
  idle_lock_minutes: int(1, 60),
  assembly_idle_minutes: int(1, 120),
  required_waits_for_review: bool,
  passphrase_bits: int(40, 256),
  people_per_device: int(1, 8),
  argon2: nullable(fields({ memory_kib: int(19 * 1024, 512 * 1024), iterations: int(2, 16), lanes: int(1, 8) })),
  recovery_slot: bool,
  people_to_open: int(1, 2),
  hmu_people: int(1, 16),
  consent_forms: list(code),
  purge_after_receipts: bool,
  ethics_approval: text,
  k_cell: int(3, 100),
  k_sensitive: int(3, 100),
  k_base: int(3, 1000),
  retention: fields({
    laptop_days_after_backup: int(7, 365),
    draft_days: int(1, 365),
    backup_days: int(1, 10),
    withdrawal_days: int(0, 5),
    hmu_until: nullable(day),
  }),
});

const project = structure("fieldsurvey project", {
  id,
  name: label,
  version: int(1, MAX_VERSION),
  issued: instant,
  expires: instant,
  root: bytes(1985),
  successions: list(fields({ root: bytes(1985), version: int(2, MAX_VERSION), signature: bytes(3374) }), 0, 16),
  recipients: list(
    fields({ id: bytes(8), label: oneOf("operational", "escrow"), public: bytes(1216), round: nullable(code), created: nullable(instant), retired: nullable(instant) }),
    1,
    200,
  ),
  roles: list(fields({ role: oneOf("hmu", "central", "supervisor"), label, public: bytes(), person: nullable(code), retired: nullable(instant) }), 0, 200),
  devices: list(
    fields({ id, name: label, card: anything, status: oneOf("enrolled", "revoked"), revoked_from: nullable(seq), revoked_reason: nullable(oneOf("lost", "stolen", "left", "broken")) }),
    0,
    1000,
  ),
  people: list(fields({ code, label, role: oneOf("enumerator", "supervisor", "hmu", "steward"), left: nullable(day) }), 0, 10_000),
  forms: list(
    fields({ id: label, version: upTo(200), title: label, hash, status: oneOf("current", "earlier"), about_people: bool, allowed: list(code), media: list(fields({ name: label, hash })) }),
    0,
    1000,
  ),
  indicators: nullable(hash),
  plan: fields({ rounds: list(round) }),
  policy,
}, {
  servers: list(fields({ url: matches(/^https:\/\/([0-9A-Za-z.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[1-9][0-9]{0,4})?$/), pins: list(hash, 2, 2) }), 0, 4),
});

function once(values, what) {
  ensure(new Set(values).size === values.length, `${what} twice`);
}

/** `pinned`: the fingerprint (hexadecimal) of the root, or of one before it, that the reader trusts. */
export function readProject(data, pinned) {
  const container = readContainer(data, "project");
  const content = is(project, container.content);
  checkSigningKey(unhex(content.root), [2]);
  container.check(unhex(content.root));
  checkSuccessions(content);
  const roots = [...content.successions.map((step) => step.root), content.root].map((root) => hex(fingerprint(unhex(root))));
  ensure(roots.includes(pinned), "a project of another root");
  checkLists(content);
  checkPlan(content);
  const named = content.forms.flatMap((form) => [form.hash, ...form.media.map((one) => one.hash)]);
  const wanted = new Set([...named, ...(content.indicators === null ? [] : [content.indicators])]);
  const frames = container.frames.map((frame) => hex(sha256(frame)));
  ensure(frames.length === wanted.size && frames.every((one) => wanted.has(one)), "frames that the project does not name, or not all of them");
  return { content, roots, frames };
}

function checkSuccessions(content) {
  const roots = [...content.successions.map((step) => step.root), content.root];
  once(roots, "a root");
  let last = 0;
  content.successions.forEach((step, i) => {
    ensure(step.version > last && step.version <= content.version, "successions out of order");
    last = step.version;
    checkSigningKey(unhex(step.root), [2]);
    const statement = bind("sign succession", unhex(content.id), unhex(roots[i + 1]), uint(step.version, 4));
    verify(unhex(step.root), "sign succession", statement, unhex(step.signature));
  });
}

function checkLists(content) {
  for (const recipient of content.recipients) {
    checkRecipient(unhex(recipient.public));
    ensure(recipient.id === hex(recipientId(unhex(recipient.public))), "a recipient with another's id");
  }
  content.roles.forEach((role) => checkSigningKey(unhex(role.public)));
  for (const device of content.devices) {
    checkCard(device.card);
    ensure(device.card.device === device.id && device.card.project === content.id, "a device with another's card");
    ensure((device.status === "revoked") === (device.revoked_from !== null), "revoked, or not");
    ensure(device.revoked_reason === null || device.status === "revoked", "a reason without revocation");
  }
  once(content.recipients.map((one) => one.id), "a recipient");
  once(content.roles.map((one) => one.public), "a role key");
  once(content.devices.map((one) => one.id), "a device");
  once(content.people.map((one) => one.code), "a person");
  once(content.forms.map((one) => one.hash), "a form");
  const current = content.forms.filter((one) => one.status === "current").map((one) => one.id);
  once(current, "a current form");
  ensure(content.forms.every((one) => current.includes(one.id)), "a form without a current version");
  once((content.servers ?? []).map((one) => one.url), "a server");
  ensure((content.servers ?? []).every((one) => one.pins[0] !== one.pins[1]), "one pin for two keys");
  once(content.policy.consent_forms, "a consent form");
  ensure(content.policy.people_to_open <= content.policy.hmu_people, "more people to open than there are");
}

function checkPlan(content) {
  const rounds = [...content.plan.rounds].sort((a, b) => (a.start < b.start ? -1 : 1));
  once(rounds.map((one) => one.id), "a round");
  rounds.forEach((one, i) => {
    ensure(one.start <= one.end, "a round that ends before it starts");
    ensure(i === 0 || rounds[i - 1].end < one.start, "rounds that overlap");
  });
  for (const of of new Set(content.recipients.map((one) => one.round))) {
    ensure(of === null || rounds.some((one) => one.id === of), "a recipient of no round");
    ensure(content.recipients.filter((one) => one.round === of && one.retired === null).length <= MAX_ACTIVE, "too many recipients");
  }
}

/** The recipients (hexadecimal ids) of an interview on that day. */
export function recipientsOn(content, date) {
  const begun = content.plan.rounds.filter((one) => one.start <= date).sort((a, b) => (a.start < b.start ? 1 : -1));
  for (const of of [...begun.map((one) => one.id), null]) {
    const found = content.recipients.filter((one) => one.round === of && one.retired === null);
    if (found.some((one) => one.label === "operational")) return found.map((one) => one.id);
  }
  return [];
}

const ledgerLine = structure("fieldsurvey ledger", {
  project: id,
  seq,
  previous: hash,
  at: instant,
  deed: oneOf("opened", "rotated", "destroyed", "recovered", "succeeded", "revoked", "members", "left"),
  who: list(code),
  round: nullable(code),
  count: nullable(int(0)),
  text,
  signer: hash,
  signature: bytes(),
});

/** The lines of a ledger, each signed by a root of the chain or by the HMU. */
export function readLedger(data, content) {
  ensure(data.length > 0 && data[data.length - 1] === 10, "a ledger whose last line is not ended");
  const signers = [...content.successions.map((step) => step.root), content.root];
  signers.push(...content.roles.filter((role) => role.role === "hmu").map((role) => role.public));
  const keys = new Map(signers.map((key) => [hex(fingerprint(unhex(key))), unhex(key)]));
  let before = new Uint8Array(0);
  const lines = [];
  for (let start = 0; start < data.length; ) {
    const end = data.indexOf(10, start);
    const bytesOfLine = data.subarray(start, end);
    const line = is(ledgerLine, parse(bytesOfLine, 32 << 10));
    ensure(line.project === content.id && line.seq === lines.length + 1, "a line of another place");
    ensure(line.previous === hex(H("ledger line", unhex(content.id), before)), "the chain of the ledger does not hold");
    const { signature, ...rest } = line;
    if (!keys.has(line.signer)) throw new Refused("a line by somebody else");
    verify(keys.get(line.signer), "sign ledger", canonical(rest), unhex(signature));
    lines.push(line);
    [before, start] = [bytesOfLine, end + 1];
  }
  return lines;
}
