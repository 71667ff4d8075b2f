import assert from "node:assert/strict";
import { FakeClock } from "../../lib/base/mod.ts";
import type { BatchBuffer, Producer, Receipt } from "../../lib/contract.ts";
import { BatchSender } from "../../lib/scenarios/batch_sender.ts";

interface Sent {
  readonly firstSequenceId: number;
  readonly receive: () => void;
}

/** A producer whose receipts come when the test says so. */
function scripted(): { producer: Producer; sent: Sent[] } {
  const sent: Sent[] = [];
  const producer: Producer = {
    partitionCount: 1,
    systemName: "scripted",
    lastSequenceId: () => -1,
    openBatch: (): BatchBuffer => {
      let messageCount = 0;
      return {
        partition: 0,
        bytes: new Uint8Array(64),
        byteLength: 0,
        get messageCount() {
          return messageCount;
        },
        reserve: () => 0,
        commit: () => void messageCount++,
      };
    },
    send(_batch, firstSequenceId) {
      const receipt = Promise.withResolvers<Receipt>();
      const position = { ledgerId: 0, entryId: 0 };
      sent.push({
        firstSequenceId,
        receive: () => receipt.resolve({ position, duplicate: false }),
      });
      return receipt.promise;
    },
    sendEndMarker: () => Promise.reject(new Error("not here")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { producer, sent };
}

function senderOf(loop: "open" | "closed") {
  const clock = new FakeClock();
  const { producer, sent } = scripted();
  const publish: [number, number][] = [];
  const noted: number[] = [];
  const sender = new BatchSender({
    producer,
    ledger: {
      sent: ({ first }) => void noted.push(first),
      acknowledged: () => {},
      flush: () => {},
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    clock,
    batchMessagesMax: 2,
    batchBytesMax: 1000,
    batchDelayUs: 1_000_000,
    loop,
    publish: { record: (us, count) => void publish.push([us, count]) },
    service: { record: () => {} },
    acknowledged: () => {},
    failed: (error) => assert.fail(String(error)),
  });
  /** @returns whether there was room */
  const write = (sequence: number, dueUs: number): boolean => {
    const buffer = sender.bufferFor(0, sequence);
    if (buffer === undefined) return false;
    buffer.commit(1);
    sender.written(0, dueUs);
    return true;
  };
  return { clock, sent, sender, publish, noted, write };
}

Deno.test("BatchSender in the open loop sends whatever is full, and counts from when it was due", async () => {
  const { clock, sent, sender, publish, write } = senderOf("open");
  for (const sequence of [0, 1, 2, 3]) assert.ok(write(sequence, 0));
  sender.flush();
  assert.deepEqual(sent.map((one) => one.firstSequenceId), [0, 2]);
  await clock.advance(1400);
  sent.forEach(({ receive }) => receive());
  await sender.settled();
  assert.deepEqual(publish, [[1_400_000, 2], [1_400_000, 2]]);
});

Deno.test("BatchSender in the closed loop waits for the receipt before, holds the load, and hides the wait", async () => {
  const { clock, sent, sender, publish, noted, write } = senderOf("closed");
  assert.ok(write(0, 0) && write(1, 0));
  assert.equal(write(2, 0), false, "a full batch waits: there is no room");
  sender.flush();
  assert.ok(write(2, 0) && write(3, 0));
  sender.flush();
  assert.deepEqual([sent.length, noted], [1, [0]], "the ledger knows only what goes out");
  await clock.advance(1400);
  sent[0]!.receive();
  await clock.advance(0);
  assert.deepEqual([sent.length, noted], [2, [0, 2]], "the receipt lets the next one go");
  await clock.advance(1);
  sent[1]!.receive();
  await sender.settled();
  // The second pair was due 1.401 s before its receipt, and 1 ms is what is counted.
  assert.deepEqual(publish, [[1_400_000, 2], [1000, 2]]);
});

Deno.test("BatchSender in the closed loop settles what still waits", async () => {
  const { clock, sent, sender, write } = senderOf("closed");
  assert.ok(write(0, 0) && write(1, 0));
  sender.flush();
  assert.ok(write(2, 0));
  sender.flush(true);
  const settled = sender.settled();
  sent[0]!.receive();
  await clock.advance(0);
  sent[1]!.receive();
  await settled;
  assert.equal(sent.length, 2);
});
