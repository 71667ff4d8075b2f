import { createClient } from "@clickhouse/client";
import { concatBytes, systemClock } from "../base/mod.ts";
import { type ReadyLine, type RunFolder, type SupervisedRole, superviseRole } from "../run/mod.ts";
import {
  clickhouseSpec,
  isEmbedded,
  type Manifest,
  readClickHousePassword,
} from "../scenarios/mod.ts";

interface Login {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

/** A number of JSON with the text that it was written in, as V8 hands it to a reviver. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Whole numbers beyond 2^53 become bigint: a sum of identities is one, and no digit of it may be lost. */
const reviveInteger: Reviver = (_key, value, { source = "" }) =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;

/** Rows of the format JSONEachRow: a document a line. */
export function parseRows(text: string): Record<string, unknown>[] {
  const parse = JSON.parse as (text: string, reviver: Reviver) => Record<string, unknown>;
  return text.split("\n").filter((line) => line !== "").map((line) => parse(line, reviveInteger));
}

async function query(login: Login, sql: string): Promise<Record<string, unknown>[]> {
  const client = createClient({ ...login, application: "weir" });
  try {
    const result = await client.query({ query: sql, format: "JSONEachRow" });
    return parseRows(await result.text());
  } finally {
    await client.close();
  }
}

async function queryBytes(login: Login, sql: string): Promise<Uint8Array> {
  const client = createClient({ ...login, application: "weir" });
  try {
    const { stream } = await client.exec({ query: sql });
    return concatBytes(await Array.fromAsync<Uint8Array>(stream));
  } finally {
    await client.close();
  }
}

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** The ClickHouse of a run: the one that runs, or the run's data opened again. */
export class RunDatabase implements AsyncDisposable {
  readonly #folder: RunFolder;
  #reopened: Promise<SupervisedRole> | undefined;

  constructor(folder: RunFolder) {
    this.#folder = folder;
  }

  /** The rows that a query gives. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return await query(await this.#login(), sql);
  }

  /** What a query that names its format gives, as it came. */
  async bytes(sql: string): Promise<Uint8Array> {
    return await queryBytes(await this.#login(), sql);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const role = await this.#reopened;
    await role?.stop(5000);
  }

  async #login(): Promise<Login> {
    const manifest: Manifest = JSON.parse(
      await Deno.readTextFile(this.#folder.file("manifest.json")),
    );
    const { url, user, database } = manifest.config.clickhouse;
    if (!isEmbedded(url)) {
      const password = Deno.env.get("CLICKHOUSE_PASSWORD") ?? "";
      return { url, username: user, password, database };
    }
    const password = await readClickHousePassword(this.#folder);
    const address = manifest.endedAtMs === null
      ? (await this.#roles())["clickhouse"]?.url
      : (await this.#reopen(password)).ready.url;
    return { url: address!, username: "default", password, database };
  }

  async #roles(): Promise<Record<string, ReadyLine>> {
    return JSON.parse(await Deno.readTextFile(this.#folder.file("roles.json")));
  }

  #reopen(clickhousePassword: string): Promise<SupervisedRole> {
    const spec = clickhouseSpec({ folder: this.#folder, root: ROOT, clickhousePassword });
    return this.#reopened ??= superviseRole(spec, {
      clock: systemClock,
      config: `${ROOT}/deno.json`,
      logFolder: this.#folder.file("logs"),
      observer: {
        line: () => {},
        ready: () => {},
        restarting: () => {},
        restarted: () => {},
        ended: () => {},
      },
    });
  }
}
