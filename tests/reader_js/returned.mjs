// Returned work: a record that the HMU sends back to the laptop that made it, with comments.
import { sha256 } from "@noble/hashes/sha2.js";
import { bind, canonical, concat, ensure, parse, unhex } from "./bytes.mjs";
import { readContainer } from "./container.mjs";
import { openBody, openWrap, payload, unpad } from "./record.mjs";
import { fields, hash, id, instant, int, is, list, nullable, structure, text, upTo } from "./shapes.mjs";

const WRAP = 1168;
const MAX_BODY = 9 << 20;

const manifest = structure("fieldsurvey return", {
  project: id,
  device: id,
  case: id,
  revision: int(1, 2 ** 20 - 1),
  record: hash,
  withdrawal: nullable(hash),
});

const from1To = (length) => (value, where) => {
  upTo(length)(value, where);
  ensure(value.length > 0, `${where}: empty`);
};

const work = structure("fieldsurvey returned work", {
  issued: instant,
  record: payload,
  comments: list(fields({ ref: from1To(1024), text: from1To(1000) }), 0, 200),
  general: upTo(4000),
});

/** `key`: the laptop's recipient; `project`: the content of the project whose role keys count. */
export function readReturn(data, project, key) {
  ensure(data.length <= 10 << 20, "too long for a return");
  const container = readContainer(data, "return");
  ensure(container.count === 1, "a return has one signature");
  const hmu = project.roles.filter((role) => role.role === "hmu" && role.retired === null);
  const signed = hmu.some((role) => {
    try {
      container.check(unhex(role.public));
      return true;
    } catch {
      return false;
    }
  });
  ensure(signed, "no key of the HMU signed this");
  const content = is(manifest, container.content);
  ensure(content.project === project.id, "a return of another project");
  ensure(container.frames.length === 1, "a return has one frame");
  const [frame] = container.frames;
  ensure(frame.length > WRAP, "a frame that is too short");
  const c = canonical(content);
  const wrap = frame.subarray(0, WRAP);
  const secret = openWrap(key, bind("return wrap", sha256(c), key.id), wrap);
  const body = openBody(secret, bind("return body", sha256(concat(c, wrap))), frame.subarray(WRAP));
  const found = is(work, parse(unpad(body, MAX_BODY), MAX_BODY), "");
  const refs = new Set(found.comments.map((one) => one.ref));
  ensure(refs.size === found.comments.length, "two comments to one question");
  ensure(refs.size > 0 || found.general.trim() !== "", "no comment");
  ensure(Object.keys(found.record.paradata).length === 0 && found.record.mode !== "practice", "a record that cannot come back");
  return { manifest: content, work: found };
}
