import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../lib/base/mod.ts";
import type { MessageBatch, WindowRow } from "../../lib/contract.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../lib/stream/checkpoint.ts";
import { StreamError } from "../../lib/stream/errors.ts";
import { PartitionState } from "../../lib/stream/partition_state.ts";
import type { Plant } from "../../lib/stream/plant.ts";
import type { Rule, TestMessage } from "../simulation/messages.ts";
import { encodeMessages, expectedOf, rowOf, TestProjection } from "../simulation/messages.ts";

function configurationOf(rule: Rule) {
  const { measureNames, flagNames } = new TestProjection();
  return { runId: "run", partition: 3, ...rule, measureNames, flagNames };
}

function batchOf(messages: readonly TestMessage[], entryId: number): MessageBatch {
  return {
    partition: 3,
    position: { ledgerId: 0, entryId },
    messageCount: messages.length,
    ...encodeMessages(messages),
    publishTimeMs: 0,
    properties: {},
  };
}

/** A reader of one partition that can be restarted from a checkpoint between any two entries. */
class Reader {
  state: PartitionState;
  projection = new TestProjection();
  rows: WindowRow[] = [];
  entries = 0;

  constructor(readonly rule: Rule, readonly plant?: Plant) {
    this.state = new PartitionState(configurationOf(rule));
  }

  read(messages: readonly TestMessage[]): void {
    this.state.handle(batchOf(messages, this.entries++), this.projection, this.plant);
    this.#close();
  }

  end(): void {
    this.state.end({ ledgerId: 0, entryId: this.entries++ });
    this.#close();
  }

  restart(): void {
    const bytes = encodeCheckpoint(this.state, this.projection, []);
    const { state, sourceNames } = decodeCheckpoint(bytes);
    this.state = state;
    this.projection = new TestProjection();
    for (const name of sourceNames) this.projection.slotOf(name);
  }

  #close(): void {
    const built = this.state.closeWindows(this.projection, { batchRows: 1_000, emittedAtMs: 1 });
    for (const { batch } of built) this.rows.push(...batch.rows);
  }
}

function canonical(row: Readonly<Record<string, string | number>>): string {
  const { emitted_at: _, batch_id: __, run_id: ___, ...rest } = row;
  return JSON.stringify(Object.entries(rest).sort(([a], [b]) => a < b ? -1 : 1));
}

const rules = fc.record({
  windowSizeMs: fc.constantFrom(100, 1_000),
  outOfOrdernessMs: fc.constantFrom(0, 50, 500),
  allowedLatenessMs: fc.constantFrom(0, 70),
});

const messages = fc.record({
  source: fc.constantFrom("a", "b", "é", "zz"),
  sequence: fc.nat(60),
  eventTimeMs: fc.integer({ min: -2_000, max: 4_000 }),
  ingestTimeMs: fc.nat(3),
  temperature: fc.double({ min: -50, max: 50, noNaN: true }),
  pressure: fc.integer({ min: -3, max: 3 }),
  anomaly: fc.boolean(),
});

/** Mostly forward in time, as a log is. */
const logs = fc.array(fc.array(messages, { minLength: 1, maxLength: 6 }), { maxLength: 25 })
  .map((entries) =>
    entries.map((entry, i) =>
      entry.map((message) => ({ ...message, eventTimeMs: message.eventTimeMs + i * 300 }))
    )
  );

function naiveRows(entries: readonly (readonly TestMessage[])[], rule: Rule): string[] {
  return expectedOf(3, entries, rule).rows.map((row) => canonical(rowOf(row, rule))).sort();
}

Deno.test("PartitionState gives the rows, late messages and duplicates of the naive model", () => {
  fc.assert(
    fc.property(logs, rules, (entries, rule) => {
      const reader = new Reader(rule);
      for (const entry of entries) reader.read(entry);
      reader.end();
      const expected = expectedOf(3, entries, rule);
      // -0 and 0 are one number to JSON and to the naive model's minimum alike.
      assert.deepEqual(reader.rows.map(canonical).sort(), naiveRows(entries, rule));
      assert.equal(reader.state.late.messageCount, expected.late.length);
      assert.equal(reader.state.dedupe.duplicateCount, expected.duplicates);
      const inRows = expected.rows.reduce((sum, row) => sum + row.messages.length, 0);
      assert.equal(reader.state.messagesAggregated, inRows);
      assert.equal(
        reader.state.messagesRead,
        inRows + expected.late.length + expected.duplicates,
      );
    }),
    { seed: 20_260_104, numRuns: 300 },
  );
});

