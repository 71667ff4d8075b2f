import assert from "node:assert/strict";
import {
  checkTable,
  createTableSql,
  expectedColumns,
  quotedName,
} from "../../../lib/sinks/clickhouse/table.ts";
import { SinkError } from "../../../lib/sinks/mod.ts";

const NAME = { database: "default", table: "sensor_1m" };
const COLUMNS = expectedColumns();
const DURABLE =
  "SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1";

Deno.test("expectedColumns() are those that the pipeline's rows have", () => {
  const measures = ["temperature_c", "humidity_pct", "pressure_hpa", "vibration_mm_s", "power_w"];
  assert.deepEqual(COLUMNS.map(({ name }) => name), [
    "window_start",
    "window_end",
    "event_source_id",
    "message_count",
    "identity_sum",
    ...measures.flatMap((name) => ["count", "avg", "min", "max"].map((what) => `${name}_${what}`)),
    "anomaly_count",
    "error_count",
    "first_event_time",
    "last_event_time",
    "min_sequence",
    "max_sequence",
    "partition",
    "run_id",
    "batch_id",
    "emitted_at",
  ]);
  assert.deepEqual(COLUMNS[0], { name: "window_start", type: "DateTime64(3, 'UTC')" });
});

Deno.test("createTableSql() names the table it is given", () => {
  const sql = createTableSql({ database: "lab", table: "t_2" });
  assert.match(sql, /^CREATE TABLE IF NOT EXISTS `lab`\.`t_2`\n\(/);
  assert.doesNotMatch(sql, /sensor_1m|--/);
});

Deno.test("quotedName() refuses what could leave its quotes", () => {
  for (const table of ["a`b", "a b", "", "a.b", "1a", "a;"]) {
    assert.throws(() => quotedName({ database: "d", table }), RangeError);
  }
});

Deno.test("checkTable() accepts what deduplicates and is durable", () => {
  checkTable(
    NAME,
    COLUMNS,
    `MergeTree PARTITION BY toYYYYMM(window_start) ORDER BY run_id ${DURABLE}`,
  );
  checkTable(NAME, COLUMNS, "ReplicatedMergeTree('/x', '{replica}') ORDER BY run_id");
  checkTable(NAME, COLUMNS, "SharedMergeTree('/x', '{replica}') ORDER BY run_id");
  checkTable(NAME, [...COLUMNS, { name: "more", type: "String" }], `MergeTree ${DURABLE}`);
  const plain = COLUMNS.map((column) =>
    column.name === "run_id" ? { name: "run_id", type: "String" } : column
  );
  checkTable(NAME, plain, `MergeTree ${DURABLE}`);
});

Deno.test("checkTable() refuses what loses or doubles rows", () => {
  const cases: [string, RegExp][] = [
    ["MergeTree ORDER BY run_id", /remembers 0 insert tokens/],
    [`MergeTree ${DURABLE.replace("10000", "9999")}`, /remembers 9999 insert tokens/],
    [
      "ReplicatedMergeTree('/x', 'r') SETTINGS replicated_deduplication_window = 100",
      /remembers 100 insert tokens/,
    ],
    [
      `MergeTree ${DURABLE.replace("fsync_part_directory = 1", "fsync_part_directory = 0")}`,
      /fsync_part_directory = 0/,
    ],
    ["Memory", /engine Memory does not deduplicate/],
    ["", /does not deduplicate/],
  ];
  for (const [engineFull, expected] of cases) {
    assert.throws(() => checkTable(NAME, COLUMNS, engineFull), (error) => {
      assert.ok(error instanceof SinkError && error.code === "wrong_table" && error.cure);
      assert.match(error.message, expected);
      return true;
    });
  }
});
