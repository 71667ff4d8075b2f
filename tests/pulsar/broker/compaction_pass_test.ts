import assert from "node:assert/strict";
import { crc32cPortable, utf8 } from "../../../lib/base/mod.ts";
import {
  keepOnly,
  keyedMessages,
  lastIndexIn,
} from "../../../lib/pulsar/broker/compaction_pass.ts";
import { batchPayload, entryOf, messagesOf } from "./_entries.ts";
import { compress, CompressionType } from "../../../lib/pulsar/wire/mod.ts";

const keyed = (entry: Uint8Array) => keyedMessages(entry, 0, entry.length);
const only = (entry: Uint8Array, ...indices: number[]) =>
  keepOnly(entry, ({ index }) => indices.includes(index), crc32cPortable);

const BATCH = [["a", "1"], ["b", ""], [undefined, "x"], ["a", "2"]] as const;

Deno.test("keyedMessages() finds keys, places and empty values", () => {
  const [single] = keyed(entryOf({ partitionKey: "k" }, utf8("v")));
  assert.deepEqual([single?.index, single?.isEmpty], [-1, false]);
  assert.equal(keyed(entryOf({ partitionKey: "k" }, utf8("")))[0]?.isEmpty, true);
  assert.deepEqual(keyed(entryOf({}, utf8("v"))), []);
  assert.deepEqual(keyed(entryOf({ partitionKey: "k", markerType: 1 }, utf8("v"))), []);
  const batch = keyed(entryOf({ numMessagesInBatch: 4 }, batchPayload(BATCH)));
  assert.deepEqual(batch.map(({ index, isEmpty }) => [index, isEmpty]), [
    [0, false],
    [1, true],
    [3, false],
  ]);
  assert.equal(batch[0]!.key, batch[2]!.key);
});

Deno.test("keyedMessages() does not take a key of bytes for one of text", () => {
  const [text] = keyed(entryOf({ partitionKey: "AA==" }, utf8("v")));
  const bytes = keyed(entryOf({ partitionKey: "AA==", partitionKeyB64Encoded: true }, utf8("v")));
  assert.notEqual(text!.key, bytes[0]!.key);
});

for (const [name, type] of Object.entries(CompressionType)) {
  Deno.test(`keepOnly() leaves empty messages in the places of a batch, compressed with ${name}`, () => {
    const content = batchPayload(BATCH);
    const more = { compression: type, uncompressedSize: content.length };
    const entry = entryOf({ numMessagesInBatch: 4, ...more }, compress(type, content));
    const kept = only(entry, 3)!;
    assert.deepEqual(messagesOf(kept), [null, null, null, "a=2"]);
    assert.equal(lastIndexIn(kept, 0, kept.length), 3);
    // What was compacted once has only those keys that are left.
    assert.deepEqual(keyed(kept).map(({ index }) => index), [3]);
    assert.equal(only(kept, 0), undefined);
    const first = only(entry, 0)!;
    assert.equal(lastIndexIn(first, 0, first.length), 0);
  });
}

Deno.test("keepOnly() hands back what is kept whole, and nothing of what has no key", () => {
  const whole = entryOf({ numMessagesInBatch: 2 }, batchPayload([["a", "1"], ["b", "2"]]));
  assert.equal(only(whole, 0, 1), whole);
  const single = entryOf({ partitionKey: "k" }, utf8("v"));
  assert.equal(only(single, -1), single);
  assert.equal(only(entryOf({}, utf8("v")), -1), undefined);
});

Deno.test("keyedMessages() refuses what is torn at any byte", () => {
  const entry = entryOf({ numMessagesInBatch: 2 }, batchPayload([["a", "1"], ["b", "2"]]));
  for (let end = 0; end < entry.length; end++) {
    assert.throws(() => keyedMessages(entry.slice(0, end), 0, end));
  }
});
