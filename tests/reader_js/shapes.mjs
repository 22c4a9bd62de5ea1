// What values may be: each checker takes a value and throws Refused. Names as in the page.
import { VERSION, ensure, unhex } from "./bytes.mjs";

export function is(check, value, where = "") {
  check(value, where);
  return value;
}

export const bool = (value, where) => ensure(typeof value === "boolean", `${where}: not true or false`);
export const text = (value, where) => ensure(typeof value === "string", `${where}: no text`);
export const upTo = (length) => (value, where) => {
  text(value, where);
  ensure([...value].length <= length, `${where}: too long`);
};
export const int = (low, high = Number.MAX_SAFE_INTEGER) => (value, where) =>
  ensure(Number.isSafeInteger(value) && value >= low && value <= high, `${where}: not a number from ${low} to ${high}`);
export const bytes = (length) => (value, where) => {
  text(value, where);
  unhex(value, length);
};
export const matches = (pattern) => (value, where) => {
  text(value, where);
  ensure(pattern.test(value), `${where}: not of its form`);
};
export const oneOf = (...values) => (value, where) => ensure(values.includes(value), `${where}: not one of ${values}`);
export const nullable = (check) => (value, where) => value === null || check(value, where);
export const list = (check, low = 0, high = Infinity) => (value, where) => {
  ensure(Array.isArray(value) && value.length >= low && value.length <= high, `${where}: no list of that length`);
  value.forEach((item, i) => check(item, `${where}[${i}]`));
};
export const table = (check) => (value, where) => {
  ensure(value !== null && typeof value === "object" && !Array.isArray(value), `${where}: no object`);
  Object.entries(value).forEach(([name, item]) => check(item, `${where}.${name}`));
};
export const anything = () => undefined;

/** An object with exactly these fields. */
export const fields = (wanted) => (value, where) => {
  table(anything)(value, where);
  const names = Object.keys(wanted);
  for (const name of names) ensure(Object.hasOwn(value, name), `${where}.${name} is missing`);
  ensure(Object.keys(value).length === names.length, `${where} has fields that are not known`);
  for (const name of names) wanted[name](value[name], `${where}.${name}`);
};

/** A structure that says its format and version. `later`: the fields that came with version 2, with version 3, … */
export const structure = (format, wanted, ...later) => (value, where) => {
  table(anything)(value, where);
  ensure(value.format === format, `not a ${format}`);
  const version = value.format_version;
  ensure(Number.isInteger(version) && version >= VERSION && version <= VERSION + later.length, `${format} of version ${version}, which this reader does not know`);
  const known = Object.assign({}, wanted, ...later.slice(0, version - VERSION));
  fields({ format: text, format_version: int(0), ...known })(value, where || format);
};

export const id = bytes(16);
export const hash = bytes(32);
export const seq = int(1);
export const label = (value, where) => {
  upTo(200)(value, where);
  ensure(value.length > 0, `${where}: empty`);
};
export const code = matches(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/);
export const parish = matches(/^[0-9]{6}$/);
export const day = (value, where) => {
  matches(/^\d{4}-\d\d-\d\d$/)(value, where);
  const found = new Date(`${value}T00:00:00Z`);
  ensure(!Number.isNaN(found.getTime()) && found.toISOString().startsWith(value), `${where}: no such day`);
};
export const instant = (value, where) => {
  matches(/^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/)(value, where);
  day(value.slice(0, 10), where);
};
