/**
 * The README's command in a pseudo-terminal, as a person has it, with Ctrl-C as a person presses it: `deno task test:terminal`.
 *
 * Needs `script` (of util-linux) for the terminal and `npx` (of Node) for the command; says so when one is missing. Takes about a minute.
 */
import { systemClock } from "../../lib/base/mod.ts";
import { resultSchema } from "../../lib/verdict/mod.ts";
import { rolePids, survivors, untilAcknowledged } from "../jobs/_bench.ts";
import { taskCall } from "../task_flags.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const CTRL_C = "\x03";
/** Longer than what counts as copies of one press. */
const BETWEEN_PRESSES_MS = 700;
/** After this a scenario has failed. */
const PATIENCE_MS = 90_000;

interface Terminal extends AsyncDisposable {
  readonly run: string;
  /** Resolves when the text has been shown. */
  shown(text: string): Promise<void>;
  press(key: string): Promise<void>;
  readonly end: Promise<{ readonly code: number; readonly text: string }>;
}

async function has(command: string): Promise<boolean> {
  const looking = new Deno.Command("sh", { args: ["-c", `command -v ${command}`], stdout: "null" });
  return (await looking.output()).success;
}

/** Types the README's command into a terminal of its own. */
async function open(flags: readonly string[]): Promise<Terminal> {
  const run = `${await Deno.makeTempDir({ prefix: "weir-terminal-" })}/run`;
  const typed = ["npx", "-y", "deno@2.9.6", "task", "bench50k", `--out=${run}`, ...flags].join(" ");
  const child = new Deno.Command("script", {
    args: ["-qefc", typed, "/dev/null"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  // The terminal's end hangs up on everything in it.
  const hangUp = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
  };
  const patience = new AbortController();
  systemClock.sleep(PATIENCE_MS, patience.signal).then(
    hangUp,
    () => {/* it was through in time */},
  );
  let text = "";
  let told = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      told.resolve();
      told = Promise.withResolvers();
    }
  })();
  const end = (async () => {
    const { code } = await child.status;
    await reading;
    await keyboard.close().catch(() => {/* the terminal is gone */});
    return { code, text };
  })();
  return {
    run,
    end,
    async shown(wanted) {
      while (!text.includes(wanted)) {
        const isOver = await Promise.race([told.promise, end.then(() => true)]);
        if (isOver === true && !text.includes(wanted)) throw new Error(`no "${wanted}":\n${text}`);
      }
    },
    press: (key) => keyboard.write(new TextEncoder().encode(key)),
    async [Symbol.asyncDispose]() {
      patience.abort();
      hangUp();
      await end;
    },
  };
}

function check(holds: boolean, what: string, text: string): void {
  if (!holds) throw new Error(`${what}\n${text}`);
}

/** What holds for every end: 130, the cursor is back, no process is left. */
async function checkEnd(terminal: Terminal, pids: readonly number[]): Promise<string> {
  const { code, text } = await terminal.end;
  check(code === 130, `exit code ${code}, not 130`, text);
  check(text.lastIndexOf("\x1b[?25h") >= text.lastIndexOf("\x1b[?25l"), "the cursor is gone", text);
  const left = await survivors(pids);
  check(left.length === 0, `processes left: ${left.join(", ")}`, text);
  return text;
}

const LOAD = ["--rate=2000", "--duration=10m", "--time-scale=60", "--threshold='rate>=1%'"];

const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  async "the first Ctrl-C drains and judges"() {
    await using terminal = await open(LOAD);
    await terminal.shown("rows ");
    await untilAcknowledged(terminal.run, 3_000);
    const pids = Object.values(await rolePids(terminal.run));
    await terminal.press(CTRL_C);
    const text = await checkEnd(terminal, pids);
    const result = resultSchema.parse(
      JSON.parse(await Deno.readTextFile(`${terminal.run}/verdict.json`)),
    );
    check(result.verdict !== "FAIL" && result.rows.found > 0, result.reasons.join("; "), text);
    check(result.rows.found === result.rows.expected, "rows are missing", text);
  },
  async "the second Ctrl-C ends at once"() {
    await using terminal = await open([...LOAD, "--out-of-orderness=1h"]);
    await terminal.shown("rows ");
    await untilAcknowledged(terminal.run);
    const pids = Object.entries(await rolePids(terminal.run));
    // A frozen aggregator drains nothing, so that there is time for a second press.
    const aggregate = pids.find(([name]) => name === "aggregate-1")![1];
    Deno.kill(aggregate, "SIGSTOP");
    await terminal.press(CTRL_C);
    await terminal.shown("Ctrl-C again ends at once");
    await systemClock.sleep(BETWEEN_PRESSES_MS);
    await terminal.press(CTRL_C);
    const text = await checkEnd(terminal, pids.map(([, pid]) => pid));
    check(text.includes("what there is of the run lies in"), "nothing says where it lies", text);
  },
  async "Ctrl-C while it starts leaves nothing"() {
    await using terminal = await open(LOAD);
    await terminal.shown("starting broker");
    await terminal.press(CTRL_C);
    await checkEnd(terminal, []);
    const left = await Deno.stat(terminal.run).then(() => true, () => false);
    check(!left, "the folder of the run is there", terminal.run);
  },
};

const { chosen } = taskCall({
  name: "test:terminal",
  help: `The README's command in a pseudo-terminal, with Ctrl-C as a person presses it.

  deno task test:terminal [NAME …]

A NAME is a part of a scenario's name; all are played without one:
${Object.keys(SCENARIOS).map((name) => `  ${name}`).join("\n")}`,
  table: {},
  names: Object.keys(SCENARIOS),
});
const missing: string[] = [];
for (const command of ["script", "npx"]) if (!await has(command)) missing.push(command);
if (missing.length > 0) {
  console.error(`test:terminal needs ${missing.join(" and ")}: nothing was tested`);
  Deno.exit(2);
}
let failed = 0;
for (const name of chosen) {
  try {
    await SCENARIOS[name]!();
    console.log(`ok     ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error instanceof Error ? error.message : error}`);
  }
}
console.log(`${chosen.length - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
