/**
 * The one page of types where the parts meet. Pulsar, Kafka, ClickHouse and the rest stand behind these; a pipeline knows nothing else of them.
 *
 * @module
 */
import type { EventTimeMs, WallTimeMs } from "./base/mod.ts";

/** A place in one partition's log. Ordered by ledger, then entry; a log without ledgers uses ledger 0. */
export interface Position {
  readonly ledgerId: number;
  readonly entryId: number;
}

/** A property that marks an entry as the end of a partition's stream; such an entry is not a message and is never counted. */
export const END_MARKER_PROPERTY = "weir-end";

/**
 * Messages that came in one entry of one partition, as views.
 *
 * `bytes` and `bounds` are valid until the handler's promise settles: the source reuses them.
 */
export interface MessageBatch {
  readonly partition: number;
  /** The entry that holds them. */
  readonly position: Position;
  readonly messageCount: number;
  readonly bytes: Uint8Array;
  /** Two numbers a message: offset of its first byte in `bytes`, and one past its last. */
  readonly bounds: Uint32Array;
  readonly publishTimeMs: WallTimeMs;
  /** Properties of the entry as a whole; empty for batches, whose properties belong to single messages. */
  readonly properties: Readonly<Record<string, string>>;
}

/** What a source calls. Calls for one partition never overlap; those for different partitions may. */
export interface SourceHandler {
  /** Handles one batch; the next one of this partition comes when the result has settled. */
  batch(batch: MessageBatch): void | Promise<void>;
  /**
   * This source has become the reader of a partition.
   *
   * @returns the position of the last entry already dealt with, after which reading goes on, or undefined to begin at the earliest
   */
  activated(partition: number): Promise<Position | undefined>;
  /** This source has ceased to be the reader of a partition; no more batches of it come. */
  deactivated(partition: number): void | Promise<void>;
}

/** Reads the partitions of one topic under one subscription. */
export interface Source extends AsyncDisposable {
  readonly partitionCount: number;
  /** The system as a result names it, e.g. `embedded broker` or `Apache Pulsar 4.2.4`. */
  readonly systemName: string;
  /**
   * Reads until the signal is aborted, then returns.
   *
   * @throws when the source cannot go on, with what and why
   */
  run(handler: SourceHandler, signal: AbortSignal): Promise<void>;
  /** Acknowledges everything of a partition up to and with `position`. */
  acknowledge(partition: number, position: Position): Promise<void>;
  /** Whether the reader is connected, has permits outstanding and has handled the partition's last entry. */
  isIdle(partition: number): Promise<boolean>;
}

/** Room for the messages of one batch, written in place. */
export interface BatchBuffer {
  readonly partition: number;
  /** Where values are written. May be another array after `reserve`: read it again. */
  readonly bytes: Uint8Array;
  readonly messageCount: number;
  /** Bytes that the batch takes so far. */
  readonly byteLength: number;
  /**
   * Makes room for one value of at most `valueBytesMax`.
   *
   * @returns the offset in `bytes` where it begins
   */
  reserve(valueBytesMax: number): number;
  /** Ends the reserved value one past its last byte, at offset `end`. */
  commit(end: number): void;
}

/** What the log answers to a batch that it holds. */
export interface Receipt {
  readonly position: Position;
  /** The broker said that it had this batch already. */
  readonly duplicate: boolean;
}

/** Sends batches to the partitions of one topic; sequence ids are per partition and gapless from 0. */
export interface Producer extends AsyncDisposable {
  readonly partitionCount: number;
  readonly systemName: string;
  /** The highest sequence id that the log says it holds of this producer, −1 for none or where the log does not keep it. */
  lastSequenceId(partition: number): number;
  /** An empty buffer, or undefined while the bound of batches in flight is reached. */
  openBatch(partition: number): BatchBuffer | undefined;
  /**
   * Sends a batch. Over a reconnect it is sent again until there is a receipt.
   *
   * @param batch is given back to the producer and must not be used afterwards
   * @param sequenceId of its first message; message i has `sequenceId + i`
   */
  send(batch: BatchBuffer, sequenceId: number): Promise<Receipt>;
  /** Sends the end marker of a partition, outside of any batch, and waits for its receipt. */
  sendEndMarker(partition: number, sequenceId: number): Promise<Receipt>;
}

/**
 * Reads from a message what the windows need, into its own fields: no object a message.
 * One instance serves one partition; it numbers the sources in the order it meets them.
 */
