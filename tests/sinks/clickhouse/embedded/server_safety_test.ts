import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { authorization, type ClickHouseJob, PASSWORD, refused, startJob } from "../_server.ts";

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

it("handle() does not reach files, networks, programs or other users' rights", async () => {
  const denied = [
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    'SELECT * FROM "/etc/passwd"',
    "SELECT file('/etc/passwd')",
    "SELECT file('/etc/passwd', 'x')",
    "SELECT `fi\\x6ce`('/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "SELECT * APPLY file FROM (SELECT '/etc/passwd')",
    "SELECT * FROM format(JSONEachRow, concat('a String, b String DEFAULT fi', 'le(\\'/etc/passwd\\')'), '{\"a\":\"\"}')",
    "SELECT 1 SETTINGS additional_result_filter = 'length(fi\\x6ce(\\'/etc/passwd\\')) > 0'",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM s3('https://bucket1.s3.amazonaws.com/x', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM icebergLocal('/tmp')",
    "SELECT * FROM loop(file('/etc/passwd', 'LineAsString'))",
    "DESCRIBE TABLE file('/etc/passwd')",
    "SELECT 1 INTO OUTFILE '/tmp/weir-must-not-exist'",
    "INSERT INTO events FROM INFILE '/etc/passwd' FORMAT CSV",
    "INSERT INTO FUNCTION file('/tmp/weir-must-not-exist', 'CSV') SELECT 1",
    "CREATE TABLE x (a String) ENGINE = File(TSV, '/etc/passwd')",
    "CREATE TABLE x (a String) ENGINE = EmbeddedRocksDB(0, '/tmp/weir-must-not-exist') PRIMARY KEY a",
    "CREATE DATABASE x ENGINE = Filesystem('/etc')",
    "CREATE TABLE x (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = web, endpoint = 'http://127.0.0.1:1/')",
    "CREATE TABLE x (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = \"di\\x73k\"(type = object_storage, object_storage_type = local, metadata_type = plain, path = '/tmp/weir-must-not-exist')",
    "CREATE DATABASE x ENGINE = Atomic SETTINGS disk = disk(type = object_storage, object_storage_type = local, metadata_type = plain, path = '/tmp/weir-must-not-exist')",
    "ATTACH TABLE x FROM '/etc' (a Int8) ENGINE = MergeTree ORDER BY a",
    "CREATE DICTIONARY x (a UInt64, b String) PRIMARY KEY a SOURCE(FILE(PATH '/etc/passwd' FORMAT 'TSV')) LIFETIME(0) LAYOUT(FLAT())",
    "CREATE FUNCTION x AS (a) -> a",
    "CREATE USER x",
    "GRANT ALL ON *.* TO default",
    "BACKUP TABLE events TO File('/tmp/weir-must-not-exist')",
    "SYSTEM SHUTDOWN",
  ];
  for (const sql of denied) {
    const response = await job.ask(sql);
    const text = await response.text();
    assert.equal(response.headers.get("x-clickhouse-exception-code"), "497", `${sql}: ${text}`);
    assert.doesNotMatch(text, /root:/);
  }
  await job.text("CREATE VIEW stolen (a String) AS SELECT file('/etc/passwd') AS a");
  await refused(job.ask("SELECT * FROM stolen"), 497);
  await refused(job.ask("SELECT * FROM executable('x', 'TSV', 'a String')"), 1);
  await assert.rejects(Deno.stat("/tmp/weir-must-not-exist"), Deno.errors.NotFound);
});

it("handle() does not let a request raise its bounds", async () => {
  await refused(job.ask("SELECT 1", { max_threads: "64" }), 452);
  await refused(job.ask("SELECT 1 SETTINGS max_threads = 64"), 452);
  await refused(job.ask("SELECT 1", { format_schema_source: "query" }), 452);
});

it("handle() asks for user and password, in every form that clients send them", async () => {
  const { url } = job.ready;
  const query = "query=SELECT+1";
  const post = (suffix: string, headers: HeadersInit = {}) =>
    fetch(`${url}/?${query}${suffix}`, { method: "POST", headers });
  const wrong = [
    post(""),
    post("&user=default&password=x"),
    post("&user=admin", { "x-clickhouse-user": "admin", "x-clickhouse-key": PASSWORD }),
    post("", { authorization: authorization("default", `${PASSWORD}x`) }),
    post("", { authorization: authorization("default", "") }),
    post("", { authorization: "Basic %%%" }),
    post("", { authorization: "Bearer x" }),
    post("", { "x-clickhouse-user": "default" }),
  ];
  for (const response of wrong) await refused(response, 516, 403);
  const ascii = encodeURIComponent(PASSWORD);
  for (
    const right of [
      post(`&user=default&password=${ascii}`),
      post("", { authorization: authorization("default", PASSWORD) }),
    ]
  ) {
    assert.equal(await (await right).text(), "1\n");
  }
});

/** Sends a request that fetch would not, and gives back the status line. */
async function raw(lines: readonly string[]): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: job.ready.port });
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  const buffer = new Uint8Array(4096);
  const length = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, length ?? 0)).split("\r\n")[0]!;
}

it("handle() answers no web page, and only to names of this machine", async () => {
  const start = "GET /?query=SELECT+1 HTTP/1.1";
  const login = `Authorization: ${authorization("default", PASSWORD)}`;
  const { port } = job.ready;
  assert.equal(await raw([start, `Host: localhost:${port}`, login]), "HTTP/1.1 200 OK");
  assert.equal(await raw([start, `Host: LOCALHOST:${port}`, login]), "HTTP/1.1 200 OK");
  for (
    const lines of [
      [`Host: evil.example:${port}`],
      [`Host: 127.0.0.1.evil.example:${port}`],
      [`Host: localhost`],
      [`Host: localhost:1`],
      [`Host: localhost:${port}`, "Origin: http://evil.example"],
      [`Host: localhost:${port}`, `Origin: http://localhost:${port}`],
      [`Host: localhost:${port}`, "Origin: null"],
      [`Host: localhost:${port}`, "Sec-Fetch-Site: cross-site"],
    ]
  ) {
    assert.equal(await raw([start, ...lines, login]), "HTTP/1.1 403 Forbidden", lines.join());
    assert.equal(
      await raw(["GET /metrics HTTP/1.1", ...lines]),
      "HTTP/1.1 403 Forbidden",
      lines.join(),
    );
  }
  await refused(job.ask("SELECT 1", {}, { method: "DELETE" }), 1);
});
