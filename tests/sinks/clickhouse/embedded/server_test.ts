import { ClickHouseError } from "@clickhouse/client";
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { gzipSync } from "node:zlib";
import { FORMAT_NAMES } from "../../../../lib/sinks/mod.ts";
import { untilTrue } from "../../../until_true.ts";
import { type ClickHouseJob, clientOf, refused, startJob } from "../_server.ts";

let job: ClickHouseJob;

before(async () => {
  job = await startJob();
  await job.text(
    `CREATE TABLE events (id UInt64, name String) ENGINE = MergeTree ORDER BY id
     SETTINGS non_replicated_deduplication_window = 100`,
  );
});

after(async () => {
  await job[Symbol.asyncDispose]();
  assert.equal(await job.stderr, "");
});

it("handle() takes the query from the URL, from the body, and from both as one text", async () => {
  assert.equal(await job.text("SELECT 1"), "1\n");
  assert.equal(await job.text("", { query: "SELECT 2" }), "2\n");
  assert.equal(await job.text("3", { query: "SELECT" }), "3\n");
  const get = await job.ask("", { query: "SELECT 4" }, { method: "GET", body: null });
  assert.equal(await get.text(), "4\n");
});

it("handle() reads only for GET", async () => {
  const get = (query: string) => job.ask("", { query }, { method: "GET", body: null });
  await refused(get("INSERT INTO events VALUES (1, 'x')"), 164);
  await refused(get("DROP TABLE events"), 164);
});

it("handle() answers with id, format, summary and ClickHouse's type of content", async () => {
  const response = await job.ask("SELECT 1 AS a WHERE (SELECT 1) FORMAT JSONEachRow", {
    query_id: "my-id.1",
  });
  assert.equal(await response.text(), '{"a":1}\n');
  assert.equal(response.headers.get("x-clickhouse-query-id"), "my-id.1");
  assert.equal(response.headers.get("x-clickhouse-format"), "JSONEachRow");
  assert.equal(response.headers.get("content-type"), "application/x-ndjson; charset=UTF-8");
  assert.ok(JSON.parse(response.headers.get("x-clickhouse-summary")!).elapsed_ns > 0);
});

it("handle() tells errors by ClickHouse's codes", async () => {
  await refused(job.ask("SELECT * FROM absent"), 60, 404);
  await refused(job.ask("SELECT nonsense("), 62, 400);
  await refused(job.ask("SELECT absent()"), 46, 404);
  await refused(job.ask("SELECT 1", { database: "absent" }), 81, 404);
  await refused(job.ask("SELECT throwIf(1)"), 395, 500);
  await refused(job.ask(""), 62, 400);
  await refused(job.ask("SELECT 1; SELECT 2"), 62, 400);
  await refused(job.ask("SELECT 1", { session_id: "a" }), 48, 501);
  await refused(job.ask("SELECT 1", { compress: "1" }), 48, 501);
});

it("handle() writes each format it lists, and refuses others", async () => {
  for (const format of FORMAT_NAMES) {
    const response = await job.ask("SELECT toUInt8(65) AS a", { default_format: format });
    const body = await response.arrayBuffer();
    assert.equal(response.status, 200, format);
    assert.equal(body.byteLength > 0, format !== "Null", format);
  }
  for (const format of ["CapnProto", "Npy", "Nonsense"]) {
    await refused(job.ask(`SELECT 1 FORMAT ${format}`), 73);
    await refused(job.ask("SELECT 1", { default_format: format }), 73);
  }
});

it("handle() takes rows in each format that it writes and reads", async () => {
  await job.text("CREATE TABLE copies (id UInt64, name String) ENGINE = MergeTree ORDER BY id");
  const query =
    "SELECT number AS id, concat('a\\t\\'\"\\\\ é', toString(number)) AS name FROM numbers(3)";
  const written = [
    "RowBinary",
    "RowBinaryWithNames",
    "RowBinaryWithNamesAndTypes",
    "Native",
    "Parquet",
    "Null",
    "Pretty",
    "PrettyCompact",
    "PrettyCompactMonoBlock",
    "PrettyNoEscapes",
    "Vertical",
    "Markdown",
    "TabSeparatedRaw",
    "JSONStrings",
    "JSONCompactStrings",
    "JSONEachRowWithProgress",
  ];
  for (const format of FORMAT_NAMES.filter((name) => !written.includes(name))) {
    const rows = await job.text(query, { default_format: format });
    await job.text(rows, { query: `INSERT INTO copies FORMAT ${format}` });
    await job.text(`INSERT INTO copies (id, name) FORMAT ${format}\n${rows}`);
    assert.equal(await job.text("SELECT count(), uniqExact(name) FROM copies"), "6\t3\n", format);
    await job.text("TRUNCATE TABLE copies");
  }
  for (const format of written) {
    await refused(job.ask("x", { query: `INSERT INTO copies FORMAT ${format}` }), 48);
  }
});

