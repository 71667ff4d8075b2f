import type { EventTimeMs } from "../base/mod.ts";
import type { ByteReader } from "./_byte_reader.ts";
import type { ByteWriter } from "./_byte_writer.ts";

/**
 * How far the event time of one partition has come: the highest event time seen less the bounded out-of-orderness
 * (after Akidau et al., "The Dataflow Model", 2015, and Flink's BoundedOutOfOrdernessWatermarks).
 *
 * It is a function of the partition's log alone. Two things may move it otherwise, and both are kept in the checkpoint:
 * following the other partitions while this one is idle, and the end marker.
 *
 * @example
 * ```ts
 * import { Watermark } from "./watermark.ts";
 * import assert from "node:assert/strict";
 * const watermark = new Watermark(5_000);
 * watermark.advance(60_000);
 * watermark.advance(58_000);
 * assert.equal(watermark.currentMs, 55_000);
 * ```
 */
export class Watermark {
  readonly outOfOrdernessMs: number;
  /** The watermark; −Infinity before the first message. */
  currentMs: EventTimeMs = -Infinity;
  /** The highest event time seen. */
  maxEventTimeMs: EventTimeMs = -Infinity;
  /** How far it went by following other partitions; −Infinity if it never did. */
  followedMs: EventTimeMs = -Infinity;
  /** Whether the end marker has come: nothing is awaited any more. */
  ended = false;

  /** @param outOfOrdernessMs how much older than the newest message one may be without being late */
  constructor(outOfOrdernessMs: number) {
    if (!(outOfOrdernessMs >= 0)) {
      throw new RangeError(
        `Cannot make a watermark: outOfOrdernessMs is ${outOfOrdernessMs}, expected 0 or more`,
      );
    }
    this.outOfOrdernessMs = outOfOrdernessMs;
  }

  /** Takes a message's event time in. */
  advance(eventTimeMs: EventTimeMs): void {
    if (eventTimeMs <= this.maxEventTimeMs) return;
    this.maxEventTimeMs = eventTimeMs;
    const ownMs = eventTimeMs - this.outOfOrdernessMs;
    if (ownMs > this.currentMs) this.currentMs = ownMs;
  }

  /**
   * Lets an idle partition go along with others.
   *
   * @param otherMs the lowest watermark of the active partitions
   * @returns whether it moved
   */
  follow(otherMs: EventTimeMs): boolean {
    if (!(otherMs > this.currentMs) || !Number.isFinite(otherMs)) return false;
    this.followedMs = otherMs;
    this.currentMs = otherMs;
    return true;
  }

  /** Nothing more is awaited: every window closes, and what comes after is late. */
  end(): void {
    this.ended = true;
    this.currentMs = Infinity;
  }

  /** Writes its state. */
  write(writer: ByteWriter): void {
    writer.float64(this.maxEventTimeMs);
    writer.float64(this.followedMs);
    writer.uint8(this.ended ? 1 : 0);
  }

  /** Reads what {@link write} wrote. */
  static read(reader: ByteReader, outOfOrdernessMs: number): Watermark {
    const watermark = new Watermark(outOfOrdernessMs);
    watermark.advance(reader.float64());
    watermark.follow(reader.float64());
    if (reader.uint8() === 1) watermark.end();
    return watermark;
  }
}
