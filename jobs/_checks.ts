import { javaMajor, mavenVersion } from "../infra/java.ts";
import { type AskPython, findPython } from "../infra/jupyter/python.ts";
import { formatBytes, lineOf } from "../lib/base/mod.ts";
import { EmbeddedError, enginePackage, type Platform } from "../lib/sinks/mod.ts";

/** `ok`; `note`: bench50k runs, something else does not; `missing`: bench50k does not run. */
export type CheckStatus = "ok" | "note" | "missing";

/** One line of the doctor. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly found: string;
  /** What to do, where something is to be done. */
  readonly cure?: string;
}

/** How the doctor looks at a machine. */
export interface Probes {
  readonly denoVersion: string;
  readonly platform: Platform;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly availableMemoryBytes: number;
  readonly askPython: AskPython;
  /** What a program prints on both streams; undefined when there is none of this name, or it fails. */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
  isPortFree(port: number): Promise<boolean>;
  freeDiskBytes(): Promise<number>;
  /** Folder of Deno's cache. */
  readonly cacheFolder: string;
  /** Whether the package of the engine is in the cache; false where there is none for this platform. */
  isEngineCached(): Promise<boolean>;
}

const DENO_VERSION_MIN = [2, 9];
const NODE_MAJOR_MIN = 20;
const JAVA_MAJOR_MIN = 17;
const MEBIBYTE = 2 ** 20;
/** All roles of a run at 50,000/s take 0.8 GiB. */
const MEMORY_BYTES_MIN = 1.5 * 1024 * MEBIBYTE;
const MEMORY_AVAILABLE_BYTES_MIN = 1024 * MEBIBYTE;
/** The broker's log of three minutes at 50,000/s, and what the other parts write. */
const RUN_DISK_BYTES = 2.3e9;
const ENGINE_DISK_BYTES = 0.7e9;

const PORTS: Readonly<Record<number, string>> = {
  6650: "Pulsar",
  8080: "Pulsar's admin interface",
  8123: "ClickHouse",
};

function numbersOf(version: string): number[] {
  return version.split(/[.-]/).map(Number);
}

function denoCheck({ denoVersion }: Probes): Check {
  const [major = 0, minor = 0] = numbersOf(denoVersion);
  const [leastMajor = 0, leastMinor = 0] = DENO_VERSION_MIN;
  const isOld = major < leastMajor || major === leastMajor && minor < leastMinor;
  if (!isOld) return { name: "Deno", status: "ok", found: denoVersion };
  return {
    name: "Deno",
    status: "missing",
    found: `${denoVersion}, at least ${DENO_VERSION_MIN.join(".")} is needed`,
    cure: "run `npx -y deno@2.9.6 task …` or `deno upgrade`",
  };
}

async function nodeCheck({ run }: Probes): Promise<Check> {
  const version = (await run("node", ["--version"]))?.trim().replace(/^v/, "");
  if (version !== undefined && numbersOf(version)[0]! >= NODE_MAJOR_MIN) {
    return { name: "Node", status: "ok", found: version };
  }
  return {
    name: "Node",
    status: "note",
    found: version ?? "none",
    cure: `only \`npx deno\` needs it, ${NODE_MAJOR_MIN} or newer; \`deno task …\` does not`,
  };
}

async function pythonCheck({ askPython }: Probes): Promise<Check> {
  try {
    const { command, version } = await findPython(askPython);
    return { name: "Python", status: "ok", found: `${version.join(".")} (${command})` };
  } catch (error) {
    return { name: "Python", status: "note", found: "not for notebooks", cure: lineOf(error) };
  }
}

async function javaCheck({ run }: Probes): Promise<Check> {
  const cure =
    `only \`deno task infra:up pulsar\` needs them (Debian: apt install openjdk-${JAVA_MAJOR_MIN}-jre-headless maven)`;
  const [java, maven] = await Promise.all([run("java", ["-version"]), run("mvn", ["-version"])]);
  const major = java === undefined ? undefined : javaMajor(java);
  const mavenNumbers = maven === undefined ? undefined : mavenVersion(maven);
  const isEnough = major !== undefined && major >= JAVA_MAJOR_MIN && mavenNumbers !== undefined;
  const found = `Java ${major ?? "none"}, Maven ${mavenNumbers?.join(".") ?? "none"}`;
  return { name: "Java", status: isEnough ? "ok" : "note", found, ...(isEnough ? {} : { cure }) };
}

