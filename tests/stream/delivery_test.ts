import assert from "node:assert/strict";
import { FakeClock, seededRandom } from "../../lib/base/mod.ts";
import type { InsertOptions, RowBatch, Sink } from "../../lib/contract.ts";
import type { PendingBatch } from "../../lib/stream/checkpoint.ts";
import type { DeliveryContext } from "../../lib/stream/delivery.ts";
import { deliver, queryIdOf, RETRY_DEFAULTS, tokenOf } from "../../lib/stream/delivery.ts";
import { StreamError } from "../../lib/stream/errors.ts";

const BATCH: RowBatch = {
  batchId: "run:0:60000:0",
  partition: 0,
  windowStartMs: 60_000,
  windowEndMs: 120_000,
  rows: [{ a: 1 }, { a: 2 }, { a: 3 }],
  contentHash: "00",
};

function pendingSince(epoch: number): PendingBatch {
  return {
    batch: BATCH,
    content: new Uint8Array(0),
    emittedAtMs: 0,
    closedBy: "watermark",
    sinceEpoch: epoch,
  };
}

/** What a sink does at each insert: stores all, nothing or some rows, and answers or fails. */
interface Step {
  readonly stores: number;
  readonly answers: boolean;
}

/** A sink whose every step is scripted; it writes down what it is asked. */
class ScriptedSink implements Sink {
  readonly systemName = "scripted";
  readonly log: string[] = [];
  readonly tokens: string[] = [];
  failCounts = 0;

  constructor(public stored: number, readonly steps: Step[]) {}

  insert(_batch: RowBatch, { token, queryId }: InsertOptions) {
    this.log.push(`insert ${queryId.replace(BATCH.batchId, "")}`);
    this.tokens.push(token);
    const step = this.steps.shift() ?? { stores: 0, answers: false };
    this.stored += step.stores;
    return step.answers ? Promise.resolve({ bytes: 42 }) : Promise.reject(new Error("reset"));
  }

  count() {
    this.log.push("count");
    if (this.failCounts-- > 0) return Promise.reject(new Error("refused"));
    return Promise.resolve(this.stored);
  }

  cancel(queryId: string) {
    this.log.push(`cancel ${queryId.replace(BATCH.batchId, "")}`);
    return Promise.resolve();
  }

  async [Symbol.asyncDispose]() {}
}

const WHOLE: Step = { stores: 3, answers: true };
const NOTHING_FAILED: Step = { stores: 0, answers: false };
const SWALLOWED: Step = { stores: 0, answers: true };

async function play(
  sink: ScriptedSink,
  over: Partial<DeliveryContext> & { readonly since?: number } = {},
): Promise<{ error: unknown; inserts: number; waitedMs: number }> {
  const clock = new FakeClock();
  let inserts = 0;
  const context: DeliveryContext = {
    sink,
    clock,
    random: seededRandom(1),
    retry: { ...RETRY_DEFAULTS, insertAttemptsMax: 3, retryForMs: 1_000, backoffMsMax: 200 },
    epoch: 2,
    assertOwner: async () => {},
    signal: new AbortController().signal,
    onInsert: () => inserts++,
    ...over,
  };
  let error: unknown;
  let settled = false;
  const delivery = deliver(pendingSince(over.since ?? 2), context)
    .catch((thrown) => error = thrown)
    .finally(() => settled = true);
  while (!settled) await clock.advance(50);
  await delivery;
  return { error, inserts, waitedMs: clock.wallMs() };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof StreamError ? error.code : undefined;
}

Deno.test("deliver() inserts a new batch once and confirms it with one count", async () => {
  const sink = new ScriptedSink(0, [WHOLE]);
  const { error, inserts } = await play(sink);
  assert.equal(error, undefined);
  assert.equal(inserts, 1);
  assert.deepEqual(sink.log, ["insert :e2:a0", "count"]);
  assert.deepEqual(sink.tokens, [BATCH.batchId]);
});

Deno.test("deliver() counts before it sends again: an insert whose answer was lost is not repeated", async () => {
  const sink = new ScriptedSink(0, [{ stores: 3, answers: false }]);
  const { error, inserts } = await play(sink);
  assert.deepEqual([error, inserts], [undefined, 0]);
  assert.deepEqual(sink.log, ["insert :e2:a0", "count"]);
});

Deno.test("deliver() cancels a failed attempt and sends it again under the same token and another name", async () => {
  const sink = new ScriptedSink(0, [NOTHING_FAILED, WHOLE]);
  assert.equal((await play(sink)).error, undefined);
  assert.deepEqual(sink.log, [
    "insert :e2:a0",
    "count",
    "cancel :e2:a0",
    "count",
    "insert :e2:a1",
    "count",
  ]);
  assert.deepEqual(sink.tokens, [BATCH.batchId, BATCH.batchId]);
});

