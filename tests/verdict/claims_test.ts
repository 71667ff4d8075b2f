import assert from "node:assert/strict";
import fc from "fast-check";
import {
  auditClaim,
  type Claim,
  claimOf,
  concludeAudit,
  RELATIONS,
} from "../../lib/verdict/claims.ts";
import { judge } from "../../lib/verdict/judge.ts";
import { parseRelation } from "../../lib/verdict/relation.ts";
import { EVIDENCE, MEASURED } from "./_result.ts";

const SEED = 20_261_121;

/** The laws that a claim breaks. */
function broken(claim: Claim): string[] {
  return auditClaim(claim).filter(({ finding }) => finding === "cannot be true")
    .map(({ law }) => law);
}

Deno.test("auditClaim() finds what cannot be true, law by law", () => {
  const cases: readonly (readonly [law: string, claim: Claim])[] = [
    ["rate × duration", { rate: "50k messages/s", duration: "3 min", messages: "1M messages" }],
    ["Little's law", { rate: "50k messages/s", latencyMean: "1 s", inFlight: "1,000 messages" }],
    ["bandwidth", { rate: "1M messages/s", messageSize: "1 kB/message", bandwidth: "1 Gbit/s" }],
    ["volume", { messages: "1M messages", messageSize: "1 kB/message", volume: "1 TB" }],
    ["utilization law", {
      rate: "1M messages/s",
      cpuPerMessage: "10 us/message",
      cores: "4 cores",
    }],
    ["totals", {
      messages: "100 messages",
      aggregated: "80 messages",
      late: "5 messages",
      lost: "0 messages",
    }],
    ["windows in time", { duration: "1 h", windowLength: "1 min", windows: "24 windows" }],
    ["windows in time", { duration: "3 min", windowLength: "1 min", windows: "8 windows" }],
    ["rows of windows", { rows: "5,000 rows", sources: "1,000 sources", windows: "4 windows" }],
    ["events against rows", {
      messages: "9M messages",
      rows: "3,000 rows",
      messagesPerRow: "300 messages/row",
    }],
    ["no row without an event", { rows: "5,000 rows", messages: "4,000 messages" }],
    ["order of percentiles", { latencyP50: "20 ms", latencyP99: "10 ms" }],
    ["order of percentiles", { latencyP99: "20 ms", latencyMax: "10 ms" }],
    ["mean and maximum", { latencyMean: "20 ms", latencyMax: "10 ms" }],
    ["mean and median", { latencyMean: "2 ms", latencyP50: "10 ms" }],
    ["mean and tail", { latencyMean: "2 ms", latencyP99: "10 s" }],
    ["stall and maximum", { stall: "2 s", latencyMax: "100 ms" }],
    ["stall and tail", { stall: "1.4 s", latencyP99: "20 ms", duration: "60 s" }],
  ];
  for (const [law, claim] of cases) assert.deepEqual(broken(claim), [law], JSON.stringify(claim));
  const covered = new Set(cases.map(([law]) => law));
  assert.deepEqual(RELATIONS.filter(({ law }) => !covered.has(law)), [], "laws without a case");
});

Deno.test("auditClaim() is content with a claim that holds together", () => {
  const claim: Claim = {
    rate: "50,000 messages/s",
    duration: "3 min",
    messages: "9,000,000 messages",
    messageSize: "177 B/message",
    bandwidth: "8.85 MB/s",
    latencyMean: "13 ms",
    inFlight: "650 messages",
    latencyP50: "12 ms",
    latencyP99: "95 ms",
    latencyMax: "290 ms",
    cores: "2 cores",
    cpuPerMessage: "3.3 us/message",
    sources: "1,000 sources",
    windowLength: "1 min",
    windows: "4 windows",
    rows: "4,000 rows",
    aggregated: "9,000,000 messages",
    late: "0 messages",
    lost: "0 messages",
  };
  const findings = auditClaim(claim);
  assert.deepEqual(findings.filter(({ finding }) => /cannot|wrong/.test(finding)), []);
  assert.ok(findings.length >= 14, `${findings.length} relations applied`);
  assert.match(concludeAudit(findings), /^Nothing contradicts in \d+ relations/);
});

Deno.test("auditClaim() tells the numbers, the factor and the usual mistake behind it", () => {
  const because = (claim: Claim) =>
    auditClaim(claim).find(({ finding }) => finding === "cannot be true")?.because;
  assert.equal(
    because({ rate: "1k messages/s", duration: "2 min", messages: "2k messages" }),
    "messages is 2,000 messages, rate × duration is 120,000 messages: a factor of 60; seconds taken for minutes?",
  );
  assert.match(
    because({ rate: "1M messages/s", messageSize: "100 B/message", bandwidth: "800 MB/s" })!,
    /a factor of 8; bits taken for bytes\?$/,
  );
  assert.match(
    because({ latencyP50: "20 ms", latencyP99: "10 ms" })!,
    /^latencyP50 is 20 ms, latencyP99 is 10 ms: a factor of 2$/,
  );
  assert.match(because({ messages: "0 messages", rows: "3 rows" })!, /more than a million/);
});

