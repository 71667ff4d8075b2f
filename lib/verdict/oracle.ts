import { assert, identityHigh, identityLow, identityOf, sourceHash, utf8 } from "../base/mod.ts";
import type { EventTimeMs } from "../base/mod.ts";
import { ExpectedRows } from "./expected_rows.ts";
import type { MessagePlan, PlannedMessage, WindowRule } from "./message_plan.ts";
import { Repeats } from "./presence.ts";
import type { Presence } from "./presence.ts";

/** Messages of one source that came after their window had closed. */
export interface LateGroup {
  readonly partition: number;
  readonly windowStartMs: EventTimeMs;
  readonly sourceIndex: number;
  readonly messageCount: number;
  readonly identitySum: bigint;
  readonly minSequence: number;
  readonly maxSequence: number;
}

/** What must be found, and how it adds up: `present = inRows + late + duplicates`. */
export interface Expectation {
  readonly rows: ExpectedRows;
  readonly late: readonly LateGroup[];
  /** Messages in the log. */
  readonly presentCount: number;
  readonly inRowsCount: number;
  readonly lateCount: number;
  /** Repeated messages, which are dropped. */
  readonly duplicateCount: number;
  /** Late although nobody planted them so: the first of them, and how many in all. */
  readonly unplannedLate: readonly { readonly sourceIndex: number; readonly sequence: number }[];
  readonly unplannedLateCount: number;
  /** The highest sequence of each source in the log, −1 for none. */
  readonly maxSequences: Float64Array;
  /** {@link sourceHash} of each source. */
  readonly hashes: Uint32Array;
}

/** How many unplanned late messages are named. */
const UNPLANNED_NAMED_MAX = 20;

class Oracle {
  readonly rows: ExpectedRows;
  readonly late = new Map<string, LateGroup>();
  readonly hashes: Uint32Array;
  readonly maxSequences: Float64Array;
  readonly unplannedLate: { sourceIndex: number; sequence: number }[] = [];
  unplannedLateCount = 0;
  presentCount = 0;
  inRowsCount = 0;
  lateCount = 0;
  duplicateCount = 0;
  readonly #repeats: Repeats;
  readonly #maxEventTimeMs: Float64Array;

  constructor(readonly plan: MessagePlan, readonly rule: WindowRule, readonly presence: Presence) {
    this.rows = new ExpectedRows(plan);
    this.hashes = Uint32Array.from(plan.sourceNames, (name) => sourceHash(utf8(name)));
    this.maxSequences = new Float64Array(plan.sourceNames.length).fill(-1);
    this.#repeats = new Repeats(plan.sourceNames.length);
    this.#maxEventTimeMs = new Float64Array(plan.partitionCount).fill(-Infinity);
  }

  take(message: PlannedMessage): void {
    const { partition, partitionIndex, sourceIndex, sequence, eventTimeMs } = message;
    if (!this.presence.has(partition, partitionIndex)) return;
    this.presentCount++;
    // Repeats go before lateness: the first copy decides. One that comes again late would be counted twice otherwise.
    if (this.#repeats.isRepeat(sourceIndex, sequence)) {
      this.duplicateCount++;
      return;
    }
    if (sequence > this.maxSequences[sourceIndex]!) this.maxSequences[sourceIndex] = sequence;
    const maxEventTimeMs = Math.max(this.#maxEventTimeMs[partition]!, eventTimeMs);
    this.#maxEventTimeMs[partition] = maxEventTimeMs;
    const { windowMs, allowedLatenessMs, outOfOrdernessMs } = this.rule;
    const windowStartMs = Math.floor(eventTimeMs / windowMs) * windowMs;
    const closesMs = windowStartMs + windowMs + allowedLatenessMs;
    if (closesMs <= maxEventTimeMs - outOfOrdernessMs) {
      this.#takeLate(message, windowStartMs);
    } else {
      this.inRowsCount++;
      this.rows.add(message, windowStartMs, this.hashes[sourceIndex]!);
    }
  }

  #takeLate(message: PlannedMessage, windowStartMs: EventTimeMs): void {
    const { partition, sourceIndex, sequence, plantedLate } = message;
    this.lateCount++;
    if (!plantedLate) {
      this.unplannedLateCount++;
      if (this.unplannedLate.length < UNPLANNED_NAMED_MAX) {
        this.unplannedLate.push({ sourceIndex, sequence });
      }
    }
    const key = `${partition}:${windowStartMs}:${sourceIndex}`;
    const known = this.late.get(key);
    const hash = this.hashes[sourceIndex]!;
    const identity = identityOf(identityHigh(hash, sequence), identityLow(hash, sequence));
    this.late.set(key, {
      partition,
      windowStartMs,
      sourceIndex,
      messageCount: (known?.messageCount ?? 0) + 1,
      identitySum: BigInt.asUintN(64, (known?.identitySum ?? 0n) + identity),
      minSequence: Math.min(known?.minSequence ?? Infinity, sequence),
      maxSequence: Math.max(known?.maxSequence ?? -Infinity, sequence),
    });
  }
}

/**
 * Works out which rows must be found, from the plan and the ledger alone and with window arithmetic of its own: it shares no code with the
 * pipeline, so a fault there cannot hide here.
 *
 * A message is late when its window's end plus the allowed lateness is not after the highest event time of its partition so
 * far, itself included, less the out-of-orderness. The end marker closes every window.
 *
 * @param plan all messages that were meant to be sent
 * @param presence which of them are in the log
 * @param rule how event time is cut
 */
export async function expectRows(
  plan: MessagePlan,
  presence: Presence,
  rule: WindowRule,
): Promise<Expectation> {
  presence.rewind();
  const oracle = new Oracle(plan, rule, presence);
  await plan.walk((message) => oracle.take(message));
  const { presentCount, inRowsCount, lateCount, duplicateCount } = oracle;
  assert(
    presentCount === inRowsCount + lateCount + duplicateCount,
    `the oracle counts ${presentCount} ≠ ${inRowsCount} + ${lateCount} + ${duplicateCount}`,
  );
  return {
    rows: oracle.rows,
    late: [...oracle.late.values()],
    presentCount,
    inRowsCount,
    lateCount,
    duplicateCount,
    unplannedLate: oracle.unplannedLate,
    unplannedLateCount: oracle.unplannedLateCount,
    maxSequences: oracle.maxSequences,
    hashes: oracle.hashes,
  };
}
