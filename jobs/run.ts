import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, UsageError } from "../lib/base/mod.ts";
import { parseScenario, type Scenario, scenarioFlags } from "../lib/scenarios/mod.ts";
import { helpText, type Usage } from "./_flags.ts";
import { EXIT, reportError, runJob } from "./_job.ts";
import { BENCH } from "./bench.ts";

const USAGE: Usage = {
  command: "deno task run",
  summary:
    "Runs a scenario: a TypeScript file that exports `scenario`. Flags change what it says, as those of bench50k.",
  positionals: ["FILE"],
  examples: [
    "deno task run scenarios/spike.ts",
    "deno task run scenarios/spike.ts --time-scale 60 --json",
  ],
};

/** The flags that say what the scenario in a file says. */
async function flagsOf(file: string): Promise<string[]> {
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(resolve(file)).href);
  } catch (cause) {
    throw new UsageError(
      `Cannot read scenario ${JSON.stringify(file)}: ${messageOf(cause)}`,
      "give a TypeScript file",
      cause,
    );
  }
  const scenario = module["scenario"] ?? module["default"];
  if (scenario === undefined) {
    throw new UsageError(
      `Cannot run ${JSON.stringify(file)}: it exports no scenario`,
      "write `export const scenario: Scenario = { … }`",
    );
  }
  return scenarioFlags(readScenario(file, scenario));
}

/** The scenario of a file; each mistake is a line that names the file, and the last says where to look. */
function readScenario(file: string, value: unknown): Scenario {
  try {
    return parseScenario(value);
  } catch (error) {
    const [, ...mistakes] = messageOfLines(error);
    const lines = mistakes.map((mistake) => `Cannot read ${JSON.stringify(file)}: ${mistake}`);
    throw new UsageError(
      `${lines.join("\n")}; scenarios/spike.ts is one that runs`,
      undefined,
      error,
    );
  }
}

function messageOfLines(error: unknown): string[] {
  if (error instanceof UsageError) return error.message.split("\n");
  throw error;
}

const [file, ...flags] = Deno.args;
if (Deno.args.includes("--help")) {
  console.log(helpText(BENCH.table, USAGE));
  Deno.exit(EXIT.pass);
}
if (file === undefined || file.startsWith("-")) {
  const error = new UsageError("lacks the FILE of a scenario, before any flag; see --help");
  Deno.exit(reportError("run", error, false));
}
try {
  await runJob({ ...BENCH, usage: { ...USAGE, positionals: [] } }, [
    ...await flagsOf(file),
    ...flags,
  ]);
} catch (error) {
  Deno.exit(reportError("run", error, flags.includes("--verbose")));
}
