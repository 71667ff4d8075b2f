import assert from "node:assert/strict";
import type { MessageBatch } from "../../lib/contract.ts";
import { seal, unseal } from "../../lib/stream/_seal.ts";
import type { PendingBatch } from "../../lib/stream/checkpoint.ts";
import {
  checkSameConfiguration,
  decodeCheckpoint,
  encodeCheckpoint,
  readCheckpoint,
} from "../../lib/stream/checkpoint.ts";
import { StreamError } from "../../lib/stream/errors.ts";
import { PartitionState } from "../../lib/stream/partition_state.ts";
import { encodeMessages, identitySumOf, TestProjection } from "../simulation/messages.ts";

const CONFIGURATION = {
  runId: "run",
  partition: 1,
  windowSizeMs: 1_000,
  outOfOrdernessMs: 100,
  allowedLatenessMs: 0,
  measureNames: ["temperature", "pressure"],
  flagNames: ["anomaly_count"],
};

function message(source: string, sequence: number, eventTimeMs: number) {
  const rest = { ingestTimeMs: 0, temperature: 1 / 3, pressure: 1e300, anomaly: true };
  return { source, sequence, eventTimeMs, ...rest };
}

/** A state with something of everything: open and pending windows, a late message, a duplicate, sequences ahead and gaps. */
function richCheckpoint(): {
  state: PartitionState;
  projection: TestProjection;
  pending: PendingBatch[];
} {
  const projection = new TestProjection();
  const state = new PartitionState(CONFIGURATION);
  const messages = [
    message("a", 0, 500),
    message("b", 0, 800),
    message("b", 0, 800),
    message("a", 9_000, 2_500),
    message("é", 4, 100),
  ];
  const batch: MessageBatch = {
    partition: 1,
    position: { ledgerId: 3, entryId: 14 },
    messageCount: messages.length,
    ...encodeMessages(messages),
    publishTimeMs: 0,
    properties: {},
  };
  state.handle(batch, projection, undefined);
  const pending = state.closeWindows(projection, { batchRows: 1, emittedAtMs: 1_234 })
    .map((built) => ({ ...built, closedBy: "watermark" as const, sinceEpoch: 6 }));
  return { state, projection, pending };
}

function richBytes(): Uint8Array<ArrayBuffer> {
  const { state, projection, pending } = richCheckpoint();
  return encodeCheckpoint(state, projection, pending);
}

function isCorrupt(error: unknown): boolean {
  return error instanceof StreamError && error.code === "corrupt_checkpoint";
}

Deno.test("decodeCheckpoint() gives back what encodeCheckpoint() was given, so that both encode alike", () => {
  const { state, projection, pending } = richCheckpoint();
  const bytes = encodeCheckpoint(state, projection, pending);
  const decoded = decodeCheckpoint(bytes);
  assert.deepEqual(decoded.configuration, CONFIGURATION);
  assert.deepEqual(decoded.sourceNames, ["a", "b", "é"]);
  assert.deepEqual(decoded.pending, pending);
  assert.deepEqual(encodeCheckpoint(decoded.state, projection, decoded.pending), bytes);
});

Deno.test("readCheckpoint() gives the account that a verifier needs", () => {
  const summary = readCheckpoint(richBytes());
  assert.deepEqual(summary, {
    configuration: CONFIGURATION,
    position: { ledgerId: 3, entryId: 14 },
    watermarkMs: 2_400,
    followedWatermarkMs: -Infinity,
    ended: false,
    messagesRead: 5,
    messagesAggregated: 3,
    messagesLate: 1,
    messagesDuplicated: 1,
    duplicates: [{ sourceName: "b", count: 1 }],
    late: [{
      windowStartMs: 0,
      sourceName: "é",
      count: 1,
      identitySum: identitySumOf([message("é", 4, 100)]),
    }],
    pendingBatchIds: ["run:1:0:0", "run:1:0:1"],
    openWindowCount: 1,
  });
});

Deno.test("decodeCheckpoint() refuses every truncation", () => {
  const bytes = richBytes();
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeCheckpoint(bytes.subarray(0, length)), isCorrupt, `${length} bytes`);
  }
});

Deno.test("decodeCheckpoint() refuses every flipped bit", () => {
  const bytes = richBytes();
  for (let bit = 0; bit < 8 * bytes.length; bit += 7) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => decodeCheckpoint(bytes), isCorrupt, `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

Deno.test("decodeCheckpoint() ends with a typed error or a value on damage that the checksum does not see", () => {
  const payload = unseal(richBytes())!.slice();
  for (let at = 0; at < payload.length; at++) {
    const kept = payload[at]!;
    payload[at] = kept ^ 0xff;
    try {
      decodeCheckpoint(seal(payload));
    } catch (error) {
      // The configuration is read back as it is; what cannot be is named by the parts themselves.
      assert(isCorrupt(error) || error instanceof RangeError, `byte ${at}: ${error}`);
    }
    payload[at] = kept;
  }
});

Deno.test("decodeCheckpoint() names the version that it cannot read", () => {
  const payload = unseal(richBytes())!.slice();
  payload[0] = 9;
  assert.throws(() => decodeCheckpoint(seal(payload)), /has version 9, this program reads 1/);
});

Deno.test("checkSameConfiguration() names every difference and the cure", () => {
  checkSameConfiguration(CONFIGURATION, { ...CONFIGURATION });
  const now = { ...CONFIGURATION, windowSizeMs: 2_000, measureNames: ["temperature"] };
  assert.throws(
    () => checkSameConfiguration(CONFIGURATION, now),
    (error) =>
      error instanceof StreamError && error.code === "configuration_changed" &&
      error.message.includes("windowSizeMs was 1000 and is 2000") &&
      error.message.includes("measureNames was") && error.cure !== undefined,
  );
});
