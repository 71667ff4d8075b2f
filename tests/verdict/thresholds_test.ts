import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { MEASURES } from "../../lib/verdict/measures.ts";
import {
  checkThreshold,
  evaluateThresholds,
  parseThresholds,
} from "../../lib/verdict/thresholds.ts";
import { MEASURED } from "./_result.ts";

const met = (...texts: string[]) =>
  evaluateThresholds(parseThresholds(texts), MEASURED).filter(({ byDefault }) => !byDefault);

for (
  const [text, isMet, actual] of [
    ["publish.p99<=20ms", true, "20 ms"],
    ["publish.p99<20ms", false, "20 ms"],
    ["windowVisible.max < 1s", true, "50 ms"],
    ["windowEndToVisible.p50>=1ms", true, "1 ms"],
    ["rate>=99%", true, "49,990 messages/s (99.98%)"],
    ["rate>=100%", false, "49,990 messages/s (99.98%)"],
    ["rate>49.9k", true, "49,990 messages/s"],
    ["rate>=50000/s", false, "49,990 messages/s"],
    ["cpuNsPerMessage<16000", true, "10,000 ns"],
    ["cpuNsPerMessage<9000ns", false, "10,000 ns"],
    ["rssBytesMax.total<1GiB", true, "858 MiB"],
    ["rssBytesMax.clickhouse<256MiB", false, "381 MiB"],
    ["cpuSeconds.produce<=36s", true, "36 s"],
    ["cpuCores.total<=0.5", true, "0.5 cores"],
    ["cpuCores.total<0.5", false, "0.5 cores"],
    ["inserts.p99<50ms", true, "20 ms"],
    ["messages.late<=0", true, "0"],
    ["restarts<1", true, "0"],
  ] as const
) {
  Deno.test(`evaluateThresholds() holds ${text} against the result`, () => {
    const [outcome] = met(text);
    assert.deepEqual([outcome?.met, outcome?.actual], [isMet, actual]);
    assert.equal(outcome?.text, text);
  });
}

Deno.test("evaluateThresholds() says when a value was not measured, and it is never met", () => {
  for (const text of ["rssBytesMax.broker<1TiB", "cpuSeconds.broker>=0s"]) {
    assert.deepEqual(met(text), [
      { text, met: false, actual: "not measured", actualValue: null, byDefault: false },
    ]);
  }
  const empty = {
    ...MEASURED,
    latencyUs: {
      ...MEASURED.latencyUs,
      windowVisible: { ...MEASURED.latencyUs.windowVisible, count: 0 },
    },
  };
  const [outcome] = evaluateThresholds(parseThresholds(["windowVisible.p99<1s"]), empty);
  assert.equal(outcome?.actualValue, null);
});

Deno.test("evaluateThresholds() holds no share against a schedule whose rate is not known", () => {
  const [outcome] = evaluateThresholds(parseThresholds(["rate>=99%"]), {
    ...MEASURED,
    scheduledRateMessagesPerSec: null,
  });
  assert.equal(outcome?.actualValue, null);
});

Deno.test("parseThresholds() reads bounds into the unit of their measure", () => {
  const bounds: readonly (readonly [text: string, bound: number])[] = [
    ["publish.p99<50ms", 50_000],
    ["publish.max<=1s", 1_000_000],
    ["cpuSeconds.total<90s", 90],
    ["cpuSeconds.total<2m", 120],
    ["cpuCores.broker<0.8", 0.8],
    ["cpuNsPerMessage<16000ns", 16_000],
    ["rate>=50k/s", 50_000],
    ["rate>=99%", 0.99],
    ["rssBytesMax.broker<512MiB", 512 * 1024 * 1024],
    ["restarts<=0", 0],
  ];
  for (const [text, bound] of bounds) assert.equal(parseThresholds([text])[0]!.bound, bound, text);
});

Deno.test("parseThresholds() adds 99% of the scheduled rate unless the rate is named", () => {
  const [byDefault, ...rest] = parseThresholds([]);
  assert.equal(byDefault?.text, "rate>=99%");
  assert.equal(byDefault?.byDefault, true);
  assert.equal(rest.length, 0);
  assert.deepEqual(parseThresholds(["rate>=50%"]).map(({ text }) => text), ["rate>=50%"]);
  assert.deepEqual(parseThresholds(["publish.p99<1s"]).map(({ text }) => text), [
    "publish.p99<1s",
    "rate>=99%",
  ]);
});

Deno.test("parseThresholds() tells every mistake at once, each with what was expected", () => {
  const texts = ["publish.p99<1", "windowVisble.p99<1s", "publish.p98<1s", "nonsense", "rate>=1s"];
  assert.throws(() => parseThresholds([...texts, "publish.p50<1s"]), (error) => {
    assert.ok(error instanceof UsageError);
    for (const text of texts) assert.ok(error.message.includes(JSON.stringify(text)), text);
    assert.match(error.message, /"1" is not a duration such as 50ms/);
    assert.match(error.message, /"publish.p98" is not measured, expected publish.p50, publish.p90/);
    assert.match(error.message, /"windowVisble.p99" is not measured, expected rate, publish/);
    assert.match(error.message, /"1s" is not messages per second/);
    assert.doesNotMatch(error.message, /p50<1s/);
    return true;
  });
});

Deno.test("MEASURES have names of their own, and values of a good run", () => {
  assert.equal(new Set(MEASURES.map(({ name }) => name)).size, MEASURES.length);
  for (const { name, valueOf } of MEASURES) {
    const value = valueOf(MEASURED);
    assert.ok(value === null ? name.endsWith(".broker") : Number.isFinite(value), name);
  }
});

Deno.test("evaluateThresholds() lets the last message's own latency not miss the default for the rate of a short run", () => {
  const short = (tailSec: number, acked = 1000, threshold: string[] = []) => {
    const [outcome] = evaluateThresholds(parseThresholds(threshold), {
      ...MEASURED,
      messages: { ...MEASURED.messages, sent: 1000, acked },
      scheduledRateMessagesPerSec: 1000,
      rateMessagesPerSec: acked / (1 + tailSec),
    });
    return outcome?.met;
  };
  assert.equal(short(0.24), true);
  assert.equal(short(0.26), false);
  assert.equal(short(0.05, 900), false, "what was not acknowledged is no tail");
  assert.equal(short(0.24, 1000, ["rate>=99%"]), false, "what a person asked for is held to");
});

Deno.test("checkThreshold() says once what is wrong", () => {
  checkThreshold("publish.p99<=50ms");
  assert.throws(() => checkThreshold("foo<1"), {
    message: /^"foo" is not measured, expected rate/,
  });
  assert.throws(() => checkThreshold("nonsense"), {
    message: "expected e.g. windowVisible.p99<1s",
  });
});
