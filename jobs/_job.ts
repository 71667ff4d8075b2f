import { lineOf, UsageError, WeirError } from "../lib/base/mod.ts";
import { type FlagTable, type FlagValues, helpText, parseFlags, type Usage } from "./_flags.ts";

/** The exit codes of every job. */
export const EXIT = { pass: 0, fail: 1, usage: 2, void: 3, interrupted: 130 } as const;

const DENO_VERSION_MIN = "2.9.0";

/** What a job's body gets. */
export interface JobContext<Table extends FlagTable> {
  readonly flags: FlagValues<Table> & { readonly verbose: boolean };
  readonly positionals: readonly string[];
}

/** A job: its flags, how it is called, and what it does. */
export interface Job<Table extends FlagTable> {
  readonly usage: Usage;
  readonly table: Table;
  /** @returns the exit code */
  run(context: JobContext<Table>): Promise<number>;
}

function isOlder(version: string, least: string): boolean {
  const [a = [], b = []] = [version, least].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) < (b[i] ?? 0);
  }
  return false;
}

function assertDenoVersion(version: string): void {
  if (!isOlder(version, DENO_VERSION_MIN)) return;
  throw new UsageError(
    `Cannot run on Deno ${version}: at least ${DENO_VERSION_MIN} is needed`,
    "run `npx -y deno@2.9.6 task …` or `deno upgrade`",
  );
}

/**
 * Keeps requests to this machine away from the proxy that a company's laptop has in HTTP_PROXY: Deno's fetch would send them there.
 */
function keepLoopbackFromProxy(): void {
  const hasProxy = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].some((name) =>
    Deno.env.get(name)
  );
  if (!hasProxy) return;
  const given = Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy") ?? "";
  Deno.env.set("NO_PROXY", [given, "127.0.0.1,localhost,::1"].filter(Boolean).join(","));
}

/** The name of a job in its error lines: the task. */
function nameOf(usage: Usage): string {
  return usage.command.replace(/^deno task /, "");
}

/** Writes what went wrong to stderr, one line each, and says the exit code. */
export function reportError(name: string, error: unknown, verbose: boolean): number {
  const isUsage = error instanceof UsageError;
  const lines = isUsage && error.cure === undefined ? error.message.split("\n") : [lineOf(error)];
  for (const line of lines) console.error(`${name}: ${line}`);
  if (verbose && error instanceof Error) console.error(error.stack, error.cause ?? "");
  return isUsage || error instanceof WeirError ? EXIT.usage : EXIT.fail;
}

/** What a job is run with. */
export interface RunOptions {
  /** As given on the command line. */
  readonly args?: readonly string[];
  /** Of the Deno that runs it. */
  readonly denoVersion?: string;
}

/**
 * Runs a job: `--help`, flags, body, errors as one line.
 *
 * @returns the exit code
 */
export async function exitCodeOf<const Table extends FlagTable>(
  job: Job<Table>,
  { args = Deno.args, denoVersion = Deno.version.deno }: RunOptions = {},
): Promise<number> {
  const isVerbose = args.includes("--verbose");
  try {
    keepLoopbackFromProxy();
    assertDenoVersion(denoVersion);
    const { flags, positionals } = parseFlags(job.table, job.usage, args);
    if (flags.help) {
      console.log(helpText(job.table, job.usage));
      return EXIT.pass;
    }
    return await job.run({ flags, positionals } as JobContext<Table>);
  } catch (error) {
    return reportError(nameOf(job.usage), error, isVerbose);
  }
}

/** Runs a job from the command line, and ends this process with its exit code. */
export async function runJob<const Table extends FlagTable>(
  job: Job<Table>,
  args: readonly string[] = Deno.args,
): Promise<never> {
  Deno.exit(await exitCodeOf(job, { args }));
}
