import assert from "node:assert/strict";
import { type Evidence, EXIT_CODES, judge } from "../../lib/verdict/judge.ts";
import type { MeasuredResult } from "../../lib/verdict/measures.ts";
import type { Finding } from "../../lib/verdict/result.ts";
import { parseThresholds } from "../../lib/verdict/thresholds.ts";
import { EVIDENCE, MEASURED } from "./_result.ts";

const LOST: Finding = {
  kind: "lost",
  text: "message 42 of sensor-7 is lost: window 2026-11-21 14:30:00, partition 1",
  messageCount: 1,
  source: "sensor-7",
  sequences: [42],
  partition: 1,
  windowStartMs: 1_795_271_400_000,
  column: null,
  expected: null,
  found: null,
};
const late = { ownLatenessShare: 0.2, ownLatenessUsMax: 2_000_000, clockJumpMs: 0 };
const slow: Partial<MeasuredResult> = { rateMessagesPerSec: 40_000 };
const lossy: Partial<MeasuredResult> = {
  messages: { ...MEASURED.messages, lost: 1 },
  rows: { ...MEASURED.rows, wrong: 1 },
  findings: [LOST],
  findingCount: 1,
};

interface Case {
  readonly what: string;
  readonly result?: Partial<MeasuredResult>;
  readonly evidence?: Partial<Evidence>;
  readonly verdict: "PASS" | "FAIL" | "VOID";
  readonly first: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "a good run",
    verdict: "PASS",
    first: /^All 9,000,000 acknowledged messages at 49,990\/s are in 4,000 rows: none lost/,
  },
  {
    what: "late messages that were planted",
    result: { messages: { ...MEASURED.messages, aggregated: 8_999_000, late: 1_000 } },
    verdict: "PASS",
    first: /1,000 planted late/,
  },
  {
    what: "a lost message",
    result: lossy,
    verdict: "FAIL",
    first: /^1 message lost: message 42 of sensor-7 is lost/,
  },
  {
    what: "a doubled message",
    result: { messages: { ...MEASURED.messages, duplicated: 2 } },
    verdict: "FAIL",
    first: /^2 messages doubled/,
  },
  {
    what: "a missing row",
    result: { rows: { ...MEASURED.rows, missing: 3 } },
    verdict: "FAIL",
    first: /^3 rows missing/,
  },
  {
    what: "an extra row",
    result: { rows: { ...MEASURED.rows, extra: 1 } },
    verdict: "FAIL",
    first: /^1 row that should not be there/,
  },
  {
    what: "a wrong row",
    result: { rows: { ...MEASURED.rows, wrong: 1 } },
    verdict: "FAIL",
    first: /^1 row wrong/,
  },
  {
    what: "unplanned lateness",
    evidence: { unplannedLateCount: 7 },
    verdict: "FAIL",
    first: /^7 messages late that nobody planted late/,
  },
  {
    what: "a difference of another kind",
    result: { findings: [{ ...LOST, kind: "moved" }], findingCount: 1 },
    verdict: "FAIL",
    first: /^1 difference to what was sent: message 42/,
  },
  {
    what: "counts that do not add up",
    evidence: { balanced: false },
    verdict: "FAIL",
    first: /not rows \+ late \+ planted duplicates/,
  },
  {
    what: "a rate below 99% of the schedule",
    result: slow,
    verdict: "FAIL",
    first: /^Threshold rate>=99% missed: 40,000 messages\/s \(80\.00%\)/,
  },
  {
    what: "a threshold that was asked for",
    evidence: { thresholds: parseThresholds(["publish.p99<10ms"]) },
    verdict: "FAIL",
    first: /^Threshold publish.p99<10ms missed: 20 ms/,
  },
  {
    what: "a generator that was late itself, which explains the rate",
    result: slow,
    evidence: { generator: late },
    verdict: "VOID",
    first: /^The generator itself was late for 20\.0% of the messages, by up to 2 s/,
  },
  {
    what: "a lost message though the generator was late",
    result: lossy,
    evidence: { generator: late },
    verdict: "FAIL",
    first: /^1 message lost/,
  },
  {
    what: "a clock that jumped",
    evidence: { generator: { ...EVIDENCE.generator!, clockJumpMs: -3_600_000 } },
    verdict: "VOID",
    first: /^The clock of this machine jumped by 1h00m/,
  },
  {
    what: "rows that could not be read",
    result: { messages: { ...MEASURED.messages, lost: 5 } },
    evidence: { unverified: "ClickHouse does not answer", balanced: false },
    verdict: "VOID",
    first: /^Could not verify: ClickHouse does not answer/,
  },
  {
    what: "a run that broke off",
    evidence: { brokenOff: { reason: "aggregate died 4 times in a minute", isMachine: false } },
    verdict: "FAIL",
    first: /^The run broke off: aggregate died 4 times/,
  },
  {
    what: "a machine that gave out",
    evidence: { brokenOff: { reason: "no space left", isMachine: true } },
    verdict: "VOID",
    first: /^The run broke off: no space left/,
  },
  {
    what: "a lost message though the machine gave out",
    result: lossy,
    evidence: { brokenOff: { reason: "no space left", isMachine: true } },
    verdict: "FAIL",
    first: /^1 message lost/,
  },
  {
    what: "no receipt at all",
    result: { messages: { ...MEASURED.messages, acked: 0, aggregated: 0 } },
    verdict: "VOID",
    first: /^No message was acknowledged/,
  },
  {
    what: "a threshold on something that was not measured",
    evidence: { thresholds: parseThresholds(["cpuSeconds.broker<1s"]) },
    verdict: "VOID",
    first: /^Threshold cpuSeconds.broker<1s was not measured/,
  },
  {
    what: "a producer that could not report its timing",
    evidence: { generator: null },
    verdict: "PASS",
    first: /^All 9,000,000/,
  },
  {
    what: "lateness of its own within the share allowed",
    evidence: { generator: { ...late, ownLatenessShare: 0.01 } },
    verdict: "PASS",
    first: /^All/,
  },
];

for (const { what, result, evidence, verdict, first } of CASES) {
  Deno.test(`judge() says ${verdict} for ${what}`, () => {
    const judged = judge({ ...MEASURED, ...result }, { ...EVIDENCE, ...evidence });
    assert.equal(judged.verdict, verdict, judged.reasons.join("; "));
    assert.match(judged.reasons[0]!, first);
  });
}

Deno.test("judge() gives every reason, the gravest first", () => {
  const judged = judge({ ...MEASURED, ...lossy, ...slow }, {
    ...EVIDENCE,
    generator: late,
    brokenOff: { reason: "no space left", isMachine: false },
  });
  assert.equal(judged.verdict, "FAIL");
  assert.deepEqual(judged.reasons.map((reason) => reason.slice(0, 14)), [
    "The run broke ",
    "1 message lost",
    "1 row wrong",
    "The generator ",
    "Threshold rate",
  ]);
});

Deno.test("judge() voids a run whose planted fault was not found", () => {
  const judged = judge({ ...MEASURED, plants: ["drop:nobody:1"] }, EVIDENCE);
  assert.equal(judged.verdict, "VOID");
  assert.match(judged.reasons[0]!, /^Nothing was found of what was planted \(drop:nobody:1\)/);
});

Deno.test("EXIT_CODES separate what CI must tell apart", () => {
  assert.deepEqual(EXIT_CODES, { PASS: 0, FAIL: 1, USAGE: 2, VOID: 3, INTERRUPTED: 130 });
});
