import { createHash } from "node:crypto";
import type { EventTimeMs, WallTimeMs } from "../base/mod.ts";
import { assert, identityOf, textOf, utf8 } from "../base/mod.ts";
import type { Projection, RowBatch, WindowRow } from "../contract.ts";
import type { PartitionConfiguration } from "./options.ts";
import type { OpenWindow } from "./window.ts";

/** A batch together with the bytes of its content, which the checkpoint keeps. */
export interface BuiltBatch {
  readonly batch: RowBatch;
  /** UTF-8 JSON: the batch's header and its values without `emitted_at`, over which the content hash goes. */
  readonly content: Uint8Array;
  readonly emittedAtMs: WallTimeMs;
}

type Value = string | number;

interface BatchHeader {
  readonly batchId: string;
  readonly runId: string;
  readonly partition: number;
  readonly windowStartMs: EventTimeMs;
  readonly windowEndMs: EventTimeMs;
  readonly columns: readonly string[];
}

/** Names of the columns whose values differ from row to row, in order. */
function columnsOf(configuration: PartitionConfiguration): string[] {
  return [
    "event_source_id",
    "message_count",
    "identity_sum",
    ...configuration.measureNames.flatMap((name) =>
      ["count", "avg", "min", "max"].map((what) => `${name}_${what}`)
    ),
    ...configuration.flagNames,
    "first_event_time",
    "last_event_time",
    "min_sequence",
    "max_sequence",
  ];
}

/** JSON has no NaN; ClickHouse reads this text as one. */
function numberOrNan(value: number): Value {
  return Number.isFinite(value) ? value : "nan";
}

/** Values of one source's row, in the order of {@link columnsOf}. */
function valuesOf(
  window: OpenWindow,
  slot: number,
  sourceName: string,
  configuration: PartitionConfiguration,
): Value[] {
  const values: Value[] = [
    sourceName,
    String(window.countOf(slot)),
    identityOf(window.identityHigh(slot), window.identityLow(slot)).toString(),
  ];
  for (let i = 0; i < configuration.measureNames.length; i++) {
    const { count, sum, min, max } = window.measureTotals(slot, i);
    values.push(String(count), numberOrNan(sum / count), numberOrNan(min), numberOrNan(max));
  }
  for (let i = 0; i < configuration.flagNames.length; i++) {
    values.push(String(window.flagCount(slot, i)));
  }
  values.push(
    window.firstEventTimeMs(slot),
    window.lastEventTimeMs(slot),
    String(window.minSequence(slot)),
    String(window.maxSequence(slot)),
  );
  return values;
}

function rowOf(
  header: BatchHeader,
  values: readonly Value[],
  emittedAtMs: WallTimeMs,
): WindowRow {
  const row: Record<string, Value> = {
    window_start: header.windowStartMs,
    window_end: header.windowEndMs,
  };
  for (let i = 0; i < values.length; i++) row[header.columns[i]!] = values[i]!;
  row["partition"] = header.partition;
  row["run_id"] = header.runId;
  row["batch_id"] = header.batchId;
  row["emitted_at"] = emittedAtMs;
  return row;
}

function batchOf(
  header: BatchHeader,
  rows: readonly (readonly Value[])[],
  rest: { readonly emittedAtMs: WallTimeMs; readonly contentHash: string },
): RowBatch {
  return {
    batchId: header.batchId,
    partition: header.partition,
    windowStartMs: header.windowStartMs,
    windowEndMs: header.windowEndMs,
    rows: rows.map((values) => rowOf(header, values, rest.emittedAtMs)),
    contentHash: rest.contentHash,
  };
}

/** SHA-256 of a batch's content, in hexadecimal. */
export function contentHashOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** What {@link buildBatches} needs beside the window. */
export interface BuildOptions {
  readonly configuration: PartitionConfiguration;
  readonly projection: Projection;
  /** Numbers of all sources in the order of their names' bytes. */
  readonly slotsByName: readonly number[];
  /** Rows that a batch holds at most. */
  readonly batchRows: number;
  /** What the rows carry as `emitted_at`, whole ms. */
  readonly emittedAtMs: WallTimeMs;
}

/**
 * The rows of a closed window, sorted by the bytes of the source's name and cut into batches of at most `batchRows`, never by time:
 * the same messages give the same batches, whoever computes them.
 *
 * Columns: `window_start`, `window_end`, `first_event_time`, `last_event_time` and `emitted_at` are whole ms since 1970 as numbers;
 * `message_count`, `identity_sum`, `<measure>_count`, the flags, `min_sequence` and `max_sequence` are 64-bit integers as text;
 * `<measure>_avg`, `_min` and `_max` are numbers, or the text `nan` where no message had the measure.
 */
export function buildBatches(window: OpenWindow, options: BuildOptions): BuiltBatch[] {
  const { configuration, projection, batchRows, emittedAtMs } = options;
  assert(batchRows >= 1, `batchRows is ${batchRows}`);
  const present = options.slotsByName.filter((slot) => window.has(slot));
  const columns = columnsOf(configuration);
  const built: BuiltBatch[] = [];
  for (let from = 0; from < present.length; from += batchRows) {
    const header: BatchHeader = {
      batchId:
        `${configuration.runId}:${configuration.partition}:${window.startMs}:${built.length}`,
      runId: configuration.runId,
      partition: configuration.partition,
      windowStartMs: window.startMs,
      windowEndMs: window.endMs,
      columns,
    };
    const rows = present.slice(from, from + batchRows).map((slot) =>
      valuesOf(window, slot, projection.sourceName(slot), configuration)
    );
    const content = utf8(JSON.stringify([header, rows]));
    const contentHash = contentHashOf(content);
    built.push({
      batch: batchOf(header, rows, { emittedAtMs, contentHash }),
      content,
      emittedAtMs,
    });
  }
  return built;
}

/** A batch again from its content, as it stood in a checkpoint. */
export function restoreBatch(content: Uint8Array, emittedAtMs: WallTimeMs): BuiltBatch {
  const [header, rows] = JSON.parse(textOf(content)) as [BatchHeader, Value[][]];
  const contentHash = contentHashOf(content);
  return { batch: batchOf(header, rows, { emittedAtMs, contentHash }), content, emittedAtMs };
}

/** Orders names by their UTF-8 bytes, which is not the order of JavaScript's strings beyond the basic plane. */
export function compareNameBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** Numbers of all sources that a projection knows, in the order of their names' bytes. */
export function slotsByName(projection: Projection): number[] {
  const names = Array.from(
    { length: projection.sourceCount },
    (_, slot) => utf8(projection.sourceName(slot)),
  );
  return names.map((_, slot) => slot).sort((a, b) => compareNameBytes(names[a]!, names[b]!));
}
