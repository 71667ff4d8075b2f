import assert from "node:assert/strict";
import { FakeClock, seededRandom } from "../../../lib/base/mod.ts";
import { Backoff } from "../../../lib/pulsar/client/backoff.ts";

Deno.test("Backoff doubles up to its maximum, each delay shortened by up to a fifth", () => {
  const options = { initialMs: 100, maxMs: 1000 };
  const backoff = new Backoff(new FakeClock(), seededRandom(3), options);
  for (const fullMs of [100, 200, 400, 800, 1000, 1000]) {
    const delayMs = backoff.nextMs();
    assert.ok(delayMs > fullMs * 0.8 && delayMs <= fullMs, `${delayMs} of ${fullMs}`);
  }
  backoff.reset();
  assert.ok(backoff.nextMs() <= 100);
});

Deno.test("Backoff.afterSession() waits only after sessions that were of no use", async () => {
  const clock = new FakeClock();
  const backoff = new Backoff(clock, seededRandom(3), { initialMs: 100, maxMs: 1000 });
  const { signal } = new AbortController();
  backoff.sessionBegins();
  await backoff.afterSession(true, signal);
  let waited = false;
  const waiting = backoff.afterSession(false, signal).then(() => waited = true);
  await clock.advance(79);
  assert.equal(waited, false);
  await clock.advance(21);
  await waiting;
  await clock.advance(1000);
  await backoff.afterSession(false, signal);
});
