import { seededRandom, sourceHash, utf8 } from "../../lib/base/mod.ts";
import { messageIdentity } from "../../lib/verdict/explain.ts";
import type { FoundLate, FoundRow } from "../../lib/verdict/found_rows.ts";
import type {
  MessagePlan,
  MessageRange,
  PlannedMessage,
  WindowRule,
} from "../../lib/verdict/message_plan.ts";
import type { VerifyOptions } from "../../lib/verdict/verify.ts";

/** A message and where a pipeline put it; tests move, drop and double these. */
export interface Contribution {
  readonly message: PlannedMessage;
  readonly table: "rows" | "late";
  readonly partition: number;
  readonly windowStartMs: number;
  readonly sourceName: string;
}

export interface Scene {
  readonly plan: MessagePlan;
  readonly rule: WindowRule;
  readonly messages: readonly PlannedMessage[];
  /** What a pipeline without fault makes of the messages that `present` lets through. */
  contributions(present?: (message: PlannedMessage) => boolean): Contribution[];
}

export interface SceneOptions {
  readonly seed: number;
  readonly messageCount: number;
  readonly sourceCount?: number;
  readonly partitionCount?: number;
  readonly lateShare?: number;
  readonly duplicateShare?: number;
  readonly allowedLatenessMs?: number;
}

const EPOCH_MS = 1_700_000_000_000;

/** Random messages: 10 ms apart, windows of 1 s. */
export function scene(options: SceneOptions): Scene {
  const { sourceCount = 3, partitionCount = 2, lateShare = 0, duplicateShare = 0 } = options;
  const random = seededRandom(options.seed);
  const next = new Array<number>(sourceCount).fill(0);
  const nextInPartition = new Array<number>(partitionCount).fill(0);
  const newest: (PlannedMessage | undefined)[] = [];
  const messages: PlannedMessage[] = [];
  for (let n = 0; n < options.messageCount; n++) {
    const sourceIndex = random.below(sourceCount);
    const partition = sourceIndex % partitionCount;
    const partitionIndex = nextInPartition[partition]!++;
    const before = newest[sourceIndex];
    if (before !== undefined && random.float() < duplicateShare) {
      messages.push({ ...before, partitionIndex, plantedDuplicate: true, plantedLate: false });
      continue;
    }
    const plantedLate = n > 500 && random.float() < lateShare;
    const message: PlannedMessage = {
      sourceIndex,
      partition,
      partitionIndex,
      sequence: next[sourceIndex]!++,
      eventTimeMs: EPOCH_MS + n * 10 - random.below(90) - (plantedLate ? 3_000 : 0),
      measures: Float64Array.of(random.float() * 40 - 20, random.float() < 0.1 ? NaN : n),
      flags: Uint8Array.of(random.below(2)),
      plantedLate,
      plantedDuplicate: false,
    };
    newest[sourceIndex] = message;
    messages.push(message);
  }
  const plan: MessagePlan = {
    partitionCount,
    sourceNames: Array.from({ length: sourceCount }, (_, i) => `sensor-${i}`),
    measureNames: ["temperature", "power"],
    flagNames: ["anomaly_count"],
    walk: (visit) => messages.forEach(visit),
  };
  const rule: WindowRule = {
    windowMs: 1_000,
    outOfOrdernessMs: 100,
    allowedLatenessMs: options.allowedLatenessMs ?? 0,
  };
  return {
    plan,
    rule,
    messages,
    contributions: (present = () => true) => pipeline(plan, rule, messages.filter(present)),
  };
}

