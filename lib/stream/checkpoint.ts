import type { EventTimeMs, WallTimeMs } from "../base/mod.ts";
import type { Position, Projection } from "../contract.ts";
import { ByteReader } from "./_byte_reader.ts";
import { ByteWriter } from "./_byte_writer.ts";
import { seal, unseal } from "./_seal.ts";
import { StreamError } from "./errors.ts";
import type { ClosedBy, PartitionConfiguration } from "./options.ts";
import { PartitionState } from "./partition_state.ts";
import type { BuiltBatch } from "./rows.ts";
import { restoreBatch } from "./rows.ts";

/** The layout below; another one is refused. */
const VERSION = 1;
const CLOSED_BY: readonly ClosedBy[] = ["watermark", "idle", "end_marker"];

/** A batch that is not yet known to be stored. */
export interface PendingBatch extends BuiltBatch {
  readonly closedBy: ClosedBy;
  /** The epoch of the owner that closed its window: since then inserts of it may have been tried. */
  readonly sinceEpoch: number;
}

/** What a checkpoint holds, decoded. */
export interface Checkpoint {
  readonly configuration: PartitionConfiguration;
  /** Names of the sources, by number. */
  readonly sourceNames: readonly string[];
  readonly state: PartitionState;
  readonly pending: readonly PendingBatch[];
}

/**
 * Layout, after the seal (length and CRC32C): version · configuration · source names · state (position, counters, watermark, dedupe, open
 * windows, late ledger) · pending batches in full. Whole numbers are LEB128 or float64, all little-endian.
 *
 * @param state of the partition; only read
 * @param projection whose numbering of the sources the state uses
 * @param pending batches that are not yet known to be stored, in order
 */
export function encodeCheckpoint(
  state: PartitionState,
  projection: Projection,
  pending: readonly PendingBatch[],
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.varint(VERSION);
  writeConfiguration(writer, state.configuration);
  const sourceCount = projection.sourceCount;
  writer.texts(Array.from({ length: sourceCount }, (_, slot) => projection.sourceName(slot)));
  state.write(writer, sourceCount);
  writer.varint(pending.length);
  for (const { batch, content, emittedAtMs, closedBy, sinceEpoch } of pending) {
    writer.uint8(CLOSED_BY.indexOf(closedBy));
    writer.varint(sinceEpoch);
    writer.float64(emittedAtMs);
    writer.text(batch.contentHash);
    writer.bytes(content);
  }
  return seal(writer.written());
}

/**
 * Decodes a checkpoint.
 *
 * @throws {StreamError} `corrupt_checkpoint` when it is not whole or of another version
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const payload = unseal(bytes);
  if (payload === undefined) {
    throw new StreamError("Cannot read the checkpoint: its length or checksum is wrong", {
      code: "corrupt_checkpoint",
    });
  }
  const reader = new ByteReader(payload);
  const version = reader.varint();
  if (version !== VERSION) {
    throw new StreamError(
      `Cannot read the checkpoint: it has version ${version}, this program reads ${VERSION}`,
      {
        code: "corrupt_checkpoint",
        cure: "finish the run with the program that began it, or begin a new run",
      },
    );
  }
  const configuration = readConfiguration(reader);
  const sourceNames = reader.texts();
  const state = PartitionState.read(reader, configuration, sourceNames.length);
  const pending = Array.from({ length: reader.count(12) }, () => readPending(reader));
  reader.end();
  return { configuration, sourceNames, state, pending };
}

/** What a verifier needs of a partition's last checkpoint. */
export interface CheckpointSummary {
  readonly configuration: PartitionConfiguration;
  readonly position: Position | undefined;
  readonly watermarkMs: EventTimeMs;
  /** How far the watermark went by following other partitions while this one was idle; −Infinity if it never did. */
  readonly followedWatermarkMs: EventTimeMs;
  /** Whether the end marker has come. */
  readonly ended: boolean;
  readonly messagesRead: number;
  readonly messagesAggregated: number;
  readonly messagesLate: number;
  readonly messagesDuplicated: number;
  /** Duplicates dropped, of sources that had some. */
  readonly duplicates: readonly { readonly sourceName: string; readonly count: number }[];
  readonly late: readonly {
    readonly windowStartMs: EventTimeMs;
    readonly sourceName: string;
    readonly count: number;
    readonly identitySum: bigint;
  }[];
  /** Ids of batches that were not yet known to be stored; empty when the partition is drained. */
  readonly pendingBatchIds: readonly string[];
  readonly openWindowCount: number;
}

