// FSO1: a round as the HMU opened it.
import { decompress } from "fzstd";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { parquetReadObjects } from "hyparquet";
import { Cursor, Refused, bind, ensure, equal, parse, unhex } from "./bytes.mjs";
import { openBody } from "./record.mjs";
import { bool, fields, id, int, is, list, oneOf, structure, table, text } from "./shapes.mjs";
import { round } from "./project.mjs";

const count = int(0);
const kinds = ["integer", "decimal", "date", "boolean", "text", "select_one", "select_multiple", "rank", "acknowledge"];

const manifest = structure("fieldsurvey dataset", {
  project: id,
  project_version: int(0),
  round,
  quality: fields({
    ...Object.fromEntries(
      ["cases", "kept", "outside", "undated", "practice", "unknown_form", "withdrawn", "only_proposals", "quarantined", "conflicts", "proposals", "duplicates"].map(
        (name) => [name, count],
      ),
    ),
    not_opened: table(count),
    unknown_forms: table(count),
    mistyped: table(count),
  }),
  tables: list(fields({ form: text, level: text, columns: list(fields({ name: text, path: text, kind: oneOf(...kinds), calculated: bool })) })),
});

/** `key`: the secret of hmu.key; `roundId`: whose file it should be. */
export async function openRound(data, key, roundId) {
  const derived = (name) => {
    const info = bind(name, unhex(key.project));
    return expand(sha256, extract(sha256, unhex(key.dataset), new Uint8Array(32)), info, 32);
  };
  const cursor = new Cursor(data);
  cursor.magic("FSO1");
  ensure(equal(cursor.take(8), derived("needs/dataset key id").subarray(0, 8)), "a dataset of another key");
  const context = bind("needs/dataset", unhex(key.project), new TextEncoder().encode(roundId));
  const inside = new Cursor(openBody(derived("needs/dataset key"), context, cursor.rest()));
  const told = is(manifest, parse(inside.take(inside.number(4)), 1 << 30));
  ensure(told.project === key.project && told.round.id === roundId, "a dataset of another round");
  const tables = [];
  for (const one of told.tables) tables.push({ form: one.form, level: one.level, rows: await rowsOf(inside.take(inside.number(8))) });
  inside.end();
  return { manifest: told, tables };
}

async function rowsOf(parquet) {
  const file = Uint8Array.from(parquet).buffer;
  const rows = await parquetReadObjects({ file, compressors: { ZSTD: (input, length) => decompress(input, new Uint8Array(length)) } }).catch((error) => {
    throw new Refused(`no Parquet: ${error.message}`);
  });
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
}

function plain(value) {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Date) return value.toISOString().slice(0, 10);
  return value === undefined ? null : value;
}