Deno.test("PartitionState gives the same rows, whatever the entries and wherever it is restarted", () => {
  fc.assert(
    fc.property(logs, rules, fc.nat(1_000_000), (entries, rule, seed) => {
      const random = seededRandom(seed);
      const all = entries.flat();
      const plain = new Reader(rule);
      plain.read(all);
      plain.end();
      const restarted = new Reader(rule);
      for (let at = 0; at < all.length;) {
        const size = 1 + random.below(5);
        restarted.read(all.slice(at, at + size));
        at += size;
        if (random.below(3) === 0) restarted.restart();
      }
      restarted.end();
      restarted.restart();
      assert.deepEqual(restarted.rows.map(canonical).sort(), plain.rows.map(canonical).sort());
      assert.deepEqual(restarted.state.late.entries(), plain.state.late.entries());
    }),
    { seed: 20_260_105, numRuns: 200 },
  );
});

const RULE = { windowSizeMs: 1_000, outOfOrdernessMs: 0, allowedLatenessMs: 0 };

function steady(count: number): TestMessage[] {
  return Array.from({ length: count }, (_, sequence) => ({
    source: "a",
    sequence,
    eventTimeMs: sequence,
    ingestTimeMs: 7 + Math.floor(sequence / 3),
    temperature: 1,
    pressure: 1,
    anomaly: false,
  }));
}

Deno.test("PartitionState dedupes before it judges lateness", () => {
  const reader = new Reader(RULE);
  const [first] = steady(1);
  reader.read([first!, { ...first!, sequence: 1, eventTimeMs: 5_000 }, first!]);
  assert.equal(reader.state.late.messageCount, 0);
  assert.equal(reader.state.dedupe.duplicateCount, 1);
});

Deno.test("PartitionState calls everything after the end marker late", () => {
  const reader = new Reader(RULE);
  reader.read(steady(2));
  reader.end();
  reader.read([{ ...steady(1)[0]!, sequence: 2, eventTimeMs: 9_000 }]);
  assert.equal(reader.state.late.messageCount, 1);
  assert.equal(reader.rows.length, 1);
});

Deno.test("PartitionState.intended counts aggregated messages by the ms they should have gone out", () => {
  const reader = new Reader(RULE);
  reader.read([...steady(5), steady(1)[0]!]);
  const { length, timesMs, counts } = reader.state.intended;
  assert.deepEqual([...timesMs.subarray(0, length)], [7, 8]);
  assert.deepEqual([...counts.subarray(0, length)], [3, 2]);
});

Deno.test("PartitionState.intended grows with the entry", () => {
  const reader = new Reader(RULE);
  const many = steady(3_000).map((message, i) => ({ ...message, ingestTimeMs: i }));
  reader.read(many);
  assert.equal(reader.state.intended.length, 3_000);
});

Deno.test("PartitionState.hasHandled() knows entries up to its position", () => {
  const reader = new Reader(RULE);
  assert.equal(reader.state.hasHandled({ ledgerId: 0, entryId: 0 }), false);
  reader.read(steady(1));
  assert.equal(reader.state.hasHandled({ ledgerId: 0, entryId: 0 }), true);
  assert.equal(reader.state.hasHandled({ ledgerId: 0, entryId: 1 }), false);
});

Deno.test("PartitionState names the message that it cannot read", () => {
  const state = new PartitionState(configurationOf(RULE));
  const batch = { ...batchOf(steady(2), 5), bounds: Uint32Array.of(0, 43, 43, 85) };
  assert.throws(
    () => state.handle(batch, new TestProjection(), undefined),
    (error) =>
      error instanceof StreamError && error.code === "unreadable_message" &&
      /message 1 of entry 0:5 in partition 3/.test(error.message),
  );
});

for (
  const [kind, column, value] of [
    ["drop", "message_count", "2"],
    ["double", "message_count", "4"],
    ["change", "temperature_max", 1_000_001],
  ] as const
) {
  Deno.test(`PartitionState shows the plant ${kind} in ${column}`, () => {
    const reader = new Reader(RULE, { kind, sourceName: "a", sequence: 1 });
    reader.read(steady(3));
    reader.end();
    assert.equal(reader.rows[0]![column], value);
    const honest = new Reader(RULE);
    honest.read(steady(3));
    honest.end();
    assert.notEqual(honest.rows[0]![column], value);
  });
}
