import assert from "node:assert/strict";
import { crc32cPortable, utf8 } from "../../../../lib/base/mod.ts";
import { EntryHead } from "../../../../lib/pulsar/broker/log/entry_head.ts";
import { murmur3 } from "../../../../lib/pulsar/wire/murmur3.ts";
import { closePayload, encodeMessage, MESSAGE_METADATA } from "../../../../lib/pulsar/wire/mod.ts";
import { ProtoWriter } from "../../../../lib/pulsar/wire/mod.ts";
import type { MessageMetadata } from "../../../../lib/pulsar/wire/mod.ts";

const head = new EntryHead();

function headOf(metadata: Partial<MessageMetadata>): EntryHead {
  const writer = new ProtoWriter();
  encodeMessage(MESSAGE_METADATA, {
    ...{ producerName: "p", sequenceId: 12, publishTime: 1 },
    ...metadata,
  }, writer);
  closePayload(writer, 0, crc32cPortable);
  const bytes = writer.finish();
  const padded = new Uint8Array(bytes.length + 14);
  padded.set(bytes, 7);
  return head.read(padded, 7, 7 + bytes.length);
}

Deno.test("EntryHead.keyHash() takes ordering key, partition key, or producer and sequence id, as Pulsar 4", () => {
  const orderingKey = utf8("o");
  const cases: [Partial<MessageMetadata>, string][] = [
    [{ partitionKey: "k", orderingKey }, "o"],
    [{ partitionKey: "k" }, "k"],
    [{ partitionKey: "" }, ""],
    [{ partitionKey: utf8("bytes").toBase64(), partitionKeyB64Encoded: true }, "bytes"],
    [{ partitionKey: "no base64!", partitionKeyB64Encoded: true }, "no base64!"],
    [{}, "p-12"],
  ];
  for (const [metadata, key] of cases) {
    assert.equal(headOf(metadata).keyHash(), murmur3(utf8(key)), JSON.stringify(metadata));
  }
});

Deno.test("EntryHead reads delays, markers and chunks, and forgets them for the next entry", () => {
  const chunk = headOf({ uuid: "u", chunkId: 1, numChunksFromMsg: 3, deliverAtTime: 77 });
  assert.deepEqual(
    [chunk.chunkedUuid, chunk.chunkId, chunk.chunkCount, chunk.deliverAtMs, chunk.isMarker],
    ["u", 1, 3, 77, false],
  );
  assert.equal(headOf({ markerType: 21 }).isMarker, true);
  const plain = headOf({});
  assert.deepEqual(
    [plain.chunkedUuid, plain.chunkId, plain.deliverAtMs, plain.isMarker],
    [undefined, -1, 0, false],
  );
});
