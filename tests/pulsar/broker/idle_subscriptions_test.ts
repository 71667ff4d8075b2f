import assert from "node:assert/strict";
import { IdleSubscriptions } from "../../../lib/pulsar/broker/idle_subscriptions.ts";
import type { Subscription } from "../../../lib/pulsar/broker/dispatch/subscription.ts";

/** What is looked at of a subscription. */
function subscription(name: string, isDurable: boolean, consumers: readonly unknown[] = []) {
  return { name, isDurable, consumers } as unknown as Subscription;
}

function namesOf(
  idle: IdleSubscriptions,
  subscriptions: readonly Subscription[],
  seconds: number,
  expirationMs = 0,
): string[] {
  const byName = new Map(subscriptions.map((one) => [one.name, one]));
  return idle.expired(byName, seconds * 1e6, expirationMs).map(({ name }) => name);
}

Deno.test("IdleSubscriptions ends a reader's subscription 30 s after its last consumer", () => {
  const idle = new IdleSubscriptions();
  const reader = subscription("reader", false);
  const kept = subscription("kept", true);
  assert.deepEqual(namesOf(idle, [reader, kept], 0), []);
  assert.deepEqual(namesOf(idle, [reader, kept], 29), []);
  assert.deepEqual(namesOf(idle, [reader, kept], 30), ["reader"]);
});

Deno.test("IdleSubscriptions counts anew after a consumer", () => {
  const idle = new IdleSubscriptions();
  const consumers: unknown[] = [];
  const reader = subscription("reader", false, consumers);
  namesOf(idle, [reader], 0);
  consumers.push("one");
  assert.deepEqual(namesOf(idle, [reader], 40), []);
  consumers.pop();
  assert.deepEqual(namesOf(idle, [reader], 41), []);
  assert.deepEqual(namesOf(idle, [reader], 70), []);
  assert.deepEqual(namesOf(idle, [reader], 71), ["reader"]);
});

Deno.test("IdleSubscriptions ends kept ones where the policies say so, but not the one of compaction", () => {
  const idle = new IdleSubscriptions();
  const all = [subscription("kept", true), subscription("__compaction", true)];
  assert.deepEqual(namesOf(idle, all, 0, 60_000), []);
  assert.deepEqual(namesOf(idle, all, 59, 60_000), []);
  assert.deepEqual(namesOf(idle, all, 60, 60_000), ["kept"]);
});
