import assert from "node:assert/strict";
import {
  LatencyBuckets,
  MetricRegistry,
  MetricsError,
  parseExposition,
} from "../../lib/metrics/mod.ts";

Deno.test("parseExposition() reads the example of the format's own documentation", () => {
  // https://prometheus.io/docs/instrumenting/exposition_formats/
  const text = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# A histogram, which has a pretty complex representation in the text format:
# HELP http_request_duration_seconds A histogram of the request duration.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="0.1"} 33444
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# Finally a summary, which has a complex representation, too:
rpc_duration_seconds{quantile="0.01"} 3102
rpc_duration_seconds_sum 1.7560473e+07
`;
  const { values, buckets } = parseExposition(text);
  assert.deepEqual(values, {
    http_requests_total: 1030,
    msdos_file_access_time_seconds: 1.458255915e9,
    metric_without_timestamp_and_labels: 12.47,
    something_weird: Infinity,
    http_request_duration_seconds_sum: 53423,
    http_request_duration_seconds_count: 144320,
    rpc_duration_seconds: 3102,
    rpc_duration_seconds_sum: 17560473,
  });
  assert.deepEqual(buckets, {
    http_request_duration_seconds: [[0.05, 24054], [0.1, 33444], [Infinity, 144320]],
  });
});

Deno.test("parseExposition() sums buckets over the other labels and sorts them by bound", () => {
  const { buckets } = parseExposition(
    'w_bucket{p="0",le="+Inf"} 3\nw_bucket{p="0",le="0.1"} 1\nw_bucket{le="0.1",p="1"} 4\nw_bucket{p="1",le="+Inf"} 4\n',
  );
  assert.deepEqual(buckets, { w: [[0.1, 5], [Infinity, 7]] });
});

Deno.test("parseExposition() takes labels that hold braces, commas and spaces", () => {
  const { values } = parseExposition('a{x="}, {y=\\"1\\"",z="="} 2\na{ b = "c" , } 3');
  assert.equal(values["a"], 5);
});

Deno.test("parseExposition() keeps a metric named like a property of objects", () => {
  const { values } = parseExposition("__proto__ 4\nconstructor 5\n");
  assert.deepEqual(Object.entries(values), [["__proto__", 4], ["constructor", 5]]);
});

Deno.test("parseExposition() names the line that it cannot read", () => {
  for (
    const bad of [
      "1abc 2",
      "a",
      "a b",
      'a{x="1} 2',
      "a{x=1} 2",
      "a 1 2 3",
      "a 1e",
      'a{x="1"',
      "a 0x10",
    ]
  ) {
    assert.throws(
      () => parseExposition(`ok 1\n${bad}\n`),
      (error) =>
        error instanceof MetricsError && error.code === "bad_line" &&
        error.message.includes("line 2"),
      bad,
    );
  }
});

Deno.test("parseExposition() ends on every truncation of a scrape: a value or its own error", () => {
  const registry = new MetricRegistry();
  registry.histogram(
    { name: "wait_seconds", help: "Wait.", labels: { q: '"\\' } },
    new LatencyBuckets(),
  );
  const text = registry.expose().slice(0, 400);
  for (let end = 0; end <= text.length; end++) {
    try {
      parseExposition(text.slice(0, end));
    } catch (error) {
      assert.ok(error instanceof MetricsError, String(error));
    }
  }
});
