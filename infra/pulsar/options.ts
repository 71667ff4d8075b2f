/**
 * What `infra:up pulsar` and `infra:down pulsar` can be told.
 *
 * @module
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseDurationMs, UsageError } from "../../lib/base/mod.ts";

/** The version that pom.xml and compose.yaml name, too (a test compares them). */
export const PULSAR_VERSION = "4.2.4";

export const UP_HELP = `Brings a real Apache Pulsar ${PULSAR_VERSION} standalone, on loopback only.

  deno task infra:up pulsar [flags]

  --port N             binary protocol, default 6650; 0 takes a free one
  --admin-port N       admin REST and metrics, default 8080; 0 takes a free one
  --data DIR           data, log and pid, default .data/infra/pulsar
  --token-secret FILE  ask clients for tokens signed with the secret in FILE (HS256); FILE is made when it is
                       missing. A token of the superuser "admin" is written to DIR/admin.token
  --journal-sync       fsync the journal before a receipt (off, as in Pulsar's own standalone)
  --conf KEY=VALUE     a key of standalone.conf, over everything else; may be repeated
  --heap SIZE          heap of the Java machine, default 1g (direct memory: twice as much)
  --wait DURATION      how long to wait until it is ready, default 2m
  --json               one JSON document about the server on stdout, everything else on stderr
  --help

Needs Java 17 or newer, and Maven 3.8 or newer for the first download (about 250 MB, kept in .data/infra).
It goes on running after the command: end it with \`deno task infra:down pulsar\`.`;

export const DOWN_HELP = `Ends the Apache Pulsar that infra:up has started.

  deno task infra:down pulsar [flags]

  --data DIR           the server of this data folder, default .data/infra/pulsar
  --delete             delete the data folder afterwards
  --wait DURATION      how long it may take to end before it is killed, default 30s
  --help`;

/** Everything about one server. */
export interface PulsarOptions {
  readonly port: number;
  readonly adminPort: number;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly tokenSecretFile: string | undefined;
  readonly journalSync: boolean;
  /** Keys of standalone.conf, over everything else. */
  readonly conf: Readonly<Record<string, string>>;
  /** As Java reads it: a number with k, m or g. */
  readonly heapSize: string;
  readonly waitMs: number;
  readonly json: boolean;
}

export interface DownOptions {
  /** Absolute. */
  readonly dataDir: string;
  readonly deleteData: boolean;
  readonly waitMs: number;
}

const UP_FLAGS = {
  "port": { type: "string", default: "6650" },
  "admin-port": { type: "string", default: "8080" },
  "data": { type: "string", default: ".data/infra/pulsar" },
  "token-secret": { type: "string" },
  "journal-sync": { type: "boolean", default: false },
  "conf": { type: "string", multiple: true, default: [] as string[] },
  "heap": { type: "string", default: "1g" },
  "wait": { type: "string", default: "2m" },
  "json": { type: "boolean", default: false },
  "help": { type: "boolean", default: false },
} as const;

const DOWN_FLAGS = {
  "data": { type: "string", default: ".data/infra/pulsar" },
  "delete": { type: "boolean", default: false },
  "wait": { type: "string", default: "30s" },
  "help": { type: "boolean", default: false },
} as const;

/** Reads strictly: an unknown flag, a missing value and a stray word are errors that name the flags there are. */
function read<Flags extends typeof UP_FLAGS | typeof DOWN_FLAGS>(args: string[], flags: Flags) {
  try {
    return parseArgs({ args, options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const known = Object.keys(flags).map((flag) => `--${flag}`).join(" ");
    const [first] = (error as Error).message.split(". ");
    throw new UsageError(`Cannot read the flags: ${first}`, `known are ${known}`, error);
  }
}

function portOf(flag: string, text: string): number {
  const port = Number(text);
  if (text.trim() === "" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`Cannot read --${flag} "${text}": expected a port from 0 to 65535`);
  }
  return port;
}

function durationOf(flag: string, text: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    throw new UsageError(
      `Cannot read --${flag} "${text}": expected e.g. 90s or 2m`,
      undefined,
      error,
    );
  }
}

function confOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => {
    const match = /^([A-Za-z_]\w*)=(.*)$/.exec(pair);
    if (match === null) throw new UsageError(`Cannot read --conf "${pair}": expected KEY=VALUE`);
    return [match[1]!, match[2]!];
  }));
}

/**
 * The options of `infra:up pulsar`.
 *
 * @returns `"help"` when help is asked for
 * @throws {UsageError} that names the flag, what it holds and what was expected
 */
export function parseUp(args: string[]): PulsarOptions | "help" {
  const values = read(args, UP_FLAGS);
  if (values.help) return "help";
  const port = portOf("port", values.port);
  const adminPort = portOf("admin-port", values["admin-port"]);
  if (port === adminPort && port !== 0) {
    throw new UsageError(
      `Cannot start: --port and --admin-port are both ${port}`,
      "give two ports",
    );
  }
  if (!/^[1-9]\d*[kmg]$/i.test(values.heap)) {
    throw new UsageError(`Cannot read --heap "${values.heap}": expected e.g. 512m or 2g`);
  }
  const secretFile = values["token-secret"];
  return {
    port,
    adminPort,
    dataDir: resolve(values.data),
    tokenSecretFile: secretFile === undefined ? undefined : resolve(secretFile),
    journalSync: values["journal-sync"],
    conf: confOf(values.conf),
    heapSize: values.heap.toLowerCase(),
    waitMs: durationOf("wait", values.wait),
    json: values.json,
  };
}

/** The options of `infra:down pulsar`; as {@link parseUp}. */
export function parseDown(args: string[]): DownOptions | "help" {
  const values = read(args, DOWN_FLAGS);
  if (values.help) return "help";
  return {
    dataDir: resolve(values.data),
    deleteData: values.delete,
    waitMs: durationOf("wait", values.wait),
  };
}
