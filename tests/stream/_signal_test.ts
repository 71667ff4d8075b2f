import assert from "node:assert/strict";
import { Signal } from "../../lib/stream/_signal.ts";

Deno.test("Signal.wait() resolves at once for a notice that came before, and once for many", async () => {
  const signal = new Signal();
  signal.notify();
  signal.notify();
  await signal.wait();
  let woken = false;
  const waiting = signal.wait().then(() => woken = true);
  await Promise.resolve();
  assert.equal(woken, false);
  signal.notify();
  await waiting;
  assert.equal(woken, true);
});