it("handle() stores data with empty lines whole, and runs nothing of them", async () => {
  const evil = '{"id":1,"name":"a\n\nb"}\n\n\n{"id":2,"name":";\\n\\nDROP TABLE events"}\n\n';
  await job.text(evil, { query: "INSERT INTO events FORMAT JSONEachRow" });
  assert.equal(
    await job.text("SELECT id, name FROM events ORDER BY id FORMAT JSONCompactEachRow"),
    '[1, "a\\n\\nb"]\n[2, ";\\n\\nDROP TABLE events"]\n',
  );
  const injected = "9\tx\n\nTRUNCATE TABLE events";
  await refused(job.ask(injected, { query: "INSERT INTO events FORMAT TSV" }), 48);
  await refused(
    job.ask("(9, 'x'); TRUNCATE TABLE events", { query: "INSERT INTO events VALUES" }),
    62,
  );
  await refused(
    job.ask('INSERT INTO events FORMAT JSONEachRow\n{"id":9}\n;\nTRUNCATE TABLE events'),
    27,
  );
  assert.equal(await job.text("SELECT count() FROM events"), "2\n");
  await job.text("TRUNCATE TABLE events");
});

it("handle() keeps bytes that are no UTF-8", async () => {
  const data = new Uint8Array([...new TextEncoder().encode("7\t"), 0xff, 0xfe, 0x80, 0x0a]);
  await (await job.ask(data, { query: "INSERT INTO events FORMAT TSV" })).text();
  assert.equal(await job.text("SELECT hex(name) FROM events WHERE id = 7"), "FFFE80\n");
  await job.text("TRUNCATE TABLE events");
});

it("handle() applies settings to their request only", async () => {
  const token =
    "SELECT getSetting('insert_deduplication_token'), getSetting('max_block_size') FORMAT CSV";
  assert.equal(
    await job.text(token, { insert_deduplication_token: "t", max_block_size: "7" }),
    '"t",7\n',
  );
  const answers = await Promise.all(Array.from({ length: 20 }, () => job.text(token)));
  assert.deepEqual([...new Set(answers)], [answers[0]]);
  assert.match(answers[0]!, /^"",6\d+\n$/);
  await job.text('{"id":1}', {
    query: "INSERT INTO events FORMAT JSONEachRow",
    insert_deduplication_token: "x",
  });
  await job.text('{"id":1}', {
    query: "INSERT INTO events FORMAT JSONEachRow",
    insert_deduplication_token: "x",
  });
  assert.equal(await job.text("SELECT count() FROM events"), "1\n");
  await job.text('{"id":2}', { query: "INSERT INTO events FORMAT JSONEachRow" });
  assert.equal(await job.text("SELECT count() FROM events"), "2\n");
  await job.text("TRUNCATE TABLE events");
});

it("handle() passes names and values of settings, parameters and databases as such", async () => {
  const get = "SELECT getSetting('log_comment')";
  for (
    const value of [
      "a'b",
      "a\\",
      "\\'",
      "'; DROP TABLE events; --",
      "a\\' , max_threads = 64 -- ",
      "\n\n",
      "é",
    ]
  ) {
    const text = await job.text(`${get} FORMAT JSONCompactEachRow`, {
      log_comment: value,
      query_id: "q",
    });
    assert.deepEqual(JSON.parse(text), [`query_id=q ${value}`]);
    await refused(job.ask("SELECT 1", { database: `${value}\`` }), 81);
    const parameter = await job.text("SELECT {p:String} = unhex({hex:String})", {
      // Parameters are read as TSV is, as on a server.
      param_p: value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n"),
      param_hex: [...new TextEncoder().encode(value)].map((byte) =>
        byte.toString(16).padStart(2, "0")
      ).join(""),
    });
    assert.equal(parameter, "1\n", value);
  }
  for (const name of ["a b", "max_threads = 1, b", "x'", "a-b", "é"]) {
    await refused(job.ask("SELECT 1", { [name]: "1" }), 115);
  }
  await refused(job.ask("SELECT 1", { ["param_a = 1, b"]: "1" }), 115);
  await refused(job.ask("SELECT 1", { log_comment: "a\0b" }), 36);
  await refused(job.ask("SELECT 1", { no_such_setting: "1" }), 115, 400);
  await refused(job.ask("SELECT 1", { max_block_size: "many" }), 27);
  await refused(job.ask("SELECT 1", { query_id: "a'b" }), 36);
  assert.equal(await job.text("EXISTS events"), "1\n");
});

