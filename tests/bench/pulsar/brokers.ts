/** The brokers of the bench, each in a process of its own. */
import { join } from "node:path";
import { parseUp } from "../../../infra/pulsar/options.ts";
import { bringPulsarDown, bringPulsarUp } from "../../../infra/pulsar/server.ts";
import { UsageError } from "../../../lib/base/mod.ts";
import { SUPERVISED_VARIABLE } from "../../../lib/run/mod.ts";
import { LineReader } from "./line_reader.ts";

const ROOT = join(import.meta.dirname!, "..", "..", "..");

/** A broker that runs; its data go with it. */
export interface BenchBroker extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly serviceUrl: string;
  readonly adminUrl: string;
}

/** The embedded broker as `deno task broker` starts it; with `ffi` it may use the CPU's own CRC-32C. */
export async function startEmbedded(
  options: { readonly ffi: boolean; readonly folder: string },
): Promise<BenchBroker> {
  const data = await Deno.makeTempDir({ dir: options.folder, prefix: "embedded-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-net=127.0.0.1", "--allow-read", "--allow-write", "--allow-env"],
      ...(options.ffi ? ["--allow-ffi"] : []),
      ...[join(ROOT, "jobs", "broker.ts"), "--port", "0", "--admin-port", "0", "--data", data],
      ...["--durability", "os"],
    ],
    cwd: ROOT,
    env: { [SUPERVISED_VARIABLE]: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = new LineReader(child.stdout);
  const { url, adminUrl } = JSON.parse(await lines.next() ?? "{}");
  if (url === undefined) throw new UsageError("Cannot start: the embedded broker has ended");
  return {
    name: options.ffi ? "embedded" : "embedded, no FFI",
    pid: child.pid,
    serviceUrl: url,
    adminUrl,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await lines.cancel();
      await child.status;
      await Deno.remove(data, { recursive: true });
    },
  };
}

/** A real Pulsar, as `deno task infra:up pulsar` starts it, on ports and data of its own. */
export async function startReal(folder: string, signal: AbortSignal): Promise<BenchBroker> {
  const dataDir = join(folder, "pulsar");
  const flags = ["--port", "0", "--admin-port", "0", "--data", dataDir, "--heap", "1g"];
  const options = parseUp(flags);
  if (options === "help") throw new UsageError("Cannot start: no flags");
  const server = await bringPulsarUp(options, console.error, signal);
  return {
    name: server.name,
    pid: server.pid,
    serviceUrl: server.serviceUrl,
    adminUrl: server.adminUrl,
    async [Symbol.asyncDispose]() {
      await bringPulsarDown({ dataDir, deleteData: true, waitMs: 30_000 }, () => {});
    },
  };
}
