/**
 * One standalone Pulsar: brought up, found again by its data folder, ended.
 *
 * @module
 */
import { join } from "node:path";
import { formatBytes, formatDurationMs, systemClock, UsageError } from "../../lib/base/mod.ts";
import { download, findJava, isDownloaded, missingTools, type Say } from "../java.ts";
import {
  endProcess,
  freePort,
  isProcess,
  lastLines,
  residentBytes,
  startDetached,
} from "../process.ts";
import { loadOrMakeSecret, signToken } from "../token.ts";
import {
  ADMIN_ROLE,
  type AuthConfig,
  javaArguments,
  renderStandaloneConf,
  serverMark,
} from "./config.ts";
import { type DownOptions, PULSAR_VERSION, type PulsarOptions } from "./options.ts";

const JAVA_MAJOR_MIN = 17;
const POLL_MS = 200;
const POLL_REQUEST_MS = 5_000;
const LAST_LINES = 8;

const HERE = import.meta.dirname!;
const STORE_DIR = join(HERE, "..", "..", ".data", "infra");
/** Folder of the jars: the broker, the Java client and all that they need. */
export const PULSAR_LIB_DIR = join(STORE_DIR, `pulsar-${PULSAR_VERSION}`, "lib");

/** A server that runs, as it is written to DIR/server.json. */
export interface PulsarServer {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly adminPort: number;
  readonly serviceUrl: string;
  readonly adminUrl: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** HS256 secret that tokens are checked with; null when none is asked for. */
  readonly tokenSecretFile: string | null;
  readonly journalSync: boolean;
  readonly conf: Readonly<Record<string, string>>;
}

/** Why no Pulsar can be started on this host; undefined when one can. */
export async function whyNoPulsar(): Promise<string | undefined> {
  return await missingTools(JAVA_MAJOR_MIN, await isDownloaded(PULSAR_LIB_DIR));
}

function stateFile(dataDir: string): string {
  return join(dataDir, "server.json");
}

