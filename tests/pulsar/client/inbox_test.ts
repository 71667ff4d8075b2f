import assert from "node:assert/strict";
import { FakeClock } from "../../../lib/base/mod.ts";
import { Inbox } from "../../../lib/pulsar/client/inbox.ts";
import type { ReceivedEntry, ReceivedMessage } from "../../../lib/pulsar/client/received_entry.ts";
import { PulsarError } from "../../../lib/pulsar/wire/mod.ts";

/** An entry whose messages are numbers, and which may not be ready yet. */
class Entry {
  readonly ledgerId = 1;
  isReady = true;
  contentBytes = 10;

  constructor(readonly entryId: number, readonly numbers: number[]) {}

  get left(): number {
    return this.numbers.length;
  }

  get isTaken(): boolean {
    return this.numbers.length === 0;
  }

  next(): ReceivedMessage<unknown> | undefined {
    const number = this.numbers.shift();
    if (number === undefined) return undefined;
    return { number, byteLength: 1 } as unknown as ReceivedMessage<unknown>;
  }
}

function scene() {
  const clock = new FakeClock(0);
  const inbox = new Inbox(clock, () => {});
  const withdrawn: number[] = [];
  const source = { taken: () => {}, withdrawn: (count: number) => void withdrawn.push(count) };
  const push = (entry: Entry) => inbox.push(source, entry as unknown as ReceivedEntry);
  return { clock, inbox, source, withdrawn, push };
}

const numberOf = (message: ReceivedMessage<unknown> | undefined) =>
  (message as unknown as { number: number } | undefined)?.number;

const BATCH = { maxMessages: 3, maxBytes: 1000, timeoutMs: 100 };

Deno.test("Inbox.receive() serves whoever came first", async () => {
  const { inbox, push } = scene();
  const entry = new Entry(0, [1, 2]);
  entry.isReady = false;
  push(entry);
  const first = inbox.receive({});
  entry.isReady = true;
  const second = inbox.receive({});
  inbox.serve();
  assert.deepEqual([numberOf(await first), numberOf(await second)], [1, 2]);
  assert.deepEqual([inbox.messageCount, inbox.waiterCount], [0, 0]);
});

Deno.test("Inbox.receiveBatch() tells an error by a call of its own, and loses no message beside it", async () => {
  const { clock, inbox, push } = scene();
  push(new Entry(0, [1]));
  inbox.pushError(new PulsarError("Cannot read", { code: "malformed" }));
  push(new Entry(1, [2]));
  const batch = async () => {
    const waiting = inbox.receiveBatch(BATCH);
    const looked = waiting.then((messages) => messages.map(numberOf), (error) => error.code);
    await clock.advance(100);
    return await looked;
  };
  assert.deepEqual([await batch(), await batch(), await batch()], [[1], "malformed", [2]]);
});

Deno.test("Inbox serves who stood behind a batch that is given up", async () => {
  const { inbox, push } = scene();
  const stop = new AbortController();
  const batch = assert.rejects(inbox.receiveBatch({ ...BATCH, signal: stop.signal }), /enough/);
  const behind = inbox.receive({});
  push(new Entry(0, [1]));
  assert.equal(inbox.messageCount, 1);
  stop.abort(new Error("enough"));
  await batch;
  assert.equal(numberOf(await behind), 1);
});

Deno.test("Inbox.withdraw() takes back what a source handed over, by entries or all, and counts it", () => {
  const { inbox, source, withdrawn, push } = scene();
  push(new Entry(0, [1, 2]));
  push(new Entry(1, [3, 4, 5]));
  push(new Entry(2, [6]));
  inbox.withdraw(source, new Set(["1:1"]));
  assert.deepEqual([inbox.messageCount, withdrawn], [3, [3]]);
  assert.deepEqual([1, 2, 6].map(() => numberOf(inbox.take())), [1, 2, 6]);
  push(new Entry(3, [7]));
  inbox.withdraw(source);
  assert.deepEqual([inbox.messageCount, withdrawn], [0, [3, 1]]);
  assert.equal(inbox.take(), undefined);
});

Deno.test("Inbox that is closed keeps nothing, and tells everybody why", async () => {
  const { inbox, push } = scene();
  const waiting = assert.rejects(inbox.receive({}), /closed/);
  inbox.close(new Error("closed"));
  push(new Entry(0, [1]));
  assert.equal(inbox.messageCount, 0);
  await waiting;
  await assert.rejects(inbox.receive({}), /closed/);
  await assert.rejects(inbox.receiveBatch(BATCH), /closed/);
});
