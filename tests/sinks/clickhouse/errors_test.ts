import { ClickHouseError } from "@clickhouse/client";
import assert from "node:assert/strict";
import { sinkError, type SinkErrorCode } from "../../../lib/sinks/clickhouse/errors.ts";

const CASES: [string, SinkErrorCode, boolean][] = [
  ["60", "unknown_table", false],
  ["81", "unknown_database", false],
  ["159", "timeout", true],
  ["164", "rights", false],
  ["192", "authentication", false],
  ["193", "authentication", false],
  ["194", "authentication", false],
  ["516", "authentication", false],
  ["497", "rights", false],
  ["202", "overloaded", true],
  ["241", "overloaded", true],
  ["252", "overloaded", true],
  ["242", "read_only", true],
  ["999", "read_only", true],
  ["243", "disk_full", false],
  ["394", "cancelled", true],
  ["27", "refused", false],
];

Deno.test("sinkError() knows ClickHouse's errors by their number, each on one line", () => {
  for (const [number, code, retryable] of CASES) {
    const thrown = new ClickHouseError({
      message: "It is so.\n  And so. ",
      code: number,
      type: "NAME",
    });
    const error = sinkError("store", thrown);
    assert.deepEqual([error.code, error.retryable], [code, retryable], number);
    assert.equal(error.message, "Cannot store: It is so. And so (NAME)");
    assert.equal(error.cause, thrown);
    if (!retryable && code !== "refused") assert.ok(error.cure, number);
  }
});

Deno.test("sinkError() knows the network's errors, however deep", () => {
  const coded = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
  const cases: [unknown, SinkErrorCode][] = [
    [coded("ECONNREFUSED"), "connection"],
    [new Error("failed", { cause: coded("ECONNRESET") }), "connection"],
    [new Error("socket hang up"), "connection"],
    [new Error("Timeout error."), "timeout"],
    [new Error("The user aborted a request."), "cancelled"],
    [new Error("write failed: No space left on device"), "disk_full"],
    ["text", "connection"],
  ];
  for (const [thrown, code] of cases) {
    assert.equal(sinkError("store", thrown).code, code, String(thrown));
  }
});

Deno.test("sinkError() leaves its own errors as they are, and knows a full disk behind any number", () => {
  const own = sinkError("a", new Error("x"));
  assert.equal(sinkError("b", own), own);
  const full = new ClickHouseError({
    message: "errno: 28, strerror: No space left on device",
    code: "75",
    type: "X",
  });
  assert.equal(sinkError("store", full).code, "disk_full");
});
