import type { MeasuredResult } from "../../lib/verdict/measures.ts";
import type { Evidence } from "../../lib/verdict/judge.ts";
import { parseThresholds } from "../../lib/verdict/thresholds.ts";

const latency = {
  p50: 1_000,
  p90: 5_000,
  p99: 20_000,
  p999: 40_000,
  max: 50_000,
  count: 9_000_000,
};
const work = { count: 12, bytes: 4_000_000, durationUs: { ...latency, count: 12 } };

/** What a good run of three minutes measures. */
export const MEASURED: MeasuredResult = {
  schemaVersion: 1,
  runId: "20261121-143005-bench50k-3f2a",
  rateMessagesPerSec: 49_990,
  scheduledRateMessagesPerSec: 50_000,
  messages: {
    sent: 9_000_000,
    acked: 9_000_000,
    aggregated: 9_000_000,
    late: 0,
    lost: 0,
    duplicated: 0,
    indeterminate: 0,
    undrained: 0,
    plantedDuplicates: 0,
  },
  rows: { expected: 4_000, found: 4_000, missing: 0, extra: 0, wrong: 0 },
  latencyUs: {
    publish: latency,
    delivery: latency,
    windowVisible: { ...latency, count: 3 },
    windowEndToVisible: { ...latency, count: 3 },
  },
  inserts: work,
  checkpoints: work,
  cpuSeconds: { produce: 36, broker: null, aggregate: 27, clickhouse: 18, runner: 9 },
  rssBytesMax: { produce: 2e8, broker: null, aggregate: 2e8, clickhouse: 4e8, runner: 1e8 },
  cpuNsPerMessage: 10_000,
  durationSec: 180,
  systems: { broker: "Apache Pulsar 4.2.4", clickhouse: "embedded ClickHouse 26.7" },
  restarts: [],
  plants: [],
  unsafe: [],
  loop: "open",
  warmUpSec: 0,
  events: [],
  findings: [],
  findingCount: 0,
  runDir: "runs/20261121-143005-bench50k-3f2a",
  configuration: { rate: 50_000 },
  environment: { cores: 2 },
};

/** What goes with it: verified, on time, nothing asked for beyond the default. */
export const EVIDENCE: Evidence = {
  unverified: null,
  unplannedLateCount: 0,
  balanced: true,
  generator: { ownLatenessShare: 0, ownLatenessUsMax: 6_000, clockJumpMs: 0.4 },
  brokenOff: null,
  thresholds: parseThresholds([]),
};