Deno.test("deliver() finds a batch of an earlier owner stored and inserts nothing", async () => {
  const sink = new ScriptedSink(3, []);
  assert.equal((await play(sink, { since: 1 })).error, undefined);
  assert.deepEqual(sink.log, ["count"]);
});

Deno.test("deliver() cancels every attempt that earlier owners may have made, and counts again", async () => {
  const sink = new ScriptedSink(0, [WHOLE]);
  assert.equal((await play(sink, { since: 1, epoch: 3 })).error, undefined);
  assert.deepEqual(sink.log, [
    "count",
    ...[1, 2].flatMap((epoch) => [0, 1, 2].map((attempt) => `cancel :e${epoch}:a${attempt}`)),
    "count",
    "insert :e3:a0",
    "count",
  ]);
});

Deno.test("deliver() takes a fresh token only where the sink answered and holds nothing", async () => {
  const sink = new ScriptedSink(0, [SWALLOWED, WHOLE]);
  assert.equal((await play(sink)).error, undefined);
  assert.deepEqual(sink.tokens, [BATCH.batchId, `${BATCH.batchId}:r1`]);
});

Deno.test("deliver() stops on part of a batch and on more than a batch", async () => {
  for (const [stored, code] of [[2, "partial_batch"], [6, "doubled_batch"]] as const) {
    const sink = new ScriptedSink(stored, []);
    const { error } = await play(sink, { since: 1 });
    assert.equal(codeOf(error), code);
    assert.match(String(error), new RegExp(`${stored} rows of it are in the sink, expected 3`));
    assert.deepEqual(sink.log, ["count"]);
  }
});

Deno.test("deliver() gives up when one fresh token after another is swallowed", async () => {
  const sink = new ScriptedSink(0, Array.from({ length: 9 }, () => SWALLOWED));
  const retry = { ...RETRY_DEFAULTS, insertAttemptsMax: 8 };
  assert.equal(codeOf((await play(sink, { retry })).error), "swallowed_batch");
  assert.equal(new Set(sink.tokens).size, 4);
});

Deno.test("deliver() gives up after insertAttemptsMax failed inserts, with the last failure", async () => {
  const sink = new ScriptedSink(0, []);
  const { error } = await play(sink);
  assert.equal(codeOf(error), "sink_unavailable");
  assert.match(String(error), /3 inserts failed, the last with: reset/);
  assert.equal(sink.tokens.length, 3);
});

Deno.test("deliver() waits for a sink that is away, longer each time, and sends nothing meanwhile", async () => {
  const sink = new ScriptedSink(0, [NOTHING_FAILED, WHOLE]);
  sink.failCounts = 4;
  const { error, waitedMs } = await play(sink);
  assert.equal(error, undefined);
  assert.equal(sink.tokens.length, 2);
  assert(waitedMs > 200, `${waitedMs} ms`);
});

Deno.test("deliver() says so when the sink stays away", async () => {
  const sink = new ScriptedSink(0, []);
  sink.failCounts = 1_000;
  const { error } = await play(sink, { since: 1 });
  assert.equal(codeOf(error), "sink_unavailable");
  assert.match(String(error), /Cannot learn whether batch run:0:60000:0 is stored: refused/);
});

Deno.test("deliver() asks for ownership before each insert and sends nothing once it is lost", async () => {
  const sink = new ScriptedSink(0, [NOTHING_FAILED, WHOLE]);
  let asked = 0;
  const stale = new StreamError("replaced", { code: "stale_owner" });
  const assertOwner = () => ++asked > 1 ? Promise.reject(stale) : Promise.resolve();
  const { error } = await play(sink, { assertOwner });
  assert.equal(error, stale);
  assert.equal(sink.tokens.length, 1);
});

Deno.test("deliver() passes an error on that says trying again is of no use", async () => {
  const sink = new ScriptedSink(0, []);
  const refusal = new StreamError("no rights", { code: "sink_unavailable" });
  sink.insert = () => Promise.reject(refusal);
  assert.equal((await play(sink)).error, refusal);
  assert.deepEqual(sink.log, []);
});

Deno.test("deliver() ends at once when it is aborted", async () => {
  const sink = new ScriptedSink(0, []);
  const { error } = await play(sink, { signal: AbortSignal.abort(new Error("stopped")) });
  assert.match(String(error), /reset|stopped/);
  assert(sink.tokens.length <= 1);
});

Deno.test("tokenOf() and queryIdOf() use only letters, digits and .-_:", () => {
  const safe = /^[A-Za-z0-9._:-]+$/;
  assert.match(tokenOf(BATCH.batchId, 3), safe);
  assert.match(queryIdOf(BATCH.batchId, 12, 7), safe);
  assert.equal(tokenOf(BATCH.batchId, 0), BATCH.batchId);
});
