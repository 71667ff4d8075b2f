import assert from "node:assert/strict";
import { seededRandom } from "../../../../lib/base/mod.ts";
import { OpenFiles } from "../../../../lib/pulsar/broker/log/open_files.ts";
import { PartitionLog } from "../../../../lib/pulsar/broker/log/log.ts";
import { entryOf, FOLDER, Outcomes, sharedOn } from "../_log.ts";
import { SimDisk } from "../_sim_disk.ts";

class Holder {
  isOpen = false;

  constructor(readonly files: OpenFiles, public isQuiet = true) {}

  open(): void {
    this.isOpen = true;
    this.files.opened(this);
  }

  closeFile(): void {
    this.isOpen = false;
    this.files.closed(this);
  }
}

Deno.test("OpenFiles closes what was opened longest ago and is quiet", () => {
  const files = new OpenFiles(2);
  const [busy, first, second, third] = [false, true, true, true].map((quiet) =>
    new Holder(files, quiet)
  );
  for (const holder of [busy!, first!, second!]) holder.open();
  assert.deepEqual([busy, first, second].map((one) => one!.isOpen), [true, false, true]);
  third!.open();
  assert.deepEqual([busy, second, third].map((one) => one!.isOpen), [true, false, true]);
  assert.equal(files.count, 2);
  third!.closeFile();
  assert.equal(files.count, 1);
});

for (const durability of ["os", "fsync"] as const) {
  Deno.test(`many logs are written and read with few open files, durability ${durability}`, async () => {
    const openFiles = new OpenFiles(3);
    const shared = { ...await sharedOn(new SimDisk(seededRandom(7)), durability), openFiles };
    const logs = [];
    for (let i = 0; i < 10; i++) logs.push(await PartitionLog.open(shared, `${FOLDER}-${i}`));
    const outcomes = new Outcomes();
    for (let round = 0; round < 20; round++) {
      for (const [i, log] of logs.entries()) {
        const text = `${i} ${round} ${".".repeat(400)}`;
        log.append(entryOf(text), outcomes.of(text));
        await log.settled();
        assert(openFiles.count <= 3, `${openFiles.count} files are open`);
      }
    }
    assert.equal(outcomes.stored.length, 200);
    for (const log of logs) {
      const reader = log.reader(log.beforeFirst);
      let count = 0;
      for (; reader.load(); reader.next()) count++;
      assert.equal(count, 20);
      reader.close();
    }
    assert(openFiles.count <= 3);
    for (const log of logs) await log.close();
    assert.equal(openFiles.count, 0);
  });
}
