import { UsageError } from "../lib/base/mod.ts";
import {
  askStatus,
  FAULT_KINDS,
  KILL_POINTS,
  openRunFolder,
  parseControlCommand,
  sendCommand,
} from "../lib/run/mod.ts";
import type { FlagTable, Usage } from "./_flags.ts";
import { EXIT, runJob } from "./_job.ts";

const TABLE = {
  "for": { kind: "duration", help: "of a freeze, wall time" },
  "at": { kind: "text", choices: KILL_POINTS, help: "place at which a kill strikes an aggregator" },
} as const satisfies FlagTable;

/** The commands as they are typed; `--help` shows them. */
const COMMANDS: readonly (readonly [form: string, help: string])[] = [
  ["status", "how the run stands, as JSON"],
  ["rate 80000", "messages a second from now on; 80k will do"],
  ["pause", "send nothing until resume"],
  ["resume", "go on at the rate before"],
  ["stop", "send no more, drain, judge"],
  ["note TEXT", "a remark on the charts"],
  ["kill ROLE [--at PLACE]", "end a role, e.g. broker or aggregate-2"],
  ["freeze ROLE --for 1.4s", "stop its process for a while"],
  ["cut ROLE", "break its connections"],
];

const USAGE: Usage = {
  command: "deno task control",
  summary: `Steers a run that goes on, by its folder or its id.\n\nCommands:\n${
    COMMANDS.map(([form, help]) => `  ${form.padEnd(26)}${help}`).join("\n")
  }`,
  positionals: ["RUN", "COMMAND", "[ARGUMENT]"],
  examples: [
    "deno task control runs/20261121-143005-bench50k-3f2a rate 80000",
    "deno task control 20261121-143005-bench50k-3f2a kill aggregate --at after-insert",
  ],
};

function rateOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k|m)?(?:\/s)?$/i.exec(text.replaceAll("_", ""));
  if (match === null) {
    throw new UsageError(`Cannot set rate ${JSON.stringify(text)}: expected e.g. 80000 or 80k`);
  }
  return Number(match[1]) * ({ k: 1e3, m: 1e6 }[match[2]?.toLowerCase() ?? ""] ?? 1);
}

/** What is typed, as the control server takes it. */
function commandOf(
  name: string,
  argument: string | undefined,
  options: { readonly forMs: number | undefined; readonly at: string | undefined },
): unknown {
  const { forMs, at } = options;
  const isFault = FAULT_KINDS.some((kind) => kind === name);
  const isBare = name === "pause" || name === "resume" || name === "stop";
  if (!isFault && !isBare && name !== "rate" && name !== "note") {
    const known = COMMANDS.map(([form]) => form.split(" ")[0]).join(", ");
    throw new UsageError(`Cannot do ${JSON.stringify(name)}: expected ${known}`, "see --help");
  }
  if (!isFault && (forMs !== undefined || at !== undefined)) {
    throw new UsageError(`--for and --at belong to faults, not to ${name}`);
  }
  if (isBare && argument !== undefined) {
    throw new UsageError(`unexpected argument ${JSON.stringify(argument)} of ${name}`);
  }
  if (isBare) return { command: name };
  if (argument === undefined) throw new UsageError(`${name} lacks its argument`, "see --help");
  if (name === "rate") return { command: name, messagesPerSec: rateOf(argument) };
  if (name === "note") return { command: name, text: argument };
  if (name === "freeze" && forMs === undefined) {
    throw new UsageError("freeze lacks its duration", "give e.g. --for 1.4s");
  }
  return {
    command: "inject",
    kind: name,
    role: argument,
    ...(forMs === undefined ? {} : { forMs }),
    ...(at === undefined ? {} : { at }),
  };
}

await runJob({
  usage: USAGE,
  table: TABLE,
  async run({ flags, positionals }) {
    const [run = "", name = "", argument] = positionals;
    const forMs = flags["for"];
    const asked = name === "status"
      ? undefined
      : parseControlCommand(commandOf(name, argument, { forMs, at: flags["at"] }));
    const folder = await openRunFolder(run);
    if (asked === undefined) console.log(JSON.stringify(await askStatus(folder), null, 2));
    else console.log(await sendCommand(folder, asked));
    return EXIT.pass;
  },
});
