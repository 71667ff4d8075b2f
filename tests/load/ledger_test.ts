import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Disk,
  type DiskFile,
  FakeClock,
  systemDisk,
  textOf,
  utf8,
} from "../../lib/base/mod.ts";
import { FileLedger } from "../../lib/load/ledger.ts";
import type { LedgerError, LedgerHeader } from "../../lib/load/ledger_format.ts";
import { ledgerPath, readLedger } from "../../lib/load/read_ledger.ts";
import { Schedule } from "../../lib/load/schedule.ts";

const SEED = 20_260_902;

/** Files in memory, which can refuse to write, and whose content can be cut. */
class MemoryDisk implements Disk {
  readonly files = new Map<string, Uint8Array>();
  writeError: Error | undefined;
  /** Bytes of the refused write that stay all the same. */
  tornBytes = 0;
  syncCount = 0;
  syncError: Error | undefined;
  appendCount = 0;

  open(path: string, { create = true }: { readonly create?: boolean } = {}): DiskFile {
    if (!this.files.has(path)) {
      if (!create) throw new Error("no such file");
      this.files.set(path, new Uint8Array());
    }
    const content = () => this.files.get(path)!;
    const grow = (bytes: Uint8Array) => {
      const joined = new Uint8Array(content().length + bytes.length);
      joined.set(content());
      joined.set(bytes, content().length);
      this.files.set(path, joined);
    };
    return {
      append: (bytes) => {
        this.appendCount++;
        if (this.writeError !== undefined) {
          grow(bytes.subarray(0, this.tornBytes));
          throw this.writeError;
        }
        grow(bytes);
      },
      readAt: () => 0,
      truncate: (sizeBytes) => void this.files.set(path, content().slice(0, sizeBytes)),
      sizeBytes: () => content().length,
      sync: () => {
        this.syncCount++;
        return this.syncError === undefined ? Promise.resolve() : Promise.reject(this.syncError);
      },
      close: () => {},
    };
  }

  createNew(path: string): boolean {
    if (this.files.has(path)) return false;
    this.files.set(path, new Uint8Array());
    return true;
  }

  readFile(path: string): Uint8Array | undefined {
    return this.files.get(path);
  }
  rename(): void {}
  remove(path: string): void {
    this.files.delete(path);
  }
  list(): string[] {
    return [...this.files.keys()];
  }
  makeFolder(): void {}
  syncFolder(): Promise<void> {
    return Promise.resolve();
  }
}

const header: LedgerHeader = {
  runId: "run-1",
  seed: 7,
  startWallMs: 1_700_000_000_000,
  schedule: Schedule.constant(1_000, 60_000).toJSON(),
  plan: { sourceCount: 10 },
};
const path = ledgerPath("ledger", "produce");

function begin(): { disk: MemoryDisk; clock: FakeClock; ledger: FileLedger } {
  const disk = new MemoryDisk();
  const clock = new FakeClock(header.startWallMs);
  const ledger = FileLedger.create(header, { disk, clock, folder: "ledger" });
  return { disk, clock, ledger };
}

Deno.test("readLedger() gives back the header and the schedule", () => {
  const { disk } = begin();
  const contents = readLedger(disk, path);
  assert.deepEqual(contents.header, header);
  assert.equal(contents.schedule.messageCount, 60_000);
  assert.deepEqual(contents.partitions, []);
  assert.equal(contents.end, undefined);
});

Deno.test("FileLedger keeps acknowledged ranges and batches without receipt", () => {
  const { disk, ledger } = begin();
  ledger.sent({ partition: 0, first: 0, count: 100 });
  ledger.sent({ partition: 1, first: 0, count: 50 });
  ledger.sent({ partition: 0, first: 100, count: 30 });
  ledger.sent({ partition: 0, first: 130, count: 70 });
  ledger.flush();
  ledger.acknowledged({ partition: 0, first: 0, count: 100 });
  ledger.flush();
  assert.deepEqual(readLedger(disk, path).partitions, [
    {
      partition: 0,
      acknowledged: [{ first: 0, until: 100 }],
      indeterminate: [{ first: 100, until: 130 }, { first: 130, until: 200 }],
      sentUntil: 200,
      resumeAt: 100,
    },
    {
      partition: 1,
      acknowledged: [],
      indeterminate: [{ first: 0, until: 50 }],
      sentUntil: 50,
      resumeAt: 0,
    },
  ]);
});

