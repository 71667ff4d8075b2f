import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { Secret } from "../../../lib/base/mod.ts";
import type { WindowRow } from "../../../lib/contract.ts";
import {
  type ClickHouseSink,
  openClickHouse,
  SinkError,
  type StoredRow,
} from "../../../lib/sinks/mod.ts";
import { untilTrue } from "../../until_true.ts";
import { someBatch } from "./_batches.ts";
import { type ClickHouseJob, PASSWORD, startJob } from "./_server.ts";

let job: ClickHouseJob;
let sink: ClickHouseSink;

const open = (options: Partial<Parameters<typeof openClickHouse>[0]> = {}) =>
  openClickHouse({ url: job.ready.url, password: new Secret(PASSWORD), ...options });

before(async () => {
  job = await startJob();
  sink = await open();
  await sink.prepare();
});

after(async () => {
  await sink[Symbol.asyncDispose]();
  await job[Symbol.asyncDispose]();
});

async function rowsOf(runId: string): Promise<StoredRow[]> {
  return await Array.fromAsync(sink.rowsOf(runId));
}

function comparable(row: WindowRow): Record<string, string | number> {
  const times = ["window_start", "window_end", "first_event_time", "last_event_time", "emitted_at"];
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      times.includes(name) ? new Date(value).toISOString().replace("T", " ").slice(0, -1) : value,
    ]),
  );
}

async function failure(work: Promise<unknown>): Promise<SinkError> {
  const error = await work.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof SinkError, String(error));
  assert.doesNotMatch(`${error.message} ${error.cure}`, /it's|pw-secret|\n/);
  return error;
}

it("openClickHouse() names the system and its version", () => {
  assert.match(sink.systemName, /^embedded ClickHouse 26\.\d+\.\d+\.\d+ \(chDB\)$/);
});

it("insert() and rowsOf() give every value back bit by bit, in order", async () => {
  const batches = [0, 1].map((part) =>
    someBatch({ runId: "exact", part, rowCount: 1000, seed: part + 7 })
  );
  for (const batch of [...batches].reverse()) {
    const receipt = await sink.insert(batch, {
      token: batch.batchId,
      queryId: `q-${batch.batchId}`,
    });
    assert.ok(receipt.bytes > 1000 * 100);
  }
  const found = await rowsOf("exact");
  const expected = batches.flatMap((batch) => batch.rows).map(comparable);
  assert.equal(found.length, 2000);
  for (const [i, row] of found.entries()) {
    for (const [name, value] of Object.entries(expected[i]!)) {
      assert.ok(
        Object.is(row[name], value === 0 ? 0 : value),
        `row ${i}, ${name}: ${row[name]} is not ${value}`,
      );
    }
  }
});

it("insert() stores nan where there was nothing to measure", async () => {
  const batch = someBatch({ runId: "nan", rowCount: 1 });
  const row = {
    ...batch.rows[0]!,
    power_w_count: "0",
    power_w_avg: "nan",
    power_w_min: "nan",
    power_w_max: "nan",
  };
  await sink.insert({ ...batch, rows: [row] }, { token: "nan", queryId: "nan" });
  assert.equal((await rowsOf("nan"))[0]!["power_w_avg"], "nan");
});

it("insert() under one token stores once, also with other rows, and under another token again", async () => {
  const batch = someBatch({ runId: "twice", rowCount: 25 });
  for (const token of ["t1", "t1", "t1"]) {
    await sink.insert(batch, { token, queryId: crypto.randomUUID() });
  }
  assert.equal(await sink.count(batch), 25);
  await sink.insert(someBatch({ runId: "twice", rowCount: 25, seed: 9 }), {
    token: "t1",
    queryId: "again",
  });
  assert.equal(await sink.count(batch), 25);
  await sink.insert(batch, { token: "t2", queryId: "fresh" });
  assert.equal(await sink.count(batch), 50);
});

it("insert() without a token of its own after one with a token stores its rows", async () => {
  const batches = [1, 2].map((windowIndex) =>
    someBatch({ runId: "leak", windowIndex, rowCount: 3 })
  );
  await sink.insert(batches[0]!, { token: "leak-1", queryId: "leak-1" });
  await sink.insert(batches[1]!, { token: "leak-2", queryId: "leak-2" });
  assert.equal((await rowsOf("leak")).length, 6);
});

it("count() counts a batch's rows only", async () => {
  const batches = [0, 1].map((part) => someBatch({ runId: "count", part, rowCount: 5 + part }));
  assert.equal(await sink.count(batches[0]!), 0);
  for (const batch of batches) {
    await sink.insert(batch, { token: batch.batchId, queryId: batch.batchId });
  }
  assert.deepEqual(await Promise.all(batches.map((batch) => sink.count(batch))), [5, 6]);
});

it("insert() refuses tokens and query ids that could end their quotes", async () => {
  const batch = someBatch();
  for (const bad of ["a' , b", "a\\", "", "a b", "é", "x".repeat(201)]) {
    await assert.rejects(sink.insert(batch, { token: bad, queryId: "q" }), RangeError);
    await assert.rejects(sink.insert(batch, { token: "t", queryId: bad }), RangeError);
    await assert.rejects(sink.cancel(bad), RangeError);
  }
});

