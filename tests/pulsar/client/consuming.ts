/** A consumer of a fake broker's topic. */
import assert from "node:assert/strict";
import { crc32cPortable, type FakeClock, textOf, utf8 } from "../../../lib/base/mod.ts";
import type { Consumer } from "../../../lib/pulsar/client/consumer.ts";
import type { ConsumerOptions } from "../../../lib/pulsar/client/consumer_options.ts";
import type { Message } from "../../../lib/pulsar/client/message.ts";
import {
  closePayload,
  type CommandBodies,
  encodeMessage,
  MESSAGE_METADATA,
  type MessageMetadata,
  ProtoWriter,
} from "../../../lib/pulsar/wire/mod.ts";
import { connectFake, settle, TOPIC } from "./setup.ts";

/** Options of a shared consumer of `orders`. */
export const SHARED = { topic: "orders", subscription: "s", subscriptionType: "shared" } as const;

/** The payload section of an entry. */
export function section(payload: string | Uint8Array, metadata: Partial<MessageMetadata> = {}) {
  const writer = new ProtoWriter();
  const bytes = typeof payload === "string" ? utf8(payload) : payload;
  writer.raw(bytes);
  const whole = { producerName: "p", sequenceId: 0, publishTime: 1, ...metadata };
  encodeMessage(MESSAGE_METADATA, whole, writer);
  closePayload(writer, bytes.length, crc32cPortable);
  return writer.finish();
}

/** A topic with these entries, and a consumer of it. */
export async function consuming(
  entries: readonly (string | Uint8Array<ArrayBuffer>)[],
  options: Partial<ConsumerOptions> = {},
) {
  const { broker, clock, client } = await connectFake();
  const topic = broker.topic(TOPIC);
  for (const entry of entries) {
    const entryId = topic.entries.length;
    const bytes = typeof entry === "string" ? section(entry) : entry;
    topic.entries.push({ ledgerId: 7, entryId, section: bytes });
  }
  const consumer = await client.openConsumer({ ...SHARED, ...options });
  await settle(clock);
  const end = async () => {
    await client[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0, "a timer is left");
  };
  return { broker, clock, client, consumer, topic, end };
}

/** The payloads as texts. */
export function textsOf(messages: readonly Message<unknown>[]): string[] {
  return messages.map(({ data }) => textOf(data));
}

/** What is there now. */
export async function available(consumer: Consumer<unknown>, clock: FakeClock): Promise<string[]> {
  const batch = consumer.batchReceive({ timeoutMs: 1 });
  await clock.advance(1);
  return textsOf(await batch);
}

/** Entry ids of all individual acknowledgements. */
export function acknowledged(bodies: readonly CommandBodies["ACK"][]): number[] {
  return bodies.flatMap(({ messageId }) => messageId!.map(({ entryId }) => entryId));
}
