import assert from "node:assert/strict";
import { FakeClock, seededRandom } from "../../../lib/base/mod.ts";
import { Backoff } from "../../../lib/pulsar/client/backoff.ts";
import { FrameBatch } from "../../../lib/pulsar/client/batch_buffer.ts";
import { comparePositions } from "../../../lib/pulsar/client/positions.ts";
import { Permits } from "../../../lib/pulsar/client/permits.ts";
import { formatAddress, parseServiceUrl } from "../../../lib/pulsar/client/service_url.ts";
import { parseTopicName, partitionTopic } from "../../../lib/pulsar/client/topic_name.ts";
import { splitBatch } from "../../../lib/pulsar/wire/mod.ts";

Deno.test("parseServiceUrl() reads hosts, ports and TLS", () => {
  for (
    const [url, expected] of [
      ["pulsar://host", ["pulsar://host:6650"]],
      ["pulsar+ssl://host", ["pulsar+ssl://host:6651"]],
      ["pulsar://a:1,b:2/", ["pulsar://a:1", "pulsar://b:2"]],
      ["pulsar://[::1]:6650", ["pulsar://[::1]:6650"]],
    ] as const
  ) {
    assert.deepEqual(parseServiceUrl(url).addresses.map(formatAddress), expected);
  }
});

Deno.test("parseServiceUrl() refuses what is no service URL", () => {
  for (
    const url of ["", "host:6650", "http://host", "pulsar://", "pulsar://h:0", "pulsar://h:99999"]
  ) {
    assert.throws(() => parseServiceUrl(url), { code: "invalid_service_url" }, url);
  }
});

Deno.test("parseTopicName() completes short names", () => {
  assert.equal(parseTopicName("t").full, "persistent://public/default/t");
  assert.equal(parseTopicName("a/b/t").full, "persistent://a/b/t");
  assert.equal(parseTopicName("non-persistent://a/b/t").domain, "non-persistent");
  assert.equal(
    partitionTopic(parseTopicName("t").full, 3),
    "persistent://public/default/t-partition-3",
  );
});

Deno.test("parseTopicName() refuses what is no topic name", () => {
  for (const name of ["", "a/b", "a/b/c/d", "persistent://t", "http://a/b/c", "a b", "a\u0000b"]) {
    assert.throws(() => parseTopicName(name), { code: "invalid_topic_name" }, name);
  }
});

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

Deno.test("comparePositions() orders by ledger, then entry", () => {
  const at = (ledgerId: number, entryId: number) => ({ ledgerId, entryId });
  assert.ok(comparePositions(at(1, 9), at(2, 0)) < 0);
  assert.ok(comparePositions(at(2, 1), at(2, 0)) > 0);
  assert.equal(comparePositions(at(2, 1), at(2, 1)), 0);
});

Deno.test("FrameBatch keeps values whatever their lengths, and grows", () => {
  const batch = new FrameBatch(0, 5, 1 << 24);
  const values = [0, 1, 127, 128, 200, 16_384, 3, 300_000, 0].map((size, i) =>
    new Uint8Array(size).fill(i + 1)
  );
  for (const value of values) {
    const at = batch.reserve(value.length + 7);
    batch.bytes.set(value, at);
    batch.commit(at + value.length);
  }
  assert.equal(batch.messageCount, values.length);
  const bounds = new Uint32Array(2 * values.length);
  splitBatch(batch.bytes, batch.payloadStart, batch.payloadEnd, values.length, bounds);
  values.forEach((value, i) =>
    assert.deepEqual(batch.bytes.subarray(bounds[2 * i], bounds[2 * i + 1]), value)
  );
  batch.clear();
  assert.equal(batch.byteLength, 0);
});

Deno.test("FrameBatch.commit() without reserve is a bug", () => {
  const batch = new FrameBatch(0, 5, 1000);
  assert.throws(() => batch.commit(300), { name: "AssertionError" });
});