/**
 * Reads from a checkpoint what a verifier needs.
 *
 * @throws {StreamError} `corrupt_checkpoint` when it is not whole or of another version
 */
export function readCheckpoint(bytes: Uint8Array): CheckpointSummary {
  const { configuration, sourceNames, state, pending } = decodeCheckpoint(bytes);
  return {
    configuration,
    position: state.position,
    watermarkMs: state.watermark.currentMs,
    followedWatermarkMs: state.watermark.followedMs,
    ended: state.watermark.ended,
    messagesRead: state.messagesRead,
    messagesAggregated: state.messagesAggregated,
    messagesLate: state.late.messageCount,
    messagesDuplicated: state.dedupe.duplicateCount,
    duplicates: sourceNames
      .map((sourceName, slot) => ({ sourceName, count: state.dedupe.duplicatesOf(slot) }))
      .filter(({ count }) => count > 0),
    late: state.late.entries().map(({ sourceSlot, ...entry }) => ({
      ...entry,
      sourceName: sourceNames[sourceSlot]!,
    })),
    pendingBatchIds: pending.map(({ batch }) => batch.batchId),
    openWindowCount: state.windows.open.length,
  };
}

/**
 * Sees that a checkpoint was made under the configuration that is in force now.
 *
 * @throws {StreamError} `configuration_changed`, naming each difference
 */
export function checkSameConfiguration(
  then: PartitionConfiguration,
  now: PartitionConfiguration,
): void {
  const keys = Object.keys(now) as (keyof PartitionConfiguration)[];
  const differences = keys
    .map((key) => ({ key, then: JSON.stringify(then[key]), now: JSON.stringify(now[key]) }))
    .filter((value) => value.then !== value.now)
    .map((value) => `${value.key} was ${value.then} and is ${value.now}`);
  if (differences.length === 0) return;
  throw new StreamError(
    `Cannot go on from the checkpoint of partition ${now.partition}: ${differences.join(", ")}`,
    {
      code: "configuration_changed",
      cure: "give the same options as before, or begin a new run with its own checkpoint folder",
    },
  );
}

function writeConfiguration(writer: ByteWriter, configuration: PartitionConfiguration): void {
  writer.text(configuration.runId);
  writer.varint(configuration.partition);
  writer.float64(configuration.windowSizeMs);
  writer.float64(configuration.outOfOrdernessMs);
  writer.float64(configuration.allowedLatenessMs);
  writer.texts(configuration.measureNames);
  writer.texts(configuration.flagNames);
}

function readConfiguration(reader: ByteReader): PartitionConfiguration {
  return {
    runId: reader.text(),
    partition: reader.varint(),
    windowSizeMs: reader.float64(),
    outOfOrdernessMs: reader.float64(),
    allowedLatenessMs: reader.float64(),
    measureNames: reader.texts(),
    flagNames: reader.texts(),
  };
}

function readPending(reader: ByteReader): PendingBatch {
  const closedBy = CLOSED_BY[reader.uint8()];
  if (closedBy === undefined) throw reader.corrupt("a batch was closed by nothing known");
  const sinceEpoch = reader.varint();
  const emittedAtMs: WallTimeMs = reader.float64();
  const contentHash = reader.text();
  const restored = restorePending(reader, emittedAtMs);
  if (restored.batch.contentHash !== contentHash) {
    throw reader.corrupt(`the content of batch ${restored.batch.batchId} is not what it was`);
  }
  return { ...restored, closedBy, sinceEpoch };
}

function restorePending(reader: ByteReader, emittedAtMs: WallTimeMs): BuiltBatch {
  const content = reader.bytes();
  try {
    return restoreBatch(content, emittedAtMs);
  } catch (cause) {
    throw reader.corrupt("the content of a batch cannot be read", cause);
  }
}
