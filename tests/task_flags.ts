/** How the tasks of this folder read what they are called with: before anything is started, one line a mistake, exit code 2. */
import { type FlagTable, type FlagValues, parseFlags } from "../jobs/_flags.ts";
import { reportError } from "../jobs/_job.ts";
import { UsageError } from "../lib/base/mod.ts";

/** A task: its flags, and what `--help` prints. */
export interface TestTask<Table extends FlagTable> {
  /** Without `deno task`. */
  readonly name: string;
  readonly help: string;
  readonly table: Table;
  /** Texts that arguments may be a part of; none are taken without. */
  readonly names?: readonly string[];
}

/** What a task was called with. */
export interface TaskCall<Table extends FlagTable> {
  readonly flags: FlagValues<Table>;
  /** Those of `names` that an argument is a part of; all without arguments. */
  readonly chosen: readonly string[];
}

function choose(names: readonly string[], parts: readonly string[]): readonly string[] {
  const lost = parts.find((part) => !names.some((name) => name.includes(part)));
  if (lost === undefined) {
    return names.filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)));
  }
  const known = names.map((name) => JSON.stringify(name)).join(", ");
  throw new UsageError(`Cannot find ${JSON.stringify(lost)}: no name has it`, `known are ${known}`);
}

/** @throws {UsageError} that names every mistake, one a line */
export function readCall<const Table extends FlagTable>(
  { name, table, names = [] }: TestTask<Table>,
  args: readonly string[],
): TaskCall<Table> {
  const positionals = names.length === 0 ? [] : args.map(() => "[NAME]");
  const usage = { command: `deno task ${name}`, summary: "", positionals };
  // A simulation may not read the environment.
  const call = parseFlags(table, usage, args, () => undefined);
  return { flags: call.flags as FlagValues<Table>, chosen: choose(names, call.positionals) };
}

/** Reads the call of this process; on `--help` or a mistake the process ends here, with nothing started. */
export function taskCall<const Table extends FlagTable>(
  task: TestTask<Table>,
  args: readonly string[] = Deno.args,
): TaskCall<Table> {
  if (args.includes("--help")) {
    console.log(task.help);
    Deno.exit(0);
  }
  try {
    return readCall(task, args);
  } catch (error) {
    Deno.exit(reportError(task.name, error, false));
  }
}
