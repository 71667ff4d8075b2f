/** Random histories of a producer whose broker drops connections, loses receipts, refuses to be found and comes back. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { textOf, utf8 } from "../../../lib/base/mod.ts";
import type { MessageId } from "../../../lib/pulsar/client/message_id.ts";
import type { ProducerOptions } from "../../../lib/pulsar/client/producer_options.ts";
import { connectFake, settle, TOPIC } from "./setup.ts";
import { messagesOf } from "./sent_messages.ts";

type Step =
  | { readonly kind: "send"; readonly count: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "drop" | "down" | "up" | "deaf" | "move" };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("send" as const), count: fc.nat(12) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(4000) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom("drop", "down", "up", "deaf", "move") }),
  },
);

const OPTIONS: fc.Arbitrary<Omit<ProducerOptions, "topic">> = fc.record({
  batching: fc.constantFrom(false as const, { messagesMax: 3 }, { messagesMax: 50, delayMs: 100 }),
  pendingMessagesMax: fc.constantFrom(1, 4, 1000),
  compression: fc.constantFrom("none" as const, "lz4" as const),
});

async function runHistory(steps: readonly Step[], options: Omit<ProducerOptions, "topic">) {
  const { broker, clock, client } = await connectFake();
  let isDeaf = false;
  broker.hook = (command, connection, frame) => {
    if (command.type !== "SEND" || !isDeaf) return false;
    // Stored, and the receipt is lost with the connection.
    broker.store(command.body, connection, frame, { receipt: false });
    return true;
  };
  const producer = await client.openProducer({
    topic: "orders",
    producerName: "till",
    sendTimeoutMs: 0,
    ...options,
  });
  const sent: Promise<MessageId>[] = [];
  for (const step of steps) {
    if (step.kind === "send") {
      for (let i = 0; i < step.count; i++) {
        sent.push(producer.send({ value: utf8(`m${sent.length}`) }));
      }
    } else if (step.kind === "wait") await clock.advance(step.ms);
    else if (step.kind === "deaf") isDeaf = true;
    else if (step.kind === "up") broker.isDown = isDeaf = false;
    else if (step.kind === "move") {
      for (const connection of broker.connections) {
        connection.send("CLOSE_PRODUCER", { producerId: 0, requestId: -1n });
      }
    } else {
      broker.isDown ||= step.kind === "down";
      broker.dropAll();
    }
    await settle(clock);
  }
  broker.isDown = isDeaf = false;
  broker.dropAll();
  const flushed = producer.flush();
  await clock.advance(60_000);
  await flushed;
  const ids = await Promise.all(sent);
  await client[Symbol.asyncDispose]();
  assert.equal(clock.pending, 0, "a timer is left");
  return { entries: broker.topic(TOPIC).entries, ids };
}

Deno.test("Producer stores every message, in order, under one sequence id, whatever the broker does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 25 }), OPTIONS, async (steps, options) => {
      const { entries, ids } = await runHistory(steps, options);
      // What a broker that deduplicates keeps: an entry's first coming.
      const kept = new Map<number, string>();
      let highest = -1;
      for (const entry of entries) {
        for (const { value, metadata } of messagesOf(entry)) {
          const sequenceId = metadata.sequenceId!;
          assert.equal(kept.get(sequenceId) ?? value, value, "one id, two messages");
          if (sequenceId > highest) kept.set(highest = sequenceId, value);
        }
      }
      assert.deepEqual([...kept.values()], ids.map((_, i) => `m${i}`));
      for (const [i, { entryId, batchIndex }] of ids.entries()) {
        const found = messagesOf(entries[entryId]!)[Math.max(batchIndex, 0)]!;
        assert.equal(textOf(found.bytes), `m${i}`, "the receipt names another message");
      }
    }),
    { seed: 20_261_121, numRuns: 60 },
  );
});
