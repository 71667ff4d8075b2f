import { TextLineStream } from "../../lib/run/mod.ts";
import { engineLockPath } from "../../lib/sinks/mod.ts";
import { type Result, resultSchema } from "../../lib/verdict/mod.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** How a job ended and what it wrote. */
export interface JobEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A job in a process of its own. */
export interface StartedJob extends AsyncDisposable {
  readonly pid: number;
  readonly end: Promise<JobEnd>;
  /** The first line on standard output, as JSON; of a role, its ready line. */
  readonly ready: Promise<unknown>;
  /** Resolves with the first line on standard error that matches; rejects when the job ends before. */
  said(pattern: RegExp): Promise<string>;
  kill(signal: Deno.Signal): void;
}

/** What every process needs; nothing of the caller's that would be a flag. */
function environmentOf(more: Record<string, string>): Record<string, string> {
  const passed = ["PATH", "HOME", "DENO_DIR", "TMPDIR", "XDG_CACHE_HOME", "NPM_CONFIG_REGISTRY"];
  const known = passed.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(known), NO_COLOR: "1", ...more };
}

function commandOf(job: string, args: readonly string[], environment: Record<string, string>) {
  // The engine has a lock of its own: in the other one everybody would download it.
  const lock = job === "clickhouse" ? [`--lock=${engineLockPath(ROOT)}`] : [];
  const flags = ["--quiet", "--no-prompt", ...lock, "--allow-all"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, `${ROOT}/jobs/${job}.ts`, ...args],
    env: environmentOf(environment),
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Starts a job as its task does; it is killed by its process id when the test is through with it. */
export function startJob(
  job: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): StartedJob {
  const child = commandOf(job, args, environment).spawn();
  const said: string[] = [];
  const waiting = new Set<() => void>();
  const reading = (async () => {
    const lines = child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    );
    for await (const line of lines) {
      said.push(line);
      for (const look of waiting) look();
    }
  })();
  const ready = Promise.withResolvers<unknown>();
  ready.promise.catch(() => {/* only roles have one */});
  const readOutput = async () => {
    let text = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const [line, rest] = text.split("\n", 2);
      if (rest !== undefined && line!.endsWith("}")) ready.resolve(JSON.parse(line!));
    }
    return text;
  };
  const end = (async () => {
    const [stdout, status] = await Promise.all([readOutput(), child.status, reading]);
    ready.reject(new Error(`it ended:\n${said.join("\n")}`));
    return { code: status.code, stdout, stderr: said.join("\n") };
  })();
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended.
    }
  };
  return {
    pid: child.pid,
    end,
    ready: ready.promise,
    kill,
    said(pattern) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const look = () => {
        const line = said.find((one) => pattern.test(one));
        if (line !== undefined) resolve(line);
      };
      waiting.add(look);
      look();
      end.then(() => reject(new Error(`${pattern} was not said:\n${said.join("\n")}`)));
      return promise.finally(() => waiting.delete(look));
    },
    async [Symbol.asyncDispose]() {
      kill("SIGKILL");
      await end;
    },
  };
}

/** Runs a job to its end. */
export async function runJob(
  job: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<JobEnd> {
  await using started = startJob(job, args, environment);
  return await started.end;
}

/** A folder for a test, gone with it. */
export async function scratch(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "weir-test-bench-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** The result that a job printed: one JSON document and nothing else on standard output. */
export function resultOf({ stdout, stderr }: JobEnd): Result {
  if (stdout === "") throw new Error(`no result:\n${stderr}`);
  return resultSchema.parse(JSON.parse(stdout));
}

/** Waits until the producer of a run has noted receipts for more than `bytesMin` of ledger. */
export async function untilAcknowledged(run: string, bytesMin = 0): Promise<void> {
  const ledger = `${run}/ledger/produce.jsonl`;
  using watcher = Deno.watchFs(`${run}/ledger`);
  const isThere = async () => {
    const text = await Deno.readTextFile(ledger).catch(() => "");
    return text.includes('"acked"') && text.length >= bytesMin;
  };
  if (await isThere()) return;
  for await (const _ of watcher) if (await isThere()) return;
}

/** Process ids of a run's roles, by name. */
export async function rolePids(folder: string): Promise<Record<string, number>> {
  const roles: Record<string, { pid: number }> = JSON.parse(
    await Deno.readTextFile(`${folder}/roles.json`),
  );
  return Object.fromEntries(Object.entries(roles).map(([name, { pid }]) => [name, pid]));
}

async function isAlive(pid: number): Promise<boolean> {
  const { success } = await new Deno.Command("kill", {
    args: ["-0", String(pid)],
    stderr: "null",
  }).output();
  return success;
}

const LOOKS_MAX = 2000;

/** Waits until none of the processes lives; gives those that outlive the wait. */
export async function survivors(pids: readonly number[]): Promise<number[]> {
  let left = [...pids];
  for (let look = 0; look < LOOKS_MAX && left.length > 0; look++) {
    const alive = await Promise.all(left.map(isAlive));
    left = left.filter((_, i) => alive[i]);
  }
  return left;
}
