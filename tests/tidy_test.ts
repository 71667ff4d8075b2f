import assert from "node:assert/strict";
import {
  checkBareNames,
  checkCalls,
  checkDocs,
  checkFileLength,
  checkFileName,
  checkForms,
  checkFunctionLength,
  checkMarks,
  checkMod,
  checkNotebook,
  checkTexts,
  checkVersions,
} from "./tidy/_code_checks.ts";
import {
  checkBase,
  checkCycles,
  checkDead,
  checkDoors,
  checkInner,
  checkTable,
} from "./tidy/_import_checks.ts";
import { listFiles, localAliases, parse, readTexts, type Violation } from "./tidy/_project.ts";

const ROOT = new URL("../", import.meta.url);
const texts = readTexts(ROOT, listFiles(ROOT));
const denoJson = texts.find(({ path }) => path === "deno.json")!.text;
const aliases = localAliases(denoJson);
const sources = texts
  .filter(({ path }) => /^(?:lib|jobs|infra|tests)\/.*\.ts$/.test(path))
  .map((file) => parse(file, aliases));

function assertNone(violations: readonly Violation[]): void {
  const lines = violations.map(({ file, line, rule }) => `${file}:${line} ${rule}`);
  assert.equal(lines.length, 0, `\n${lines.join("\n")}\n`);
}

Deno.test("imports point downward, as the table says", () => assertNone(checkTable(sources)));
Deno.test("parts of a part keep their directions", () => assertNone(checkInner(sources)));
Deno.test("only a folder's mod.ts is imported from outside", () => assertNone(checkDoors(sources)));
Deno.test("no file imports itself by a detour", () => assertNone(checkCycles(sources)));
Deno.test("base/ stays small", () => assertNone(checkBase(sources)));
Deno.test("no file is dead", () => {
  // A path may be named by a task, a script, a page or a text of the code; a comment in a test is no use.
  const mentions = texts.filter(({ path }) => !path.startsWith("tests/")).map(({ text }) => text);
  assertNone(checkDead(sources, mentions));
});
Deno.test("nothing hides an input", () => assertNone(sources.flatMap(checkCalls)));
Deno.test("files are short", () => assertNone(sources.flatMap(checkFileLength)));
Deno.test("functions are short", () => assertNone(sources.flatMap(checkFunctionLength)));
Deno.test("files are named in snake_case", () => assertNone(sources.flatMap(checkFileName)));
Deno.test("no default export, no enum", () => assertNone(sources.flatMap(checkForms)));
Deno.test("every mod.ts lists names", () => assertNone(sources.flatMap(checkMod)));
Deno.test("every export has a docstring", () => assertNone(sources.flatMap(checkDocs)));
Deno.test("names in types say their unit", () => assertNone(sources.flatMap(checkBareNames)));
Deno.test("no work is marked as left", () => assertNone(sources.flatMap(checkMarks)));
Deno.test("no file holds a registry's host or a path of one machine", () =>
  assertNone(texts.flatMap(checkTexts)));
Deno.test("every version is exact", () => {
  const { imports } = JSON.parse(denoJson) as { imports: Record<string, string> };
  const inCode = sources.flatMap(({ path, imports }) =>
    checkVersions(path, imports.map(({ specifier }) => specifier))
  );
  assertNone([...checkVersions("deno.json", Object.values(imports)), ...inCode]);
});
Deno.test("notebooks are committed without outputs", () =>
  assertNone(texts.filter(({ path }) => path.endsWith(".ipynb")).flatMap(checkNotebook)));

/** Each rule is tried on a sample that breaks it: a rule that finds nothing proves nothing. */
const of = (path: string, text: string) => parse({ path, text });
const rulesOf = (violations: readonly Violation[]) => violations.map(({ rule }) => rule).join("\n");

Deno.test("checkTable() refuses an import upward, a type import, and one between siblings", () => {
  const refused = [
    of("lib/base/a.ts", `import { x } from "../verdict/mod.ts";`),
    of("lib/load/a.ts", `import type { X } from "../stream/mod.ts";`),
    of("lib/load/b.ts", `type X = import("../pulsar/mod.ts").X;`),
    of("lib/verdict/a.ts", `const x = await import("../contract.ts");`),
    of("lib/verdict/b.ts", `export { x } from "../../jobs/x.ts";`),
    of("lib/unknown/a.ts", `import { x } from "../base/mod.ts";`),
    of("jobs/a.ts", `import { x } from "../tests/x.ts";`),
    of("infra/a.ts", `import { x } from "../jobs/x.ts";`),
  ];
  for (const source of refused) assert.equal(checkTable([source]).length, 1, source.path);
  assertNone(checkTable([
    of("lib/load/a.ts", `import type { X } from "../contract.ts"; import "./b.ts"; import "zod";`),
    of("lib/scenarios/a.ts", `import { x } from "../run/mod.ts";`),
    of("tests/load/a_test.ts", `import { x } from "../../lib/load/schedule.ts";`),
  ]));
});

