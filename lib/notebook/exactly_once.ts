import { systemDisk } from "../base/mod.ts";
import { ledgerPath, readLedger } from "../load/mod.ts";
import { NOTES_FILE, openRunFolder, readRoleNotes, type RunFolder } from "../run/mod.ts";
import { readManifest, type RecoveredBatch, recoveryOf } from "../scenarios/mod.ts";
import type { RunHandle } from "./run_handle.ts";

/** One partition, as its producer and its rows count it. */
export interface PartitionAccount {
  readonly partition: number;
  /** By the producer's ledger: messages of which the broker said that it has them. */
  readonly acknowledged: number;
  /** The sum of `message_count` over the rows in ClickHouse. */
  readonly inRows: number;
}

/** What a death left behind, and how it was put right. */
export interface DeathAccount {
  readonly deaths: readonly {
    readonly name: string;
    /** Seconds since the load began. */
    readonly atSec: number;
    /** Until its work went on; null when it did not, or the run went through first. */
    readonly awaySec: number | null;
  }[];
  /** Batches that stood in the checkpoint as not yet acknowledged. */
  readonly batches: readonly RecoveredBatch[];
  /** Messages that were read from the broker a second time. */
  readonly readAgain: number;
  readonly partitions: readonly PartitionAccount[];
}

/**
 * What happened to a run in which an aggregator was killed at a place (`at: "after-insert"`): which batches were left over, what was read again,
 * and the books of both ends. Waits for the end of the run.
 *
 * @throws {NotebookError} `not_ended`, or `query_failed` with ClickHouse's words
 */
export async function deathAccount(run: RunHandle): Promise<DeathAccount> {
  const { messages } = await run.result();
  const folder = await openRunFolder(run.path);
  const { restarts, generator, startedAtMs } = await readManifest(folder);
  const beganMs = generator?.startWallMs ?? startedAtMs;
  const { batches, aggregatedMessages } = recoveryOf(
    readRoleNotes(systemDisk, folder.file(NOTES_FILE)),
  );
  return {
    deaths: restarts.map(({ name, atMs, recoveryMs }) => ({
      name,
      atSec: (atMs - beganMs) / 1000,
      awaySec: recoveryMs === null ? null : recoveryMs / 1000,
    })),
    batches,
    readAgain: aggregatedMessages - (messages.acked - messages.late - messages.plantedDuplicates),
    partitions: await partitionsOf(run, folder),
  };
}

async function partitionsOf(run: RunHandle, folder: RunFolder): Promise<PartitionAccount[]> {
  const { partitions } = readLedger(systemDisk, ledgerPath(folder.file("ledger"), "produce"));
  const rows = await run.rows(`
    SELECT partition, sum(message_count) AS messages FROM sensor_1m
    WHERE run_id = '${run.id}' GROUP BY partition`);
  const inRows = new Map(rows.map((row) => [Number(row["partition"]), Number(row["messages"])]));
  return partitions.map(({ partition, acknowledged }) => ({
    partition,
    acknowledged: acknowledged.reduce((sum, { first, until }) => sum + until - first, 0),
    inRows: inRows.get(partition) ?? 0,
  }));
}
