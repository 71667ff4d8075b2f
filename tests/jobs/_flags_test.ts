import assert from "node:assert/strict";
import { environmentName, helpText, parseFlags, type Usage } from "../../jobs/_flags.ts";
import { UsageError } from "../../lib/base/mod.ts";

const USAGE: Usage = { command: "deno task demo", summary: "Demo.", positionals: [] };
const TABLE = {
  "rate": { kind: "count", default: "50000", min: 1, help: "messages a second" },
  "duration": { kind: "duration", default: "3m", min: 1000, help: "how long" },
  "room": { kind: "size", min: 2048, help: "bytes" },
  "engine": {
    kind: "text",
    check: () => {
      throw new RangeError("expected http");
    },
    help: "where",
  },
  "late-share": { kind: "share", default: "0", help: "share" },
  "pulsar": { kind: "text", default: "embedded", env: ["PULSAR_URL"], help: "where" },
  "codec": { kind: "text", default: "none", choices: ["none", "lz4"], help: "which" },
  "keep": { kind: "boolean", help: "keep" },
  "threshold": { kind: "list", example: "p99<1s", help: "again and again" },
} as const;

function parse(args: readonly string[], environment: Record<string, string> = {}) {
  return parseFlags(TABLE, USAGE, args, (name) => environment[name]).flags;
}

function problemsOf(args: readonly string[], environment: Record<string, string> = {}): string[] {
  try {
    parse(args, environment);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message.split("\n");
  }
  return [];
}

Deno.test("parseFlags() reads each kind into its unit", () => {
  const flags = parse([
    "--rate=1_000",
    "--duration",
    "90s",
    "--room",
    "2KiB",
    "--late-share",
    "0.25",
    "--codec=lz4",
    "--keep",
    "--threshold=a<1",
    "--threshold",
    "b<2",
  ]);
  assert.equal(flags.rate, 1000);
  assert.equal(flags.duration, 90_000);
  assert.equal(flags.room, 2048);
  assert.equal(flags["late-share"], 0.25);
  assert.equal(flags.codec, "lz4");
  assert.equal(flags.keep, true);
  assert.deepEqual(flags.threshold, ["a<1", "b<2"]);
});

Deno.test("parseFlags() gives defaults, and undefined where there is none", () => {
  const flags = parse([]);
  assert.equal(flags.rate, 50_000);
  assert.equal(flags.duration, 180_000);
  assert.equal(flags.room, undefined);
  assert.equal(flags.keep, false);
  assert.deepEqual(flags.threshold, []);
});

Deno.test("parseFlags() takes the environment below flags, under both names", () => {
  const environment = { WEIR_RATE: "7", PULSAR_URL: "pulsar://a:1", WEIR_KEEP: "true" };
  assert.equal(parse([], environment).rate, 7);
  assert.equal(parse([], environment).pulsar, "pulsar://a:1");
  assert.equal(parse([], environment).keep, true);
  assert.equal(parse(["--rate", "8"], environment).rate, 8);
  assert.equal(parse([], { ...environment, WEIR_PULSAR: "pulsar://b:1" }).pulsar, "pulsar://b:1");
  assert.equal(environmentName("late-share"), "WEIR_LATE_SHARE");
});

Deno.test("parseFlags() names every mistake at once, with what was expected", () => {
  assert.deepEqual(
    problemsOf(["--rate", "abc", "--duratoin=3m", "--codec=zip", "--room", "2 pots"]),
    [
      "unknown flag --duratoin; did you mean --duration?",
      '--rate "abc": expected a whole number',
      '--codec "zip": expected none or lz4',
      '--room "2 pots": expected a size, e.g. 4096, 64KiB, 2GB',
    ],
  );
  assert.deepEqual(problemsOf(["--rate", "0"]), ['--rate "0": expected at least 1']);
  assert.deepEqual(problemsOf(["--late-share", "1.5"]), ['--late-share "1.5": expected at most 1']);
  assert.deepEqual(problemsOf(["--rate"]), ["--rate lacks its value; give e.g. --rate 50000"]);
  assert.deepEqual(problemsOf(["--threshold"]), [
    "--threshold lacks its value; give e.g. --threshold p99<1s",
  ]);
  assert.deepEqual(problemsOf(["extra"]), ['unexpected argument "extra"; see --help']);
  assert.deepEqual(problemsOf([], { WEIR_RATE: "fast" }), [
    'WEIR_RATE "fast": expected a whole number',
  ]);
});

Deno.test("parseFlags() shows bounds in the unit that a person types", () => {
  assert.deepEqual(problemsOf(["--duration", "500ms"]), [
    '--duration "500ms": expected at least 1s',
  ]);
  assert.deepEqual(problemsOf(["--room", "1KiB"]), ['--room "1KiB": expected at least 2KiB']);
});

Deno.test("parseFlags() shows no password that stands in a URL", () => {
  assert.deepEqual(problemsOf(["--engine", "ftp://me:hunter2@host"]), [
    '--engine "ftp://***@host": expected http',
  ]);
});

Deno.test("parseFlags() is not fooled by names that every object has", () => {
  assert.deepEqual(problemsOf(["--constructor", "1"]), ["unknown flag --constructor; see --help"]);
});

Deno.test("parseFlags() reads the value of a boolean only after =", () => {
  assert.equal(parse(["--keep=false"]).keep, false);
  assert.deepEqual(problemsOf(["--keep", "false"]), ['unexpected argument "false"; see --help']);
});

Deno.test("parseFlags() asks for the arguments that a job needs", () => {
  const usage = { ...USAGE, positionals: ["RUN"] };
  assert.throws(() => parseFlags(TABLE, usage, [], () => undefined), /lacks RUN/);
  assert.deepEqual(parseFlags(TABLE, usage, ["runs/a"], () => undefined).positionals, ["runs/a"]);
});

Deno.test("helpText() names every flag with its default and fits 80 columns", () => {
  const text = helpText(TABLE, USAGE);
  for (const name of Object.keys(TABLE)) assert.ok(text.includes(`--${name}`), name);
  assert.match(text, /messages a second \(default 50000\)/);
  assert.ok(text.split("\n").every((line) => line.length <= 80));
});

Deno.test("helpText() keeps the line breaks of a summary and wraps each line by itself", () => {
  const long = "word ".repeat(30).trim();
  const summary = `First.\n\n${long}\nlast\n  set in`;
  const lines = helpText(TABLE, { ...USAGE, summary }).split("\n");
  assert.deepEqual(lines.slice(0, 2), ["First.", ""]);
  assert.deepEqual(lines.slice(2, 4).map((line) => line.split(" ").length), [16, 14]);
  assert.deepEqual(lines.slice(4, 6), ["last", "  set in"]);
});