Deno.test("checkInner() keeps client, broker and wire apart, and the broker's layers in order", () => {
  const refused = [
    of("lib/pulsar/broker/log/a.ts", `import { x } from "../dispatch/mod.ts";`),
    of("lib/pulsar/broker/log/b.ts", `import type { X } from "../topic.ts";`),
    of("lib/pulsar/broker/dispatch/a.ts", `type X = import("../topic.ts").X;`),
    of("lib/pulsar/broker/topic.ts", `import type { X } from "./connection/mod.ts";`),
    of("lib/pulsar/broker/connection/a.ts", `import { x } from "../admin/mod.ts";`),
    of("lib/pulsar/broker/admin/a.ts", `import { x } from "../start.ts";`),
    of("lib/pulsar/broker/unknown/a.ts", `import { x } from "../log/mod.ts";`),
    of("lib/pulsar/broker/a.ts", `import { x } from "../client/connection.ts";`),
    of("lib/pulsar/client/client.ts", `import { x } from "../broker/mod.ts";`),
    of("lib/pulsar/wire/a.ts", `import { x } from "../client/connection.ts";`),
  ];
  for (const source of refused) assert.equal(checkInner([source]).length, 1, source.path);
  assertNone(checkInner([
    of(
      "lib/pulsar/broker/a.ts",
      `import "../wire/mod.ts"; import "./b.ts"; import "../../base/mod.ts";`,
    ),
    of("lib/pulsar/broker/connection/a.ts", `import "../topic.ts"; import "../log/mod.ts";`),
    of("lib/pulsar/broker/topic.ts", `import "./dispatch/mod.ts"; import "./errors.ts";`),
    of("lib/pulsar/client/client.ts", `import "./connection.ts"; import "../wire/mod.ts";`),
    of("lib/pulsar/mod.ts", `export { x } from "./broker/mod.ts";`),
  ]));
});

Deno.test("checkDoors() refuses files behind a mod.ts, and private ones", () => {
  const refused = [
    of("lib/load/a.ts", `import { x } from "../base/clock.ts";`),
    of("jobs/a.ts", `import { x } from "../lib/load/schedule.ts";`),
    of("lib/sinks/clickhouse/a.ts", `import { x } from "../_b.ts";`),
    of("lib/sinks/a.ts", `import { x } from "./clickhouse/b.ts";`),
  ];
  for (const source of refused) assert.equal(checkDoors([source]).length, 1, source.path);
  assertNone(checkDoors([
    of("lib/load/a.ts", `import "../base/mod.ts"; import "./_b.ts"; import "../contract.ts";`),
    of("lib/sinks/clickhouse/a.ts", `import "../errors.ts";`),
    of("tests/base/a_test.ts", `import "../../lib/base/_clock.ts";`),
  ]));
});

Deno.test("checkCycles() names the circle, types included", () => {
  const circle = [
    of("lib/a/a.ts", `import type { B } from "./b.ts";`),
    of("lib/a/b.ts", `import { c } from "./c.ts";`),
    of("lib/a/c.ts", `export type { A } from "./a.ts";`),
  ];
  assert.equal(
    rulesOf(checkCycles(circle)),
    "cycle: lib/a/a.ts → lib/a/b.ts → lib/a/c.ts → lib/a/a.ts",
  );
  assertNone(checkCycles(circle.slice(0, 2)));
});

Deno.test("checkBase() refuses the eleventh file", () => {
  const files = Array.from({ length: 11 }, (_, i) => of(`lib/base/file${i}.ts`, ""));
  assert.equal(checkBase(files).length, 1);
  assertNone(checkBase([...files.slice(1), of("lib/base/mod.ts", "")]));
});

Deno.test("checkDead() finds what only a test imports", () => {
  const used = of("lib/a/used.ts", "");
  const dead = of("lib/a/dead.ts", "");
  const user = of("jobs/run.ts", `import "../lib/a/used.ts";`);
  const test = of("tests/a/dead_test.ts", `import "../../lib/a/dead.ts";`);
  const found = checkDead([used, dead, user, test], ["deno run jobs/run.ts"]);
  assert.deepEqual(found.map(({ file }) => file), ["lib/a/dead.ts"]);
});

