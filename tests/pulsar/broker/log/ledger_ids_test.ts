import assert from "node:assert/strict";
import { seededRandom } from "../../../../lib/base/mod.ts";
import { LedgerIds } from "../../../../lib/pulsar/broker/log/ledger_ids.ts";
import { SimDisk } from "../_sim_disk.ts";

const BLOCK = 100_000;

Deno.test("LedgerIds.next() gives ids that rise, over many blocks", async () => {
  const ids = await LedgerIds.open(new SimDisk(seededRandom(1)), "data");
  for (let expected = 1; expected <= 5 * BLOCK; expected++) {
    assert.equal(ids.next(), expected);
    // A block is reserved while the one before it is used.
    if (expected % (BLOCK / 10) === 0) await ids.close();
  }
});

Deno.test("LedgerIds gives none again after a power loss, whenever it comes", async () => {
  let disk = new SimDisk(seededRandom(1));
  let highest = 0;
  for (let round = 0; round < 5; round++) {
    const ids = await LedgerIds.open(disk, "data");
    const first = ids.next();
    assert.ok(first > highest, `${first} after ${highest}`);
    for (let i = 0; i < round * 20_000; i++) highest = ids.next();
    highest = Math.max(highest, first);
    disk = disk.afterPowerLoss();
  }
});

Deno.test("LedgerIds.next() throws rather than give an id that is not reserved, and goes on when the disk does", async () => {
  const disk = new SimDisk(seededRandom(1));
  const ids = await LedgerIds.open(disk, "data");
  disk.capacityBytes = 0;
  for (let i = 1; i <= BLOCK; i++) ids.next();
  assert.throws(() => ids.next(), /no ledger id could be reserved/);
  disk.capacityBytes = Infinity;
  await ids.close();
  assert.throws(() => ids.next(), /no ledger id could be reserved/);
  await ids.close();
  assert.equal(ids.next(), BLOCK + 1);
});