it("insert() refuses a row that lacks a column", async () => {
  const { power_w_max: _, ...row } = someBatch().rows[0]!;
  const batch = { ...someBatch(), rows: [row] };
  await assert.rejects(sink.insert(batch, { token: "t", queryId: "q" }), /lacks power_w_max/);
});

it("insert() refuses a value that the column cannot hold, and stores nothing", async () => {
  const batch = someBatch({ runId: "bad", rowCount: 3 });
  const rows = batch.rows.map((row, i) => i < 2 ? row : { ...row, message_count: "many" });
  const error = await failure(sink.insert({ ...batch, rows }, { token: "bad", queryId: "bad" }));
  assert.deepEqual([error.code, error.retryable], ["refused", false]);
  assert.equal(await sink.count(batch), 0);
});

it("insert() ends when its signal is aborted", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  const error = await failure(sink.insert(someBatch(), { token: "a", queryId: "a", signal }));
  assert.equal(error.code, "cancelled");
});

it("cancel() returns for an insert that is not there, and ends one that is", async () => {
  await sink.cancel("nothing-of-this-name");
  await job.text("CREATE TABLE slow (a UInt64) ENGINE = MergeTree ORDER BY a");
  const insert = job.ask("INSERT INTO slow SELECT number + sleepEachRow(0.05) FROM numbers(200)", {
    query_id: "slow-insert",
    max_block_size: "1",
  });
  const isRunning = async () =>
    (await (await fetch(`${job.ready.url}/metrics`)).text()).includes(
      "weir_clickhouse_running 1\n",
    );
  await untilTrue("the insert is under way", isRunning);
  await sink.cancel("slow-insert");
  const response = await insert;
  assert.equal(response.headers.get("x-clickhouse-exception-code"), "394", await response.text());
  assert.equal(await job.text("SELECT count() FROM slow"), "0\n");
});

it("openClickHouse() tells a wrong password, a wrong port and a wrong URL apart, without the password", async () => {
  const wrong = await failure(open({ password: new Secret("pw-secret") }));
  assert.deepEqual([wrong.code, wrong.retryable], ["authentication", false]);
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  const absent = await failure(open({ url: `http://me:pw-secret@127.0.0.1:${port}` }));
  assert.deepEqual([absent.code, absent.retryable], ["connection", true]);
  assert.match(absent.message, new RegExp(`^Cannot use ClickHouse at http://127.0.0.1:${port}: `));
  await assert.rejects(open({ url: "clickhouse://localhost" }), RangeError);
});

it("openClickHouse() takes user and password from the URL", async () => {
  const url = new URL(job.ready.url);
  url.username = "default";
  url.password = encodeURIComponent(PASSWORD);
  await using other = await openClickHouse({ url: url.href });
  assert.equal(other.version, sink.version);
});

it("prepare() makes a database and a table of another name, and finds them right again", async () => {
  await using other = await open({ database: "lab_2", table: "windows" });
  await other.prepare();
  await other.prepare();
  const batch = someBatch({ runId: "elsewhere" });
  await other.insert(batch, { token: "e", queryId: "e" });
  assert.deepEqual([await other.count(batch), await sink.count(batch)], [10, 0]);
});

it("openClickHouse() refuses names that are no identifiers", async () => {
  for (const table of ["a b", "a`b", "1a", "", "a.b", "ü"]) {
    await assert.rejects(open({ table }), RangeError);
  }
});

it("prepare() names what is wrong with a table, and the statement that puts it right", async () => {
  const ddl = (await job.text("SHOW CREATE TABLE default.sensor_1m FORMAT TabSeparatedRaw"))
    .replace("default.sensor_1m", "default.other");
  const cases: [string, string, RegExp][] = [
    [
      "non_replicated_deduplication_window = 10000",
      "non_replicated_deduplication_window = 100",
      /remembers 100 insert tokens/,
    ],
    ["fsync_after_insert = 1", "fsync_after_insert = 0", /before it is on the disk/],
    ["`power_w_max` Float64", "`power_w_max` Float32", /power_w_max is Float32, not Float64/],
    ["    `error_count` UInt64,\n", "", /no column error_count/],
    ["ENGINE = MergeTree", "ENGINE = Null\n--", /engine Null does not deduplicate/],
  ];
  for (const [from, to, expected] of cases) {
    assert.ok(ddl.includes(from), `${from} is not in ${ddl}`);
    const changed = to.startsWith("ENGINE")
      ? ddl.slice(0, ddl.indexOf("ENGINE")) + "ENGINE = Null"
      : ddl.replace(from, to);
    await job.text(changed);
    await using other = await open({ table: "other" });
    const error = await failure(other.prepare());
    assert.equal(error.code, "wrong_table");
    assert.match(error.message, expected);
    if (error.cure!.startsWith("ALTER")) {
      await job.text(error.cure!);
      await other.prepare();
    }
    await job.text("DROP TABLE other SYNC");
  }
});

it("rowsOf() reads more rows than one answer may hold", async () => {
  const ids =
    "number AS event_source_id, 'many' AS run_id, toDateTime64('2026-01-01 00:00:00', 3) AS window_start";
  await job.text(
    `INSERT INTO sensor_1m (event_source_id, run_id, window_start) SELECT ${ids} FROM numbers(120000)`,
  );
  let count = 0;
  for await (const row of sink.rowsOf("many")) count += row["run_id"] === "many" ? 1 : 0;
  assert.equal(count, 120_000);
});