Deno.test("checkCalls() refuses clocks, timers, chance and output, but for where they live", () => {
  const code = `Date.now(); performance.now(); setTimeout(f, 1); globalThis.setInterval(f, 1);
    const now = Date.now; Math.random(); console.log(1);`;
  const found = checkCalls(of("lib/stream/a.ts", code));
  assert.equal(found.length, 7, rulesOf(found));
  assert.equal(checkCalls(of("tests/a_test.ts", "setTimeout(f, 1)")).length, 1);
  assertNone(checkCalls(of("tests/a_test.ts", "setTimeout(f, 0)")));
  assertNone(checkCalls(of("lib/base/a.ts", "Date.now(); setTimeout(f, 1);")));
  assertNone(checkCalls(of("lib/stream/a.ts", "clock.setTimeout(1); // Date.now()")));
});

Deno.test("checkFileLength() and checkFunctionLength() count lines", () => {
  const long = "a();\n".repeat(501);
  assert.equal(checkFileLength(of("lib/a/a.ts", long)).length, 1);
  assertNone(checkFileLength(of("lib/a/a.ts", `// Long because it is a table.\n${long}`)));
  const body = "a();\n".repeat(70);
  const found = checkFunctionLength(of("lib/a/a.ts", `export const f = () => {\n${body}};`));
  assert.equal(rulesOf(found), "f takes 72 lines, at most 70");
  assertNone(checkFunctionLength(of("lib/a/a.ts", `class A { b() {\n${"a();\n".repeat(68)}} }`)));
});

Deno.test("checkFileName(), checkForms() and checkMod() refuse other forms", () => {
  for (const name of ["camelCase.ts", "kebab-case.ts", "__twice.ts", "Big.ts"]) {
    assert.equal(checkFileName(of(`lib/a/${name}`, "")).length, 1, name);
  }
  for (const code of ["export default 1;", "export default function f() {}", "enum A { B }"]) {
    assert.equal(checkForms(of("lib/a/a.ts", code)).length, 1, code);
  }
  const mod = `/** A. */\nexport * from "./a.ts";\nexport { b } from "./b.ts";`;
  assert.equal(rulesOf(checkMod(of("lib/a/mod.ts", mod))), "mod.ts lists its exports by name");
  assert.equal(checkMod(of("lib/a/mod.ts", `export { b } from "./b.ts";`)).length, 1);
});

Deno.test("checkDocs() finds an export without docstring, one for all overloads", () => {
  const code = `/** A. */ export const a = 1;\nexport const b = 2;\nexport function c() {}
    /** D. */ export function d(x: string): void;\nexport function d() {}
    export class E {}\nexport interface F {}\nexport type G = 1;\nconst h = 1;`;
  const found = checkDocs(of("lib/a/a.ts", code)).map(({ rule }) => rule.split(" ")[1]);
  assert.deepEqual(found, ["b", "c", "E", "F", "G"]);
});

Deno.test("checkBareNames() asks numbers for their unit", () => {
  const code = `interface A { timeout: number; size?: number; delayMs: number; duration: Duration }
    class B { get size() { return 1; } }`;
  assert.equal(checkBareNames(of("lib/a/a.ts", code)).length, 2);
});

Deno.test("checkMarks() and checkTexts() find what must not be written", () => {
  const mark = "TO" + "DO";
  assert.equal(checkMarks({ path: "a.ts", text: `a\n// ${mark}: later` })[0]?.line, 2);
  for (const text of ["https://registry.npm" + "js.org/x", "/ro" + "ot/x", "see /ho" + "me/me/x"]) {
    assert.equal(checkTexts({ path: "a.md", text }).length, 1, text);
  }
  assertNone(checkTexts({ path: "a.md", text: "lib/work/x, $HOME/root/x, ./home/a" }));
});

Deno.test("checkVersions() and checkNotebook() refuse ranges and outputs", () => {
  const ranges = ["npm:zod@^4.0.0", "npm:zod", "npm:/echarts@6/", "jsr:@std/cli@1"];
  assert.equal(checkVersions("deno.json", ranges).length, ranges.length);
  assertNone(checkVersions("deno.json", [
    "npm:zod@4.6.7",
    "npm:/@a/b.c@1.2.3-stable.1/",
    "./lib/weir.ts",
  ]));
  const cells = [{ outputs: [], execution_count: null }, { outputs: [{}] }, { execution_count: 3 }];
  assert.equal(checkNotebook({ path: "a.ipynb", text: JSON.stringify({ cells }) }).length, 2);
});
