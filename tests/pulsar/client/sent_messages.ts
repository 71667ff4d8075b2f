/** What a fake broker was sent, taken apart. */
import assert from "node:assert/strict";
import { concatBytes, readUint32, textOf } from "../../../lib/base/mod.ts";
import {
  decodeMessage,
  decompress,
  MESSAGE_METADATA,
  type MessageMetadata,
  PayloadSection,
  SINGLE_MESSAGE_METADATA,
  type SingleMessageMetadata,
} from "../../../lib/pulsar/wire/mod.ts";
import type { FakeBroker, FakeEntry } from "./fake_broker.ts";

export interface SentMessage {
  readonly value: string;
  readonly bytes: Uint8Array;
  readonly metadata: Partial<SingleMessageMetadata>;
}

/** The metadata of an entry, and its payload as it was before compression. */
export function entryOf({ section: bytes }: FakeEntry): {
  metadata: MessageMetadata;
  payload: Uint8Array;
} {
  const section = new PayloadSection().read(bytes, 0, bytes.length);
  const metadata = decodeMessage(
    MESSAGE_METADATA,
    bytes,
    section.metadataStart,
    section.metadataEnd,
  );
  const payload = decompress(
    metadata.compression ?? 0,
    bytes.subarray(section.metadataEnd, section.end),
    metadata.uncompressedSize ?? 0,
    64 << 20,
  );
  return { metadata, payload };
}

/** The messages of an entry; of a message on its own, the entry's metadata are its own. */
export function messagesOf(entry: FakeEntry): SentMessage[] {
  const { metadata, payload } = entryOf(entry);
  const { numMessagesInBatch } = metadata;
  if (numMessagesInBatch === undefined) {
    return [{ value: textOf(payload), bytes: payload, metadata }];
  }
  const messages: SentMessage[] = [];
  for (let at = 0; at < payload.length;) {
    const start = at + 4;
    const valueStart = start + readUint32(payload, at);
    const single = decodeMessage(SINGLE_MESSAGE_METADATA, payload, start, valueStart);
    at = valueStart + single.payloadSize;
    const bytes = payload.subarray(valueStart, at);
    messages.push({ value: textOf(bytes), bytes, metadata: single });
  }
  assert.equal(messages.length, numMessagesInBatch);
  return messages;
}

/** The texts of a topic, entry by entry. */
export function textsIn(broker: FakeBroker, topic: string): string[][] {
  return broker.topic(topic).entries.map((entry) => messagesOf(entry).map(({ value }) => value));
}

/** The message that an entry's chunks hold. */
export function unchunked(entries: readonly FakeEntry[]): Uint8Array {
  return concatBytes(entries.map((entry) => entryOf(entry).payload));
}