Deno.test("FileLedger keeps ranges of one flush apart that do not follow one another", () => {
  const { disk, ledger } = begin();
  for (const first of [0, 10, 50, 60]) ledger.sent({ partition: 0, first, count: 10 });
  for (const first of [0, 10, 60]) ledger.acknowledged({ partition: 0, first, count: 10 });
  ledger.flush();
  const [partition] = readLedger(disk, path).partitions;
  assert.deepEqual(partition!.acknowledged, [{ first: 0, until: 20 }, { first: 60, until: 70 }]);
  assert.deepEqual(partition!.indeterminate, [{ first: 50, until: 60 }]);
});

Deno.test("FileLedger.flush() writes once for all notes, and nothing when there are none", () => {
  const { disk, ledger } = begin();
  const before = disk.appendCount;
  for (let i = 0; i < 10; i++) ledger.sent({ partition: i % 2, first: i * 10, count: 10 });
  ledger.flush();
  ledger.flush();
  assert.equal(disk.appendCount, before + 1);
});

Deno.test("FileLedger.sent() is durable to a killed process from flush() on, and only from then", () => {
  const { disk, ledger } = begin();
  ledger.sent({ partition: 0, first: 0, count: 100 });
  assert.equal(readLedger(disk, path).partitions.length, 0);
  ledger.flush();
  assert.equal(readLedger(disk, path).partitions[0]?.sentUntil, 100);
});

Deno.test("FileLedger syncs at the interval when something was written, and on disposal", async () => {
  const { disk, clock, ledger } = begin();
  await clock.advance(1_000);
  assert.equal(disk.syncCount, 1);
  await clock.advance(5_000);
  assert.equal(disk.syncCount, 1);
  ledger.sent({ partition: 0, first: 0, count: 1 });
  ledger.flush();
  await clock.advance(1_000);
  assert.equal(disk.syncCount, 2);
  await ledger[Symbol.asyncDispose]();
  await ledger[Symbol.asyncDispose]();
  assert.equal(disk.syncCount, 3);
  assert.equal(clock.pending, 0);
});

Deno.test("FileLedger.flush() announces nothing more once a sync has failed", async () => {
  const { disk, clock, ledger } = begin();
  disk.syncError = new Error("input/output error");
  await clock.advance(1_000);
  ledger.sent({ partition: 0, first: 0, count: 1 });
  const code = "write_failed";
  assert.throws(() => ledger.flush(), { code, message: /input\/output error/ });
  assert.equal(readLedger(disk, path).partitions.length, 0);
  // A disk that syncs again says nothing about what it lost before.
  disk.syncError = undefined;
  await clock.advance(1_000);
  assert.throws(() => ledger.flush(), { code });
  await assert.rejects(ledger[Symbol.asyncDispose](), { code });
});

Deno.test("FileLedger writes what is left on disposal", async () => {
  const { disk, ledger } = begin();
  ledger.sent({ partition: 3, first: 0, count: 5 });
  await ledger[Symbol.asyncDispose]();
  assert.equal(readLedger(disk, path).partitions[0]?.partition, 3);
});

Deno.test("FileLedger.create() refuses a ledger that exists", () => {
  const { disk, clock } = begin();
  assert.throws(
    () => FileLedger.create(header, { disk, clock, folder: "ledger" }),
    (error: LedgerError) => error.code === "exists",
  );
});

Deno.test("FileLedger.resume() cuts a torn line, notes the restart and goes on", () => {
  const { disk, clock, ledger } = begin();
  ledger.sent({ partition: 0, first: 0, count: 100 });
  ledger.flush();
  ledger.sent({ partition: 0, first: 100, count: 100 });
  ledger.flush();
  disk.files.set(path, disk.files.get(path)!.slice(0, -4));
  const resumed = FileLedger.resume({ disk, clock, folder: "ledger" });
  assert.equal(resumed.contents.torn, true);
  assert.equal(resumed.contents.partitions[0]?.sentUntil, 100);
  resumed.ledger.acknowledged({ partition: 0, first: 0, count: 100 });
  resumed.ledger.flush();
  const contents = readLedger(disk, path);
  assert.equal(contents.torn, false);
  assert.deepEqual(contents.restarts, [{ atWallMs: header.startWallMs }]);
  assert.equal(contents.partitions[0]?.resumeAt, 100);
});

