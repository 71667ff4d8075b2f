import type { WallTimeMs } from "../base/mod.ts";
import { identityHigh, identityLow, messageOf } from "../base/mod.ts";
import type { MessageBatch, Position, Projection } from "../contract.ts";
import type { ByteReader } from "./_byte_reader.ts";
import type { ByteWriter } from "./_byte_writer.ts";
import { Dedupe } from "./dedupe.ts";
import { StreamError } from "./errors.ts";
import { LateLedger } from "./late.ts";
import type { PartitionConfiguration } from "./options.ts";
import { windowShapeOf } from "./options.ts";
import type { Plant } from "./plant.ts";
import { plantedTimes } from "./plant.ts";
import { comparePositions } from "./position.ts";
import type { BuiltBatch } from "./rows.ts";
import { buildBatches, slotsByName } from "./rows.ts";
import { Watermark } from "./watermark.ts";
import { WindowSet, windowStartOf } from "./window.ts";

/** Messages of one entry by the instant they should have gone out, in runs: arrays of which the first `length` elements count. */
export interface IntendedRuns {
  length: number;
  timesMs: Float64Array;
  counts: Uint32Array;
}

/** What a partition's state is made of. */
interface Parts {
  readonly watermark: Watermark;
  readonly dedupe: Dedupe;
  readonly windows: WindowSet;
  readonly late: LateLedger;
}

/**
 * All that is known of one partition's log up to a position: a pure function of that log.
 *
 * Order of the steps for a message: dedupe, then watermark, then lateness, then the window. A duplicate moves nothing, because the message
 * that it doubles moved the watermark already.
 */
export class PartitionState {
  readonly configuration: PartitionConfiguration;
  readonly watermark: Watermark;
  readonly dedupe: Dedupe;
  readonly late: LateLedger;
  readonly windows: WindowSet;
  /** The last entry dealt with. */
  position: Position | undefined;
  /** Messages read, duplicates included. */
  messagesRead = 0;
  /** Messages that went into windows. */
  messagesAggregated = 0;
  /** The intended send times of what the last {@link handle} aggregated. */
  readonly intended: IntendedRuns = {
    length: 0,
    timesMs: new Float64Array(1024),
    counts: new Uint32Array(1024),
  };
  #slotsByName: number[] = [];

  constructor(configuration: PartitionConfiguration, parts?: Parts) {
    this.configuration = configuration;
    this.watermark = parts?.watermark ?? new Watermark(configuration.outOfOrdernessMs);
    this.dedupe = parts?.dedupe ?? new Dedupe();
    this.windows = parts?.windows ?? new WindowSet(windowShapeOf(configuration));
    this.late = parts?.late ?? new LateLedger();
  }

  /** Whether an entry was dealt with before: a source may bring entries again after a reconnect. */
  hasHandled(position: Position): boolean {
    return this.position !== undefined && comparePositions(position, this.position) <= 0;
  }

  /**
   * Takes all messages of an entry in.
   *
   * @throws {StreamError} `unreadable_message`, `dedupe_reach` or `late_ledger_full`; the state is then of no use any more
   */
  handle(batch: MessageBatch, projection: Projection, plant: Plant | undefined): void {
    this.#openRuns(batch.messageCount);
    const { bytes, bounds, messageCount } = batch;
    const { watermark, dedupe, windows } = this;
    for (let i = 0; i < messageCount; i++) {
      this.#read(projection, batch, i, bytes, bounds);
      const slot = projection.sourceSlot;
      const sequence = projection.sequence;
      if (!dedupe.isFirst(slot, sequence)) continue;
      const eventTimeMs = projection.eventTimeMs;
      watermark.advance(eventTimeMs);
      const window = windows.at(eventTimeMs, watermark.currentMs);
      if (window === undefined) {
        this.#noteLate(projection);
        continue;
      }
      this.#noteIntended(projection.ingestTimeMs);
      this.messagesAggregated++;
      let times = plant === undefined ? 1 : plantedTimes(plant, projection);
      while (times-- > 0) window.add(projection);
    }
    this.messagesRead += messageCount;
    this.position = batch.position;
  }

