import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../../lib/base/mod.ts";
import { PartitionLog } from "../../../../lib/pulsar/broker/log/log.ts";
import type { LogShared } from "../../../../lib/pulsar/broker/log/log_shared.ts";
import { EARLIEST } from "../../../../lib/pulsar/broker/log/position.ts";
import { segmentName } from "../../../../lib/pulsar/broker/log/segment.ts";
import { entryOf, FOLDER, Outcomes, sharedOn } from "../_log.ts";
import { SimDisk, SimulatedCrash } from "../_sim_disk.ts";

const SEED = 20_261;

function readAll(log: PartitionLog, after = EARLIEST): string[] {
  const reader = log.reader(after);
  const texts: string[] = [];
  while (reader.load()) {
    texts.push(new TextDecoder().decode(reader.slab.bytes.subarray(reader.start + 10, reader.end)));
    reader.next();
  }
  reader.close();
  return texts;
}

async function logOn(disk: SimDisk, durability: "os" | "fsync" = "os") {
  const shared = await sharedOn(disk, durability);
  return { shared, log: await PartitionLog.open(shared, FOLDER) };
}

function put(log: PartitionLog, outcomes: Outcomes, texts: readonly string[]): void {
  for (const text of texts) log.append(entryOf(text), outcomes.of(text));
  log.flush();
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `message-${from + i}`);

Deno.test("PartitionLog keeps entries in order over segments, and over a close", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log, shared } = await logOn(disk);
  const outcomes = new Outcomes();
  for (let i = 0; i < 20; i++) put(log, outcomes, names(i * 10, i * 10 + 10));
  assert.equal(outcomes.stored.length, 200);
  assert.ok(log.segments.length > 2, `${log.segments.length} segments`);
  assert.deepEqual(readAll(log), names(0, 200));
  await log.close();
  const again = await PartitionLog.open(shared, FOLDER);
  assert.deepEqual(readAll(again), names(0, 200));
  assert.deepEqual(again.last, {
    ledgerId: outcomes.stored.at(-1)!.ledgerId,
    entryId: outcomes.stored.at(-1)!.entryId,
  });
  await again.close();
  assert.equal(disk.openFiles, 0);
});

Deno.test("PartitionLog.flush() writes all that is staged with one call to the disk", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log } = await logOn(disk);
  const outcomes = new Outcomes();
  put(log, outcomes, ["first"]);
  const before = disk.operations;
  put(log, outcomes, names(0, 20));
  assert.equal(disk.operations - before, 1);
  await log.close();
});

Deno.test("PartitionLog.reader() starts behind any entry, from memory and from disk", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log, shared } = await logOn(disk);
  const outcomes = new Outcomes();
  put(log, outcomes, names(0, 150));
  await log.close();
  const cold = await PartitionLog.open(shared, FOLDER);
  for (const { ledgerId, entryId, text } of outcomes.stored) {
    const rest = readAll(cold, { ledgerId, entryId });
    assert.equal(rest.length, 149 - Number(text.slice(8)));
    assert.equal(rest[0], names(0, 150)[Number(text.slice(8)) + 1]);
  }
  await cold.close();
});

Deno.test("PartitionLog.append() tells a typed error when the disk is full, loses nothing stored, and goes on when there is room", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log, shared } = await logOn(disk);
  const outcomes = new Outcomes();
  put(log, outcomes, names(0, 5));
  disk.capacityBytes = 900;
  put(log, outcomes, names(5, 30));
  assert.equal(outcomes.stored.length, 5);
  assert.deepEqual(new Set(outcomes.failed.map((one) => one.code)), new Set(["disk_full"]));
  assert.equal(outcomes.failed.length, 25);
  disk.capacityBytes = Infinity;
  put(log, outcomes, names(30, 40));
  const expected = [...names(0, 5), ...names(30, 40)];
  assert.deepEqual(outcomes.stored.map((one) => one.text), expected);
  assert.deepEqual(readAll(log), expected);
  const next = await PartitionLog.open({ ...shared, disk: disk.afterKill() }, FOLDER);
  assert.deepEqual(readAll(next), expected);
});

