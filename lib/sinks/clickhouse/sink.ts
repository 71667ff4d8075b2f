import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { Readable } from "node:stream";
import { type Clock, Secret, systemClock } from "../../base/mod.ts";
import type { InsertOptions, InsertReceipt, RowBatch, Sink } from "../../contract.ts";
import { SinkError, sinkError } from "./errors.ts";
import { encodeBatch } from "./rows.ts";
import {
  checkIdentifier,
  checkTable,
  type Column,
  createTableSql,
  expectedColumns,
  quotedName,
  type TableName,
} from "./table.ts";

/** Where a ClickHouse is and which table to write. */
export interface ClickHouseOptions {
  /** `http://host:8123` or `https://…`; a user and password in it are taken out. */
  readonly url: string;
  readonly user?: string;
  readonly password?: Secret;
  readonly database?: string;
  readonly table?: string;
  /** How long one request may take. */
  readonly requestTimeoutMs?: number;
  readonly clock?: Clock;
}

/** A stored row as ClickHouse writes it: 64-bit integers and `nan` as text, instants as `2026-11-21 14:30:05.000` in UTC. */
export type StoredRow = Readonly<Record<string, string | number>>;

type Client = ReturnType<typeof createClient>;

const COLUMNS = expectedColumns().map(({ name }) => name);
const TOKEN = /^[A-Za-z0-9._:-]{1,200}$/;
const CANCEL_POLLS_MAX = 600;
const CANCEL_POLL_MS = 50;

/** What the header of the embedded one says; a server gives its host name. */
const EMBEDDED_NAME = "weir embedded ClickHouse";

function checkToken(what: string, token: string): string {
  if (TOKEN.test(token)) return token;
  throw new RangeError(
    `Cannot use ${what} ${JSON.stringify(token)}: expected 1 to 200 letters, digits and . _ : -`,
  );
}

interface Address {
  /** Without credentials: it appears in messages. */
  readonly url: string;
  readonly user: string;
  readonly password: Secret;
}

function addressOf({ url, user, password }: ClickHouseOptions): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol)) {
    throw new RangeError(
      "Cannot use the URL of ClickHouse: expected http://HOST:8123 or https://…",
    );
  }
  const inUrl = [parsed.username, parsed.password].map(decodeURIComponent);
  return {
    url: parsed.origin,
    user: user ?? (inUrl[0] || "default"),
    password: password ?? new Secret(inUrl[1] ?? ""),
  };
}

/** Stores the windows' rows in ClickHouse, over its HTTP interface: a server or the embedded one. */
export class ClickHouseSink implements Sink {
  readonly systemName: string;
  /** As `SELECT version()` says it. */
  readonly version: string;
  readonly #client: Client;
  readonly #name: TableName;
  readonly #url: string;
  readonly #clock: Clock;

  /** Use {@link openClickHouse}. */
  constructor(parts: {
    client: Client;
    name: TableName;
    url: string;
    clock: Clock;
    version: string;
    isEmbedded: boolean;
  }) {
    this.#client = parts.client;
    this.#name = parts.name;
    this.#url = parts.url;
    this.#clock = parts.clock;
    this.version = parts.version;
    this.systemName = parts.isEmbedded
      ? `embedded ClickHouse ${parts.version} (chDB)`
      : `ClickHouse ${parts.version}`;
  }

