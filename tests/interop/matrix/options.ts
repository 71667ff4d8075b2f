/** What `deno task test:matrix` can be told. */
import { parseArgs } from "node:util";
import { UsageError } from "../../../lib/base/mod.ts";
import { BEHAVIOURS } from "./behaviours.ts";

export const HELP = `Runs the matrix of behaviours: each client against a real
Pulsar and the embedded broker.

  deno task test:matrix [flags]

  --client NAMES       of weir, python, go, java; by commas (default: all)
  --broker NAMES       of real, embedded (default: both)
  --filter TEXT        only behaviours whose name holds TEXT
  --workers N          scenarios side by side in one client (default: 4)
  --differences FILE   writes what differs into FILE
  --page               only makes the page anew, from the last result
  --help

A run of all behaviours is kept in tests/interop/matrix/result.jsonl and
makes docs/pulsar-compatibility.md anew.`;

/** What to run. */
export interface MatrixOptions {
  readonly clients: readonly string[];
  readonly brokers: readonly string[];
  readonly filter: string;
  readonly workers: number;
  readonly differencesFile: string | undefined;
  readonly isPageOnly: boolean;
}

/** The kinds of brokers, in the order of the columns. */
export const BROKERS = ["real", "embedded"] as const;

function namesOf(flag: string, text: string | undefined, known: readonly string[]): string[] {
  if (text === undefined) return [...known];
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined || names.length === 0) {
    throw new UsageError(
      `Cannot read --${flag} "${text}": there is no "${unknown ?? ""}"`,
      `known are ${known.join(", ")}`,
    );
  }
  return names;
}

function workersOf(text = "4"): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`Cannot read --workers "${text}": expected a number from 1 on`);
}

/**
 * Reads the flags.
 *
 * @throws {UsageError} that names the flag and what is known
 */
export function parseMatrixOptions(
  args: readonly string[],
  clients: readonly string[],
): MatrixOptions | "help" {
  const text = { type: "string" } as const;
  const options = {
    "client": text,
    "broker": text,
    "filter": { type: "string", default: "" },
    "workers": { type: "string", default: "4" },
    "differences": text,
    "page": { type: "boolean", default: false },
    "help": { type: "boolean", default: false },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];
  try {
    ({ values } = parseArgs({ args: [...args], options, strict: true }));
  } catch (error) {
    const known = Object.keys(options).map((flag) => `--${flag}`).join(" ");
    throw new UsageError((error as Error).message, `known are ${known}`, error);
  }
  if (values.help) return "help";
  const { filter = "" } = values;
  if (!BEHAVIOURS.some(({ id }) => id.includes(filter))) {
    throw new UsageError(`Cannot run: no behaviour has "${filter}" in its name`);
  }
  return {
    clients: namesOf("client", values.client, clients),
    brokers: namesOf("broker", values.broker, BROKERS),
    filter,
    workers: workersOf(values.workers),
    differencesFile: values.differences,
    isPageOnly: values.page ?? false,
  };
}