  /** Notes the end marker. */
  end(position: Position): void {
    this.position = position;
    this.watermark.end();
  }

  /**
   * Takes out the windows that the watermark has closed and makes their rows.
   *
   * @param options the rows that a batch holds at most, and the time that the rows carry
   */
  closeWindows(
    projection: Projection,
    options: { readonly batchRows: number; readonly emittedAtMs: WallTimeMs },
  ): BuiltBatch[] {
    if (!this.windows.hasClosed(this.watermark.currentMs)) return [];
    if (this.#slotsByName.length !== projection.sourceCount) {
      this.#slotsByName = slotsByName(projection);
    }
    const { configuration } = this;
    return this.windows.takeClosed(this.watermark.currentMs).flatMap((window) => {
      const built = buildBatches(window, {
        configuration,
        projection,
        slotsByName: this.#slotsByName,
        ...options,
      });
      this.windows.release(window);
      return built;
    });
  }

  write(writer: ByteWriter, sourceCount: number): void {
    writer.uint8(this.position === undefined ? 0 : 1);
    writer.float64(this.position?.ledgerId ?? 0);
    writer.float64(this.position?.entryId ?? 0);
    writer.varint(this.messagesRead);
    writer.varint(this.messagesAggregated);
    this.watermark.write(writer);
    this.dedupe.write(writer, sourceCount);
    this.windows.write(writer);
    this.late.write(writer);
  }

  /** Reads what {@link write} wrote. */
  static read(
    reader: ByteReader,
    configuration: PartitionConfiguration,
    sourceCount: number,
  ): PartitionState {
    const hasPosition = reader.uint8() === 1;
    const position = { ledgerId: reader.float64(), entryId: reader.float64() };
    const messagesRead = reader.varint();
    const messagesAggregated = reader.varint();
    const state = new PartitionState(configuration, {
      watermark: Watermark.read(reader, configuration.outOfOrdernessMs),
      dedupe: Dedupe.read(reader, sourceCount),
      windows: WindowSet.read(reader, windowShapeOf(configuration), sourceCount),
      late: LateLedger.read(reader, sourceCount),
    });
    state.position = hasPosition ? position : undefined;
    state.messagesRead = messagesRead;
    state.messagesAggregated = messagesAggregated;
    return state;
  }

  #read(
    projection: Projection,
    batch: MessageBatch,
    i: number,
    bytes: Uint8Array,
    bounds: Uint32Array,
  ): void {
    try {
      projection.read(bytes, bounds[2 * i]!, bounds[2 * i + 1]!);
    } catch (cause) {
      const { ledgerId, entryId } = batch.position;
      throw new StreamError(
        `Cannot read message ${i} of entry ${ledgerId}:${entryId} in partition ${batch.partition}: ${
          messageOf(cause)
        }`,
        {
          code: "unreadable_message",
          cure: "see that only producers with the job's schema write to the topic",
          cause,
        },
      );
    }
  }

  #openRuns(messageCount: number): void {
    this.intended.length = 0;
    if (messageCount <= this.intended.timesMs.length) return;
    this.intended.timesMs = new Float64Array(messageCount);
    this.intended.counts = new Uint32Array(messageCount);
  }

  #noteLate(projection: Projection): void {
    const { sourceSlot, sequence } = projection;
    const hash = projection.sourceHash(sourceSlot);
    this.late.add({
      windowStartMs: windowStartOf(projection.eventTimeMs, this.configuration.windowSizeMs),
      sourceSlot,
      low: identityLow(hash, sequence),
      high: identityHigh(hash, sequence),
    });
  }

  /** Neighbours mostly share their ms, so that latency is recorded per run and not per message. */
  #noteIntended(timeMs: WallTimeMs): void {
    const runs = this.intended;
    const last = runs.length - 1;
    if (last >= 0 && runs.timesMs[last] === timeMs) {
      runs.counts[last]!++;
      return;
    }
    runs.timesMs[runs.length] = timeMs;
    runs.counts[runs.length++] = 1;
  }
}
