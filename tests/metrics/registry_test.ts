import assert from "node:assert/strict";
import fc from "fast-check";
import {
  LatencyBuckets,
  MetricRegistry,
  MetricsError,
  parseExposition,
} from "../../lib/metrics/mod.ts";

const SEED = 12;

Deno.test("MetricRegistry.expose() writes counters and gauges as they are at the scrape", () => {
  const registry = new MetricRegistry();
  let sent = 1;
  registry.counter({ name: "sent_total", help: "Sent." }, () => sent);
  registry.gauge({ name: "queue", help: "Waiting.", labels: { partition: "0" } }, () => 2.5);
  registry.gauge({ name: "queue", help: "Waiting.", labels: { partition: "1" } }, () => -Infinity);
  sent = 9_000_000;
  assert.equal(
    registry.expose(),
    "# HELP sent_total Sent.\n# TYPE sent_total counter\nsent_total 9000000\n" +
      '# HELP queue Waiting.\n# TYPE queue gauge\nqueue{partition="0"} 2.5\nqueue{partition="1"} -Inf\n',
  );
});

Deno.test("MetricRegistry.expose() escapes labels and help", () => {
  const registry = new MetricRegistry();
  registry.gauge(
    { name: "one", help: "a\\b\nc", labels: { path: 'C:\\x "y"\nz' } },
    () => 1,
  );
  assert.equal(
    registry.expose(),
    '# HELP one a\\\\b\\nc\n# TYPE one gauge\none{path="C:\\\\x \\"y\\"\\nz"} 1\n',
  );
});

Deno.test("MetricRegistry.histogram() exposes cumulative buckets, sum and count", () => {
  const registry = new MetricRegistry();
  const buckets = new LatencyBuckets();
  buckets.record(100, 2);
  buckets.record(150);
  registry.histogram({ name: "wait_seconds", help: "Wait.", labels: { role: "a" } }, buckets);
  const lines = registry.expose().split("\n");
  assert.equal(lines[2], 'wait_seconds_bucket{role="a",le="0.0001"} 2');
  assert.ok(lines.includes('wait_seconds_bucket{role="a",le="+Inf"} 3'));
  assert.ok(lines.includes('wait_seconds_sum{role="a"} 0.00035'));
  assert.ok(lines.includes('wait_seconds_count{role="a"} 3'));
});

Deno.test("MetricRegistry refuses bad and doubled names with a code", () => {
  const codeOf = (name: string, labels: Record<string, string> = {}) => {
    const registry = new MetricRegistry();
    registry.gauge({ name: "taken", help: "" }, () => 0);
    try {
      registry.counter({ name, help: "", labels }, () => 0);
      return "none";
    } catch (error) {
      assert.ok(error instanceof MetricsError);
      return error.code;
    }
  };
  assert.equal(codeOf("has-dash"), "bad_name");
  assert.equal(codeOf("ok_total", { "bad label": "" }), "bad_name");
  assert.equal(codeOf("taken"), "duplicate");
  assert.equal(codeOf("free_total"), "none");
});

Deno.test("parseExposition() reads what MetricRegistry.expose() writes, summed over labels", () => {
  const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 5 });
  fc.assert(
    fc.property(values, fc.string(), (numbers, label) => {
      const registry = new MetricRegistry();
      numbers.forEach((value, i) =>
        registry.gauge(
          { name: "g", help: label, labels: { i: String(i), text: label } },
          () => value,
        )
      );
      const sum = numbers.reduce((total, value) => total + value, 0);
      const read = parseExposition(registry.expose()).values["g"];
      assert.equal(read ?? 0, numbers.length === 0 ? 0 : sum);
    }),
    { seed: SEED },
  );
});