it("handle() keeps parameters of concurrent queries apart", async () => {
  const answers = await Promise.all(
    Array.from(
      { length: 40 },
      (_, i) => job.text("SELECT {p:UInt64} + sleep(0.01)", { param_p: String(i) }),
    ),
  );
  assert.deepEqual(answers, Array.from({ length: 40 }, (_, i) => `${i}\n`));
  await refused(job.ask("SELECT {p:UInt64}"), 456);
});

it("handle() works in the database it is given", async () => {
  assert.equal(await job.text("SELECT currentDatabase()", { database: "system" }), "system\n");
  const headers = { "x-clickhouse-database": "system" };
  assert.equal(await (await job.ask("SELECT count() FROM one", {}, { headers })).text(), "1\n");
  assert.equal(await job.text("SELECT currentDatabase()"), "default\n");
});

it("handle() reads gzip and writes it where both sides ask for it", async () => {
  const rows = Array.from({ length: 1000 }, (_, id) => JSON.stringify({ id, name: `n${id}` })).join(
    "\n",
  );
  const insert = { query: "INSERT INTO events FORMAT JSONEachRow" };
  await (await job.ask(gzipSync(rows), insert, { headers: { "content-encoding": "gzip" } })).text();
  const compressed = await job.ask("SELECT * FROM events", { enable_http_compression: "1" }, {
    headers: { "accept-encoding": "gzip" },
  });
  assert.equal(compressed.headers.get("content-encoding"), "gzip");
  assert.equal((await compressed.text()).split("\n").length, 1001);
  const plain = await job.ask("SELECT * FROM events", { enable_http_compression: "1" }, {
    headers: { "accept-encoding": "identity" },
  });
  assert.equal(plain.headers.get("content-encoding"), null);
  assert.equal((await plain.text()).split("\n").length, 1001);
  const half = gzipSync(rows).subarray(0, 500);
  await refused(job.ask(half, insert, { headers: { "content-encoding": "gzip" } }), 271);
  await refused(job.ask(rows, insert, { headers: { "content-encoding": "br" } }), 89);
  await refused(
    job.ask(gzipSync(new Uint8Array(80 << 20)), insert, {
      headers: { "content-encoding": "gzip" },
    }),
    307,
    413,
  );
  assert.equal(await job.text("SELECT count() FROM events"), "1000\n");
  await job.text("TRUNCATE TABLE events");
});

it("handle() streams a long answer and bounds one that it must hold", async () => {
  const response = await job.ask("SELECT number, toString(number) AS t FROM numbers(6000000)", {
    default_format: "TSV",
  });
  let bytes = 0;
  for await (const piece of response.body!) bytes += piece.length;
  assert.ok(bytes > 90e6, `${bytes}`);
  await refused(
    job.ask("SELECT * FROM (SELECT number, toString(number) AS t FROM numbers(6000000))"),
    396,
  );
});

it("handle() breaks an answer that fails half way, and lets one be left", async () => {
  const failing = await job.ask(
    "SELECT throwIf(number = 3000000), repeat('x', 50) FROM numbers(4000000)",
  );
  assert.equal(failing.status, 200);
  await assert.rejects(failing.text());
  await refused(
    job.ask("SELECT throwIf(number = 3000000) FROM numbers(4000000)", { wait_end_of_query: "1" }),
    395,
  );
  for (let i = 0; i < 20; i++) {
    const left = await job.ask("SELECT number, repeat('x', 50) FROM numbers(100000000)");
    const reader = left.body!.getReader();
    await reader.read();
    await reader.cancel();
  }
  assert.equal(await job.text("SELECT 1"), "1\n");
});

it("handle() inserts while long queries run", async () => {
  const slow = Array.from(
    { length: 6 },
    () =>
      job.text(
        "SELECT sum(sleepEachRow(0.02)) FROM numbers(75) SETTINGS max_block_size = 1",
      ),
  );
  let insertsBefore = 0;
  const all = Promise.all(slow).then(() => "slow");
  for (;;) {
    const insert = job.text('{"id":1}', { query: "INSERT INTO events FORMAT JSONEachRow" });
    await insert;
    if (await Promise.race([all, Promise.resolve("insert")]) === "slow") break;
    if (++insertsBefore >= 10) break;
  }
  assert.equal(insertsBefore, 10);
  await all;
  await job.text("TRUNCATE TABLE events");
});