Deno.test("auditClaim() finds numbers of the wrong kind", () => {
  const [finding] = auditClaim({
    rate: "10k windows/s",
    duration: "1 s",
    messages: "10k messages",
  });
  assert.equal(finding?.finding, "wrong unit");
  assert.equal(
    finding?.because,
    "one side is messages, the other a plain count: messages 10k messages, rate 10k windows/s, duration 1 s",
  );
  const [sum] = auditClaim({
    messages: "10 messages",
    aggregated: "10 messages",
    late: "2 s",
    lost: "0 messages",
  });
  assert.equal(sum?.finding, "wrong unit");
});

Deno.test("auditClaim() tells what a claim implies", () => {
  const findings = auditClaim({ rate: "50k messages/s", latencyMean: "20 ms" });
  assert.deepEqual(findings.map(({ finding, because }) => [finding, because]), [
    ["implies", "inFlight must be 1,000 messages"],
  ]);
  assert.equal(concludeAudit(findings), "Nothing could be checked: the claim names too little.");
});

Deno.test("auditClaim() allows for rounding, as much as told", () => {
  const claim: Claim = { rate: "50k messages/s", duration: "3 min", messages: "8.7M messages" };
  assert.deepEqual(broken(claim), []);
  const strict = auditClaim(claim, { tolerance: 0.01 });
  assert.equal(strict[0]?.finding, "cannot be true");
});

Deno.test("auditClaim() takes relations of one's own", () => {
  const relations = [parseRelation("retries", "sent = messages × attempts")];
  const claim = { sent: "30 messages", messages: "10 messages", attempts: "2" };
  assert.equal(auditClaim(claim, { relations })[0]?.factor, 1.5);
});

Deno.test("auditClaim() refuses names that nothing knows and numbers that nobody can read", () => {
  assert.throws(() => auditClaim({ speed: "5 messages/s" }), {
    name: "RangeError",
    message: /^Cannot audit "speed": no relation knows it, expected aggregated, bandwidth, /,
  });
  assert.throws(() => auditClaim({ rate: "fast" }), /Cannot read quantity "fast"/);
});

Deno.test("auditClaim() finds a factor of two wherever it is put into a product", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 1, max: 1e5 }),
      fc.constantFrom("rate", "duration", "messages"),
      (rate, duration, victim) => {
        const values: Record<string, number> = { rate, duration, messages: rate * duration };
        const claim = () => ({
          rate: `${values["rate"]} messages/s`,
          duration: `${values["duration"]} s`,
          messages: `${values["messages"]} messages`,
        });
        assert.deepEqual(broken(claim()), []);
        values[victim]! *= 2;
        assert.deepEqual(broken(claim()), ["rate × duration"]);
      },
    ),
    { seed: SEED },
  );
});

Deno.test("concludeAudit() names what is in most contradictions", () => {
  const findings = auditClaim({
    rate: "1M messages/s",
    duration: "60 s",
    messages: "1M messages",
    latencyMean: "10 ms",
    inFlight: "100 messages",
    latencyMax: "1 s",
  });
  assert.equal(
    concludeAudit(findings),
    "Cannot be true as it stands: 2 of 3 relations fail (rate × duration, Little's law); most of it concerns rate.",
  );
});

Deno.test("claimOf() makes a claim of a run, which holds together", () => {
  const result = judge({
    ...MEASURED,
    rateMessagesPerSec: 1000,
    configuration: { load: { durationMs: 10_000 } },
    messages: { ...MEASURED.messages, acked: 10_000, aggregated: 9_990, late: 10, lost: 0 },
  }, EVIDENCE);
  const claim = claimOf(result);
  assert.equal(claim.duration, "10000 ms");
  assert.equal(claim.rate, "1000 messages/s");
  assert.deepEqual(broken(claim), []);
  assert.ok(auditClaim(claim).some(({ law, finding }) => law === "totals" && finding === "holds"));
});

Deno.test("claimOf() leaves out what was not measured, and totals where duplicates were planted", () => {
  const result = judge({
    ...MEASURED,
    rateMessagesPerSec: null,
    cpuNsPerMessage: null,
    configuration: {},
    messages: { ...MEASURED.messages, plantedDuplicates: 3 },
  }, EVIDENCE);
  const claim = claimOf(result);
  for (const name of ["rate", "cpuPerMessage", "duration", "aggregated", "lost"]) {
    assert.equal(claim[name], undefined, name);
  }
});
