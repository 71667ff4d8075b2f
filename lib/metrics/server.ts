import { messageOf } from "../base/mod.ts";
import { MetricsError } from "./error.ts";
import { parseExposition, type Scrape } from "./parser.ts";
import type { MetricRegistry } from "./registry.ts";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
/** A scrape that takes longer than the sampling interval is worth nothing. */
const SCRAPE_TIMEOUT_MS = 900;

/** What a process serves its figures with. */
export interface ServeMetricsOptions {
  /** 0 for one that is free. */
  readonly port: number;
  readonly registry: MetricRegistry;
  /** Loopback unless told otherwise, as for pods, which are scraped from outside. */
  readonly hostname?: string;
}

/** A running metrics endpoint. */
export interface MetricsServer extends AsyncDisposable {
  readonly port: number;
  /** Where to scrape. */
  readonly url: string;
}

/**
 * Serves `GET /metrics`. On loopback it answers only requests that name a loopback host, so that a web page cannot
 * read it by pointing a name of its own at 127.0.0.1.
 *
 * @throws {Deno.errors.AddrInUse} when the port is taken
 */
export function serveMetrics(options: ServeMetricsOptions): MetricsServer {
  const { port, registry, hostname = "127.0.0.1" } = options;
  const isLocal = isLoopback(hostname);
  const server = Deno.serve(
    { port, hostname, onListen: () => {} },
    (request) => answer(request, registry, isLocal),
  );
  const address = server.addr;
  return {
    port: address.port,
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${address.port}/metrics`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** The answer to one request; `localOnly` demands a loopback Host. */
export function answer(request: Request, registry: MetricRegistry, localOnly: boolean): Response {
  const url = new URL(request.url);
  if (localOnly && !isLoopback(url.hostname)) return plain(403, "Host must be loopback");
  if (url.pathname !== "/metrics") return plain(404, "Only /metrics is here");
  if (request.method !== "GET") return plain(405, "Only GET");
  return new Response(registry.expose(), { headers: { "content-type": CONTENT_TYPE } });
}

function plain(status: number, text: string): Response {
  return new Response(text + "\n", { status, headers: { "content-type": "text/plain" } });
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(hostname);
}

/**
 * Scrapes one process.
 *
 * @param url of its `/metrics`
 * @param signal ends it early
 * @throws {MetricsError} `scrape` when there is no answer within 0.9 s or a refusal, `bad_line` when it cannot be read
 */
export async function scrapeMetrics(url: string, signal?: AbortSignal): Promise<Scrape> {
  const limit = AbortSignal.timeout(SCRAPE_TIMEOUT_MS);
  let text: string;
  try {
    const response = await fetch(url, {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    text = await response.text();
    if (!response.ok) throw new Error(`answer ${response.status}`);
  } catch (error) {
    throw new MetricsError(`Cannot scrape ${url}: ${messageOf(error)}`, {
      code: "scrape",
      retryable: true,
      cause: error,
    });
  }
  return parseExposition(text);
}
