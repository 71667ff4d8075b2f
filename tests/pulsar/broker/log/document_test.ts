import assert from "node:assert/strict";
import { crc32cPortable, seededRandom } from "../../../../lib/base/mod.ts";
import {
  readDocument,
  removeDocument,
  writeDocument,
} from "../../../../lib/pulsar/broker/log/document.ts";
import type { Durability } from "../../../../lib/pulsar/broker/log/durability.ts";
import { SimDisk } from "../_sim_disk.ts";

/** A document takes about six. */
const OPERATIONS_MAX = 20;

function placeOn(disk: SimDisk, durability: Durability = "os") {
  return { disk, durability, crc32c: crc32cPortable, folder: "data", name: "state.json" };
}

Deno.test("writeDocument() with fsync survives a power loss, with os a kill", async () => {
  const [synced, written] = [new SimDisk(seededRandom(1)), new SimDisk(seededRandom(1))];
  await writeDocument(placeOn(synced, "fsync"), { epoch: 3 });
  await writeDocument(placeOn(written, "os"), { epoch: 3 });
  assert.deepEqual(readDocument(placeOn(synced.afterPowerLoss())), { epoch: 3 });
  assert.deepEqual(readDocument(placeOn(written.afterKill())), { epoch: 3 });
});

Deno.test("writeDocument() with os waits for no sync", async () => {
  const disk = new SimDisk(seededRandom(1));
  disk.syncing = () => Promise.reject(new Error("nothing is to be synced"));
  await writeDocument(placeOn(disk, "os"), { epoch: 3 });
});

Deno.test("writeDocument() leaves the old document whole, whichever operation is the last", async () => {
  for (const durability of ["os", "fsync"] as const) {
    for (let crashAt = 1, isDone = false; !isDone; crashAt++) {
      assert.ok(crashAt < OPERATIONS_MAX, "writing comes to an end");
      const disk = new SimDisk(seededRandom(crashAt));
      await writeDocument(placeOn(disk, "fsync"), "old");
      disk.operations = 0;
      disk.crashAt = crashAt;
      isDone = await writeDocument(placeOn(disk, durability), "new")
        .then(() => true, () => false);
      const survivor = durability === "os" ? disk.afterKill() : disk.afterPowerLoss();
      const found = readDocument(placeOn(survivor));
      if (isDone) assert.equal(found, "new");
      else assert.ok(found === "old" || found === "new", String(found));
    }
  }
});

Deno.test("readDocument() gives undefined for none, and refuses every damaged byte and every cut", async () => {
  const disk = new SimDisk(seededRandom(1));
  const place = placeOn(disk);
  assert.equal(readDocument(place), undefined);
  await writeDocument(place, { name: "ä" });
  assert.deepEqual(readDocument(place), { name: "ä" });
  const whole = disk.readFile("data/state.json")!;
  // The line breaks say nothing: only their places count.
  for (let at = 0; at < whole.length - 1; at++) {
    if (at === 8) continue;
    disk.damage("data/state.json", at);
    assert.throws(() => readDocument(place), { code: "damaged" }, `byte ${at}`);
    disk.damage("data/state.json", at);
  }
  const file = disk.open("data/state.json");
  for (let sizeBytes = whole.length - 1; sizeBytes >= 0; sizeBytes--) {
    file.truncate(sizeBytes);
    assert.throws(() => readDocument(place), { code: "damaged" }, `${sizeBytes} bytes`);
  }
});

Deno.test("removeDocument() with fsync survives a power loss, with os a kill, and asks nothing for what is not there", async () => {
  const [synced, written] = [new SimDisk(seededRandom(1)), new SimDisk(seededRandom(1))];
  await writeDocument(placeOn(synced, "fsync"), { epoch: 3 });
  await writeDocument(placeOn(written, "os"), { epoch: 3 });
  await removeDocument(placeOn(synced, "fsync"));
  assert.equal(readDocument(placeOn(synced.afterPowerLoss())), undefined);
  written.syncing = synced.syncing = () => Promise.reject(new Error("nothing is to be synced"));
  await removeDocument(placeOn(written, "os"));
  assert.equal(readDocument(placeOn(written.afterKill())), undefined);
  await removeDocument(placeOn(synced, "fsync"));
  await writeDocument(placeOn(synced, "os"), { epoch: 4 });
  await assert.rejects(removeDocument(placeOn(synced, "fsync")), { code: "disk_error" });
});