/** The server of a data folder, if it runs. */
export async function findPulsar(dataDir: string): Promise<PulsarServer | undefined> {
  let server: PulsarServer;
  try {
    server = JSON.parse(await Deno.readTextFile(stateFile(dataDir)));
  } catch (error) {
    // Written in part when the host went down: then nothing of it runs either.
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
  return await isProcess(server.pid, serverMark(dataDir)) ? server : undefined;
}

/** Brings the jars of the broker, which hold the Java client and its admin client, too, into {@link PULSAR_LIB_DIR}. */
export async function bringPulsarJars(say: Say): Promise<void> {
  await download({
    name: `Apache Pulsar ${PULSAR_VERSION}`,
    pomFile: join(HERE, "pom.xml"),
    settingsFile: join(HERE, "settings.xml"),
    libDir: PULSAR_LIB_DIR,
    repositoryDir: join(STORE_DIR, "maven"),
    fileCountAbout: 1070,
  }, say);
}

/**
 * Brings the server up and returns when it is ready; when it runs already, only waits until it is ready.
 *
 * @param signal ends the attempt, and the server that it has started
 * @throws {UsageError} when a tool is missing, a port taken, or the server ends or is not ready in time
 */
export async function bringPulsarUp(
  options: PulsarOptions,
  say: Say,
  signal: AbortSignal,
): Promise<PulsarServer> {
  const running = await findPulsar(options.dataDir);
  if (running !== undefined) {
    refuseOtherOptions(running, options);
    await waitUntilReady(running, options.waitMs, signal);
    say(`${running.name} is up already: ${summaryOf(running)}`);
    return running;
  }
  const java = await findJava(JAVA_MAJOR_MIN);
  await bringPulsarJars(say);
  const startUs = systemClock.monoUs();
  const server = await start(java, options);
  say(`starting ${server.name}, log in ${server.logFile}`);
  try {
    await waitUntilReady(server, options.waitMs, signal);
  } catch (error) {
    if (!signal.aborted) (await lastWords(server)).forEach((line) => say(`  | ${line}`));
    await endProcess({ pid: server.pid, mark: serverMark(options.dataDir), waitMs: 5_000 });
    throw error;
  }
  const tookMs = (systemClock.monoUs() - startUs) / 1000;
  const memoryBytes = await residentBytes(server.pid);
  const memory = memoryBytes === undefined ? "" : `, ${formatBytes(memoryBytes)} resident`;
  say(`${server.name} is ready after ${formatDurationMs(tookMs)}${memory}: ${summaryOf(server)}`);
  return server;
}

function summaryOf(server: PulsarServer): string {
  return `${server.serviceUrl} and ${server.adminUrl}, pid ${server.pid}`;
}

function refuseOtherOptions(running: PulsarServer, options: PulsarOptions): void {
  const differences: string[] = [];
  if (options.port !== 0 && running.port !== options.port) {
    differences.push(`--port ${running.port}`);
  }
  if (options.adminPort !== 0 && running.adminPort !== options.adminPort) {
    differences.push(`--admin-port ${running.adminPort}`);
  }
  if (running.tokenSecretFile !== (options.tokenSecretFile ?? null)) {
    differences.push(`--token-secret ${running.tokenSecretFile ?? "not given"}`);
  }
  if (running.journalSync !== options.journalSync) {
    differences.push(`--journal-sync ${running.journalSync ? "" : "not "}given`);
  }
  if (JSON.stringify(running.conf) !== JSON.stringify(options.conf)) {
    differences.push(`--conf ${JSON.stringify(running.conf)}`);
  }
  if (differences.length === 0) return;
  throw new UsageError(
    `Cannot start: ${options.dataDir} is in use by a server with ${
      differences.join(", ")
    } (pid ${running.pid})`,
    `end it with \`deno task infra:down pulsar --data ${options.dataDir}\`, or give another --data`,
  );
}

async function start(java: string, options: PulsarOptions): Promise<PulsarServer> {
  const { dataDir } = options;
  const port = await freePort(options.port, "port");
  const adminPort = await freePort(options.adminPort, "admin-port");
  await prepareFolder(dataDir);
  const auth = await prepareAuth(options);
  const { journalSync, conf } = options;
  const text = renderStandaloneConf({ port, adminPort, journalSync, auth, conf });
  await Deno.writeTextFile(join(dataDir, "standalone.conf"), text, { mode: 0o600 });
  // An old log would be shown as the last words of the new server.
  await Deno.remove(join(dataDir, "pulsar.log")).catch(() => {});
  const args = javaArguments(
    { libDir: PULSAR_LIB_DIR, dataDir, log4j2File: join(HERE, "log4j2.xml") },
    options.heapSize,
  );
  const child = await startDetached(java, args, join(dataDir, "console.log"));
  const server: PulsarServer = {
    name: `Apache Pulsar ${PULSAR_VERSION}`,
    pid: child.pid,
    port,
    adminPort,
    serviceUrl: `pulsar://127.0.0.1:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    dataDir,
    logFile: join(dataDir, "pulsar.log"),
    tokenSecretFile: options.tokenSecretFile ?? null,
    journalSync,
    conf,
  };
  await Deno.writeTextFile(stateFile(dataDir), `${JSON.stringify(server, null, 2)}\n`);
  return server;
}

/** Makes the data folder. One that holds anything else is refused: `infra:down --delete` would delete that, too. */
async function prepareFolder(dataDir: string): Promise<void> {
  const cure = "give another --data";
  let names: string[];
  try {
    await Deno.mkdir(dataDir, { recursive: true });
    names = (await Array.fromAsync(Deno.readDir(dataDir))).map((entry) => entry.name);
  } catch (error) {
    throw new UsageError(`Cannot write ${dataDir}: ${(error as Error).message}`, cure, error);
  }
  if (names.length > 0 && !names.includes("standalone.conf")) {
    throw new UsageError(`Cannot start: ${dataDir} holds other things, e.g. "${names[0]}"`, cure);
  }
}

async function prepareAuth(options: PulsarOptions): Promise<AuthConfig | undefined> {
  const { tokenSecretFile } = options;
  if (tokenSecretFile === undefined) return undefined;
  const adminToken = await signToken(await loadOrMakeSecret(tokenSecretFile), ADMIN_ROLE);
  await Deno.writeTextFile(adminTokenFile(options.dataDir), adminToken, { mode: 0o600 });
  return { secretFile: tokenSecretFile, adminToken };
}

function adminTokenFile(dataDir: string): string {
  return join(dataDir, "admin.token");
}

/** Ready: the broker answers, and the default namespace, which it makes last, exists. */
async function waitUntilReady(
  server: PulsarServer,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const headers = new Headers();
  if (server.tokenSecretFile !== null) {
    headers.set(
      "authorization",
      `Bearer ${await Deno.readTextFile(adminTokenFile(server.dataDir))}`,
    );
  }
  const untilUs = systemClock.monoUs() + waitMs * 1000;
  const cure = `see pulsar.log and console.log in ${server.dataDir}`;
  while (systemClock.monoUs() < untilUs) {
    if (!await isProcess(server.pid, serverMark(server.dataDir))) {
      throw new UsageError(`Cannot start ${server.name}: it ended while it was starting`, cure);
    }
    if (await answers(server, "brokers/ready", headers, signal)) {
      if (await answers(server, "namespaces/public/default", headers, signal)) return;
    }
    await systemClock.sleep(POLL_MS, signal);
  }
  throw new UsageError(
    `Cannot start ${server.name}: not ready after ${formatDurationMs(waitMs)}`,
    `${cure}, or give it longer with --wait`,
  );
}

async function answers(
  server: PulsarServer,
  path: string,
  headers: Headers,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const response = await fetch(`${server.adminUrl}/admin/v2/${path}`, {
      headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(POLL_REQUEST_MS)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

/** What the JVM itself has said, else the end of the log. */
async function lastWords(server: PulsarServer): Promise<string[]> {
  const fromConsole = await lastLines(join(server.dataDir, "console.log"), LAST_LINES);
  const fromLog = await lastLines(server.logFile, LAST_LINES);
  return fromConsole.length > 0 ? fromConsole : fromLog;
}

/**
 * Ends the server of a data folder, and deletes the folder if that is asked for.
 *
 * @returns whether there was one
 * @throws {UsageError} when the data folder to delete is not one of ours
 */
export async function bringPulsarDown(options: DownOptions, say: Say): Promise<boolean> {
  const { dataDir } = options;
  const server = await findPulsar(dataDir);
  if (server === undefined) {
    say(`no Pulsar of ${dataDir} is up`);
  } else {
    const mark = serverMark(dataDir);
    const how = await endProcess({ pid: server.pid, mark, waitMs: options.waitMs });
    say(`${server.name} (pid ${server.pid}) has ${how === "killed" ? "been killed" : "ended"}`);
  }
  if (options.deleteData) await deleteData(dataDir);
  return server !== undefined;
}

async function deleteData(dataDir: string): Promise<void> {
  try {
    await Deno.lstat(stateFile(dataDir));
  } catch (error) {
    throw new UsageError(
      `Cannot delete ${dataDir}: it holds no server.json`,
      "it is no data folder of infra:up; delete it by hand if you are sure",
      error,
    );
  }
  await Deno.remove(dataDir, { recursive: true });
}