Deno.test("PartitionLog with fsync gives no receipt and shows no entry before the sync, and serves all that wait by the next one", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log } = await logOn(disk, "fsync");
  const gates: (() => void)[] = [];
  disk.syncing = () => new Promise((resolve) => gates.push(resolve));
  const outcomes = new Outcomes();
  put(log, outcomes, ["a"]);
  put(log, outcomes, ["b"]);
  put(log, outcomes, ["c"]);
  assert.deepEqual(readAll(log), []);
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  await turn();
  assert.equal(gates.length, 1);
  while (outcomes.stored.length < 1) {
    gates.shift()?.();
    await turn();
  }
  assert.deepEqual(outcomes.stored.map((one) => one.text), ["a"]);
  assert.deepEqual(readAll(log), ["a"]);
  gates.shift()!();
  await turn();
  assert.deepEqual(outcomes.stored.map((one) => one.text), ["a", "b", "c"]);
  disk.syncing = () => Promise.resolve();
  await log.close();
});

Deno.test("PartitionLog takes back everything in doubt when a sync fails, and goes on", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log, shared } = await logOn(disk, "fsync");
  const outcomes = new Outcomes();
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  put(log, outcomes, ["a"]);
  await turn();
  disk.syncFails = true;
  put(log, outcomes, ["b"]);
  put(log, outcomes, ["c"]);
  await turn();
  assert.deepEqual(outcomes.failed.map((one) => one.text), ["b", "c"]);
  disk.syncFails = false;
  put(log, outcomes, ["d"]);
  await turn();
  assert.deepEqual(outcomes.stored.map((one) => one.text), ["a", "d"]);
  assert.deepEqual(readAll(log), ["a", "d"]);
  const next = await PartitionLog.open({ ...shared, disk: disk.afterPowerLoss() }, FOLDER);
  assert.deepEqual(readAll(next), ["a", "d"]);
});

Deno.test("PartitionLog.open() cuts a torn tail and reports a broken middle", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log, shared } = await logOn(disk);
  const outcomes = new Outcomes();
  put(log, outcomes, ["one"]);
  put(log, outcomes, ["two"]);
  put(log, outcomes, ["three"]);
  const path = `${FOLDER}/${segmentName(log.segments[0]!.ledgerId)}`;
  const torn = disk.afterKill();
  torn.damage(path, torn.readFile(path)!.length - 1);
  const cut = await PartitionLog.open({ ...shared, disk: torn }, FOLDER);
  assert.deepEqual(readAll(cut), ["one", "two"]);
  await cut.close();

  // The simulated file is shared between the disks: undo the first damage, the cut one was only the last byte.
  const whole = new SimDisk(seededRandom(1));
  const { log: second } = await logOn(whole);
  put(second, outcomes, ["one"]);
  put(second, outcomes, ["two"]);
  put(second, outcomes, ["three"]);
  whole.damage(`${FOLDER}/${segmentName(second.segments[0]!.ledgerId)}`, 74);
  await assert.rejects(
    PartitionLog.open(await sharedOn(whole), FOLDER),
    (error: { code: string; message: string }) =>
      error.code === "damaged" && /offset 69/.test(error.message),
  );
});

Deno.test("LogReader reports damage that happened after opening instead of stepping over it", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log, shared } = await logOn(disk);
  put(log, new Outcomes(), names(0, 5));
  await log.close();
  const cold = await PartitionLog.open(shared, FOLDER);
  disk.damage(`${FOLDER}/${segmentName(cold.segments[0]!.ledgerId)}`, 120);
  assert.throws(() => readAll(cold), { code: "damaged" });
  await cold.close();
});

Deno.test("PartitionLog.trim() removes whole segments from the front, and readers go on behind them", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log } = await logOn(disk);
  const outcomes = new Outcomes();
  for (let i = 0; i < 20; i++) put(log, outcomes, names(i * 10, i * 10 + 10));
  const reader = log.reader(EARLIEST);
  const count = log.segments.length;
  assert.equal(log.trim(() => true), count - 1);
  const [kept] = log.segments;
  const first = outcomes.stored.find((one) => one.ledgerId === kept!.ledgerId)!;
  assert.equal(reader.load(), true);
  assert.equal(reader.ledgerId, kept!.ledgerId);
  assert.equal(readAll(log)[0], first.text);
  const logs = disk.paths().filter((path) => path.endsWith(".log"));
  assert.equal(logs.filter((path) => path.startsWith(FOLDER)).length, 1);
  assert.ok(logs.length <= 5, "few files are kept to be used again");
  await log.close();
});

Deno.test("Segment.entryAtTime() finds the first entry published at or after a time", async () => {
  const { log } = await logOn(new SimDisk(seededRandom(1)));
  for (let i = 0; i < 40; i++) {
    log.append(entryOf(`m${i}`, { publishTimeMs: 100 + i * 10 }), new Outcomes().of(""));
  }
  log.flush();
  const [segment] = log.segments;
  assert.equal(segment!.entryAtTime(0), 0);
  assert.equal(segment!.entryAtTime(110), 1);
  assert.equal(segment!.entryAtTime(111), 2);
  assert.equal(segment!.entryAtTime(10_000), 40);
  await log.close();
});

