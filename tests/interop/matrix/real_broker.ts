/** The real Pulsar of the matrix. */
import { join } from "node:path";
import { parseUp, PULSAR_VERSION } from "../../../infra/pulsar/options.ts";
import { bringPulsarDown, bringPulsarUp, type PulsarServer } from "../../../infra/pulsar/server.ts";
import { serverMark } from "../../../infra/pulsar/config.ts";
import { freePort, isProcess } from "../../../infra/process.ts";
import { systemClock, UsageError } from "../../../lib/base/mod.ts";
import type { Setup } from "./behaviours.ts";
import type { BrokerAddress, MatrixBroker } from "./broker.ts";
import { makeCertificates } from "./certificates.ts";
import { makeTokens } from "./tokens.ts";

const NEVER = new AbortController().signal;

async function securedFlags(folder: string): Promise<{ flags: string[]; address: object }> {
  const folderOfSecrets = `${folder}-secrets`;
  await Deno.mkdir(folderOfSecrets, { recursive: true });
  const { caFile, otherCaFile, serverFile, serverKeyFile } = await makeCertificates(
    folderOfSecrets,
  );
  const secretFile = join(folderOfSecrets, "secret.key");
  const port = await freePort(0, "port");
  const conf = {
    brokerServicePortTls: port,
    tlsCertificateFilePath: serverFile,
    tlsKeyFilePath: serverKeyFile,
    tlsTrustCertsFilePath: caFile,
  };
  return {
    flags: [
      ...["--token-secret", secretFile],
      ...Object.entries(conf).flatMap(([key, value]) => ["--conf", `${key}=${value}`]),
    ],
    address: {
      tlsUrl: `pulsar+ssl://127.0.0.1:${port}`,
      caFile,
      otherCaFile,
      ...await makeTokens(secretFile),
    },
  };
}

async function kill(server: PulsarServer): Promise<void> {
  const mark = serverMark(server.dataDir);
  if (await isProcess(server.pid, mark)) Deno.kill(server.pid, "SIGKILL");
  while (await isProcess(server.pid, mark)) await systemClock.sleep(50);
}

/** Starts a Pulsar whose data are in `folder`. */
export async function startRealBroker(setup: Setup, folder: string): Promise<MatrixBroker> {
  const clear = async () => {
    await bringPulsarDown({ dataDir: folder, deleteData: false, waitMs: 15_000 }, () => {});
    for (const path of [folder, `${folder}-secrets`]) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  };
  // What a run before this one has left behind, if it was killed.
  await clear();
  const secured = setup === "secured" ? await securedFlags(folder) : { flags: [], address: {} };
  const up = async (port: number, adminPort: number) => {
    const options = parseUp([
      ...["--port", `${port}`, "--admin-port", `${adminPort}`, "--data", folder],
      ...["--heap", "512m", "--wait", "5m", "--conf", "backlogQuotaCheckIntervalInSeconds=1"],
      ...secured.flags,
    ]);
    if (options === "help") throw new UsageError("Cannot start: no flags");
    return await bringPulsarUp(options, console.error, NEVER);
  };
  // Between finding a free port and opening it somebody else may take it.
  let server = await up(0, 0).catch(() => up(0, 0));
  const { serviceUrl, adminUrl } = server;
  const address: BrokerAddress = { serviceUrl, adminUrl, ...secured.address };
  return {
    address,
    version: `Apache Pulsar ${PULSAR_VERSION}`,
    async restart() {
      await kill(server);
      server = await up(server.port, server.adminPort);
    },
    [Symbol.asyncDispose]: clear,
  };
}
