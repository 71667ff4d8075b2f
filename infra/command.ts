/**
 * What `infra:up` and `infra:down` have in common: the name of the server, Ctrl-C, errors on one line, exit codes.
 *
 * @module
 */
import { lineOf, UsageError } from "../lib/base/mod.ts";

const EXIT_SET_UP = 2;
const EXIT_INTERRUPTED = 130;

/** What is done for one server, with the flags after its name. */
export type Action = (args: string[], signal: AbortSignal) => Promise<void>;

/**
 * The action that the first argument names, with the arguments that are left.
 *
 * @returns `"help"` when nothing or help is asked for
 * @throws {UsageError} when no action has that name
 */
export function chooseAction(
  args: readonly string[],
  actions: Readonly<Record<string, Action>>,
): { action: Action; rest: string[] } | "help" {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h") return "help";
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action !== undefined) return { action, rest };
  throw new UsageError(
    `Cannot run: there is no server "${name}"`,
    `known are ${Object.keys(actions).join(", ")}`,
  );
}

/** Runs one command of the command line and ends the process: 0, 2 for a set-up error, 130 for Ctrl-C. */
export async function runCommand(
  task: string,
  actions: Readonly<Record<string, Action>>,
): Promise<never> {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => abort.abort(new UsageError(`Stopped by ${name}`)));
  }
  try {
    const chosen = chooseAction(Deno.args, actions);
    if (chosen === "help") {
      const names = Object.keys(actions).join("|");
      console.log(
        `deno task ${task} ${names} [flags]\n\nThe flags: deno task ${task} ${names} --help`,
      );
    } else {
      await chosen.action(chosen.rest, abort.signal);
    }
    Deno.exit(0);
  } catch (error) {
    console.error(`${task}: ${lineOf(error)}`);
    Deno.exit(abort.signal.aborted ? EXIT_INTERRUPTED : EXIT_SET_UP);
  }
}
