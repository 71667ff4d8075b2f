import { messageOf } from "../../../base/mod.ts";
import { EmbeddedError } from "./errors.ts";

/** A connection of the engine; opaque. */
export type Connection = { readonly __brand?: "connection" };
/** A SELECT whose rows are fetched piece by piece; opaque. */
export type Stream = { readonly __brand?: "stream" };

/** What a finished query gave. */
export interface RawResult {
  readonly bytes: Uint8Array;
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

/** What a finished INSERT stored. */
export interface RawInsert {
  readonly elapsed: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

/** The part of chDB's Node-API addon that is used here (chdb-node, lib/chdb_node.cpp). */
export interface Addon {
  EngineVersion(): string;
  /** Opens a connection to a data folder; the first one of a process starts the engine with these arguments. */
  CreateConnection(path: string, args?: readonly string[]): Connection;
  CloseConnection(connection: Connection): void;
  QueryAsyncConnection(connection: Connection, sql: string, format: string): Promise<RawResult>;
  /** Runs `prefix`, a line end and `data` as one text. */
  InsertRawAsyncConnection(
    connection: Connection,
    prefix: string,
    data: Uint8Array,
    countLines: boolean,
  ): Promise<RawInsert>;
  /** Plans the query on the calling thread, subqueries included. */
  StreamQuery(connection: Connection, sql: string, format: string): Stream;
  StreamFetch(stream: Stream): Promise<{ bytes: Uint8Array; numRows: number; done?: boolean }>;
  StreamCancel(stream: Stream): void;
}

const VERSION = "26.7.3-stable.1";

/** chDB's packages, by Deno's names of system and processor. */
const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x86_64": "@chdb/lib-linux-x64-gnu",
  "linux-aarch64": "@chdb/lib-linux-arm64-gnu",
  "darwin-x86_64": "@chdb/lib-darwin-x64",
  "darwin-aarch64": "@chdb/lib-darwin-arm64",
};

const CURE = "use a ClickHouse server: --clickhouse http://HOST:8123";

/** What the package depends on. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
  /** The C library is musl, as on Alpine: chDB is built for glibc. */
  readonly isMusl: boolean;
}

/** The platform that this process runs on. */
export function currentPlatform(): Platform {
  const { os, arch } = Deno.build;
  return { os, arch, isMusl: os === "linux" && hasMusl() };
}

function hasMusl(): boolean {
  // Deno itself is built for glibc; on Alpine it runs over a compatibility layer that cannot load the engine.
  try {
    return [...Deno.readDirSync("/lib")].some((entry) => entry.name.startsWith("ld-musl-")) &&
      ![...Deno.readDirSync("/lib64")].some((entry) => entry.name.startsWith("ld-linux-"));
  } catch {
    return false;
  }
}

/**
 * The npm package that holds the engine for a platform.
 *
 * @throws {EmbeddedError} unsupported_platform where there is none
 */
export function packageOf(platform: Platform): string {
  const name = PACKAGES[`${platform.os}-${platform.arch}`];
  if (name !== undefined && !platform.isMusl) return name;
  const described = `${platform.os} ${platform.arch}${platform.isMusl ? " with musl" : ""}`;
  throw new EmbeddedError(
    `Cannot start the embedded ClickHouse: there is no chDB for ${described}`,
    { code: "unsupported_platform", cure: CURE },
  );
}

/** The engine as npm knows it. */
export interface EnginePackage {
  readonly name: string;
  readonly version: string;
  /** As `import()` takes it. */
  readonly specifier: string;
}

/**
 * The package of the engine that is loaded on a platform.
 *
 * @throws {EmbeddedError} unsupported_platform where there is none
 */
export function enginePackage(platform: Platform = currentPlatform()): EnginePackage {
  const name = packageOf(platform);
  return { name, version: VERSION, specifier: `npm:${name}@${VERSION}` };
}

/**
 * The lock file for a process that loads the engine: `deno run --lock=…`. It must have one of its own.
 *
 * Deno 2.9.6 downloads whatever the lock file holds as soon as one npm package is imported, `os` and `cpu` of the package notwithstanding (tried by changing them in a lock file): with the engine in
 * deno.lock, each task on each platform would begin with these 130 MB. A specifier that it sees in the code, or that a process with deno.lock imports, it writes there.
 *
 * @param root folder of the project
 * @param target as `Deno.build.target`
 */
export function engineLockPath(root: string, target: string = Deno.build.target): string {
  return `${root}/infra/clickhouse/locks/${target}.lock`;
}

/**
 * Loads the engine, downloading its package (130 MB) the first time.
 *
 * @throws {EmbeddedError} unsupported_platform, engine_missing
 */
export async function loadAddon(platform: Platform = currentPlatform()): Promise<Addon> {
  const { specifier } = enginePackage(platform);
  try {
    const loaded = await import(specifier);
    return loaded.default as Addon;
  } catch (cause) {
    throw new EmbeddedError(
      `Cannot load the embedded ClickHouse (${specifier}): ${messageOf(cause)}`,
      {
        code: "engine_missing",
        cure: `check the network for the first download, or ${CURE}`,
        cause,
      },
    );
  }
}
