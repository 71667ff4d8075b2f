import type { EventTimeMs } from "../base/mod.ts";
import { identityOf } from "../base/mod.ts";
import type { ByteReader } from "./_byte_reader.ts";
import type { ByteWriter } from "./_byte_writer.ts";
import { StreamError } from "./errors.ts";

interface LateCell {
  count: number;
  low: number;
  high: number;
}

/** Messages of one source that came too late for one window. */
export interface LateEntry {
  readonly windowStartMs: EventTimeMs;
  readonly sourceSlot: number;
  readonly count: number;
  /** The wrapping 64-bit sum of their identities. */
  readonly identitySum: bigint;
}

/**
 * Accounts for every late message, so that acknowledged = rows + late + duplicates can be checked to the last one.
 *
 * @example
 * ```ts
 * import { LateLedger } from "./late.ts";
 * import assert from "node:assert/strict";
 * const late = new LateLedger();
 * late.add({ windowStartMs: 60_000, sourceSlot: 3, low: 1, high: 0 });
 * assert.equal(late.entries()[0]?.count, 1);
 * ```
 */
export class LateLedger {
  /** Windows times sources that it accounts for at most; one takes about 15 bytes of each checkpoint. */
  readonly entriesMax: number;
  readonly #windows = new Map<EventTimeMs, Map<number, LateCell>>();
  #entryCount = 0;
  #messageCount = 0;

  /** @param options `entriesMax` bounds the pairs of window and source */
  constructor({ entriesMax = 1_000_000 }: { readonly entriesMax?: number } = {}) {
    this.entriesMax = entriesMax;
  }

  get messageCount(): number {
    return this.#messageCount;
  }

  /**
   * Notes a late message.
   *
   * @param message its window's start, its source and the halves of its identity
   * @throws {StreamError} `late_ledger_full` rather than forget one
   */
  add(
    message: {
      readonly windowStartMs: EventTimeMs;
      readonly sourceSlot: number;
      readonly low: number;
      readonly high: number;
    },
  ): void {
    const cell = this.#cell(message.windowStartMs, message.sourceSlot);
    cell.count++;
    cell.low = (cell.low + message.low) >>> 0;
    cell.high = (cell.high + message.high + (cell.low < message.low ? 1 : 0)) >>> 0;
    this.#messageCount++;
  }

  /** All entries, by window and source. */
  entries(): LateEntry[] {
    const entries: LateEntry[] = [];
    for (const [windowStartMs, cells] of this.#windows) {
      for (const [sourceSlot, { count, low, high }] of cells) {
        entries.push({ windowStartMs, sourceSlot, count, identitySum: identityOf(high, low) });
      }
    }
    return entries.sort((a, b) => a.windowStartMs - b.windowStartMs || a.sourceSlot - b.sourceSlot);
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#windows.size);
    for (const [windowStartMs, cells] of this.#windows) {
      writer.float64(windowStartMs);
      writer.varint(cells.size);
      for (const [slot, { count, low, high }] of cells) {
        writer.varint(slot);
        writer.varint(count);
        writer.uint32(low);
        writer.uint32(high);
      }
    }
  }

  /** Reads what {@link write} wrote. */
  static read(reader: ByteReader, sourceCount: number): LateLedger {
    const late = new LateLedger();
    const windowCount = reader.count(9);
    for (let i = 0; i < windowCount; i++) {
      const windowStartMs = reader.float64();
      const cellCount = reader.count(10);
      for (let j = 0; j < cellCount; j++) {
        const slot = reader.varint();
        if (slot >= sourceCount) throw reader.corrupt(`source ${slot} is unknown`);
        const cell = late.#cell(windowStartMs, slot);
        cell.count = reader.varint();
        cell.low = reader.uint32();
        cell.high = reader.uint32();
        late.#messageCount += cell.count;
      }
    }
    return late;
  }

  #cell(windowStartMs: EventTimeMs, slot: number): LateCell {
    let cells = this.#windows.get(windowStartMs);
    if (cells === undefined) this.#windows.set(windowStartMs, cells = new Map());
    let cell = cells.get(slot);
    if (cell !== undefined) return cell;
    if (this.#entryCount >= this.entriesMax) {
      throw new StreamError(
        `Cannot account for late messages: more than ${this.entriesMax} pairs of window and source have some`,
        {
          code: "late_ledger_full",
          cure: "raise --out-of-orderness or --allowed-lateness, or plant less lateness",
        },
      );
    }
    this.#entryCount++;
    cells.set(slot, cell = { count: 0, low: 0, high: 0 });
    return cell;
  }
}
