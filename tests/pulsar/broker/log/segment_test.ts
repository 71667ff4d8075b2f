/** Segments and their files: what a broker finds that was not there to see what became of the one before it. */
import assert from "node:assert/strict";
import { crc32cPortable, seededRandom } from "../../../../lib/base/mod.ts";
import { PartitionLog } from "../../../../lib/pulsar/broker/log/log.ts";
import { EARLIEST } from "../../../../lib/pulsar/broker/log/position.ts";
import { SEGMENT_HEADER_BYTES, segmentHeader } from "../../../../lib/pulsar/broker/log/record.ts";
import { Segment, segmentName } from "../../../../lib/pulsar/broker/log/segment.ts";
import { entryOf, FOLDER, Outcomes, sharedOn } from "../_log.ts";
import { SimDisk } from "../_sim_disk.ts";

async function placeOn(disk: SimDisk) {
  const { crc32c, random, spares } = await sharedOn(disk);
  return { disk, folder: FOLDER, crc32c, random, spares };
}

const pathOf = (ledgerId: number) => `${FOLDER}/${segmentName(ledgerId)}`;

function put(disk: SimDisk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path);
  file.append(bytes);
  file.close();
}

/** A log with three entries in ledger 1, as after kill -9. */
async function killedLog(): Promise<{ disk: SimDisk; sizeBytes: number }> {
  const disk = new SimDisk(seededRandom(1));
  const log = await PartitionLog.open(await sharedOn(disk), FOLDER);
  for (const text of ["a", "b", "c"]) log.append(entryOf(text), new Outcomes().of(text));
  log.flush();
  return { disk: disk.afterKill(), sizeBytes: log.sizeBytes };
}

Deno.test("Segment.recover() takes a file whose header was never whole for unused", async () => {
  for (let sizeBytes = 0; sizeBytes <= SEGMENT_HEADER_BYTES; sizeBytes++) {
    const disk = new SimDisk(seededRandom(1));
    put(disk, pathOf(5), new Uint8Array(sizeBytes));
    const segment = Segment.recover(await placeOn(disk), 5);
    assert.equal(segment.index.entryCount, 0, `${sizeBytes} bytes`);
  }
  const disk = new SimDisk(seededRandom(1));
  put(disk, pathOf(5), new Uint8Array(SEGMENT_HEADER_BYTES + 1));
  const place = await placeOn(disk);
  assert.throws(() => Segment.recover(place, 5), { code: "damaged" });
});

Deno.test("Segment.recover() takes a file that still has another segment's header for unused", async () => {
  const { disk } = await killedLog();
  // The file was given its new name, and the power failed before its new header was on the disk.
  disk.rename(pathOf(1), pathOf(9));
  const log = await PartitionLog.open(await sharedOn(disk), FOLDER);
  assert.equal(log.last, undefined);
  assert.deepEqual(disk.list(FOLDER), []);
  await log.close();
});

Deno.test("Segment.recover() cuts the file behind its last whole record", async () => {
  const { disk, sizeBytes } = await killedLog();
  put(disk, pathOf(1), new Uint8Array(100));
  const segment = Segment.recover(await placeOn(disk), 1);
  assert.equal(segment.index.entryCount, 3);
  assert.equal(disk.readFile(pathOf(1))!.length, sizeBytes);
});

Deno.test("Segment.openSealed() takes no index for a file of another size", async () => {
  const { disk, sizeBytes } = await killedLog();
  const place = await placeOn(disk);
  const whole = Segment.recover(place, 1);
  whole.seal(5);
  assert.equal(Segment.openSealed(place, 1)!.index.entryCount, 3);
  const file = disk.open(pathOf(1));
  file.truncate(sizeBytes - 1);
  assert.equal(Segment.openSealed(place, 1), undefined);
});

Deno.test("Segment.seal() leaves nothing of what a file held before it was used again", async () => {
  const disk = new SimDisk(seededRandom(1));
  const place = await placeOn(disk);
  put(disk, `${FOLDER}/old`, new Uint8Array(4096).fill(0x57));
  assert.equal(place.spares.keep(FOLDER, "old", 4096), true);
  const segment = Segment.create(place, 3);
  assert.equal(disk.readFile(pathOf(3))!.length, 4096);
  segment.seal(5);
  assert.equal(disk.readFile(pathOf(3))!.length, SEGMENT_HEADER_BYTES);
  assert.equal(Segment.openSealed(place, 3)!.index.entryCount, 0);
});

Deno.test("Segment.salt is told from the header, which must be the ledger's own", async () => {
  const disk = new SimDisk(seededRandom(1));
  put(disk, pathOf(3), segmentHeader(3, 77, crc32cPortable));
  put(disk, pathOf(4), segmentHeader(3, 77, crc32cPortable));
  const place = await placeOn(disk);
  const [own, other] = [Segment.recover(place, 3), Segment.recover(place, 4)];
  assert.equal(own.salt, 77);
  assert.throws(() => other.salt, { code: "damaged" });
});

Deno.test("PartitionLog.open() shows the entries behind a position, in their order", async () => {
  const disk = new SimDisk(seededRandom(1));
  const shared = await sharedOn(disk);
  const outcomes = new Outcomes();
  const first = await PartitionLog.open(shared, FOLDER);
  for (let i = 0; i < 150; i++) first.append(entryOf(`m${i}`), outcomes.of(`m${i}`));
  await first.close();
  for (const at of [-1, 0, 57, 58, 59, 149]) {
    const after = outcomes.stored[at] ?? EARLIEST;
    const seen: number[] = [];
    const log = await PartitionLog.open(shared, FOLDER, {
      after,
      visit: ({ entryId }) => seen.push(entryId),
    });
    const expected = outcomes.stored.slice(at + 1).map(({ entryId }) => entryId);
    assert.deepEqual(seen, expected, `behind ${at}`);
    await log.close();
  }
});
