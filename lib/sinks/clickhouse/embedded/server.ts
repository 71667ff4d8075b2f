import { messageOf } from "../../../base/mod.ts";
import { checkCredentials, checkOrigin, type Credentials } from "./access.ts";
import type { Answer, Engine, RowStream, Session, SessionOptions } from "./engine.ts";
import { engineError, QueryError, queryError, statusOf } from "./errors.ts";
import { type Counters, metricsText } from "./metrics.ts";
import { type QueryRequest, readRequest } from "./request.ts";
import { readKill, RunningQueries, type RunningQuery } from "./running.ts";
import { Slots } from "./slots.ts";

/** Bounds of what the server takes at a time. */
export interface ServerLimits {
  /** Bytes of one body, decompressed. */
  readonly bodyBytesMax: number;
  /** Bytes of one answer that is not streamed. */
  readonly answerBytesMax: number;
  readonly insertsMax: number;
  readonly readsMax: number;
  /** Requests of each kind that may wait. */
  readonly waitingMax: number;
}

/** A query under way, and what gives back its connection and its slot; more than once does nothing. */
interface Held {
  readonly query: RunningQuery;
  readonly close: () => void;
}

function isStreamed(query: QueryRequest): boolean {
  return query.statement.isPlainSelect && !query.waitEnd;
}

interface Sent {
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
  readonly answer: Answer | undefined;
}

const SERVER_NAME = "weir embedded ClickHouse";

/** ClickHouse's HTTP interface over an engine: turns one request into one response. */
export class HttpInterface {
  readonly counters: Counters = {
    queries: 0,
    inserts: 0,
    insertedRows: 0,
    insertedBytes: 0,
    failed: 0,
    sentBytes: 0,
  };
  readonly #engine: Engine;
  readonly #running: RunningQueries;
  readonly #inserts: Slots;
  readonly #reads: Slots;
  readonly #limits: ServerLimits;
  readonly #credentials: Credentials;
  #stopping = false;

  constructor(engine: Engine, options: { credentials: Credentials; limits: ServerLimits }) {
    this.#engine = engine;
    this.#running = new RunningQueries(engine);
    this.#limits = options.limits;
    this.#credentials = options.credentials;
    this.#inserts = new Slots(options.limits.insertsMax, options.limits.waitingMax);
    this.#reads = new Slots(options.limits.readsMax, options.limits.waitingMax);
  }