Deno.test("readLedger() gives the schedule with its logged changes", () => {
  const { disk, ledger } = begin();
  const schedule = Schedule.fromJSON(header.schedule);
  ledger.change(schedule.setRate(2_000_500, 333));
  ledger.change(schedule.pause(3_000_000));
  ledger.change(schedule.resume(4_000_000));
  ledger.change(schedule.stopAt(2_500));
  const read = readLedger(disk, path).schedule;
  assert.deepEqual(read.toJSON(), schedule.toJSON());
  for (let n = 0; n <= 2_500; n++) assert.equal(read.intendedUs(n), schedule.intendedUs(n));
});

Deno.test("FileLedger.change() writes what was sent before the change first", () => {
  const { disk, ledger } = begin();
  ledger.sent({ partition: 0, first: 0, count: 9 });
  ledger.change(Schedule.fromJSON(header.schedule).setRate(1, 5));
  const lines = new TextDecoder().decode(disk.files.get(path)).trim().split("\n");
  assert.deepEqual(lines.map((line) => Object.keys(JSON.parse(line))[0]), [
    "header",
    "sent",
    "change",
  ]);
});

Deno.test("FileLedger.endMarker() writes what was sent and acknowledged before the marker first", () => {
  const { disk, ledger } = begin();
  ledger.sent({ partition: 0, first: 0, count: 10 });
  ledger.acknowledged({ partition: 0, first: 0, count: 10 });
  ledger.endMarker(0);
  const { partitions, endMarkers } = readLedger(disk, path);
  assert.deepEqual(partitions[0]?.acknowledged, [{ first: 0, until: 10 }]);
  assert.deepEqual(endMarkers, [0]);
});

Deno.test("readLedger() tells end markers and the end", () => {
  const { disk, clock, ledger } = begin();
  ledger.endMarker(2);
  ledger.endMarker(0);
  ledger.end(1_234);
  const contents = readLedger(disk, path);
  assert.deepEqual(contents.endMarkers, [0, 2]);
  assert.deepEqual(contents.end, { atWallMs: clock.wallMs(), messageCount: 1_234 });
});

Deno.test("readLedger() cuts batches that were sent again in another way at the bounds of both", () => {
  const { disk, clock, ledger } = begin();
  ledger.sent({ partition: 0, first: 0, count: 100 });
  ledger.sent({ partition: 0, first: 100, count: 100 });
  ledger.flush();
  const resumed = FileLedger.resume({ disk, clock, folder: "ledger" }).ledger;
  resumed.sent({ partition: 0, first: 0, count: 150 });
  resumed.flush();
  assert.deepEqual(readLedger(disk, path).partitions[0]?.indeterminate, [
    { first: 0, until: 100 },
    { first: 100, until: 150 },
    { first: 150, until: 200 },
  ]);
  resumed.acknowledged({ partition: 0, first: 0, count: 150 });
  resumed.flush();
  assert.deepEqual(readLedger(disk, path).partitions[0]?.indeterminate, [
    { first: 150, until: 200 },
  ]);
});

Deno.test("FileLedger.flush() throws when the disk refuses, and the file stays whole", () => {
  const { disk, ledger } = begin();
  ledger.sent({ partition: 0, first: 0, count: 100 });
  disk.writeError = new Error("no space left");
  disk.tornBytes = 7;
  assert.throws(() => ledger.flush(), (error: LedgerError) => {
    assert.equal(error.code, "write_failed");
    assert.equal(error.message, "Cannot write ledger: no space left");
    return true;
  });
  disk.writeError = undefined;
  ledger.flush();
  const contents = readLedger(disk, path);
  assert.equal(contents.torn, false);
  assert.equal(contents.partitions[0]?.sentUntil, 100);
});

