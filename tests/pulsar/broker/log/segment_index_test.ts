import assert from "node:assert/strict";
import { crc32cPortable } from "../../../../lib/base/mod.ts";
import { SEGMENT_HEADER_BYTES } from "../../../../lib/pulsar/broker/log/record.ts";
import { SegmentIndex } from "../../../../lib/pulsar/broker/log/segment_index.ts";

/** So large that each record has a mark of its own. */
const RECORD_BYTES = 300 * 1024;

/** An index of records with these publish times. */
function indexOf(...timesMs: readonly number[]): SegmentIndex {
  const index = new SegmentIndex();
  for (const timeMs of timesMs) index.add(RECORD_BYTES, 2, timeMs);
  return index;
}

const offsetOf = (entryId: number) => SEGMENT_HEADER_BYTES + entryId * RECORD_BYTES;

Deno.test("SegmentIndex.markBefore() gives the entry's own mark, or the nearest before it", () => {
  const index = indexOf(10, 20, 30);
  assert.deepEqual(index.markBefore(1), { entryId: 1, offset: offsetOf(1) });
  index.add(100, 1, 40);
  assert.deepEqual(index.markBefore(3), { entryId: 3, offset: offsetOf(3) });
  index.add(100, 1, 50);
  assert.deepEqual(index.markBefore(4), { entryId: 3, offset: offsetOf(3) });
  assert.deepEqual(new SegmentIndex().markBefore(0), { entryId: 0, offset: SEGMENT_HEADER_BYTES });
});

Deno.test("SegmentIndex.markBeforeTime() begins before all entries of the time, also those before a mark of the same time", () => {
  const index = indexOf(10, 20, 20, 30);
  assert.deepEqual(index.markBeforeTime(20), { entryId: 0, offset: offsetOf(0) });
  assert.deepEqual(index.markBeforeTime(21), { entryId: 2, offset: offsetOf(2) });
  assert.deepEqual(index.markBeforeTime(5), { entryId: 0, offset: SEGMENT_HEADER_BYTES });
});

Deno.test("SegmentIndex.publishTimeMsBefore() is the entry's own time where it has a mark", () => {
  const index = indexOf(10, 20, 30);
  assert.deepEqual([0, 1, 2].map((id) => index.publishTimeMsBefore(id)), [10, 20, 30]);
  assert.equal(new SegmentIndex().publishTimeMsBefore(0), 0);
});

Deno.test("SegmentIndex.decode() gives what was encoded, and refuses every damaged or shorter file", () => {
  const index = indexOf(10, 20, 30);
  index.sealedAtMs = 1_700_000_000_123;
  const bytes = index.encode(crc32cPortable);
  const read = SegmentIndex.decode(bytes, crc32cPortable)!;
  assert.deepEqual(read.encode(crc32cPortable), bytes);
  const { entryCount, sizeBytes, messageCount, lastPublishTimeMs, sealedAtMs } = read;
  assert.deepEqual({ entryCount, sizeBytes, messageCount, lastPublishTimeMs, sealedAtMs }, {
    entryCount: 3,
    sizeBytes: offsetOf(3),
    messageCount: 6,
    lastPublishTimeMs: 30,
    sealedAtMs: 1_700_000_000_123,
  });
  assert.deepEqual(read.markBefore(2), index.markBefore(2));
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1;
    assert.equal(SegmentIndex.decode(damaged, crc32cPortable), undefined, `byte ${at}`);
    assert.equal(SegmentIndex.decode(bytes.slice(0, at), crc32cPortable), undefined, `${at} bytes`);
  }
});
