import { Secret, UsageError } from "../lib/base/mod.ts";
import { SUPERVISED_VARIABLE } from "../lib/run/mod.ts";
import { type EmbeddedClickHouse, serveEmbeddedClickHouse } from "../lib/sinks/mod.ts";
import type { FlagTable, FlagValues, Usage } from "./_flags.ts";
import { keptPassword, passwordFileOf } from "./_clickhouse_password.ts";
import { EXIT, runJob } from "./_job.ts";
import { sayReady } from "./_ready.ts";

const TABLE = {
  "port": {
    kind: "count",
    default: "8123",
    min: 0,
    max: 65_535,
    help: "port on 127.0.0.1; 0 takes a free one",
  },
  "data": { kind: "text", default: ".data/clickhouse", help: "folder of the data" },
  "user": { kind: "text", default: "default", env: ["CLICKHOUSE_USER"], help: "its one user" },
  "password-file": {
    kind: "text",
    help: "file with the password (default: CLICKHOUSE_PASSWORD, else one is made beside the data)",
  },
  "threads": {
    kind: "count",
    default: "2",
    min: 1,
    max: 256,
    help: "threads that one query may use",
  },
  "memory": {
    kind: "size",
    default: "1GiB",
    min: 268_435_456,
    help: "memory that all queries together may use",
  },
} as const satisfies FlagTable;

const USAGE: Usage = {
  command: "deno task clickhouse",
  summary: "Serves ClickHouse's HTTP interface on 127.0.0.1, from the engine as a library (chDB).",
  examples: ["deno task clickhouse --port 8123 --data .data/clickhouse"],
};

async function readPassword(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return Deno.env.get("CLICKHOUSE_PASSWORD") || undefined;
  try {
    return (await Deno.readTextFile(file)).trimEnd();
  } catch (cause) {
    throw new UsageError(
      `Cannot read the password: "${file}" is missing or not readable`,
      "give a file with --password-file",
      cause,
    );
  }
}

/** A person gets to know where the password is that was made, and how to use it. */
function showPassword(server: EmbeddedClickHouse, user: string, file: string): void {
  console.error(`user ${user}, password in ${file} (CLICKHOUSE_PASSWORD sets your own)`);
  console.error(`curl -u "${user}:$(cat ${file})" '${server.url}/?query=SELECT+version()'`);
}

/** Resolves when this process is asked to end: SIGTERM, the end of its input when a runner started it, Ctrl-C when a person did. */
function askedToEnd(isSupervised: boolean): Promise<void> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGTERM", () => resolve());
    // Under a runner the listener keeps the signal, which reaches all processes of a terminal, from ending this one.
    Deno.addSignalListener("SIGINT", () => isSupervised ? undefined : resolve());
    if (isSupervised) Deno.stdin.readable.pipeTo(new WritableStream()).finally(resolve);
  });
}

async function run({ flags }: { flags: FlagValues<typeof TABLE> }): Promise<number> {
  const isSupervised = Deno.env.get(SUPERVISED_VARIABLE) === "1";
  const ended = askedToEnd(isSupervised);
  const given = await readPassword(flags["password-file"]);
  const keptIn = passwordFileOf(flags.data);
  const password = given ?? await keptPassword(keptIn);
  const server = await serveEmbeddedClickHouse({
    dataDir: flags.data,
    port: flags.port,
    user: flags.user,
    password: new Secret(password),
    threads: flags.threads,
    memoryBytes: flags.memory,
  });
  const { url, port, version } = server;
  const ready = { role: "clickhouse", ready: true, pid: Deno.pid, port, url, version };
  const metricsUrl = `${url}/metrics`;
  sayReady({ ...ready, metricsUrl }, [
    `ClickHouse ${version} (embedded) answers at ${url}, figures at ${metricsUrl}; Ctrl-C ends it`,
  ]);
  if (given === undefined) showPassword(server, flags.user, keptIn);
  await ended;
  if (await server.close()) return EXIT.pass;
  console.error(
    "clickhouse: a query did not end; the process is killed, what was acknowledged is on the disk",
  );
  Deno.kill(Deno.pid, "SIGKILL");
  return EXIT.fail;
}

if (import.meta.main) await runJob({ usage: USAGE, table: TABLE, run });