it("handle() keeps one query per id, and KILL QUERY ends it", async () => {
  const long = { query_id: "long", max_block_size: "1" };
  const running = job.ask("SELECT sleepEachRow(0.02) FROM (SELECT * FROM numbers(3000))", long);
  const isRunning = async () =>
    (await (await fetch(`${job.ready.url}/metrics`)).text()).includes(
      "weir_clickhouse_running 1\n",
    );
  await untilTrue("the query is under way", isRunning);
  await refused(job.ask("SELECT 1", { query_id: "long" }), 216, 409);
  await job.text("KILL QUERY WHERE query_id = 'long' SYNC");
  await refused(running, 394);
  assert.equal(await job.text("SELECT 1", { query_id: "long" }), "1\n");
});

it("KILL QUERY ends an answer that nobody reads", async () => {
  const unread = await job.ask("SELECT number, repeat('x', 50) FROM numbers(100000000)", {
    query_id: "unread",
  });
  assert.equal(unread.status, 200);
  await job.text("KILL QUERY WHERE query_id = 'unread' SYNC");
  await assert.rejects(unread.text());
  assert.match(
    await (await fetch(`${job.ready.url}/metrics`)).text(),
    /^weir_clickhouse_running 0$/m,
  );
});

it("handle() takes a long text and a text of many escapes", async () => {
  const plain = "x".repeat(8 << 20);
  const limits = { max_query_size: "100000000" };
  assert.equal(await job.text(`SELECT length('${plain}')`, limits), `${8 << 20}\n`);
  assert.equal(await job.text(`SELECT length('${"\\'".repeat(1 << 20)}')`, limits), `${1 << 20}\n`);
});

it("handle() answers health checks and metrics to anyone on this machine", async () => {
  for (const path of ["/ping", "/", "/replicas_status"]) {
    assert.equal(await (await fetch(`${job.ready.url}${path}`)).text(), "Ok.\n");
  }
  const metrics = await (await fetch(`${job.ready.url}/metrics`)).text();
  for (
    const name of [
      "process_cpu_seconds_total",
      "process_resident_memory_bytes",
      "weir_clickhouse_inserts_total",
    ]
  ) {
    assert.match(metrics, new RegExp(`^${name} [0-9.]+$`, "m"));
  }
  const absent = await fetch(`${job.ready.url}/absent`);
  assert.equal(absent.status, 404);
  await absent.text();
});

it("@clickhouse/client inserts, queries, streams, executes, commands and pings", async () => {
  const client = clientOf(job, { compression: { request: true, response: true } });
  assert.deepEqual(await client.ping(), { success: true });
  assert.deepEqual(await client.ping({ select: true }), { success: true });
  await client.command({
    query:
      "CREATE TABLE c (id UInt64, at DateTime64(3, 'UTC'), tags Array(String)) ENGINE = MergeTree ORDER BY id",
  });
  const values = Array.from(
    { length: 1000 },
    (_, i) => ({ id: String(i), at: "2026-11-21 00:00:00.123", tags: ["a", "b\n\n"] }),
  );
  const inserted = await client.insert({ table: "c", values, format: "JSONEachRow" });
  assert.equal(inserted.summary?.written_rows, "1000");
  const query = await client.query({
    query: "SELECT * FROM c WHERE id = {id:UInt64} OR has(tags, {tag:String})",
    query_params: { id: 7, tag: "it's" },
    format: "JSONEachRow",
  });
  assert.deepEqual(await query.json(), [{ ...values[7]!, id: 7 }]);
  let streamed = 0;
  const stream = (await client.query({ query: "SELECT * FROM c", format: "JSONCompactEachRow" }))
    .stream();
  for await (const rows of stream) streamed += rows.length;
  assert.equal(streamed, 1000);
  const exec = await client.exec({ query: "SELECT 5 FORMAT CSV" });
  assert.equal(await new Response(ReadableOf(exec.stream)).text(), "5\n");
  await assert.rejects(
    client.query({ query: "SELECT * FROM absent" }),
    (error) =>
      error instanceof ClickHouseError && error.code === "60" && error.type === "UNKNOWN_TABLE",
  );
  const wrong = clientOf(job, { password: "x" });
  await assert.rejects(
    wrong.query({ query: "SELECT 1" }),
    (error) => error instanceof ClickHouseError && error.code === "516",
  );
  await wrong.close();
  await client.close();
});

function ReadableOf(stream: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(stream) as ReadableStream<Uint8Array<ArrayBuffer>>;
}
