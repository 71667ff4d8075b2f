/** The embedded broker of the matrix: `jobs/broker.ts` in a process of its own, as `deno task broker` starts it. */
import { join } from "node:path";
import config from "../../../deno.json" with { type: "json" };
import { ADMIN_ROLE } from "../../../infra/pulsar/config.ts";
import { freePort } from "../../../infra/process.ts";
import { SUPERVISED_VARIABLE } from "../../../lib/run/mod.ts";
import { firstLine } from "../embedded.ts";
import type { Setup } from "./behaviours.ts";
import type { BrokerAddress, MatrixBroker } from "./broker.ts";
import { makeCertificates } from "./certificates.ts";
import { makeTokens } from "./tokens.ts";

const ROOT = join(import.meta.dirname!, "..", "..", "..");

interface Launched {
  readonly child: Deno.ChildProcess;
  readonly ready: { readonly url: string; readonly adminUrl: string };
}

async function launch(flags: readonly string[]): Promise<Launched> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", join(ROOT, "jobs", "broker.ts"), ...flags],
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

interface Secrets {
  readonly flags: readonly string[];
  readonly address: Omit<BrokerAddress, "serviceUrl" | "adminUrl">;
}

async function makeSecrets(folder: string): Promise<Secrets> {
  const secretFile = join(folder, "secret.key");
  const tokens = await makeTokens(secretFile);
  const certificates = await makeCertificates(folder);
  const { caFile, otherCaFile, serverFile, serverKeyFile } = certificates;
  const [tlsPort, adminTlsPort] = [
    await freePort(0, "tls-port"),
    await freePort(0, "admin-tls-port"),
  ];
  return {
    flags: [
      ...["--token-secret-key", secretFile, "--superuser", ADMIN_ROLE],
      ...["--tls-cert", serverFile, "--tls-key", serverKeyFile],
      ...["--tls-port", `${tlsPort}`, "--admin-tls-port", `${adminTlsPort}`],
    ],
    address: { tlsUrl: `pulsar+ssl://127.0.0.1:${tlsPort}`, caFile, otherCaFile, ...tokens },
  };
}

/** Starts one whose data are in `folder`. */
export async function startEmbeddedBroker(setup: Setup, folder: string): Promise<MatrixBroker> {
  const clear = () => Deno.remove(folder, { recursive: true }).catch(() => {});
  await clear();
  await Deno.mkdir(folder, { recursive: true });
  const secrets = setup === "plain" ? { flags: [], address: {} } : await makeSecrets(folder);
  const ports = [await freePort(0, "port"), await freePort(0, "admin-port")] as const;
  const flags = [
    ...["--data", join(folder, "data"), "--port", `${ports[0]}`, "--admin-port", `${ports[1]}`],
    ...secrets.flags,
  ];
  let launched = await launch(flags);
  const { url: serviceUrl, adminUrl } = launched.ready;
  return {
    address: { serviceUrl, adminUrl, ...secrets.address },
    version: `embedded broker ${config.version}`,
    async restart() {
      launched.child.kill("SIGKILL");
      await end(launched);
      launched = await launch(flags);
    },
    async [Symbol.asyncDispose]() {
      await end(launched);
      await clear();
    },
  };
}
