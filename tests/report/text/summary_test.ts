import assert from "node:assert/strict";
import fc from "fast-check";
import { alignRows, summaryText, wantsColor, wrapText } from "../../../lib/report/mod.ts";
import type { Result } from "../../../lib/verdict/mod.ts";
import { fixtureReport, START_MS } from "../_fixture.ts";

const RESULT = fixtureReport({ durationSec: 180, killAtSec: 60 }).result;

const FINDING: Result["findings"][number] = {
  kind: "lost",
  text:
    "sensor-0007 sequence 12 was acknowledged by the broker at 08:53:22 and is in no window of partition 3",
  messageCount: 1,
  source: "sensor-0007",
  sequences: [12],
  partition: 3,
  windowStartMs: 0,
  column: null,
  expected: null,
  found: null,
};

Deno.test("summaryText() tells verdict, figure with systems, why, counts, latencies, cost, restarts and the report", () => {
  const text = summaryText(RESULT, { reportPath: "runs/x/report.html", startedAtMs: START_MS });
  assert.equal(
    text.split("\n").slice(0, 4).join("\n"),
    "PASS  49,987 messages/s on embedded broker 0.1.0 and embedded ClickHouse 26.7.3\n" +
      "      (chDB)\n  - 0 lost, 0 duplicated, 0 wrong rows\n  - 49,987 messages/s is at least 99 % of 50,000",
  );
  for (
    const part of [
      /messages +acked +aggregated +late +lost/,
      /9,000,000 +9,000,000 +0 +0 +0 +0/,
      /window visible +118 ms +171 ms +180 ms/,
      /CPU 0\.47 cores, memory 787 MiB, 9,390 ns of CPU per message/,
      /restart {2}broker died at 1m00s, at work after 2\.64 s/,
      /report {2}runs\/x\/report\.html\n$/,
    ]
  ) assert.match(text, part);
});

Deno.test("summaryText() stays within 80 columns and without colour unless asked", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,30}$/), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(words, { minLength: 1, maxLength: 3 }),
      fc.constantFrom("PASS", "FAIL", "VOID"),
      (reasons, verdict) => {
        const text = summaryText({
          ...RESULT,
          verdict,
          reasons: reasons.map((list) => list.join(" ")),
          findings: [{ ...FINDING, text: reasons.flat().join(" ") }],
          findingCount: 1,
          plants: ["drop:sensor-0007:12", "double:sensor-0008:13", "change:sensor-0011:40"],
        });
        for (const line of text.split("\n")) assert.ok(line.length <= 80, line);
        assert.ok(!text.includes("\x1b"));
      },
    ),
    { seed: 19 },
  );
});

Deno.test("summaryText() paints the verdict where colour is asked for", () => {
  assert.ok(summaryText(RESULT, { color: true }).startsWith("\x1b[1;32mPASS\x1b[0m  49,987"));
  assert.ok(
    summaryText({ ...RESULT, verdict: "FAIL" }, { color: true }).startsWith("\x1b[1;31mFAIL"),
  );
});

Deno.test("summaryText() of a VOID run has no figure of speed or cost", () => {
  const text = summaryText({ ...RESULT, verdict: "VOID", reasons: ["The generator was late"] });
  assert.match(text, /^VOID {2}no headline figure; measured on embedded broker/);
  assert.doesNotMatch(text, /messages\/s|p99|cores|MiB/);
  assert.match(text, /lost/);
});

Deno.test("summaryText() names plants and the first findings, and counts the rest", () => {
  const findings = Array.from({ length: 9 }, () => FINDING);
  const text = summaryText({
    ...RESULT,
    verdict: "FAIL",
    plants: ["drop:sensor-0007:12"],
    findings,
    findingCount: 31,
  });
  assert.match(text, /PLANTED FAULTS {2}put in to be found: drop:sensor-0007:12/);
  assert.equal(text.match(/ {2}- sensor-0007 sequence 12/g)?.length, 5);
  assert.match(text, /and 26 more/);
});

Deno.test("summaryText() says when a role did not come back, and not measured for what was not", () => {
  const nothing = { produce: null, broker: null, aggregate: null, clickhouse: null, runner: null };
  const text = summaryText({
    ...RESULT,
    restarts: [{ ...RESULT.restarts[0]!, recoveryMs: null }],
    cpuSeconds: nothing,
    rssBytesMax: nothing,
    cpuNsPerMessage: null,
  });
  assert.match(text, /broker died, did not come back/);
  const restart = { ...RESULT.restarts[0]!, recoveryMs: null, wasCutShort: true };
  const ended = { ...RESULT, restarts: [restart] };
  assert.match(
    summaryText(ended),
    /broker died, and the run went through before it had work again/,
  );
  assert.match(text, /CPU not measured, memory not measured/);
  assert.doesNotMatch(text, /NaN|null|undefined/);
});

Deno.test("wantsColor() is for terminals, and heeds NO_COLOR", () => {
  assert.equal(wantsColor(true, undefined), true);
  assert.equal(wantsColor(true, ""), true);
  assert.equal(wantsColor(true, "1"), false);
  assert.equal(wantsColor(false, undefined), false);
});

Deno.test("wrapText() keeps every word in order", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 40 }), (list, width) => {
      const lines = wrapText(list.join(" "), width);
      assert.deepEqual(lines.join(" ").split(" "), list);
      for (const line of lines) assert.ok(line.length <= width || !line.includes(" "), line);
    }),
    { seed: 20 },
  );
});

Deno.test("alignRows() aligns names at the left and figures at the right", () => {
  assert.equal(alignRows([["a", "10", "x"], ["long", "5"]], 2), "  a     10  x\n  long   5");
  assert.equal(alignRows([]), "");
});
