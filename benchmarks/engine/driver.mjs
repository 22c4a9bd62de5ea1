// Drives ODK Web Forms' engine through one generated form: node driver.mjs FORM.xml RUN.tsv ROUNDS
// Prints the same lines as Driver.java: timings in nanoseconds, then the leaves of the final instance.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The engine's bundle carries a loader that expects CommonJS names.
globalThis.require = createRequire(import.meta.url);
globalThis.__dirname = process.cwd();

// It expects a browser's document classes; its own tests run on jsdom too.
const { window } = new (globalThis.require("jsdom").JSDOM)();
for (const name of Object.getOwnPropertyNames(window)) {
  if (/^[A-Z]/.test(name) && !(name in globalThis)) globalThis[name] = window[name];
}
globalThis.document = window.document;

const [formFile, runFile, rounds] = process.argv.slice(2);
const { createInstance } = await import("@getodk/xforms-engine");
const xform = readFileSync(formFile, "utf8");

// CPU time of the process, in nanoseconds of microsecond steps: for what takes long.
function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function read() {
  const repeats = new Map();
  const passes = [];
  for (const line of readFileSync(runFile, "utf8").split("\n")) {
    const part = line.split("\t");
    if (part[0] === "repeat") repeats.set(part[1], Number(part[2]));
    else (passes[Number(part[1])] ??= []).push([part[2], part[3]]);
  }
  return { repeats, passes };
}

const generic = (ref) => ref.replace(/\[\d+\]/g, "");

function index(root) {
  const nodes = new Map();
  const visit = (node) => {
    const ref = node.currentState.reference;
    if (!nodes.has(ref)) nodes.set(ref, node);
    for (const child of node.currentState.children ?? []) visit(child);
  };
  visit(root);
  return nodes;
}

function leaves(node, path, found) {
  const state = node.currentState;
  if (!state.relevant) return;
  const here = generic(state.reference).replace(/\/[a-z]+:/g, "/");
  if (state.children) for (const child of state.children) leaves(child, here, found);
  else if (state.instanceValue !== "" && !here.endsWith("instanceID")) found.push([here, state.instanceValue]);
}

for (let round = 0; round < Number(rounds); round++) {
  const { repeats, passes } = read();
  let start = cpu();
  const { root } = await createInstance(xform, { instance: {} });
  console.log(`load\t${cpu() - start}`);
  if (round === 0) console.log(`cold\t${cpu()}`);
  for (const [ref, count] of repeats) {
    const range = [...index(root).values()].find((n) => n.nodeType.startsWith("repeat-range") && n.currentState.reference === ref);
    for (let n = range.currentState.children.length; n < count; n++) {
      start = process.hrtime.bigint();
      range.addInstances();
      console.log(`add\t${process.hrtime.bigint() - start}`);
    }
  }
  const nodes = index(root);
  for (const steps of passes) {
    const seen = new Map();
    for (const [ref, value] of steps) {
      seen.set(ref, (seen.get(ref) ?? 0) + 1);
      const repeat = [...repeats.keys()].find((r) => ref.startsWith(r + "/"));
      const live = repeat ? `${repeat}[${seen.get(ref)}]${ref.slice(repeat.length)}` : ref;
      const node = nodes.get(live);
      if (!node || !node.currentState.relevant) continue;
      if (node.nodeType === "select") {
        start = process.hrtime.bigint();
        const size = node.currentState.valueOptions.length;
        console.log(`offer\t${process.hrtime.bigint() - start}\t${ref}\t${size}`);
      }
      start = process.hrtime.bigint();
      if (node.nodeType === "select") node.selectValue(value);
      else node.setValue(value);
      console.log(`answer\t${process.hrtime.bigint() - start}`);
    }
  }
  start = process.hrtime.bigint();
  root.validationState.violations.length;
  console.log(`validate\t${process.hrtime.bigint() - start}`);
  if (round === Number(rounds) - 1) {
    console.log(`memory\t${process.memoryUsage().heapUsed}`);
    const found = [];
    leaves(root, "", found);
    console.log(`leaves\t${JSON.stringify(found)}`);
  }
}