function memoryCheck({ memoryBytes, availableMemoryBytes }: Probes): Check {
  const found = `${formatBytes(memoryBytes)}, ${formatBytes(availableMemoryBytes)} available`;
  if (memoryBytes < MEMORY_BYTES_MIN) {
    return {
      name: "memory",
      status: "missing",
      found,
      cure: `a run takes about 0.8 GiB: use a machine with ${
        formatBytes(MEMORY_BYTES_MIN)
      } or more`,
    };
  }
  if (availableMemoryBytes >= MEMORY_AVAILABLE_BYTES_MIN) {
    return { name: "memory", status: "ok", found };
  }
  return {
    name: "memory",
    status: "note",
    found,
    cure: "a run takes about 0.8 GiB: close programs",
  };
}

function coresCheck({ cores }: Probes): Check {
  if (cores >= 2) return { name: "cores", status: "ok", found: String(cores) };
  return {
    name: "cores",
    status: "note",
    found: String(cores),
    cure: "50,000/s may be VOID on one core: give --rate 10000",
  };
}

async function portCheck({ isPortFree }: Probes, port: number): Promise<Check> {
  const name = `port ${port}`;
  if (await isPortFree(port)) return { name, status: "ok", found: `free (${PORTS[port]})` };
  return {
    name,
    status: "note",
    found: "taken",
    cure: `bench50k takes free ports; for ${PORTS[port]} alone give another port`,
  };
}

async function engineCheck({ platform, isEngineCached }: Probes): Promise<Check> {
  const name = "chDB";
  try {
    const { version } = enginePackage(platform);
    if (await isEngineCached()) return { name, status: "ok", found: `${version}, in the cache` };
    return {
      name,
      status: "ok",
      found: `${version} for ${platform.os} ${platform.arch}, not in the cache`,
      cure: "the first run downloads 130 MB; `deno task prefetch` does so beforehand",
    };
  } catch (error) {
    if (!(error instanceof EmbeddedError)) throw error;
    const musl = platform.isMusl ? " with musl" : "";
    const other = platform.os === "windows"
      ? "run in WSL 2 (wsl --install)"
      : "run on Linux with glibc or on macOS";
    return {
      name,
      status: "missing",
      found: `there is none for ${platform.os} ${platform.arch}${musl}`,
      cure: `${other}, or use a server: --clickhouse http://HOST:8123`,
    };
  }
}

async function diskCheck(probes: Probes): Promise<Check> {
  const freeBytes = await probes.freeDiskBytes();
  const engineBytes = await probes.isEngineCached() ? 0 : ENGINE_DISK_BYTES;
  const neededBytes = RUN_DISK_BYTES + engineBytes;
  const found = `${formatBytes(freeBytes)} free`;
  if (freeBytes >= neededBytes) return { name: "disk", status: "ok", found };
  return {
    name: "disk",
    status: "missing",
    found,
    cure: `three minutes at 50,000/s need ${
      formatBytes(neededBytes)
    }: free some space, or give a shorter --duration or --out on another disk`,
  };
}

/** Looks at everything; asks nothing of the network. */
export async function checkMachine(probes: Probes): Promise<Check[]> {
  const ports = Object.keys(PORTS).map((port) => portCheck(probes, Number(port)));
  return await Promise.all([
    denoCheck(probes),
    nodeCheck(probes),
    pythonCheck(probes),
    javaCheck(probes),
    memoryCheck(probes),
    coresCheck(probes),
    ...ports,
    engineCheck(probes),
    diskCheck(probes),
    { name: "cache", status: "ok", found: probes.cacheFolder } as const,
  ]);
}

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: "ok", note: "note", missing: "MISSING" };

/** One line for each check. */
export function checkLines(checks: readonly Check[]): string[] {
  return checks.map(({ name, status, found, cure }) => {
    const line = `${MARKS[status].padEnd(8)}${name.padEnd(10)}${found}`;
    return cure === undefined ? line : `${line}; ${cure}`;
  });
}