export interface Projection {
  /** Names of `measures`, as the columns of the table begin: `<name>_count`, `_avg`, `_min`, `_max`. */
  readonly measureNames: readonly string[];
  /** Names of `flags`, as the columns of the table: how many messages had it set. */
  readonly flagNames: readonly string[];
  /** The message's values, in the order of `measureNames`. */
  readonly measures: Float64Array;
  /** 0 or 1 each, in the order of `flagNames`. */
  readonly flags: Uint8Array;
  /** Number of the message's source, from 0. */
  readonly sourceSlot: number;
  readonly sequence: number;
  readonly eventTimeMs: EventTimeMs;
  /** When the message should have gone out, whole ms since 1970: delivery latency counts from here. */
  readonly ingestTimeMs: WallTimeMs;
  /** How many sources it has met. */
  readonly sourceCount: number;
  sourceName(slot: number): string;
  /** `sourceHash` of the source's name. */
  sourceHash(slot: number): number;
  /** The slot of a source by its name, numbering it if it is new: how a checkpoint restores slots. */
  slotOf(sourceName: string): number;
  /** Reads the message in `bytes[start..end)`.
   *
   * @throws an error with `offset` when it is not a whole message
   */
  read(bytes: Uint8Array, start: number, end: number): void;
}

/** One closed window of one source, as a row; the columns are those of the sink's table, 64-bit integers as text. */
export type WindowRow = Readonly<Record<string, string | number>>;

/** Rows of one partition and one window that are stored whole or not at all. */
export interface RowBatch {
  /** `run:partition:windowStartMs:part`; only letters, digits, `.`, `_`, `-` and `:`. */
  readonly batchId: string;
  readonly partition: number;
  readonly windowStartMs: EventTimeMs;
  readonly windowEndMs: EventTimeMs;
  readonly rows: readonly WindowRow[];
  /** SHA-256 over the rows in hexadecimal: the same for the same messages, whoever computed them. */
  readonly contentHash: string;
}

/** One attempt to store a batch. */
export interface InsertOptions {
  /** Two inserts with one token store their rows once, where the sink remembers it. */
  readonly token: string;
  /** Names the attempt, so that it can be cancelled. */
  readonly queryId: string;
  readonly signal?: AbortSignal;
}

/** What an insert cost. */
export interface InsertReceipt {
  readonly bytes: number;
}

/** Stores rows. */
export interface Sink extends AsyncDisposable {
  readonly systemName: string;
  /** Resolves when the rows are durable. A rejection says nothing about whether they are stored. */
  insert(batch: RowBatch, options: InsertOptions): Promise<InsertReceipt>;
  /** How many rows of this batch are stored. */
  count(batch: RowBatch): Promise<number>;
  /** Ends an insert that may still be under way, and waits until it cannot store anything any more. */
  cancel(queryId: string): Promise<void>;
}

/** What a partition's reader must remember. */
export interface StoredCheckpoint {
  /** Counts the checkpoints of the partition, from 1. */
  readonly generation: number;
  readonly bytes: Uint8Array;
}

/**
 * Keeps the checkpoints of the partitions, and says who owns each.
 * An owner that was replaced is refused everywhere: before each checkpoint, insert and acknowledgement.
 */
export interface CheckpointStore {
  /**
   * Takes a partition over from whoever had it.
   *
   * @returns the new owner's epoch and the newest checkpoint that is whole, if there is one
   */
  acquire(partition: number): Promise<{ epoch: number; checkpoint: StoredCheckpoint | undefined }>;
  /** Makes a checkpoint durable. `bytes` may be reused after the promise settles.
   *
   * @throws an error with code `stale_owner` when the epoch is not the newest
   */
  save(partition: number, epoch: number, bytes: Uint8Array): Promise<void>;
  /** @throws an error with code `stale_owner` when the epoch is not the newest */
  assertOwner(partition: number, epoch: number): Promise<void>;
}

/** Messages `first` to `first + count − 1` of a partition, sent as one batch. Indices count the partition's messages from 0. */
export interface LedgerRange {
  readonly partition: number;
  readonly first: number;
  readonly count: number;
}

/** The producer's durable account of what it sent and what was acknowledged. */
export interface Ledger extends AsyncDisposable {
  /** Notes a batch before it goes out. */
  sent(range: LedgerRange): void;
  /** Notes its receipt. */
  acknowledged(range: LedgerRange): void;
  /** Hands all notes to the operating system; call it before the sends that they announce. */
  flush(): void;
}
