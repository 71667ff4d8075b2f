import { TextLineStream } from "./lines.ts";
import { RunError } from "./errors.ts";
import {
  type FailureLine,
  type NumberedCommand,
  parseRoleLine,
  type ReadyLine,
  type Role,
  type RoleLine,
  SUPERVISED_VARIABLE,
} from "./protocol.ts";

/** How a role is started. */
export interface RoleSpec {
  /** Unique in the run: `aggregate-2`. */
  readonly name: string;
  readonly role: Role;
  /** Absolute path of the job. */
  readonly script: string;
  /** Deno's permission flags; nothing else is allowed. */
  readonly permissions: readonly string[];
  /** @param previous what the role said when it was last ready: it keeps its port */
  args(previous: ReadyLine | undefined): readonly string[];
  /** Variables beside those that every process needs. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How a role ended. */
export interface RoleExit {
  readonly code: number;
  readonly signal: string | null;
  /** What it said last, on one line. */
  readonly lastWords: string;
  /** Code of the error that ended it, where it gave one. */
  readonly failureCode: string | null;
  /** It said that the same start may succeed later. */
  readonly isRetryable: boolean;
}

/** One process of a role. */
export interface RoleProcess {
  readonly pid: number;
  /** Rejects with the role's last words when it ends before it is ready. */
  readonly ready: Promise<ReadyLine>;
  readonly exited: Promise<RoleExit>;
  /** Asks it to end by closing its standard input. */
  closeInput(): void;
  /** Tells it something; what cannot be told any more is lost, and no answer comes. */
  tell(command: NumberedCommand): void;
  kill(signal: Deno.Signal): void;
}

/** What every process needs of the runner's environment; nothing that could change a role's flags. */
const PASSED_VARIABLES = [
  "PATH",
  "HOME",
  "DENO_DIR",
  // Where packages come from names the folder of the cache that holds them.
  "NPM_CONFIG_REGISTRY",
  // Certificates of a company: its ClickHouse may need them.
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "TMPDIR",
  "TEMP",
  "TMP",
  "LANG",
  "TZ",
  "USERPROFILE",
  "LOCALAPPDATA",
  "SYSTEMROOT",
  "XDG_CACHE_HOME",
  "NO_COLOR",
];

function environmentOf(spec: RoleSpec): Record<string, string> {
  const passed = PASSED_VARIABLES.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), [SUPERVISED_VARIABLE]: "1", ...spec.environment };
}

function commandOf(spec: RoleSpec, config: string, previous: ReadyLine | undefined): Deno.Command {
  const args = ["run", "--quiet", "--no-prompt", "--config", config];
  return new Deno.Command(Deno.execPath(), {
    args: [...args, ...spec.permissions, spec.script, ...spec.args(previous)],
    env: environmentOf(spec),
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Where a role's process goes. */
export interface StartOptions {
  /** Path of deno.json. */
  readonly config: string;
  /** What it writes to stderr, and every line that is not of the protocol, is appended here. */
  readonly logPath: string;
  readonly previous?: ReadyLine | undefined;
  onLine(line: RoleLine): void;
}

const LAST_WORDS_LINES_MAX = 20;

/**
 * What a process said last.
 *
 * @returns the last line that says something: Deno's errors end with where in the code they were thrown; empty where nothing was said
 */
export function lastWordsOf(tail: readonly string[]): string {
  // deno-lint-ignore no-control-regex
  const plain = tail.map((line) => line.replaceAll(/\x1b\[[0-9;]*m/g, ""));
  const isPlace = (line: string) => /^(\s|Stack backtrace|$)/.test(line);
  return plain.findLast((line) => !isPlace(line)) ?? "";
}

/** Starts one process of a role. */
export function startRole(spec: RoleSpec, options: StartOptions): RoleProcess {
  const child = commandOf(spec, options.config, options.previous).spawn();
  const log = Deno.openSync(options.logPath, { append: true, create: true });
  const text = new TextEncoder();
  const tail: string[] = [];
  let failure: FailureLine | undefined;
  const keep = (line: string) => {
    try {
      log.writeSync(text.encode(line + "\n"));
    } catch {
      // The disk is full: what a role says last is kept all the same.
    }
    tail.push(line);
    if (tail.length > LAST_WORDS_LINES_MAX) tail.shift();
  };
  const ready = Promise.withResolvers<ReadyLine>();
  ready.promise.catch(() => {/* who waits for it sees it */});
  const take = (line: string) => {
    const parsed = parseRoleLine(line);
    if (parsed === undefined) return keep(line);
    if ("ready" in parsed) return ready.resolve(parsed);
    if (parsed.event === "failure") {
      failure = parsed;
      keep(parsed.message);
    }
    options.onLine(parsed);
  };
  const reading = [readLines(child.stdout, take), readLines(child.stderr, keep)];
  const exited = (async (): Promise<RoleExit> => {
    const status = await child.status;
    await Promise.all(reading);
    log.close();
    const lastWords = failure?.message ?? lastWordsOf(tail);
    const failureCode = failure?.code ?? null;
    const isRetryable = failure?.retryable ?? false;
    const exit = { code: status.code, signal: status.signal, lastWords, failureCode, isRetryable };
    ready.reject(notReady(spec, exit));
    return exit;
  })();
  const input = child.stdin.getWriter();
  const gone = () => {/* it has ended by itself */};
  return {
    pid: child.pid,
    ready: ready.promise,
    exited,
    closeInput: () => void input.close().catch(gone),
    tell: (command) => void input.write(text.encode(JSON.stringify(command) + "\n")).catch(gone),
    kill: (signal) => {
      try {
        child.kill(signal);
      } catch (error) {
        // It ended between the decision and the signal.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}

function notReady(spec: RoleSpec, exit: RoleExit): RunError {
  const why = exit.lastWords.replace(/^\w+: /, "") || describeExit(exit);
  return new RunError(why.startsWith("Cannot") ? why : `Cannot start ${spec.name}: ${why}`, {
    code: "role_not_ready",
  });
}

/** How a process ended, in words. */
export function describeExit(exit: RoleExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) take(line);
}
