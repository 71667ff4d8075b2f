import assert from "node:assert/strict";
import fc from "fast-check";
import { QueryError } from "../../../../lib/sinks/clickhouse/embedded/errors.ts";
import { readStatement } from "../../../../lib/sinks/clickhouse/embedded/statement.ts";

function refusal(sql: string): number {
  try {
    readStatement(sql);
  } catch (error) {
    assert.ok(error instanceof QueryError);
    return error.code;
  }
  return 0;
}

Deno.test("readStatement() finds verb and format behind comments and in any case", () => {
  const sql = "-- a\n/* b */ # c\n#!d\n select 1 /* FORMAT CSV */ Format JSONEachRow -- FORMAT TSV";
  const { verb, format, dataStart } = readStatement(sql);
  assert.deepEqual([verb, format, dataStart], ["SELECT", "JSONEachRow", undefined]);
});

Deno.test("readStatement() takes no format from texts, names, heredocs, subqueries and columns", () => {
  for (
    const sql of [
      "SELECT 'x FORMAT CSV'",
      'SELECT "FORMAT CSV"',
      "SELECT `a` AS `FORMAT CSV`",
      "SELECT $$ FORMAT CSV $$",
      "SELECT $x$ FORMAT $y$ CSV $x$",
      "SELECT 'it''s \\' FORMAT CSV'",
      "SELECT (SELECT 1 FORMAT CSV)",
      "SELECT format FROM t",
      "SELECT t.format CSV",
      "SELECT \xE2\x80\x98 FORMAT CSV \xE2\x80\x99",
    ]
  ) assert.equal(readStatement(sql).format, undefined, sql);
});

Deno.test("readStatement() finds where the data of an INSERT begin", () => {
  const cases: [string, string, string][] = [
    ["INSERT INTO t FORMAT JSONEachRow\n{}", "JSONEachRow", "{}"],
    ["INSERT INTO t FORMAT JSONEachRow {}", "JSONEachRow", "{}"],
    ["INSERT INTO t FORMAT TSV \r\n\n1", "TSV", "\n1"],
    ["INSERT INTO t (a, b) VALUES (1, 'FORMAT CSV')", "Values", " (1, 'FORMAT CSV')"],
    ["INSERT INTO t SETTINGS a = 'FORMAT X' FORMAT CSV\n1;2", "CSV", "1;2"],
    ["INSERT INTO values VALUES (1)", "Values", " (1)"],
    ["INSERT INTO d.values (values) FORMAT CSV\n1", "CSV", "1"],
  ];
  for (const [sql, format, data] of cases) {
    const statement = readStatement(sql);
    assert.equal(statement.format, format, sql);
    assert.equal(sql.slice(statement.dataStart), data, sql);
  }
});

Deno.test("readStatement() gives INSERT SELECT no data", () => {
  assert.equal(
    readStatement("INSERT INTO t SELECT * FROM values('a Int8', 1)").dataStart,
    undefined,
  );
});

Deno.test("readStatement() refuses several statements, but not a closing semicolon", () => {
  assert.equal(refusal("SELECT 1; SELECT 2"), 62);
  assert.equal(refusal("SELECT 1; -- end"), 0);
  assert.equal(refusal("SELECT ';' ; ;"), 0);
  assert.equal(refusal("INSERT INTO t VALUES (1, ';'); DROP TABLE t"), 62);
  assert.equal(refusal("INSERT INTO t FORMAT Values (1); DROP TABLE t"), 62);
  assert.equal(refusal("INSERT INTO t VALUES (1, ';');"), 0);
});

Deno.test("readStatement() refuses to read or write files, whatever the writing", () => {
  for (
    const sql of [
      "SELECT 1 INTO OUTFILE '/tmp/x'",
      "select 1 into/**/outfile '/tmp/x'",
      "SELECT 1 INTO\nOutFile $$/tmp/x$$ FORMAT CSV",
      "INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV",
      "INSERT INTO t VALUES (1); SELECT 1 INTO OUTFILE '/tmp/x'",
    ]
  ) assert.ok(refusal(sql) > 0, sql);
});

Deno.test("readStatement() leaves those words alone in the data of an INSERT", () => {
  assert.equal(refusal('INSERT INTO t FORMAT JSONEachRow\n{"a":"INTO OUTFILE"}'), 0);
});

Deno.test("readStatement() refuses engines that reach outside, whatever the writing", () => {
  for (
    const sql of [
      "CREATE TABLE t (a Int8) ENGINE = EmbeddedRocksDB(0, '/tmp/x') PRIMARY KEY a",
      "CREATE TABLE t (a Int8) ENGINE EmbeddedRocksDB(0, '/tmp/x') PRIMARY KEY a",
      'CREATE TABLE t (a Int8) ENGINE = "Embedded\\x52ocksDB"(0)',
      "CREATE TABLE t (a Int8) ENGINE `File`(TSV)",
      "CREATE TABLE t (a Int8) engine/**/=/**/File(TSV)",
      "CREATE DATABASE d ENGINE = Filesystem('/')",
    ]
  ) assert.equal(refusal(sql), 497, sql);
});

Deno.test("readStatement() refuses disks, whatever the writing", () => {
  const create = "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = ";
  for (
    const call of [
      "disk(type = web)",
      "DISK /* */ (type = web)",
      '"disk"(a = 1)',
      '"di\\x73k"(a = 1)',
      "`di\\sk`(a = 1)",
      "\xE2\x80\x9Cdisk\xE2\x80\x9D(a = 1)",
    ]
  ) {
    assert.equal(refusal(create + call), 497, call);
  }
  assert.equal(refusal("SELECT disk, (1) FROM t"), 0);
});

Deno.test("readStatement() allows engines of the data folder and columns called engine", () => {
  for (
    const sql of [
      "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a",
      "CREATE TABLE t (a Int8) ENGINE ReplacingMergeTree(a) ORDER BY a",
      "SELECT engine FROM system.tables WHERE engine = 'File' ORDER BY engine",
      "SELECT name, engine, uuid FROM system.tables WHERE engine IN ('Log') GROUP BY engine",
    ]
  ) assert.equal(refusal(sql), 0, sql);
});

Deno.test("readStatement() calls only a SELECT without subquery plain", () => {
  const plain = (sql: string) => readStatement(sql).isPlainSelect;
  assert.equal(plain("SELECT * FROM t ORDER BY a"), true);
  assert.equal(plain("SELECT 'SELECT'"), true);
  assert.equal(plain("SELECT (SELECT 1)"), false);
  assert.equal(plain("WITH (SELECT 1) AS x SELECT x"), false);
  assert.equal(plain("SHOW TABLES"), false);
});

Deno.test("readStatement() reads any text to its end", () => {
  const piece = fc.constantFrom(
    "'",
    '"',
    "`",
    "\\",
    "$$",
    "$a$",
    "/*",
    "*/",
    "--",
    "\n",
    ";",
    "(",
    ")",
    "SELECT",
    "FORMAT",
    " ",
    "CSV",
    "INSERT",
    "VALUES",
    "é",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const sql = pieces.join("");
      if (refusal(sql) > 0) return;
      const { dataStart = sql.length } = readStatement(sql);
      assert.ok(dataStart >= 0 && dataStart <= sql.length);
    }),
    { seed: 3, numRuns: 2000 },
  );
});
