/**
 * Processes that go on after the command that started them: start detached, find again by pid, end.
 *
 * @module
 */
import { systemClock, UsageError } from "../lib/base/mod.ts";

const POLL_MS = 50;
const PORT_WAIT_MS = 1_000;

/**
 * Starts a program in a session of its own, its output in `outputFile`.
 *
 * @returns its pid
 */
export async function startDetached(
  program: string,
  args: readonly string[],
  outputFile: string,
): Promise<Deno.ChildProcess> {
  await Deno.writeTextFile(outputFile, "");
  // The shell opens the file and then becomes the program, so the pid is the program's.
  const script = 'out=$1; shift; exec "$@" >>"$out" 2>&1';
  const command = new Deno.Command("sh", {
    args: ["-c", script, "sh", outputFile, program, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  });
  const child = command.spawn();
  child.unref();
  return child;
}

/**
 * What a program prints, read by a child process: Deno itself may read /proc only with every permission.
 *
 * @returns undefined when it fails
 */
async function printed(program: string, args: string[]): Promise<string | undefined> {
  const output = await new Deno.Command(program, { args, stdout: "piped", stderr: "null" })
    .output();
  return output.success ? new TextDecoder().decode(output.stdout) : undefined;
}

/** Whether `pid` is a live process whose command line holds `mark` as an argument of its own. */
export async function isProcess(pid: number, mark: string): Promise<boolean> {
  if (Deno.build.os === "linux") {
    // A process that has ended but was not waited for has an empty command line.
    return (await printed("cat", [`/proc/${pid}/cmdline`]))?.split("\0").includes(mark) ?? false;
  }
  const line = await printed("ps", ["-ww", "-o", "command=", "-p", `${pid}`]);
  return ` ${line?.trim()} `.includes(` ${mark} `);
}

/** How to end a process. */
export interface EndOptions {
  readonly pid: number;
  readonly mark: string;
  /** It is killed when it has not ended by itself after this. */
  readonly waitMs: number;
}

/**
 * Ends a process, gently first. It is looked at again before each signal, so a pid that was given to
 * another program in the meantime is left alone.
 *
 * @returns how it ended
 */
export async function endProcess(options: EndOptions): Promise<"ended" | "killed" | "absent"> {
  const { pid, mark, waitMs } = options;
  if (!await isProcess(pid, mark)) return "absent";
  Deno.kill(pid, "SIGTERM");
  const until = systemClock.monoUs() + waitMs * 1000;
  while (systemClock.monoUs() < until) {
    if (!await isProcess(pid, mark)) return "ended";
    await systemClock.sleep(POLL_MS);
  }
  if (!await isProcess(pid, mark)) return "ended";
  Deno.kill(pid, "SIGKILL");
  while (await isProcess(pid, mark)) await systemClock.sleep(POLL_MS);
  return "killed";
}

/** Resident memory of a process in bytes; undefined where the host does not tell. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const status = await printed("cat", [`/proc/${pid}/status`]);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/**
 * A port on loopback that nothing listens on. One that is taken is tried for a moment longer: a process that was killed
 * is gone from the list of processes some milliseconds before its sockets are.
 *
 * @param port the one that is wanted, 0 for any
 * @throws {UsageError} when it is taken or not allowed
 */
export async function freePort(port: number, flag: string): Promise<number> {
  const untilUs = systemClock.monoUs() + PORT_WAIT_MS * 1000;
  for (;;) {
    try {
      const listener = Deno.listen({ hostname: "127.0.0.1", port });
      const free = listener.addr.port;
      listener.close();
      return free;
    } catch (error) {
      const isTaken = error instanceof Deno.errors.AddrInUse;
      if (!isTaken || systemClock.monoUs() > untilUs) throw portError(port, flag, error as Error);
    }
    await systemClock.sleep(POLL_MS);
  }
}

function portError(port: number, flag: string, error: Error): UsageError {
  const state = error instanceof Deno.errors.AddrInUse
    ? `port ${port} is taken`
    : `port ${port} cannot be opened (${error.message})`;
  return new UsageError(`Cannot start: ${state}`, `give another one with --${flag}`, error);
}

/** The last lines of a text file, the empty ones left out; none when there is no such file. */
export async function lastLines(file: string, count: number): Promise<string[]> {
  try {
    const lines = (await Deno.readTextFile(file)).split("\n");
    return lines.filter((line) => line.trim() !== "").slice(-count);
  } catch {
    return [];
  }
}
