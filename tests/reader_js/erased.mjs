// Reports of erasure: a place's signed word that it holds nothing of withdrawn cases any more.
import { ensure, unhex } from "./bytes.mjs";
import { readContainer } from "./container.mjs";
import { day, fields, hash, id, instant, int, is, list, nullable, oneOf, structure } from "./shapes.mjs";

const ROLES = { relay: "supervisor", central: "central", hmu: "hmu" };

const report = structure("fieldsurvey erasure", {
  project: id,
  place: oneOf("laptop", "relay", "central", "hmu"),
  device: nullable(id),
  cases: list(fields({ tag: hash, records: int(0, 1_000_000) }), 1, 1000),
  backups_until: nullable(day),
  at: instant,
});

function holds(container, key) {
  try {
    container.check(unhex(key));
    return true;
  } catch {
    return false;
  }
}

/** `project`: the content of the project whose role keys and devices count. */
export function readErasure(data, project) {
  ensure(data.length <= 256 << 10, "too long for a report of erasure");
  const container = readContainer(data, "erasure");
  ensure(container.count === 1, "a report has one signature");
  ensure(container.frames.length === 0, "a report has no frames");
  const content = is(report, container.content);
  ensure((content.place === "laptop") === (content.device !== null), "a laptop is named where the place is one");
  const tags = content.cases.map((one) => one.tag);
  ensure(tags.every((tag, i) => i === 0 || tags[i - 1] < tag), "cases that are not in order");
  const keys =
    content.place === "laptop"
      ? project.devices.filter((one) => one.id === content.device).map((one) => one.card.carrier)
      : project.roles.filter((one) => one.role === ROLES[content.place] && one.retired === null).map((one) => one.public);
  ensure(keys.some((key) => holds(container, key)), "no key of that place signed this");
  ensure(content.project === project.id, "a report of another project");
  return content;
}