Deno.test("PartitionLog stays within the memory bound of tails, whatever the backlog", async () => {
  const disk = new SimDisk(seededRandom(1));
  const shared = await sharedOn(disk, "os", {
    segmentBytesMax: 64 * 1024 * 1024,
    tailBytesMax: 2 * 1024 * 1024,
  });
  const log = await PartitionLog.open(shared, FOLDER);
  const reader = log.reader(EARLIEST);
  log.readers.add(reader);
  const text = "x".repeat(100_000);
  for (let i = 0; i < 100; i++) put(log, new Outcomes(), [text]);
  assert.ok(shared.pool.bytesInUse <= 3 * 1024 * 1024, `${shared.pool.bytesInUse} bytes`);
  assert.equal(readAll(log).length, 100);
  await log.close();
  assert.equal(shared.pool.bytesInUse, 0);
});

Deno.test("PartitionLog with fsync gives nothing to readers, when it is opened, that a power loss could take", async () => {
  const disk = new SimDisk(seededRandom(1));
  const { log } = await logOn(disk, "fsync");
  // The disk is slow: three segments are written, and none is synced when the process is killed.
  disk.syncing = () => new Promise(() => {});
  for (let i = 0; i < 24; i++) put(log, new Outcomes(), names(i * 10, i * 10 + 10));
  assert.ok(log.segments.length >= 3, `${log.segments.length} segments`);
  const killed = disk.afterKill();
  const second = await PartitionLog.open(await sharedOn(killed, "fsync"), FOLDER);
  const shown = readAll(second);
  assert.deepEqual(shown, names(0, 240));
  const third = await PartitionLog.open(await sharedOn(killed.afterPowerLoss(), "fsync"), FOLDER);
  assert.deepEqual(readAll(third), shown);
});

/** Refuses one write without keeping a byte of it, after so many that it takes. */
function refuseWrite(disk: SimDisk, { after }: { readonly after: number }): void {
  let left = after;
  disk.room = () => left-- === 0 ? 0 : Infinity;
}

for (const segmentBytesMax of [1e9, 500_000]) {
  const what = segmentBytesMax === 1e9 ? "memory" : "a segment";
  Deno.test(`PartitionLog.append() that begins ${what} refuses its entry when it finds that the one before could not be stored`, async () => {
    const disk = new SimDisk(seededRandom(1));
    const log = await PartitionLog.open(await sharedOn(disk, "os", { segmentBytesMax }), FOLDER);
    const outcomes = new Outcomes();
    put(log, outcomes, ["first"]);
    // Each fills more than half of a slab: the second one has the first written, the third one the second.
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(700_000));
    refuseWrite(disk, { after: 1 });
    put(log, outcomes, texts);
    // Whole texts would fill the screen.
    assert.deepEqual(outcomes.stored.map((one) => one.text[0]), ["f", "a"]);
    assert.deepEqual(outcomes.failed.map((one) => one.text[0]), ["b", "c"]);
    put(log, outcomes, texts.slice(1));
    assert.deepEqual(readAll(log).map((text) => text[0]), ["f", "a", "b", "c"]);
    await log.close();
  });
}

Deno.test("PartitionLog keeps no more memory than it writes in, where nobody reads", async () => {
  const shared = await sharedOn(new SimDisk(seededRandom(1)), "os", {
    segmentBytesMax: 64 * 1024 * 1024,
    tailBytesMax: 64 * 1024 * 1024,
  });
  const log = await PartitionLog.open(shared, FOLDER);
  for (let i = 0; i < 100; i++) put(log, new Outcomes(), ["x".repeat(100_000)]);
  assert.ok(shared.pool.bytesInUse <= 1024 * 1024, `${shared.pool.bytesInUse} bytes`);
  await log.close();
});

Deno.test("PartitionLog finds the entries before and behind each other over segments, and counts those behind", async () => {
  const { log } = await logOn(new SimDisk(seededRandom(1)));
  const outcomes = new Outcomes();
  for (let i = 0; i < 20; i++) put(log, outcomes, names(i * 10, i * 10 + 10));
  const positions = outcomes.stored.map(({ ledgerId, entryId }) => ({ ledgerId, entryId }));
  positions.forEach((position, i) => {
    assert.equal(log.behind(position).entries, positions.length - 1 - i);
    const next = positions[i + 1];
    if (next === undefined) return assert.equal(log.behind(position).bytes, 0);
    assert.deepEqual(log.nextPosition(position), next);
    const isFirstOfSegment = next.ledgerId !== position.ledgerId;
    assert.deepEqual(log.previousPosition(next), position, isFirstOfSegment ? "over segments" : "");
  });
  assert.equal(log.behind(log.beforeFirst).entries, positions.length);
  assert.deepEqual(log.previousPosition(positions[0]!), log.beforeFirst);
  await log.close();
});

