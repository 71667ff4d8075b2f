import { type MonoUs, systemClock } from "../base/mod.ts";
import type { Schedule } from "../load/mod.ts";
import { SENSOR_RECORD_BYTES_MAX, SensorStream } from "../sensor/mod.ts";
import type { MessagePlan } from "../verdict/mod.ts";
import type { BatchSender } from "./batch_sender.ts";
import type { BenchConfig } from "./config.ts";

/** What regenerates the messages of a run: goes into the ledger's header. */
export type SensorLoadPlan = SensorStream["plan"];

/** The plan of a run's messages. */
export function sensorPlan(
  config: Pick<BenchConfig, "load" | "window">,
  partitionCount: number,
  startWallMs: number,
): SensorLoadPlan {
  const { seed, sourceCount, skew, lateShare, duplicateShare, timeScale } = config.load;
  const { windowMs, outOfOrdernessMs, allowedLatenessMs } = config.window;
  return {
    seed,
    sourceCount,
    partitionCount,
    skew,
    lateShare,
    duplicateShare,
    startWallMs,
    timeScale,
    windowMs,
    outOfOrdernessMs,
    allowedLatenessMs,
  };
}

/** Writes the messages of a run, in order, into the batches of their partitions. */
export class SensorLoad {
  readonly #stream: SensorStream;
  readonly #schedule: Schedule;
  readonly #sender: BatchSender;
  /** Per partition the first index to send: what lies below was acknowledged to an earlier process. */
  readonly #resumeAt: readonly number[];
  readonly #startUs: MonoUs;
  readonly #nextIndex: Float64Array;
  /** A message that found no room: it goes first. */
  #waiting = false;
  #intendedUs = 0;
  #sentCount = 0;

  /**
   * @param options.startUs the schedule's start on the monotonic clock
   * @param options.resumeAt index of the first message to send, per partition
   */
  constructor(options: {
    readonly plan: SensorLoadPlan;
    readonly schedule: Schedule;
    readonly sender: BatchSender;
    readonly resumeAt: readonly number[];
    readonly startUs: MonoUs;
  }) {
    this.#stream = new SensorStream(options.plan);
    this.#schedule = options.schedule;
    this.#sender = options.sender;
    this.#resumeAt = options.resumeAt;
    this.#startUs = options.startUs;
    this.#nextIndex = Float64Array.from(options.resumeAt);
  }

  /** Messages of the schedule dealt with so far, those of an earlier process included. */
  get position(): number {
    return this.#stream.index + (this.#waiting ? 0 : 1);
  }

  /** Messages that this process put into batches. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** Per partition one past the highest index sent: the sequence id of its end marker. */
  get nextIndices(): readonly number[] {
    return [...this.#nextIndex];
  }

  /**
   * Writes messages up to, but without, message `until` of the schedule.
   *
   * @returns false when there is no room: messages wait for receipts
   */
  writeUntil(until: number): boolean {
    while (this.#stream.index + 1 < until || this.#waiting) {
      if (!this.#waiting) {
        this.#intendedUs = this.#schedule.intendedUs(this.#stream.index + 1);
        this.#stream.next(this.#intendedUs);
      }
      this.#waiting = !this.#write();
      if (this.#waiting) return false;
    }
    return true;
  }

  #write(): boolean {
    const stream = this.#stream;
    const { partition, partitionIndex } = stream;
    if (partitionIndex < this.#resumeAt[partition]!) return true;
    const buffer = this.#sender.bufferFor(partition, partitionIndex);
    if (buffer === undefined) return false;
    const offset = buffer.reserve(SENSOR_RECORD_BYTES_MAX);
    buffer.commit(stream.encode(buffer.bytes, offset));
    this.#nextIndex[partition] = partitionIndex + 1;
    this.#sentCount++;
    this.#sender.written(partition, this.#startUs + this.#intendedUs);
    return true;
  }
}

/**
 * How far an earlier process came: one past the last message of the schedule that it sent to any partition.
 *
 * @param sentUntil per partition, one past the highest index that was sent
 */
export function positionAfter(
  plan: SensorLoadPlan,
  schedule: Schedule,
  sentUntil: readonly number[],
): number {
  const stream = new SensorStream(plan);
  let partitionsLeft = sentUntil.filter((until) => until > 0).length;
  let position = 0;
  while (partitionsLeft > 0 && position < schedule.messageCount) {
    stream.next(schedule.intendedUs(position));
    position++;
    if (stream.partitionIndex + 1 === sentUntil[stream.partition]) partitionsLeft--;
  }
  return position;
}

/** So many messages are walked in some 10 ms; then signals are heard. */
const MESSAGES_A_STRETCH = 50_000;

/**
 * The messages of a run once more, for the oracle.
 *
 * @param signal ends a walk with its reason
 */
export function messagePlan(
  plan: SensorLoadPlan,
  schedule: Schedule,
  signal?: AbortSignal,
): MessagePlan {
  const names = new SensorStream(plan);
  const message = {
    sourceIndex: 0,
    partition: 0,
    partitionIndex: 0,
    sequence: 0,
    eventTimeMs: 0,
    measures: new Float64Array(5),
    flags: new Uint8Array(2),
    plantedLate: false,
    plantedDuplicate: false,
  };
  return {
    partitionCount: plan.partitionCount,
    sourceNames: Array.from({ length: plan.sourceCount }, (_, i) => names.sourceName(i)),
    measureNames: ["temperature_c", "humidity_pct", "pressure_hpa", "vibration_mm_s", "power_w"],
    flagNames: ["anomaly_count", "error_count"],
    async walk(visit) {
      const stream = new SensorStream(plan);
      for (let n = 0; n < schedule.messageCount; n++) {
        stream.next(schedule.intendedUs(n));
        message.sourceIndex = stream.sourceIndex;
        message.partition = stream.partition;
        message.partitionIndex = stream.partitionIndex;
        message.sequence = stream.sequence;
        message.eventTimeMs = stream.eventTimeMs;
        message.measures[0] = stream.temperatureC;
        message.measures[1] = stream.humidityPct;
        message.measures[2] = stream.pressureHpa;
        message.measures[3] = stream.vibrationMmS;
        message.measures[4] = stream.powerW;
        message.flags[0] = stream.isAnomaly;
        message.flags[1] = stream.isError;
        message.plantedLate = stream.planted === 1;
        message.plantedDuplicate = stream.planted === 2;
        visit(message);
        if (n % MESSAGES_A_STRETCH === MESSAGES_A_STRETCH - 1) {
          await systemClock.sleep(0);
          signal?.throwIfAborted();
        }
      }
    },
  };
}
