import assert from "node:assert/strict";
import { Permits } from "../../../lib/pulsar/client/permits.ts";

Deno.test("Permits cover at least 20 batches of 1,000 small messages, and are bounded in bytes", () => {
  const permits = new Permits({ bytesMax: 8 * 1024 * 1024 });
  assert.equal(permits.take(), 1000);
  permits.arrived(1000, 190_000);
  permits.settled(1000);
  const granted = permits.take();
  assert.ok(granted >= 20_000 && granted * 190 <= 8 * 1024 * 1024, `${granted}`);
  assert.equal(permits.take(), 0);
  permits.arrived(1000, 190_000);
  permits.settled(1000);
  assert.equal(permits.take(), 0, "FLOW is sent seldom");
});

Deno.test("Permits shrink for large messages, and count what waits for the handler", () => {
  const permits = new Permits({ bytesMax: 10_000_000 });
  permits.take();
  for (let i = 0; i < 200; i++) permits.arrived(1, 5_000_000);
  assert.equal(permits.take(), 0, "200 messages of 5 MB wait");
  for (let i = 0; i < 200; i++) permits.settled(1);
  assert.equal(permits.take(), 0, "800 are still granted");
  permits.reset();
  assert.ok(permits.take() <= 3);
});

Deno.test("Permits pay what a batch took beyond them", () => {
  const permits = new Permits({ bytesMax: 1_000_000, messagesMax: 1 });
  assert.equal(permits.take(), 1);
  permits.arrived(10, 100);
  permits.settled(9);
  assert.equal(permits.take(), 0, "one still waits");
  permits.settled(1);
  assert.equal(permits.take(), 10, "nine are owed");
  assert.equal(permits.outstanding, 1);
});
