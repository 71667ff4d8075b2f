import assert from "node:assert/strict";
import { Secret } from "../../../lib/base/mod.ts";
import { openClickHouse } from "../../../lib/sinks/mod.ts";
import { someBatch } from "./_batches.ts";
import { PASSWORD, startJob } from "./_server.ts";

const CRASHES = 3;

Deno.test("insert() has stored what it acknowledged when the engine is killed, and its tokens too", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "weir-test-crash-" });
  const acknowledged: ReturnType<typeof someBatch>[] = [];
  const doubtful: ReturnType<typeof someBatch>[] = [];
  for (let crash = 0; crash <= CRASHES; crash++) {
    const job = await startJob({ dataDir });
    const sink = await openClickHouse({ url: job.ready.url, password: new Secret(PASSWORD) });
    await sink.prepare();
    for (const batch of acknowledged) {
      assert.equal(await sink.count(batch), 200, batch.batchId);
      await sink.insert(batch, {
        token: batch.batchId,
        queryId: `again-${batch.batchId}-${crash}`,
      });
      assert.equal(await sink.count(batch), 200, "the token was forgotten");
    }
    for (const batch of doubtful.splice(0)) {
      const found = await sink.count(batch);
      assert.ok(found === 0 || found === 200, `${found} rows of a batch of 200`);
      await sink.insert(batch, { token: batch.batchId, queryId: `doubt-${batch.batchId}` });
      assert.equal(await sink.count(batch), 200);
      acknowledged.push(batch);
    }
    if (crash === CRASHES) {
      await sink[Symbol.asyncDispose]();
      await job[Symbol.asyncDispose]();
      break;
    }
    // Four writers insert until the process is gone; it is killed after the tenth answer, in the middle of the others.
    let answers = 0;
    const dead = Promise.withResolvers<void>();
    const write = async (part: number) => {
      for (let windowIndex = 0; windowIndex < 1000; windowIndex++) {
        const batch = someBatch({
          runId: `crash-${crash}`,
          part,
          windowIndex,
          rowCount: 200,
          seed: windowIndex + 1,
        });
        try {
          await sink.insert(batch, { token: batch.batchId, queryId: batch.batchId });
          acknowledged.push(batch);
        } catch {
          doubtful.push(batch);
          return;
        }
        if (++answers === 10) dead.resolve(job.crash());
      }
    };
    await Promise.all([0, 1, 2, 3].map(write));
    await dead.promise;
    await sink[Symbol.asyncDispose]();
  }
  assert.ok(acknowledged.length >= 10 * CRASHES, `${acknowledged.length}`);
  await Deno.remove(dataDir, { recursive: true });
});
