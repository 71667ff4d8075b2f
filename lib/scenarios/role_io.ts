import type { Clock } from "../base/mod.ts";
import { lineOf, messageOf, systemClock, WeirError } from "../base/mod.ts";
import {
  countInterrupts,
  type NumberedCommand,
  parseRoleCommand,
  type ReadyLine,
  type RoleLine,
  SUPERVISED_VARIABLE,
  TextLineStream,
} from "../run/mod.ts";

/** How a role talks to whoever started it. */
export interface RoleIo {
  readonly supervised: boolean;
  /** Aborted when the role should end: its standard input was closed, or a person pressed Ctrl-C. */
  readonly ending: AbortSignal;
  /** Has the commands of a runner carried out; those that came before are carried out now. What the handler throws is the refusal. */
  onCommand(handler: (command: NumberedCommand) => void): void;
  /** One line of the protocol on standard output; nothing where a person reads. */
  say(line: RoleLine): void;
  /** A line for a person on standard error; nothing where a runner reads. */
  tell(text: string): void;
}

const text = new TextEncoder();

function writeAll(line: string): void {
  let rest = text.encode(line);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

/** Takes the commands on standard input until it closes. */
async function readCommands(take: (command: NumberedCommand) => void): Promise<void> {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  try {
    for await (const line of lines) {
      const command = parseRoleCommand(line);
      if (command !== undefined) take(command);
    }
  } catch {
    // Whoever started this process is gone: that closes the input too.
  }
}

/**
 * A runner that was killed closes both ends: nobody judges what would still be drained, and nobody ends a role that waits for a broker that is gone.
 * The ledger and the checkpoints hold what was.
 */
function exitWithoutRunner(say: (line: RoleLine) => void): void {
  try {
    say({ event: "note", kind: "ending", data: null });
  } catch {
    Deno.exit(1);
  }
}

/**
 * The ends of a role's process. Under a runner it ends with its standard input and leaves Ctrl-C, which reaches the whole terminal, to the
 * runner; started by a person it ends with Ctrl-C.
 */
export function openRoleIo(): RoleIo {
  const supervised = Deno.env.get(SUPERVISED_VARIABLE) === "1";
  const ending = new AbortController();
  const early: NumberedCommand[] = [];
  let handle = (command: NumberedCommand) => void early.push(command);
  const say = (line: RoleLine) => {
    if (supervised) return writeAll(JSON.stringify(line) + "\n");
    if ("ready" in line) writeAll(readyText(line, Deno.stdout.isTerminal()) + "\n");
  };
  const end = () => ending.abort(new DOMException("asked to end", "AbortError"));
  if (supervised) {
    Deno.addSignalListener("SIGINT", () => {/* the runner decides */});
    void readCommands((command) => handle(command)).then(() => {
      end();
      exitWithoutRunner(say);
    });
  } else {
    const { stopping, abandoning, take } = countInterrupts(systemClock);
    stopping.addEventListener("abort", end);
    abandoning.addEventListener("abort", () => Deno.exit(130));
    Deno.addSignalListener("SIGINT", take);
  }
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", end);
  return {
    supervised,
    ending: ending.signal,
    onCommand(handler) {
      handle = (command) => {
        let refusal: string | null = null;
        try {
          handler(command);
        } catch (error) {
          refusal = messageOf(error);
        }
        say({ event: "answer", id: command.id, refusal });
      };
      early.splice(0).forEach((command) => handle(command));
    },
    say,
    tell: (message) => {
      if (!supervised) console.error(message);
    },
  };
}

/** A reader that was displaced and has stopped may begin again; it is the process that must not go on. */
const RESTARTABLE_CODES: readonly unknown[] = ["stale_owner"];

/** The ready line as whoever reads it wants it: plain for a person, JSON for a script. */
function readyText(line: ReadyLine, isTerminal: boolean): string {
  if (!isTerminal) return JSON.stringify(line);
  return `${line.role} is ready; figures at ${line.metricsUrl}; Ctrl-C ends it`;
}

const TELL_EVERY_MS = 5000;

/** Tells a person every 5 s, and once at the end, how it goes; a runner has the figures. */
export function tellProgress(io: RoleIo, clock: Clock, line: () => string): () => void {
  if (io.supervised) return () => {};
  const stop = clock.every(TELL_EVERY_MS, () => io.tell(line()));
  return () => {
    stop();
    io.tell(line());
  };
}

/** Says a role's last words. */
export function sayFailure(io: RoleIo, error: unknown): void {
  const code = (error as { code?: unknown } | null)?.code;
  io.say({
    event: "failure",
    message: lineOf(error),
    retryable: error instanceof WeirError &&
      (error.retryable || RESTARTABLE_CODES.includes(error.code)),
    ...(typeof code === "string" ? { code } : {}),
  });
}

/** Says each second the latencies recorded since; ends with a last one. */
export function sayIntervals(
  io: RoleIo,
  clock: Clock,
  take: () => Record<string, { hdr: string; negative: number }>,
): () => void {
  let fromMs = clock.wallMs();
  const say = () => {
    const histograms = take();
    const atMs = clock.wallMs();
    if (Object.keys(histograms).length > 0) {
      io.say({ event: "interval", atMs, fromMs, histograms });
    }
    fromMs = atMs;
  };
  const stop = clock.every(1000, say);
  return () => {
    stop();
    say();
  };
}

/** Waits until a runner asks the role to end, so that its last figures are sampled; where a person started it, it ends by itself. */
export async function untilDismissed({ supervised, ending }: RoleIo): Promise<void> {
  if (!supervised || ending.aborted) return;
  await new Promise((resolve) => ending.addEventListener("abort", resolve, { once: true }));
}

/** The line that says that a role can be used. */
export function readyLine(
  role: ReadyLine["role"],
  metricsUrl: string,
  more: Partial<ReadyLine> = {},
): ReadyLine {
  return { role, ready: true, pid: Deno.pid, metricsUrl, ...more };
}
