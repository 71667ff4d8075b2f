import type { Result } from "../../lib/verdict/mod.ts";
import type { RunReport } from "../../lib/report/html.ts";
import { timelineOf } from "../../lib/metrics/mod.ts";
import { type SyntheticOptions, syntheticRun } from "./_synthetic.ts";

export const START_MS = 1_760_000_000_000;

/** A passed run of bench50k with a killed broker; give what is to be different. */
export function fixtureReport(
  options: SyntheticOptions,
  change: Partial<Result> = {},
): RunReport {
  const run = syntheticRun({ startMs: START_MS, ...options });
  const { durationSec, killAtSec = -1 } = options;
  const acked = 50_000 * durationSec;
  const none = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, count: 0 };
  const windows = Math.floor(durationSec / 60) * 4;
  const visible = windows === 0
    ? none
    : { p50: 118_000, p90: 171_000, p99: 180_000, p999: 180_000, max: 180_100, count: windows };
  const result: Result = {
    schemaVersion: 1,
    runId: "20251009-085320-k3f9",
    verdict: "PASS",
    reasons: ["0 lost, 0 duplicated, 0 wrong rows", "49,987 messages/s is at least 99 % of 50,000"],
    rateMessagesPerSec: 49_987,
    durationSec,
    messages: {
      sent: acked,
      acked,
      aggregated: acked,
      late: 0,
      lost: 0,
      duplicated: 0,
      indeterminate: 0,
      undrained: 0,
      plantedDuplicates: 0,
    },
    rows: { expected: 4000, found: 4000, missing: 0, extra: 0, wrong: 0 },
    latencyUs: {
      publish: run.publish.summary(),
      delivery: run.delivery.summary(),
      windowVisible: visible,
      windowEndToVisible: windows === 0 ? none : {
        ...visible,
        p50: 5_118_000,
        p90: 5_171_000,
        p99: 5_180_000,
        p999: 5_180_000,
        max: 5_180_100,
      },
    },
    inserts: {
      count: 16,
      bytes: 1_568_000,
      durationUs: { p50: 21_000, p90: 28_000, p99: 31_000, p999: 31_000, max: 31_400, count: 16 },
    },
    checkpoints: {
      count: 16,
      bytes: 2_240_000,
      durationUs: { p50: 6_100, p90: 9_000, p99: 9_800, p999: 9_800, max: 9_850, count: 16 },
    },
    cpuSeconds: { produce: 29.1, broker: 21.8, aggregate: 25.3, clickhouse: 6.2, runner: 2.1 },
    rssBytesMax: {
      produce: 122e6,
      broker: 153e6,
      aggregate: 131e6,
      clickhouse: 331e6,
      runner: 88e6,
    },
    cpuNsPerMessage: 9_390,
    systems: { broker: "embedded broker 0.1.0", clickhouse: "embedded ClickHouse 26.7.3 (chDB)" },
    restarts: killAtSec < 0 ? [] : [{
      role: "broker",
      atMs: START_MS + killAtSec * 1000,
      recoveryMs: 2_640,
      name: "broker",
      readyAfterMs: 1_120,
      reason: "killed by SIGKILL",
    }],
    plants: [],
    unsafe: [],
    loop: "open",
    warmUpSec: 0,
    events: [],
    thresholds: [
      { text: "lost = 0", met: true, actual: "0", actualValue: 0, byDefault: true },
      { text: "rate >= 99%", met: true, actual: "99.97 %", actualValue: 0.9997, byDefault: true },
      {
        text: "windowVisible.p99 < 1s",
        met: true,
        actual: "180 ms",
        actualValue: 180_000,
        byDefault: false,
      },
    ],
    findings: [],
    findingCount: 0,
    scheduledRateMessagesPerSec: 50_000,
    runDir: "runs/20251009-085320-k3f9",
    configuration: {
      rateMessagesPerSec: 50_000,
      durationMs: durationSec * 1000,
      sources: 1000,
      partitions: 4,
      pulsar: "embedded",
      window: { lengthMs: 60_000, outOfOrdernessMs: 5_000, allowedLatenessMs: 0 },
      compression: "none",
      thresholds: ["windowVisible.p99<1s"],
      keep: false,
    },
    environment: {
      weir: "0.1.0",
      deno: "2.9.6",
      os: "linux 6.1.0 x86_64",
      cpuModel: "AMD EPYC 7B13",
      cores: 2,
      memoryBytes: 25_200_000_000,
      commit: "1afdbf6c2d3e+",
      seed: 42,
    },
    ...change,
  };
  return {
    result,
    name: "bench50k",
    startedAtMs: START_MS,
    picture: {
      timeline: timelineOf(run.samples, { startMs: START_MS }),
      distributions: run.distributions,
      marks: killAtSec < 0
        ? []
        : [{ atSec: killAtSec, untilSec: killAtSec + 2.64, label: "broker killed", kind: "fault" }],
    },
  };
}
