/** The embedded broker of the matrix: `jobs/broker.ts` in a process of its own, as `deno task broker` starts it. */
import { join } from "node:path";
import config from "../../../deno.json" with { type: "json" };
import { freePort } from "../../../infra/process.ts";
import { SUPERVISED_VARIABLE } from "../../../lib/run/mod.ts";
import type { Setup } from "./behaviours.ts";
import type { MatrixBroker } from "./broker.ts";
import { makeCertificates } from "./certificates.ts";
import { makeTokens } from "./tokens.ts";

const ROOT = join(import.meta.dirname!, "..", "..", "..");

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("Cannot start the embedded broker: it ended before it was ready");
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    reader.releaseLock();
  }
  return text.split("\n", 1)[0]!;
}

interface Launched {
  readonly child: Deno.ChildProcess;
  readonly ready: {
    readonly url: string;
    readonly adminUrl: string;
    readonly tlsUrl?: string | undefined;
  };
}

async function launch(script: string, args: readonly string[]): Promise<Launched> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", script, ...args],
    cwd: ROOT,
    env: { [SUPERVISED_VARIABLE]: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  return { child, ready: JSON.parse(await firstLine(child.stdout)) };
}

async function end({ child }: Launched): Promise<void> {
  // A broker ends with its input.
  await Promise.allSettled([child.stdin.close(), child.stdout.cancel()]);
  await child.status;
}

async function startPlain(folder: string): Promise<MatrixBroker> {
  const script = join(ROOT, "jobs", "broker.ts");
  const ports = [await freePort(0, "port"), await freePort(0, "admin-port")] as const;
  const flags = ["--data", folder, "--port", `${ports[0]}`, "--admin-port", `${ports[1]}`];
  let launched = await launch(script, flags);
  const { url: serviceUrl, adminUrl } = launched.ready;
  return {
    address: { serviceUrl, adminUrl },
    version: `embedded broker ${config.version}`,
    async restart() {
      launched.child.kill("SIGKILL");
      await end(launched);
      launched = await launch(script, flags);
    },
    [Symbol.asyncDispose]: () => end(launched),
  };
}

async function startSecured(folder: string): Promise<MatrixBroker> {
  const folderOfSecrets = await Deno.makeTempDir({ dir: folder });
  const secretFile = join(folderOfSecrets, "secret.key");
  const tokens = await makeTokens(secretFile);
  const certificates = await makeCertificates(folderOfSecrets);
  const { caFile, otherCaFile, serverFile, serverKeyFile } = certificates;
  const script = join(import.meta.dirname!, "secured_broker.ts");
  const data = join(folder, "data");
  const launched = await launch(script, [data, secretFile, serverFile, serverKeyFile]);
  const { url: serviceUrl, adminUrl, tlsUrl = "" } = launched.ready;
  return {
    address: { serviceUrl, adminUrl, tlsUrl, caFile, otherCaFile, ...tokens },
    version: `embedded broker ${config.version}`,
    restart: () => Promise.reject(new Error("Cannot restart: a secured broker is not")),
    [Symbol.asyncDispose]: () => end(launched),
  };
}

/** Starts one whose data are in `folder`. */
export async function startEmbeddedBroker(setup: Setup, folder: string): Promise<MatrixBroker> {
  const clear = () => Deno.remove(folder, { recursive: true }).catch(() => {});
  await clear();
  await Deno.mkdir(folder, { recursive: true });
  const broker = await (setup === "plain" ? startPlain(folder) : startSecured(folder));
  return {
    ...broker,
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      await clear();
    },
  };
}