Deno.test("readLedger() says that a ledger is missing, headless or damaged", () => {
  const { disk } = begin();
  const codeOf = (name: string) => {
    try {
      return readLedger(disk, name);
    } catch (error) {
      return (error as LedgerError).code;
    }
  };
  assert.equal(codeOf("nowhere"), "missing");
  disk.files.set("headless", new TextEncoder().encode('{"sent":[[0,0,1]]}\n'));
  assert.equal(codeOf("headless"), "missing");
  disk.files.set("empty", new Uint8Array());
  assert.equal(codeOf("empty"), "missing");
  const whole = new TextDecoder().decode(disk.files.get(path));
  disk.files.set("damaged", new TextEncoder().encode(`${whole}{"sent":[[0,\n{"end`));
  assert.equal(codeOf("damaged"), "damaged");
});

/** A ledger of some lines, in two processes. */
function written(): { disk: MemoryDisk; lines: string[] } {
  const { disk, clock, ledger } = begin();
  const note = (one: FileLedger, first: number) => {
    one.sent({ partition: 0, first, count: 10 });
    one.flush();
    one.acknowledged({ partition: 0, first, count: 10 });
    one.flush();
  };
  note(ledger, 0);
  disk.open(path).append(utf8("{"));
  const { ledger: again } = FileLedger.resume({ disk, clock, folder: "ledger" });
  note(again, 10);
  again.end(20);
  return { disk, lines: textOf(disk.readFile(path)!).split(/(?<=\n)/) };
}

Deno.test("readLedger() notices each line that was removed, doubled, moved or changed by hand", () => {
  const { disk, lines } = written();
  assert.equal(lines.length, 7);
  assert.equal(readLedger(disk, path).partitions[0]!.resumeAt, 20);
  const refuses = (changed: readonly string[], text: string) => {
    disk.files.set(path, utf8(changed.join("")));
    assert.throws(() => readLedger(disk, path), { code: "damaged" }, text);
  };
  for (let i = 1; i < lines.length - 1; i++) {
    refuses(lines.toSpliced(i, 1), `line ${i} removed`);
    refuses(lines.toSpliced(i, 0, lines[i]!), `line ${i} doubled`);
    refuses(lines.toSpliced(i, 2, lines[i + 1]!, lines[i]!), `line ${i} moved`);
  }
  refuses(lines.with(1, lines[1]!.replace("10", "11")), "a count changed");
  refuses(lines.with(0, lines[0]!.replace('"seed":7', '"seed":8')), "the seed changed");
  refuses(lines.with(2, '{"acked":[[0,0,10]]}\n'), "a line without chain");
});

Deno.test("readLedger() reads a ledger of version 1, whose lines are not chained, and it is gone on with", () => {
  const { disk, lines } = written();
  const old = lines.map((line) =>
    line.replace(/,"chain":\d+/, "").replace('"version":2', '"version":1')
  );
  disk.files.set(path, utf8(old.join("")));
  assert.equal(readLedger(disk, path).partitions[0]!.resumeAt, 20);
  const clock = new FakeClock(header.startWallMs);
  FileLedger.resume({ disk, clock, folder: "ledger" }).ledger.end(20);
  assert.equal(readLedger(disk, path).restarts.length, 2);
});

Deno.test("readLedger() of a file cut anywhere knows everything that was acknowledged before", () => {
  const { disk, ledger } = begin();
  const sizes: { bytes: number; acked: number }[] = [];
  for (let i = 0; i < 20; i++) {
    ledger.sent({ partition: 0, first: i * 10, count: 10 });
    if (i > 0) ledger.acknowledged({ partition: 0, first: (i - 1) * 10, count: 10 });
    ledger.flush();
    sizes.push({ bytes: ledger.sizeBytes, acked: i * 10 });
  }
  const whole = disk.files.get(path)!;
  assert.equal(whole.length, ledger.sizeBytes);
  const headerBytes = whole.indexOf(0x0a) + 1;
  for (let cut = headerBytes; cut <= whole.length; cut++) {
    disk.files.set(path, whole.slice(0, cut));
    const known = sizes.filter(({ bytes }) => bytes <= cut).at(-1)?.acked ?? 0;
    const partition = readLedger(disk, path).partitions[0];
    assert.equal(partition?.resumeAt ?? 0, known);
  }
});