  /**
   * Makes database and table where they are missing, and checks the table that is there.
   *
   * @throws {SinkError} rights, wrong_table and others
   */
  async prepare(): Promise<void> {
    const { database, table } = this.#name;
    await this.#guard(`make table ${database}.${table}`, async () => {
      const databases = await this.#select(
        "SELECT count() AS n FROM system.databases WHERE name = {database:String}",
        { database },
      );
      if (Number(databases[0]?.["n"]) === 0) {
        await this.#client.command({
          query: `CREATE DATABASE IF NOT EXISTS \`${checkIdentifier("database", database)}\``,
        });
      }
      await this.#client.command({ query: createTableSql(this.#name) });
      const of = "WHERE database = {database:String} AND";
      const columns = await this.#select(
        `SELECT name, type FROM system.columns ${of} table = {table:String}`,
        { database, table },
      );
      const tables = await this.#select(
        `SELECT engine_full FROM system.tables ${of} name = {table:String}`,
        { database, table },
      );
      checkTable(
        this.#name,
        columns as unknown as Column[],
        String(tables[0]?.["engine_full"] ?? ""),
      );
    });
  }

  async insert(batch: RowBatch, { token, queryId, signal }: InsertOptions): Promise<InsertReceipt> {
    // In the statement, not among the URL's settings: a proxy may drop those, and a token that is lost is a row stored twice.
    const settings = [
      `insert_deduplication_token = '${checkToken("token", token)}'`,
      "insert_deduplicate = 1",
      "async_insert = 0",
      "precise_float_parsing = 1",
      "input_format_parallel_parsing = 0",
      "input_format_skip_unknown_fields = 0",
      "input_format_defaults_for_omitted_fields = 0",
    ];
    const columns = COLUMNS.join(", ");
    const query = `INSERT INTO ${quotedName(this.#name)} (${columns}) SETTINGS ${
      settings.join(", ")
    } FORMAT JSONEachRow`;
    const id = checkToken("query id", queryId);
    const body = new TextEncoder().encode(encodeBatch(batch, COLUMNS));
    const action = `store batch ${batch.batchId}`;
    await this.#guard(action, async () => {
      // The client does not look at a signal that was aborted before.
      signal?.throwIfAborted();
      const { stream } = await this.#client.exec({
        query,
        values: Readable.from([body]),
        query_id: id,
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
      // An error that came after the answer's head is in its body's end.
      for await (const _ of stream);
    }, signal);
    return { bytes: body.length };
  }

  async count(batch: RowBatch): Promise<number> {
    const rows = await this.#guard(`count batch ${batch.batchId}`, () =>
      this.#select(
        `SELECT count() AS n FROM ${
          quotedName(this.#name)
        } WHERE run_id = {run:String} AND partition = {partition:UInt32}
         AND window_start = fromUnixTimestamp64Milli({start:Int64}, 'UTC') AND batch_id = {batch:String}`,
        {
          run: String(batch.rows[0]?.["run_id"] ?? batch.batchId.split(":")[0]),
          partition: batch.partition,
          start: batch.windowStartMs,
          batch: batch.batchId,
        },
      ));
    return Number(rows[0]!["n"]);
  }

  async cancel(queryId: string): Promise<void> {
    const id = checkToken("query id", queryId);
    await this.#guard(`end insert ${id}`, async () => {
      await this.#client.command({ query: `KILL QUERY WHERE query_id = '${id}' SYNC` });
      for (let poll = 0; poll < CANCEL_POLLS_MAX; poll++) {
        const rows = await this.#select(
          "SELECT count() AS n FROM system.processes WHERE query_id = {id:String}",
          { id },
        );
        if (Number(rows[0]!["n"]) === 0) return;
        await this.#clock.sleep(CANCEL_POLL_MS);
      }
      throw new SinkError(`Cannot end insert ${id}: it is still running`, {
        code: "timeout",
        retryable: true,
      });
    });
  }

  /** How many rows of a run are stored; those of another run by the same name would be taken for its own. */
  async countOfRun(runId: string): Promise<number> {
    const rows = await this.#guard(`count the rows of run ${runId}`, () =>
      this.#select(
        `SELECT count() AS n FROM ${quotedName(this.#name)} WHERE run_id = {run:String}`,
        { run: runId },
      ));
    return Number(rows[0]!["n"]);
  }

  /** All rows of a run by partition, window and source, one after the other, without holding them. */
  async *rowsOf(runId: string): AsyncGenerator<StoredRow> {
    try {
      const result = await this.#client.query({
        query: `SELECT * FROM ${
          quotedName(this.#name)
        } WHERE run_id = {run:String} ORDER BY partition, window_start, event_source_id`,
        query_params: { run: runId },
        format: "JSONEachRow",
        clickhouse_settings: { ...EXACT_OUTPUT, ...SMALL_BLOCKS },
      });
      for await (const rows of result.stream()) {
        for (const row of rows) yield row.json() as StoredRow;
      }
    } catch (thrown) {
      throw sinkError(`read run ${runId} from ClickHouse at ${this.#url}`, thrown);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  async #guard<Result>(
    action: string,
    body: () => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    try {
      return await body();
    } catch (thrown) {
      if (signal?.aborted) {
        const options = { code: "cancelled", retryable: true, cause: thrown } as const;
        throw new SinkError(`Cannot ${action}: it was aborted`, options);
      }
      throw sinkError(`${action} in ClickHouse at ${this.#url}`, thrown);
    }
  }

  async #select(query: string, parameters: Record<string, string | number>): Promise<StoredRow[]> {
    const result = await this.#client.query({
      query,
      query_params: parameters,
      format: "JSONEachRow",
    });
    return await result.json<StoredRow>();
  }
}

/** Every value comes back as it was stored, on any version. */
const EXACT_OUTPUT = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_denormals: 1,
  date_time_output_format: "simple",
} as const;

/** A run read in the table's order, in small blocks, takes 350 MB of the engine, however long the run; with its defaults 500 to 650 MB (200,000 rows of 1.4 kB). */
const SMALL_BLOCKS = { max_threads: 1, max_block_size: "1024" } as const;

/**
 * Connects to ClickHouse and asks its version; the table is made by {@link ClickHouseSink.prepare}.
 *
 * @throws {SinkError} connection, authentication and others
 * @throws {RangeError} for a URL or a name that cannot be one
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouseSink> {
  const {
    database = "default",
    table = "sensor_1m",
    requestTimeoutMs = 30_000,
    clock = systemClock,
  } = options;
  const name = {
    database: checkIdentifier("database", database),
    table: checkIdentifier("table", table),
  };
  const { url, user, password } = addressOf(options);
  const client = createClient({
    url,
    username: user,
    password: password.reveal(),
    application: "weir",
    request_timeout: requestTimeoutMs,
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    const result = await client.query({
      query: "SELECT version() AS version",
      format: "JSONEachRow",
    });
    const [row] = await result.json<{ version: string }>();
    const display = result.response_headers["x-clickhouse-server-display-name"];
    const isEmbedded = display === EMBEDDED_NAME;
    return new ClickHouseSink({ client, name, url, clock, version: row!.version, isEmbedded });
  } catch (thrown) {
    await client.close();
    throw sinkError(`use ClickHouse at ${url}`, thrown);
  }
}
