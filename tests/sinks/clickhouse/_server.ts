import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import assert from "node:assert/strict";
import { engineLockPath } from "../../../lib/sinks/mod.ts";
import { TextLineStream } from "./_lines.ts";

const ROOT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
const JOB = `${ROOT}/jobs/clickhouse.ts`;

/** A password that would do harm where it is not quoted. */
export const PASSWORD = 'it\'s \\ "a" p:ß%20';

/** The job in a process of its own. */
export interface ClickHouseJob extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly ready: Record<string, unknown> & { url: string; port: number; pid: number };
  readonly dataDir: string;
  /** What it wrote to standard error, once it has ended. */
  readonly stderr: Promise<string>;
  /** Sends `sql` as the body, with URL parameters. */
  ask(
    sql: string | Uint8Array,
    parameters?: Record<string, string>,
    init?: RequestInit,
  ): Promise<Response>;
  /** The text of the answer; fails when it is an error. */
  text(sql: string, parameters?: Record<string, string>): Promise<string>;
  /** Ends it as the power does. */
  crash(): Promise<void>;
}

export function authorization(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** Starts the job; supervised, so that it ends with its input. */
export function spawnJob(
  args: readonly string[],
  environment: Record<string, string> = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", `--lock=${engineLockPath(ROOT)}`, "--allow-all", JOB, ...args],
    env: { WEIR_SUPERVISED: "1", CLICKHOUSE_PASSWORD: PASSWORD, ...environment },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Starts an embedded ClickHouse and waits until it is ready. */
export async function startJob(options: { dataDir?: string } = {}): Promise<ClickHouseJob> {
  const dataDir = options.dataDir ?? await Deno.makeTempDir({ prefix: "weir-test-clickhouse-" });
  const child = spawnJob(["--port=0", `--data=${dataDir}`]);
  const stderr = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  const first = await lines.read();
  if (first.done) throw new Error(`the job ended: ${await stderr}`);
  const ready = JSON.parse(first.value);
  const ask: ClickHouseJob["ask"] = (sql, parameters = {}, init = {}) => {
    const query = new URLSearchParams(parameters);
    const headers = { authorization: authorization("default", PASSWORD), ...init.headers };
    return fetch(`${ready.url}/?${query}`, {
      method: "POST",
      body: sql as BodyInit,
      ...init,
      headers,
    });
  };
  const end = async () => {
    await child.status;
    await lines.cancel();
    await stderr;
  };
  return {
    child,
    ready,
    dataDir,
    stderr,
    ask,
    async text(sql, parameters) {
      const response = await ask(sql, parameters);
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return text;
    },
    async crash() {
      child.kill("SIGKILL");
      await child.stdin.close().catch(() => {});
      await end();
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.close().catch(() => {});
      await end();
      if (options.dataDir === undefined) await Deno.remove(dataDir, { recursive: true });
    },
  };
}

/** The official client on a job. */
export function clientOf(job: ClickHouseJob, options: Parameters<typeof createClient>[0] = {}) {
  return createClient({
    url: job.ready.url,
    password: PASSWORD,
    log: { level: ClickHouseLogLevel.OFF },
    ...options,
  });
}

/** Sees that an answer is an error of ClickHouse as its own server words it, without a secret in it, and gives its text. */
export async function refused(
  answer: Promise<Response> | Response,
  code: number,
  status?: number,
): Promise<string> {
  const response = await answer;
  const text = await response.text();
  assert.equal(response.headers.get("x-clickhouse-exception-code"), String(code), text);
  assert.match(text, new RegExp(`^Code: ${code}\\. DB::Exception: .*\\([A-Z_]+\\).*\\n$`, "s"));
  assert.doesNotMatch(text, /it's|a" p/);
  if (status !== undefined) assert.equal(response.status, status);
  return text;
}
