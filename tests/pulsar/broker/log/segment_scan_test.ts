import assert from "node:assert/strict";
import { concatBytes, crc32cPortable, seededRandom } from "../../../../lib/base/mod.ts";
import {
  RECORD_HEADER_BYTES,
  segmentHeader,
  writeRecordHeader,
} from "../../../../lib/pulsar/broker/log/record.ts";
import { scanSegment } from "../../../../lib/pulsar/broker/log/segment_scan.ts";
import { bodyOf } from "../_log.ts";
import { SimDisk } from "../_sim_disk.ts";

const SALT = 7;
const WINDOW_BYTES = 1024 * 1024;

interface Options {
  readonly entryId: number;
  readonly payloadBytes?: number;
  readonly settledBytes?: number;
  readonly salt?: number;
}

function record(
  { entryId, payloadBytes = 10, settledBytes = 0, salt = SALT }: Options,
): Uint8Array {
  const body = bodyOf(new Uint8Array(payloadBytes));
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + body.length);
  writeRecordHeader(bytes, 0, {
    salt,
    entryId,
    settledBytes,
    bodyLength: body.length,
    messageCount: 1,
    publishTimeMs: 5,
  }, crc32cPortable);
  bytes.set(body, RECORD_HEADER_BYTES);
  return bytes;
}

function scan(...records: readonly Uint8Array[]) {
  const disk = new SimDisk(seededRandom(1));
  const file = disk.open("segment");
  const header = segmentHeader(1, SALT, crc32cPortable);
  file.append(concatBytes([header, ...records]));
  const ids: number[] = [];
  const result = scanSegment(
    { file, salt: SALT, crc32c: crc32cPortable },
    ({ entryId }) => ids.push(entryId),
  );
  return { ...result, ids, headerBytes: header.length };
}

Deno.test("scanSegment() takes whole records, and says how far they reach", () => {
  const [first, second] = [record({ entryId: 0 }), record({ entryId: 1, payloadBytes: 900 })];
  const found = scan(first, second);
  assert.deepEqual(found.ids, [0, 1]);
  const bytes = found.headerBytes + first.length + second.length;
  assert.equal(found.index.sizeBytes, bytes);
  assert.deepEqual([found.fileBytes, found.settledBytes], [bytes, bytes]);
});

Deno.test("scanSegment() stops at a record that is out of order, or of another segment", () => {
  assert.deepEqual(scan(record({ entryId: 0 }), record({ entryId: 2 })).ids, [0]);
  assert.deepEqual(scan(record({ entryId: 0 }), record({ entryId: 0 })).ids, [0]);
  assert.deepEqual(scan(record({ entryId: 0 }), record({ entryId: 1, salt: 8 })).ids, [0]);
});

Deno.test("scanSegment() finds what records behind the damage say was settled, wherever its window ends", () => {
  const first = record({ entryId: 0 });
  for (let shift = -4; shift <= RECORD_HEADER_BYTES + 4; shift++) {
    const damaged = record({ entryId: 1 });
    damaged[0]! ^= 1;
    const known = 24 + first.length + damaged.length;
    // The window begins with the first record: what says how much was settled lies across its end.
    const filler = new Uint8Array(24 + WINDOW_BYTES - known - shift);
    const last = record({ entryId: 2, settledBytes: 4321 });
    const found = scan(first, damaged, filler, last);
    assert.deepEqual(found.ids, [0]);
    assert.equal(found.settledBytes, 4321, `${shift} bytes before the end of the window`);
  }
});

Deno.test("scanSegment() believes no record of another segment about what was settled", () => {
  const damaged = record({ entryId: 1 });
  damaged[0]! ^= 1;
  const foreign = record({ entryId: 2, settledBytes: 4321, salt: 8 });
  assert.equal(scan(record({ entryId: 0 }), damaged, foreign).settledBytes, 0);
});

Deno.test("scanSegment() reads records that are larger than its window", () => {
  const found = scan(
    record({ entryId: 0, payloadBytes: 100 }),
    record({ entryId: 1, payloadBytes: 3 * WINDOW_BYTES }),
    record({ entryId: 2 }),
  );
  assert.deepEqual(found.ids, [0, 1, 2]);
});
