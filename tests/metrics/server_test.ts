import assert from "node:assert/strict";
import {
  METRIC,
  MetricRegistry,
  MetricsError,
  scrapeMetrics,
  serveMetrics,
} from "../../lib/metrics/mod.ts";
import { answer } from "../../lib/metrics/server.ts";

function registryOf(value: number): MetricRegistry {
  const registry = new MetricRegistry();
  registry.counter({ name: METRIC.rowsInserted, help: "Rows." }, () => value);
  return registry;
}

Deno.test("serveMetrics() is scraped over loopback", async () => {
  await using server = serveMetrics({ port: 0, registry: registryOf(7) });
  const scrape = await scrapeMetrics(server.url);
  assert.deepEqual(scrape, { values: { [METRIC.rowsInserted]: 7 }, buckets: {} });
  const response = await fetch(server.url);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  await response.body?.cancel();
});

Deno.test("serveMetrics() refuses a request whose Host is a name of somebody else", async () => {
  await using server = serveMetrics({ port: 0, registry: registryOf(7) });
  const connection = await Deno.connect({ port: server.port, hostname: "127.0.0.1" });
  await connection.write(
    new TextEncoder().encode(
      "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    ),
  );
  const text = await new Response(connection.readable).text();
  assert.match(text, /^HTTP\/1.1 403 /);
  assert.ok(!text.includes(METRIC.rowsInserted));
});

Deno.test("answer() serves GET /metrics and nothing else", async () => {
  const statusOf = (url: string, method = "GET", localOnly = true) => {
    const response = answer(new Request(url, { method }), registryOf(1), localOnly);
    return response.status;
  };
  for (const host of ["127.0.0.1:80", "localhost", "[::1]:9", "127.1.2.3"]) {
    assert.equal(statusOf(`http://${host}/metrics`), 200, host);
  }
  for (const host of ["127.0.0.1.evil.example", "example.com", "localhost.evil"]) {
    assert.equal(statusOf(`http://${host}/metrics`), 403, host);
  }
  assert.equal(statusOf("http://pod-3/metrics", "GET", false), 200);
  assert.equal(statusOf("http://localhost/"), 404);
  assert.equal(statusOf("http://localhost/metrics", "POST"), 405);
  const page = answer(new Request("http://localhost/metrics"), registryOf(3), true);
  assert.match(await page.text(), /total 3\n$/);
});

Deno.test("scrapeMetrics() tells where nothing answers, and can be tried again", async () => {
  const server = serveMetrics({ port: 0, registry: registryOf(1) });
  await server[Symbol.asyncDispose]();
  await assert.rejects(
    scrapeMetrics(server.url),
    (error) =>
      error instanceof MetricsError && error.code === "scrape" && error.retryable &&
      error.message.includes(server.url),
  );
});

Deno.test("scrapeMetrics() takes a refusal as no scrape", async () => {
  await using server = serveMetrics({ port: 0, registry: registryOf(1) });
  await assert.rejects(scrapeMetrics(server.url.replace("/metrics", "/other")), { code: "scrape" });
});

Deno.test("scrapeMetrics() ends when its signal is aborted", async () => {
  await using server = serveMetrics({ port: 0, registry: registryOf(1) });
  await assert.rejects(scrapeMetrics(server.url, AbortSignal.abort()), { code: "scrape" });
});
