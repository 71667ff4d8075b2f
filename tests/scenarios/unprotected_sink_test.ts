import assert from "node:assert/strict";
import type { InsertOptions, RowBatch, Sink } from "../../lib/contract.ts";
import { UnprotectedSink } from "../../lib/scenarios/unprotected_sink.ts";

const BATCH: RowBatch = {
  batchId: "run:0:0:0",
  partition: 0,
  windowStartMs: 0,
  windowEndMs: 60_000,
  rows: [{ a: 1 }, { a: 2 }],
  contentHash: "0",
};

/** Stores a token once, as ClickHouse does. */
function tokenSink(): Sink & { readonly tokens: Set<string> } {
  const tokens = new Set<string>();
  return {
    tokens,
    systemName: "tokens",
    insert(_batch: RowBatch, { token }: InsertOptions) {
      tokens.add(token);
      return Promise.resolve({ bytes: 1 });
    },
    count: () => Promise.resolve(tokens.size * BATCH.rows.length),
    cancel: () => Promise.reject(new Error("must not be asked")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

Deno.test("UnprotectedSink stores a batch twice that a restart brings again", async () => {
  const inner = tokenSink();
  const options = { token: BATCH.batchId, queryId: "q" };
  for (const process of [1, 2]) {
    // A restart is a new sink that remembers nothing.
    const sink = new UnprotectedSink(inner);
    assert.equal(await sink.count(BATCH), 0, `process ${process} does not ask`);
    await sink.cancel();
    await sink.insert(BATCH, options);
    assert.equal(await sink.count(BATCH), 2, "what it inserted itself it knows");
  }
  assert.equal(inner.tokens.size, 2);
  assert.ok(!inner.tokens.has(BATCH.batchId));
});
