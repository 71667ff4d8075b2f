import assert from "node:assert/strict";
import { systemDisk } from "../../lib/base/mod.ts";
import {
  bucketQuantileSec,
  LatencyBuckets,
  MetricsError,
  parseSamples,
  readSamples,
  roleOf,
  type Sample,
  SampleLog,
} from "../../lib/metrics/mod.ts";

function sampleAt(atMs: number, sent: number): Sample {
  return { atMs, roles: { produce: { values: { sent_total: sent }, buckets: {} } } };
}

async function inFolder(action: (path: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    action(`${folder}/samples.jsonl`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readSamples() reads what SampleLog appends, over more than one opening", () =>
  inFolder((path) => {
    const samples = [sampleAt(1, 10), sampleAt(2, 20), sampleAt(3, 30)];
    {
      using log = new SampleLog(systemDisk, path);
      log.append(samples[0]!);
      log.append(samples[1]!);
    }
    using again = new SampleLog(systemDisk, path);
    again.append(samples[2]!);
    assert.deepEqual(readSamples(systemDisk, path), samples);
  }));

Deno.test("readSamples() is empty where there is no file", () =>
  inFolder((path) => assert.deepEqual(readSamples(systemDisk, path), [])));

Deno.test("SampleLog begins a new line after a line that was cut off", () =>
  inFolder((path) => {
    Deno.writeTextFileSync(path, JSON.stringify(sampleAt(1, 10)) + '\n{"atMs":2,"ro');
    using log = new SampleLog(systemDisk, path);
    log.append(sampleAt(3, 30));
    assert.deepEqual(readSamples(systemDisk, path).map(({ atMs }) => atMs), [1, 3]);
  }));

Deno.test("parseSamples() leaves out a torn last line, wherever it is torn", () => {
  const whole = JSON.stringify(sampleAt(1, 10)) + "\n";
  const last = JSON.stringify(sampleAt(2, 20));
  for (let end = 0; end < last.length; end++) {
    assert.equal(parseSamples(whole + last.slice(0, end)).length, 1, `cut at ${end}`);
  }
  assert.equal(parseSamples(whole + last).length, 2);
});

Deno.test("parseSamples() names the line that is no sample", () => {
  for (
    const bad of [
      "42",
      "null",
      "hello",
      '{"atMs":1}',
      '{"roles":{}}',
      '{"atMs":1,"roles":[]}',
      '{"atMs":1,"roles":{"a":{}}}',
    ]
  ) {
    assert.throws(
      () => parseSamples(`${JSON.stringify(sampleAt(1, 1))}\n${bad}\n`),
      (error) =>
        error instanceof MetricsError && error.code === "bad_sample" &&
        error.message.includes("line 2"),
      bad,
    );
  }
});

Deno.test("SampleLog keeps the quantiles of histograms and writes few of their buckets", () =>
  inFolder((path) => {
    const buckets = new LatencyBuckets();
    for (let i = 0; i < 1000; i++) buckets.record(5_000 + i);
    buckets.record(1e12);
    const cumulative = buckets.cumulative();
    using log = new SampleLog(systemDisk, path);
    log.append({ atMs: 1, roles: { produce: { values: {}, buckets: { wait: cumulative } } } });
    const read = readSamples(systemDisk, path)[0]!.roles["produce"]!.buckets["wait"]!;
    assert.ok(read.length < 10, `${read.length} buckets`);
    assert.deepEqual(read.at(-1), [Infinity, 1001]);
    for (const quantile of [0.01, 0.5, 0.99, 1]) {
      assert.equal(bucketQuantileSec(read, quantile), bucketQuantileSec(cumulative, quantile));
    }
  }));

Deno.test("roleOf() takes the number of an instance away", () => {
  assert.equal(roleOf("aggregate-12"), "aggregate");
  assert.equal(roleOf("produce"), "produce");
});