Deno.test("PartitionLog.lastBefore() is the last entry that was published before a time", async () => {
  const { log } = await logOn(new SimDisk(seededRandom(1)));
  const outcomes = new Outcomes();
  // The same time is on both sides of where a segment ends.
  for (let i = 0; i < 200; i++) {
    log.append(entryOf(`m${i}`, { publishTimeMs: 100 + Math.floor(i / 3) }), outcomes.of(`m${i}`));
    log.flush();
  }
  assert.ok(log.segments.length > 2, `${log.segments.length} segments`);
  for (let timeMs = 99; timeMs <= 168; timeMs++) {
    const count = Math.min(200, Math.max(0, (timeMs - 100) * 3));
    const { ledgerId, entryId } = outcomes.stored[count - 1] ?? log.beforeFirst;
    assert.deepEqual(log.lastBefore(timeMs), { ledgerId, entryId }, `before ${timeMs}`);
  }
  await log.close();
});

interface Plan {
  readonly groups: readonly (readonly number[])[];
  readonly crashAt: number;
  readonly losesPower: boolean;
  readonly isTrimming: boolean;
  readonly durability: "os" | "fsync";
}

async function appendUntilCrash(shared: LogShared, plan: Plan, outcomes: Outcomes): Promise<void> {
  const log = await PartitionLog.open(shared, FOLDER);
  let count = 0;
  for (const group of plan.groups) {
    const texts = group.map((length) => `${count++}:${"y".repeat(length)}`);
    put(log, outcomes, texts);
    // What was read is not needed any more: its files are used again.
    if (plan.isTrimming) log.trim(() => true);
    if (plan.durability === "fsync" || plan.isTrimming) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  await log.close();
}

/** A crash surfaces as a failed append; what the dead process would still do must not reach the disk. */
async function runToCrash(disk: SimDisk, plan: Plan): Promise<Outcomes> {
  const outcomes = new Outcomes();
  const shared = await sharedOn(disk, plan.durability);
  disk.operations = 0;
  disk.crashAt = plan.crashAt;
  await appendUntilCrash(shared, plan, outcomes).catch((error) => {
    if (!(error instanceof SimulatedCrash) && !(error.cause instanceof SimulatedCrash)) throw error;
  });
  return outcomes;
}

Deno.test("PartitionLog keeps every receipted entry over a crash at any write, in order, whole, and nothing foreign", async () => {
  const plans = fc.record({
    groups: fc.array(fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 14,
    }),
    crashAt: fc.integer({ min: 1, max: 40 }),
    losesPower: fc.boolean(),
    isTrimming: fc.boolean(),
    durability: fc.constantFrom("os" as const, "fsync" as const),
  });
  await fc.assert(
    fc.asyncProperty(plans, fc.integer(), async (plan, seed) => {
      const disk = new SimDisk(seededRandom(seed));
      const outcomes = await runToCrash(disk, plan);
      // Without syncs a power loss may take anything; that is what durability `os` says.
      const losesPower = plan.losesPower && plan.durability === "fsync";
      const next = losesPower ? disk.afterPowerLoss() : disk.afterKill();
      const log = await PartitionLog.open(await sharedOn(next, plan.durability), FOLDER);
      const texts = readAll(log);
      const receipted = outcomes.stored.map((one) => one.text);
      const numbers = texts.map((text) => Number(text.split(":")[0]));
      const first = plan.isTrimming ? numbers[0] ?? 0 : 0;
      numbers.forEach((number, i) => assert.equal(number, first + i));
      const kept = receipted.filter((text) => Number(text.split(":")[0]) >= first);
      assert.deepEqual(texts.slice(0, kept.length), kept);
      // The last segment is never removed, so what came last is there in any case.
      if (receipted.length > 0) assert.ok(texts.includes(receipted.at(-1)!), "the last receipt");
      const more = new Outcomes();
      put(log, more, ["after"]);
      await log.close();
      assert.equal(more.stored.length, 1);
      const last = await PartitionLog.open(await sharedOn(next.afterKill()), FOLDER);
      assert.deepEqual(readAll(last), [...texts, "after"]);
      await last.close();
    }),
    { seed: SEED, numRuns: 300 },
  );
});