/** A third implementation, of the plainest kind: watermark first, then lateness, then rows. */
function pipeline(
  plan: MessagePlan,
  rule: WindowRule,
  messages: readonly PlannedMessage[],
): Contribution[] {
  const seen = new Set<string>();
  const watermarks = new Map<number, number>();
  const contributions: Contribution[] = [];
  for (const message of messages) {
    const { partition, sourceIndex, sequence, eventTimeMs } = message;
    const key = `${sourceIndex}:${sequence}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const watermark = Math.max(
      watermarks.get(partition) ?? -Infinity,
      eventTimeMs - rule.outOfOrdernessMs,
    );
    watermarks.set(partition, watermark);
    const windowStartMs = eventTimeMs - (eventTimeMs % rule.windowMs);
    const closed = windowStartMs + rule.windowMs + rule.allowedLatenessMs <= watermark;
    const sourceName = plan.sourceNames[sourceIndex]!;
    const table = closed ? "late" : "rows";
    contributions.push({ message, table, partition, windowStartMs, sourceName });
  }
  return contributions;
}

function groups(
  contributions: readonly Contribution[],
  table: Contribution["table"],
): Contribution[][] {
  const byKey = new Map<string, Contribution[]>();
  for (const one of contributions) {
    if (one.table !== table) continue;
    const key = `${one.partition}:${one.windowStartMs}:${one.sourceName}`;
    byKey.set(key, [...byKey.get(key) ?? [], one]);
  }
  return [...byKey.values()];
}

/** The identity of a planned message, whatever row it went into. */
function identityIn(plan: MessagePlan, { sourceIndex, sequence }: PlannedMessage): bigint {
  return messageIdentity(sourceHash(utf8(plan.sourceNames[sourceIndex]!)), sequence);
}

function identitySum(plan: MessagePlan, group: readonly Contribution[]): string {
  const sum = group.reduce((sum, { message }) => sum + identityIn(plan, message), 0n);
  return String(BigInt.asUintN(64, sum));
}

function dateTime(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").slice(0, -1);
}

/** The rows that a sink would give back. */
export function rowsOf(scene: Scene, contributions: readonly Contribution[]): FoundRow[] {
  return groups(contributions, "rows").map((group) => {
    const { partition, windowStartMs, sourceName } = group[0]!;
    const row: Record<string, unknown> = {
      window_start: dateTime(windowStartMs),
      window_end: dateTime(windowStartMs + scene.rule.windowMs),
      event_source_id: sourceName,
      partition,
      message_count: String(group.length),
      identity_sum: identitySum(scene.plan, group),
      first_event_time: dateTime(Math.min(...group.map(({ message }) => message.eventTimeMs))),
      last_event_time: dateTime(Math.max(...group.map(({ message }) => message.eventTimeMs))),
      min_sequence: String(Math.min(...group.map(({ message }) => message.sequence))),
      max_sequence: String(Math.max(...group.map(({ message }) => message.sequence))),
      anomaly_count: String(group.reduce((sum, { message }) => sum + message.flags[0]!, 0)),
    };
    scene.plan.measureNames.forEach((name, i) => {
      const values = group.map(({ message }) => message.measures[i]!).filter((v) => !isNaN(v));
      row[`${name}_count`] = String(values.length);
      row[`${name}_avg`] = values.length === 0
        ? null
        : values.reduceRight((sum, value) => sum + value, 0) / values.length;
      row[`${name}_min`] = values.length === 0 ? null : Math.min(...values);
      row[`${name}_max`] = values.length === 0 ? null : Math.max(...values);
    });
    return row;
  });
}

/** The late messages that a pipeline would report. */
export function lateOf(scene: Scene, contributions: readonly Contribution[]): FoundLate[] {
  return groups(contributions, "late").map((group) => {
    const { partition, windowStartMs, sourceName } = group[0]!;
    return {
      partition,
      windowStartMs,
      sourceName,
      messageCount: group.length,
      identitySum: identitySum(scene.plan, group),
    };
  });
}

/** Everything acknowledged, and found as `contributions` say. */
export function verifyOptions(
  scene: Scene,
  contributions: readonly Contribution[],
  change: (rows: FoundRow[]) => FoundRow[] = (rows) => rows,
): VerifyOptions {
  const rows = change(rowsOf(scene, contributions));
  return {
    plan: scene.plan,
    rule: scene.rule,
    ledger: Array.from({ length: scene.plan.partitionCount }, (_, partition) => ({
      partition,
      acknowledged: [{ first: 0, until: sizeOf(scene, partition) }].filter((one) => one.until > 0),
      indeterminate: [] as MessageRange[],
    })),
    foundRows: () => rows,
    foundLate: lateOf(scene, contributions),
  };
}

/** How many messages a partition holds. */
export function sizeOf(scene: Scene, partition: number): number {
  return scene.messages.filter((message) => message.partition === partition).length;
}