  /** Answers a request; errors too are answers. */
  async handle(request: Request, port: number): Promise<Response> {
    let queryId: string | undefined;
    try {
      checkOrigin(request.headers, port);
      const url = new URL(request.url);
      const plain = this.#plain(request, url);
      if (plain !== undefined) return plain;
      checkCredentials(request.headers, url.searchParams, this.#credentials);
      queryId = url.searchParams.get("query_id") ?? undefined;
      const query = await readRequest(request, { url, bodyBytesMax: this.#limits.bodyBytesMax });
      queryId = query.queryId;
      return await this.#run(query);
    } catch (thrown) {
      this.counters.failed++;
      return this.#failure(thrown, queryId);
    }
  }

  /** Refuses new queries and ends those under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running.killAll();
  }

  #plain(request: Request, url: URL): Response | undefined {
    const isQuery = url.searchParams.has("query");
    if (!["GET", "POST"].includes(request.method)) {
      throw queryError(
        "UNSUPPORTED_METHOD",
        `Method ${request.method} is not supported: use GET or POST`,
      );
    }
    if (url.pathname === "/metrics" && request.method === "GET") {
      return new Response(metricsText(this.counters, this.#running.count), {
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      });
    }
    const isPing = url.pathname === "/ping" || url.pathname === "/replicas_status";
    const isRoot = url.pathname === "/" && request.method === "GET" && !isQuery;
    if (isPing || isRoot) {
      return new Response("Ok.\n", { headers: { "content-type": "text/html; charset=UTF-8" } });
    }
    if (url.pathname === "/") return undefined;
    return new Response(
      `There is no handle ${url.pathname}\n\nUse / or /ping for health checks, / or /?query= for queries, /metrics for Prometheus.\n`,
      { status: 404 },
    );
  }

  async #run(query: QueryRequest): Promise<Response> {
    if (this.#stopping) throw queryError("QUERY_WAS_CANCELLED", "The server is shutting down");
    const kill = readKill(query.sql);
    if (kill !== undefined) {
      await this.#running.kill(kill.queryId, kill.wait);
      return this.#response(query, { body: new Uint8Array(0), answer: undefined });
    }
    const running = this.#running.begin(query.queryId);
    const isInsert = query.statement.verb === "INSERT";
    let release = () => {};
    let session: Session | undefined;
    const close = () => {
      session?.[Symbol.dispose]();
      session = undefined;
      release();
      running.end();
    };
    try {
      release = await (isInsert ? this.#inserts : this.#reads).take();
      running.throwIfCancelled();
      session = this.#engine.open();
      await session.prepare(this.#bounded(query));
      running.throwIfCancelled();
      const sent = await this.#execute(session, query, { query: running, close });
      if (sent.answer !== undefined) close();
      return this.#response(query, sent);
    } catch (thrown) {
      close();
      throw thrown;
    }
  }

  /** An answer that is held in memory is bounded, unless the request bounds it itself. */
  #bounded(query: QueryRequest): SessionOptions {
    if (query.data !== undefined || isStreamed(query)) return query.session;
    const bounds = {
      max_result_bytes: String(this.#limits.answerBytesMax),
      result_overflow_mode: "throw",
    };
    return { ...query.session, settings: { ...bounds, ...query.session.settings } };
  }

  async #execute(session: Session, query: QueryRequest, running: Held): Promise<Sent> {
    if (query.data !== undefined) {
      const answer = query.data.length === 0 ? EMPTY : await session.insert(query.sql, query.data);
      this.counters.inserts++;
      this.counters.insertedRows += answer.rowsWritten;
      this.counters.insertedBytes += query.data.length;
      return { body: answer.bytes, answer };
    }
    this.counters.queries++;
    if (isStreamed(query)) {
      const stream = session.stream(query.sql, query.format.name);
      return { body: await this.#streamed(stream, query.queryId, running), answer: undefined };
    }
    const answer = await session.query(query.sql, query.format.name);
    return { body: answer.bytes, answer };
  }

  /** The first piece is fetched before the answer begins: most errors show there, and have their status then. */
  async #streamed(
    rows: RowStream,
    queryId: string,
    { query, close }: Held,
  ): Promise<ReadableStream<Uint8Array>> {
    let first = await rows.next();
    const end = async () => {
      await rows.cancel();
      close();
    };
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      try {
        const piece = first ?? await rows.next();
        first = undefined;
        if (piece !== undefined) return controller.enqueue(piece);
        await end();
        controller.close();
      } catch (thrown) {
        this.counters.failed++;
        await end();
        // The status is out: the connection breaks, so that nobody takes half an answer for a whole one.
        controller.error(thrown);
      }
    };
    return new ReadableStream<Uint8Array>({
      start: (controller) =>
        query.whenKilled(async () => {
          await end();
          controller.error(queryError("QUERY_WAS_CANCELLED", "Query was cancelled"));
        }),
      pull,
      // The reader has gone: what is being fetched for it may take long.
      cancel: async () => {
        await this.#running.kill(queryId, true);
      },
    }, { highWaterMark: 0 });
  }

  #response(query: QueryRequest, sent: Sent): Response {
    const headers = this.#headers(query.queryId);
    headers.set("content-type", query.format.contentType);
    headers.set("x-clickhouse-format", query.format.name);
    if (sent.answer !== undefined) headers.set("x-clickhouse-summary", summaryOf(sent.answer));
    if (sent.body instanceof Uint8Array) this.counters.sentBytes += sent.body.length;
    const hasBody = !(sent.body instanceof Uint8Array) || sent.body.length > 0;
    if (!query.gzip || !hasBody) return new Response(sent.body as BodyInit, { headers });
    headers.set("content-encoding", "gzip");
    const plain = sent.body instanceof Uint8Array ? ReadableStream.from([sent.body]) : sent.body;
    const gzip = new CompressionStream("gzip") as unknown as ReadableWritablePair<
      Uint8Array,
      Uint8Array
    >;
    return new Response(plain.pipeThrough(gzip) as BodyInit, { headers });
  }

  #failure(thrown: unknown, queryId: string | undefined): Response {
    const error = thrown instanceof QueryError ? thrown : engineError(new Error(messageOf(thrown)));
    const headers = this.#headers(queryId);
    headers.set("content-type", "text/plain; charset=UTF-8");
    headers.set("x-clickhouse-exception-code", String(error.code));
    const version = error.text.includes("(version ") ? "" : ` (version ${this.#engine.version})`;
    return new Response(`${error.text}${version}\n`, { status: statusOf(error.code), headers });
  }

  #headers(queryId: string | undefined): Headers {
    const headers = new Headers({
      "x-clickhouse-server-display-name": SERVER_NAME,
      "x-clickhouse-timezone": "UTC",
    });
    if (queryId !== undefined && /^[\x21-\x7e]+$/.test(queryId)) {
      headers.set("x-clickhouse-query-id", queryId);
    }
    return headers;
  }
}

const EMPTY: Answer = {
  bytes: new Uint8Array(0),
  rowsRead: 0,
  bytesRead: 0,
  rowsWritten: 0,
  bytesWritten: 0,
  elapsedSec: 0,
};

function summaryOf(answer: Answer): string {
  const written = { written_rows: answer.rowsWritten, written_bytes: answer.bytesWritten };
  const values = {
    read_rows: answer.rowsRead,
    read_bytes: answer.bytesRead,
    ...written,
    total_rows_to_read: 0,
    result_rows: answer.rowsWritten,
    result_bytes: answer.rowsWritten > 0 ? answer.bytesWritten : answer.bytes.length,
    elapsed_ns: Math.round(answer.elapsedSec * 1e9),
  };
  return JSON.stringify(Object.fromEntries(Object.entries(values).map(([k, v]) => [k, String(v)])));
}