interface Batch {
  readonly partition: number;
  readonly count: number;
  readonly acked: boolean;
  readonly flush: boolean;
}

Deno.test("readLedger() gives back any mixture of notes as a plain list of them would", () => {
  const batches: fc.Arbitrary<Batch[]> = fc.array(fc.record({
    partition: fc.nat(3),
    count: fc.integer({ min: 1, max: 50 }),
    acked: fc.boolean(),
    flush: fc.boolean(),
  }));
  fc.assert(
    fc.property(batches, (batches) => {
      const { disk, ledger } = begin();
      const next = [0, 0, 0, 0];
      const acknowledged = new Set<string>();
      const open = new Set<string>();
      for (const { partition, count, acked, flush } of batches) {
        const first = next[partition]!;
        next[partition] = first + count;
        ledger.sent({ partition, first, count });
        if (acked) ledger.acknowledged({ partition, first, count });
        if (flush) ledger.flush();
        const into = acked ? acknowledged : open;
        for (let i = first; i < first + count; i++) into.add(`${partition}:${i}`);
      }
      ledger.flush();
      const { partitions } = readLedger(disk, path);
      const members = (kind: "acknowledged" | "indeterminate") =>
        new Set(
          partitions.flatMap((one) =>
            one[kind].flatMap(({ first, until }) =>
              Array.from({ length: until - first }, (_, i) => `${one.partition}:${first + i}`)
            )
          ),
        );
      assert.deepEqual(members("acknowledged"), acknowledged);
      assert.deepEqual(members("indeterminate"), open);
      for (const { partition, sentUntil } of partitions) assert.equal(sentUntil, next[partition]);
    }),
    { seed: SEED },
  );
});

Deno.test("FileLedger of three minutes at 50,000/s stays below 10 MB and is read back whole", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const clock = new FakeClock(header.startWallMs);
    await using ledger = FileLedger.create(header, { disk: systemDisk, clock, folder });
    // 72,000 batches of 125 messages over 4 partitions, two a tick of 5 ms, receipts one tick later.
    for (let batch = 0; batch < 72_000; batch += 2) {
      for (const i of [0, 1]) note(ledger, "sent", batch + i);
      for (const i of [-2, -1]) if (batch > 0) note(ledger, "acknowledged", batch + i);
      ledger.flush();
    }
    assert.ok(ledger.sizeBytes < 10_000_000, `${ledger.sizeBytes} bytes`);
    const { partitions } = readLedger(systemDisk, ledgerPath(folder, "produce"));
    assert.equal(partitions.reduce((sum, one) => sum + one.sentUntil, 0), 9_000_000);
    assert.equal(partitions.reduce((sum, one) => sum + one.resumeAt, 0), 9_000_000 - 250);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function note(ledger: FileLedger, kind: "sent" | "acknowledged", batch: number): void {
  ledger[kind]({ partition: batch % 4, first: Math.floor(batch / 4) * 125, count: 125 });
}

Deno.test("FileLedger survives kill −9 on a real disk", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const script = `
      import { FileLedger } from "${new URL("../../lib/load/mod.ts", import.meta.url)}";
      import { systemClock, systemDisk } from "${new URL(
      "../../lib/base/mod.ts",
      import.meta.url,
    )}";
      const ledger = FileLedger.create(${JSON.stringify(header)},
        { disk: systemDisk, clock: systemClock, folder: ${JSON.stringify(folder)} });
      ledger.sent({ partition: 0, first: 0, count: 100 });
      ledger.flush();
      ledger.acknowledged({ partition: 0, first: 0, count: 100 });
      ledger.flush();
      Deno.kill(Deno.pid, "SIGKILL");
    `;
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const file = `${folder}/victim.ts`;
    await Deno.writeTextFile(file, script);
    const { signal, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", "--config", config, file],
    }).output();
    assert.equal(signal, "SIGKILL", new TextDecoder().decode(stderr));
    const contents = readLedger(systemDisk, ledgerPath(folder, "produce"));
    assert.equal(contents.partitions[0]?.resumeAt, 100);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
