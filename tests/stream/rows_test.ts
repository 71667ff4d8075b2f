import assert from "node:assert/strict";
import { utf8 } from "../../lib/base/mod.ts";
import type { MessageBatch } from "../../lib/contract.ts";
import { PartitionState } from "../../lib/stream/partition_state.ts";
import { compareNameBytes, restoreBatch, slotsByName } from "../../lib/stream/rows.ts";
import type { BuiltBatch } from "../../lib/stream/rows.ts";
import { encodeMessages, TestProjection } from "../simulation/messages.ts";

const CONFIGURATION = {
  runId: "run-1",
  partition: 2,
  windowSizeMs: 60_000,
  outOfOrdernessMs: 0,
  allowedLatenessMs: 0,
  measureNames: ["temperature", "pressure"],
  flagNames: ["anomaly_count"],
};

function build(
  sources: readonly string[],
  options: { batchRows: number; emittedAtMs?: number; temperature?: number },
): BuiltBatch[] {
  const { batchRows, emittedAtMs = 99, temperature = 1.5 } = options;
  const projection = new TestProjection();
  const state = new PartitionState(CONFIGURATION);
  const messages = sources.map((source, i) => ({
    source,
    sequence: i,
    eventTimeMs: 120_000 + i,
    ingestTimeMs: 0,
    temperature,
    pressure: -2,
    anomaly: i === 0,
  }));
  const batch: MessageBatch = {
    partition: 2,
    position: { ledgerId: 0, entryId: 0 },
    messageCount: messages.length,
    ...encodeMessages(messages),
    publishTimeMs: 0,
    properties: {},
  };
  state.handle(batch, projection, undefined);
  state.end({ ledgerId: 0, entryId: 1 });
  return state.closeWindows(projection, { batchRows, emittedAtMs });
}

Deno.test("buildBatches() gives each row the columns of the table, 64-bit integers as text", () => {
  const [built] = build(["s"], { batchRows: 10 });
  assert.deepEqual(built!.batch.rows, [{
    window_start: 120_000,
    window_end: 180_000,
    event_source_id: "s",
    message_count: "1",
    identity_sum: built!.batch.rows[0]!["identity_sum"],
    temperature_count: "1",
    temperature_avg: 1.5,
    temperature_min: 1.5,
    temperature_max: 1.5,
    pressure_count: "1",
    pressure_avg: -2,
    pressure_min: -2,
    pressure_max: -2,
    anomaly_count: "1",
    first_event_time: 120_000,
    last_event_time: 120_000,
    min_sequence: "0",
    max_sequence: "0",
    partition: 2,
    run_id: "run-1",
    batch_id: "run-1:2:120000:0",
    emitted_at: 99,
  }]);
  assert.match(String(built!.batch.rows[0]!["identity_sum"]), /^\d{1,20}$/);
});

Deno.test("buildBatches() sorts by the bytes of the names, whatever order they came in", () => {
  const names = ["é", "z", "a", "\u{1F600}", "\uFFFD", "ab"];
  const sorted = ["a", "ab", "z", "é", "\uFFFD", "\u{1F600}"];
  for (const order of [names, names.toReversed()]) {
    const [built] = build(order, { batchRows: 100 });
    assert.deepEqual(built!.batch.rows.map((row) => row["event_source_id"]), sorted);
  }
});

Deno.test("buildBatches() cuts at batchRows and numbers the parts", () => {
  const built = build(["a", "b", "c", "d", "e"], { batchRows: 2 });
  assert.deepEqual(built.map(({ batch }) => [batch.batchId, batch.rows.length]), [
    ["run-1:2:120000:0", 2],
    ["run-1:2:120000:1", 2],
    ["run-1:2:120000:2", 1],
  ]);
});

Deno.test("buildBatches() hashes the content and not the time of writing", () => {
  const hash = (options: { emittedAtMs?: number; temperature?: number }) =>
    build(["a", "b"], { batchRows: 9, ...options })[0]!.batch.contentHash;
  assert.match(hash({}), /^[0-9a-f]{64}$/);
  assert.equal(hash({ emittedAtMs: 1 }), hash({ emittedAtMs: 2 }));
  assert.notEqual(hash({ temperature: 1 }), hash({ temperature: 1.0000001 }));
});

Deno.test("buildBatches() writes a measure that no message had as nan", () => {
  const [row] = build(["a"], { batchRows: 9, temperature: NaN })[0]!.batch.rows;
  assert.deepEqual(
    ["count", "avg", "min", "max"].map((what) => row![`temperature_${what}`]),
    ["0", "nan", "nan", "nan"],
  );
});

Deno.test("restoreBatch() gives back the whole batch from its content", () => {
  const [built] = build(["a", "é"], { batchRows: 9, temperature: 0.1 + 0.2 });
  assert.deepEqual(restoreBatch(built!.content, 99), built);
});

Deno.test("slotsByName() and compareNameBytes() order as memcmp does", () => {
  assert(compareNameBytes(utf8("a"), utf8("ab")) < 0);
  assert(compareNameBytes(utf8("\uFFFD"), utf8("\u{1F600}")) < 0);
  assert.equal(compareNameBytes(utf8("x"), utf8("x")), 0);
  const projection = new TestProjection();
  for (const name of ["b", "c", "a"]) projection.slotOf(name);
  assert.deepEqual(slotsByName(projection), [2, 0, 1]);
});
