import { z } from "zod";

/** The version of the result's form; it rises when a field changes its meaning or goes. */
export const RESULT_SCHEMA_VERSION = 1;

const count = z.int().nonnegative();

const latency = z.object({
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
  count,
}).describe("Percentiles of one merged HDR histogram, µs");

const work = z.object({ count, bytes: count, durationUs: latency });

/** Null for a system that weir did not start: what it used is not known, which is not 0. */
const perRole = z.object({
  produce: z.number().nullable(),
  broker: z.number().nullable(),
  aggregate: z.number().nullable(),
  clickhouse: z.number().nullable(),
  runner: z.number().nullable(),
});

const restart = z.object({
  role: z.string(),
  name: z.string().describe("The process, e.g. aggregate-2"),
  atMs: z.number().describe("When it died, wall ms since 1970"),
  reason: z.string(),
  readyAfterMs: z.number().nullable().describe("From its death to its ready line"),
  recoveryMs: z.number().nullable().describe("From its death until it worked again"),
  wasCutShort: z.boolean().optional()
    .describe("The run went through before it could be seen at work again"),
});

const finding = z.object({
  kind: z.enum([
    "lost",
    "doubled",
    "moved",
    "changed",
    "missing_row",
    "extra_row",
    "doubled_row",
    "unplanned_late",
  ]),
  text: z.string().describe("For a person"),
  messageCount: count.describe("Messages concerned"),
  source: z.string().nullable(),
  sequences: z.array(count).describe("Of the messages concerned, as far as named, at most ten"),
  partition: z.int().nullable(),
  windowStartMs: z.number().nullable().describe("Event-time ms since 1970"),
  column: z.string().nullable(),
  expected: z.string().nullable(),
  found: z.string().nullable(),
});

const event = z.object({
  atMs: z.number().describe("Wall ms since 1970"),
  untilMs: z.number().optional().describe("When it was over, for what lasts"),
  by: z.enum(["control", "scenario"]),
  text: z.string(),
  refusal: z.string().nullable().describe("Why it was not done; null when it was"),
});

const threshold = z.object({
  text: z.string(),
  met: z.boolean(),
  actual: z.string().describe("For a person; `not measured` when there is no value"),
  actualValue: z.number().nullable().describe("In the field's own unit"),
  byDefault: z.boolean().describe("Nobody asked for it; it always holds"),
});

const messages = z.object({
  sent: count.describe("Handed to the producer, of which the ledger knows"),
  acked: count.describe("With a receipt"),
  aggregated: count.describe("Counted in the rows found"),
  late: count.describe("Reported late"),
  lost: count,
  duplicated: count,
  indeterminate: count.describe("Sent without receipt: present or absent"),
  undrained: count.describe("In the log of partitions that were not read to their end"),
  plantedDuplicates: count.describe("Repeated messages in the log, which are dropped"),
});

const rows = z.object({
  expected: count,
  found: count,
  missing: count,
  extra: count,
  wrong: count,
});

/** The result of a run, version 1. */
export const resultSchema = z.object({
  schemaVersion: z.literal(RESULT_SCHEMA_VERSION),
  runId: z.string(),
  verdict: z.enum(["PASS", "FAIL", "VOID"]),
  reasons: z.array(z.string()).min(1).describe("The first is the one to read"),
  rateMessagesPerSec: z.number().nullable()
    .describe("Acknowledged ÷ (last receipt − first intended); null when nothing was acknowledged"),
  scheduledRateMessagesPerSec: z.number().nullable(),
  messages,
  rows,
  latencyUs: z.object({
    publish: latency,
    delivery: latency,
    windowVisible: latency,
    windowEndToVisible: latency,
  }),
  inserts: work,
  checkpoints: work,
  cpuSeconds: perRole,
  rssBytesMax: perRole,
  cpuNsPerMessage: z.number().nullable(),
  durationSec: z.number().nonnegative(),
  systems: z.object({ broker: z.string(), clickhouse: z.string() }),
  restarts: z.array(restart),
  plants: z.array(z.string()),
  unsafe: z.array(z.string()).default([]).describe("Protections that were switched off"),
  loop: z.enum(["open", "closed"]).default("open")
    .describe("Closed: publish latency counts from the actual send, and hides what was not sent"),
  warmUpSec: z.number().nonnegative().default(0)
    .describe("Latencies of so much of the load's begin are left out"),
  events: z.array(event).default([]).describe("What was done to the run while it went on"),
  findings: z.array(finding).describe("The first hundred"),
  findingCount: count,
  thresholds: z.array(threshold),
  runDir: z.string(),
  configuration: z.record(z.string(), z.unknown()),
  environment: z.record(z.string(), z.unknown()),
});

/** What was measured, and the verdict. */
export type Result = z.infer<typeof resultSchema>;
/** Something that is not as it should be. */
export type Finding = z.infer<typeof finding>;
/** A threshold and how it came out. */
export type ThresholdOutcome = z.infer<typeof threshold>;
/** Messages, counted at each station. */
export type MessageCounts = z.infer<typeof messages>;
/** Rows, compared one by one. */
export type RowCounts = z.infer<typeof rows>;

/**
 * Checks that a value, perhaps read from a file, is a result of this version.
 *
 * @throws {TypeError} with every field that is not as it should be
 */
export function parseResult(value: unknown): Result {
  const parsed = resultSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new TypeError(`Cannot read result: ${faults.join("; ")}`);
}

/** The form of a result as a JSON Schema: the content of `docs/result.schema.json`. */
export function resultJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(resultSchema), title: "weir result, version 1" };
}
