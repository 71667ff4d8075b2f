import { compareRows } from "./compare_rows.ts";
import { foundNumber } from "./found_rows.ts";
import type { FoundLate, FoundRows } from "./found_rows.ts";
import { FINDINGS_MAX } from "./gaps.ts";
import type { MessagePlan, MessageRange, PartitionRanges, WindowRule } from "./message_plan.ts";
import { expectRows } from "./oracle.ts";
import type { Expectation } from "./oracle.ts";
import { settle } from "./presence.ts";
import type { Finding, MessageCounts, RowCounts } from "./result.ts";

/** Everything that integrity is judged from. */
export interface VerifyOptions {
  readonly plan: MessagePlan;
  readonly rule: WindowRule;
  /** What the ledgers say, one entry a partition. */
  readonly ledger: readonly PartitionRanges[];
  /** Read up to twice. */
  readonly foundRows: FoundRows;
  readonly foundLate: readonly FoundLate[];
  /** Partitions whose end was not reached, because the run broke off; none otherwise. */
  readonly undrained?: ReadonlySet<number>;
}

/** Whether every message is where it belongs. */
export interface Verification {
  readonly messages: MessageCounts;
  readonly rows: RowCounts;
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  /** Messages late although nobody planted them so. */
  readonly unplannedLateCount: number;
  /** Messages in the log = rows + late + planted duplicates + undrained. */
  readonly balanced: boolean;
  /** Messages of batches without receipt that were found to be in the log. */
  readonly indeterminatePresentCount: number;
}

function sizeOf(ranges: readonly MessageRange[]): number {
  return ranges.reduce((sum, { first, until }) => sum + until - first, 0);
}

async function countByPartition(
  foundRows: FoundRows,
  foundLate: readonly FoundLate[],
): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const add = (partition: number, count: number) =>
    counts.set(partition, (counts.get(partition) ?? 0) + count);
  for await (const row of foundRows()) {
    const count = foundNumber(row["message_count"]);
    if (Number.isFinite(count)) add(foundNumber(row["partition"]), count);
  }
  for (const { partition, messageCount } of foundLate) add(partition, messageCount);
  return counts;
}

function lateFindings(plan: MessagePlan, expectation: Expectation): Finding[] {
  return expectation.unplannedLate.map(({ sourceIndex, sequence }) => ({
    kind: "unplanned_late",
    text: `message ${sequence} of ${
      plan.sourceNames[sourceIndex]
    } came after its window had closed, and nobody planted it late`,
    messageCount: 1,
    source: plan.sourceNames[sourceIndex]!,
    sequences: [sequence],
    partition: null,
    windowStartMs: null,
    column: null,
    expected: null,
    found: null,
  }));
}

/**
 * Regenerates what must be there and compares it with what is, row by row.
 *
 * Two walks over the plan when batches are without receipt, one otherwise.
 */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const { plan, rule, ledger, foundRows, foundLate, undrained = new Set() } = options;
  const open = ledger.some(({ indeterminate }) => indeterminate.length > 0);
  const counts = open ? await countByPartition(foundRows, foundLate) : new Map<number, number>();
  const settlement = await settle(plan, ledger, counts);
  const expectation = await expectRows(plan, settlement.presence, rule);
  const compared = await compareRows({
    plan,
    rule,
    expectation,
    foundRows,
    foundLate,
    undrained,
  });
  const acked = ledger.reduce((sum, { acknowledged }) => sum + sizeOf(acknowledged), 0);
  const indeterminate = ledger.reduce((sum, one) => sum + sizeOf(one.indeterminate), 0);
  const { aggregatedCount, lateCount } = compared;
  const unplanned = lateFindings(plan, expectation);
  return {
    messages: {
      sent: acked + indeterminate,
      acked,
      aggregated: aggregatedCount,
      late: lateCount,
      lost: compared.lostCount,
      duplicated: compared.duplicatedCount,
      indeterminate,
      undrained: compared.undrainedCount,
      plantedDuplicates: expectation.duplicateCount,
    },
    rows: compared.rows,
    findings: [...compared.findings, ...unplanned].slice(0, FINDINGS_MAX),
    findingCount: compared.findingCount + expectation.unplannedLateCount,
    unplannedLateCount: expectation.unplannedLateCount + compared.unplannedLateCount,
    balanced: expectation.presentCount ===
      aggregatedCount + lateCount + expectation.duplicateCount + compared.undrainedCount,
    indeterminatePresentCount: settlement.presentCount,
  };
}
