/** The embedded broker of the matrix: `jobs/broker.ts` in a process of its own, as `deno task broker` starts it. */
import { join } from "node:path";
import config from "../../../deno.json" with { type: "json" };
import { freePort } from "../../../infra/process.ts";
import { SUPERVISED_VARIABLE } from "../../../lib/run/mod.ts";
import type { Setup } from "./behaviours.ts";
import type { BrokerAddress, MatrixBroker } from "./broker.ts";
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

async function launch(folder: string, flags: readonly string[]): Promise<{
  child: Deno.ChildProcess;
  ready: { url: string; adminUrl: string };
}> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", join(ROOT, "jobs", "broker.ts")],
      ...["--data", folder, ...flags],
    ],
    cwd: ROOT,
    env: { [SUPERVISED_VARIABLE]: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  return { child, ready: JSON.parse(await firstLine(child.stdout)) };
}

async function securedFlags(folder: string): Promise<{ flags: string[]; address: object }> {
  const folderOfSecrets = `${folder}-secrets`;
  await Deno.mkdir(folderOfSecrets, { recursive: true });
  const { caFile, otherCaFile, serverFile, serverKeyFile } = await makeCertificates(
    folderOfSecrets,
  );
  const secretFile = join(folderOfSecrets, "secret.key");
  const secrets = await makeTokens(secretFile);
  const port = await freePort(0, "tls-port");
  return {
    flags: [
      ...["--token-secret", secretFile, "--superuser", "admin"],
      ...["--tls-port", `${port}`, "--tls-cert", serverFile, "--tls-key", serverKeyFile],
    ],
    address: { tlsUrl: `pulsar+ssl://127.0.0.1:${port}`, caFile, otherCaFile, ...secrets },
  };
}

/** Starts one whose data are in `folder`. */
export async function startEmbeddedBroker(setup: Setup, folder: string): Promise<MatrixBroker> {
  const clear = async () => {
    for (const path of [folder, `${folder}-secrets`]) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  };
  await clear();
  await Deno.mkdir(folder, { recursive: true });
  const secured = setup === "secured" ? await securedFlags(folder) : { flags: [], address: {} };
  const ports = [await freePort(0, "port"), await freePort(0, "admin-port")] as const;
  const flags = ["--port", `${ports[0]}`, "--admin-port", `${ports[1]}`, ...secured.flags];
  let { child, ready } = await launch(folder, flags);
  const address: BrokerAddress = {
    serviceUrl: ready.url,
    adminUrl: ready.adminUrl,
    ...secured.address,
  };
  return {
    address,
    version: `embedded broker ${config.version}`,
    async restart() {
      child.kill("SIGKILL");
      await child.status;
      await Promise.allSettled([child.stdin.close(), child.stdout.cancel()]);
      ({ child } = await launch(folder, flags));
    },
    async [Symbol.asyncDispose]() {
      // A broker ends with its input.
      await Promise.allSettled([child.stdin.close(), child.stdout.cancel()]);
      await child.status;
      await clear();
    },
  };
}
