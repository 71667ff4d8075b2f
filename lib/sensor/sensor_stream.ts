import { mix32 } from "../base/mod.ts";
import type { EventTimeMs, WallTimeMs } from "../base/mod.ts";
import { type AliasTable, aliasTable, zipfWeights } from "./_alias_table.ts";
import { DirectEncoder, uuidText } from "./_direct_encoder.ts";
import { EventTimes } from "./_event_time.ts";
import { createFleet, type Fleet } from "./_fleet.ts";
import { SensorValues, STATUS_ERROR, vibrationMagnitude } from "./_sensor_values.ts";
import { completePlan, type SensorPlan } from "./plan.ts";
import { DEVICE_TYPES, type SensorRecord, STATUSES } from "./schema.ts";

/** The message is as its source made it. */
export const PLANTED_NONE = 0;
/** Its event time lies in a window that has closed. */
export const PLANTED_LATE = 1;
/** It repeats the previous message of its source, byte for byte. */
export const PLANTED_DUPLICATE = 2;

const LATE_SALT = 0x51ab;
const DELAY_SALT = 0x6d2b79f5;
const DUPLICATE_SALT = 0x3c6ef372;
const INDEX_SALT = 0x85157af5;

/**
 * All messages of a run, one after the other: `next()` moves to the next message and sets plain numeric fields; there is no object a message.
 *
 * A message is a pure function of the plan, its index and the schedule, so a producer that is started again, and the oracle, make the same bytes.
 *
 * @example
 * ```ts
 * import { SENSOR_RECORD_BYTES_MAX, SensorStream } from "./mod.ts";
 * const stream = new SensorStream({ seed: 1, partitionCount: 4, startWallMs: 1_700_000_000_000 });
 * const bytes = new Uint8Array(SENSOR_RECORD_BYTES_MAX);
 * for (let n = 0; n < 3; n++) {
 *   stream.next(n * 20); // 50,000 messages a second
 *   const end = stream.encode(bytes, 0);
 *   console.log(stream.partition, stream.sequence, end, stream.temperatureC);
 * }
 * ```
 */
export class SensorStream {
  /** Of the current message among all of the run, from 0; −1 before the first. */
  index = -1;
  /** Which source sent it; see {@link SensorStream.sourceName}. */
  sourceIndex = 0;
  partition = 0;
  /** Per source, gapless from 0; a planted duplicate has that of the message it repeats. */
  sequence = 0;
  /** Number of the message in its partition, gapless from 0, duplicates counted: the sequence id for the log. */
  partitionIndex = 0;
  eventTimeMs: EventTimeMs = 0;
  /** Intended send time. */
  ingestTimeMs: WallTimeMs = 0;
  /** {@link PLANTED_NONE}, {@link PLANTED_LATE} or {@link PLANTED_DUPLICATE}. */
  planted: 0 | 1 | 2 = PLANTED_NONE;

  /** The plan with its defaults. */
  readonly plan: Required<SensorPlan>;
  readonly #fleet: Fleet;
  readonly #times: EventTimes;
  readonly #values: SensorValues;
  readonly #encoder: DirectEncoder;
  readonly #indexKey: number;
  readonly #table: AliasTable | undefined;
  readonly #columnsPerDraw: number;
  readonly #lateBelow: number;
  readonly #duplicateBelow: number;
  readonly #nextSequence: Float64Array;
  /** Event time and intended time of each source's newest message: what a duplicate repeats. */
  readonly #lastEventTimeMs: Float64Array;
  readonly #lastIngestTimeMs: Float64Array;
  readonly #nextPartitionIndex: Float64Array;
  /** Intended time of each partition's newest message that is surely on time. */
  readonly #onTimeUs: Float64Array;
  #messageKey = 0;
  #valuesReady = false;

  /** @throws {RangeError} when the plan is out of range */
  constructor(plan: SensorPlan) {
    this.plan = completePlan(plan);
    const { sourceCount, partitionCount, skew, lateShare, duplicateShare } = this.plan;
    this.#fleet = createFleet(this.plan);
    this.#times = new EventTimes(this.plan);
    this.#values = new SensorValues(this.#fleet);
    this.#encoder = new DirectEncoder(this.#fleet, this.#values);
    this.#indexKey = mix32(this.plan.seed ^ INDEX_SALT);
    this.#table = skew === 0 ? undefined : aliasTable(zipfWeights(sourceCount, skew));
    this.#columnsPerDraw = sourceCount / 4294967296;
    this.#lateBelow = lateShare * 4294967296;
    this.#duplicateBelow = duplicateShare * 4294967296;
    this.#nextSequence = new Float64Array(sourceCount);
    this.#lastEventTimeMs = new Float64Array(sourceCount);
    this.#lastIngestTimeMs = new Float64Array(sourceCount);
    this.#nextPartitionIndex = new Float64Array(partitionCount);
    this.#onTimeUs = new Float64Array(partitionCount).fill(-Infinity);
  }

  /** @throws {RangeError} for an index that is no source */
  sourceName(sourceIndex: number): string {
    const name = this.#fleet.names[sourceIndex];
    if (name === undefined) {
      throw new RangeError(
        `Cannot name source ${sourceIndex}: there are ${this.plan.sourceCount}`,
      );
    }
    return name;
  }

  /**
   * Moves to the next message.
   *
   * @param intendedUs when the schedule wants it sent, µs since the start; never less than that of the message before
   */
  next(intendedUs: number): void {
    const draw = this.#drawOf(++this.index);
    const source = this.#sourceOf(draw);
    const partition = this.#fleet.partitions[source]!;
    const sequence = this.#nextSequence[source]!;
    this.sourceIndex = source;
    this.partition = partition;
    this.partitionIndex = this.#nextPartitionIndex[partition]!++;
    this.#valuesReady = false;
    if (this.#isDuplicate(draw, sequence)) {
      this.planted = PLANTED_DUPLICATE;
      this.sequence = sequence - 1;
      this.#messageKey = messageKey(this.#fleet.keys[source]!, sequence - 1);
      this.eventTimeMs = this.#lastEventTimeMs[source]!;
      this.ingestTimeMs = this.#lastIngestTimeMs[source]!;
      return;
    }
    this.sequence = sequence;
    this.#messageKey = messageKey(this.#fleet.keys[source]!, sequence);
    this.ingestTimeMs = this.plan.startWallMs + Math.floor(intendedUs / 1000);
    this.#setEventTime(intendedUs);
    this.#nextSequence[source] = sequence + 1;
    this.#lastEventTimeMs[source] = this.eventTimeMs;
    this.#lastIngestTimeMs[source] = this.ingestTimeMs;
  }

  /**
   * Moves so that the next call of {@link SensorStream.next} gives message `index`; the state is that of having walked there.
   *
   * @param index at or after the message that would come next
   * @param intendedUsOf the schedule: intended time of a message by its index
   * @throws {RangeError} when the message lies behind
   */
  skipTo(index: number, intendedUsOf: (index: number) => number): void {
    if (!(index > this.index)) {
      throw new RangeError(`Cannot skip to message ${index}: the stream is at ${this.index}`);
    }
    const { sourceCount, partitionCount } = this.plan;
    // Messages are kept by index while walking, and their times are worked out once, at the end.
    const newestOf = new Float64Array(sourceCount).fill(-1);
    const onTimeBefore = new Float64Array(sourceCount);
    const onTimeOf = new Float64Array(partitionCount).fill(-1);
    this.#walk(index, newestOf, onTimeBefore, onTimeOf);
    for (let source = 0; source < sourceCount; source++) {
      if (newestOf[source] === -1) continue;
      const intendedUs = intendedUsOf(newestOf[source]!);
      const before = onTimeBefore[source]!;
      const previousUs = before === -1
        ? this.#onTimeUs[this.#fleet.partitions[source]!]!
        : intendedUsOf(before);
      const key = messageKey(this.#fleet.keys[source]!, this.#nextSequence[source]! - 1);
      this.#lastIngestTimeMs[source] = this.plan.startWallMs + Math.floor(intendedUs / 1000);
      const lateMs = this.#lateTime(key, intendedUs, previousUs);
      this.#lastEventTimeMs[source] = Number.isNaN(lateMs)
        ? this.#times.onTime(intendedUs, mix32(key ^ DELAY_SALT))
        : lateMs;
    }
    onTimeOf.forEach((newest, partition) => {
      if (newest !== -1) this.#onTimeUs[partition] = intendedUsOf(newest);
    });
  }

  #walk(
    index: number,
    newestOf: Float64Array,
    onTimeBefore: Float64Array,
    onTimeOf: Float64Array,
  ): void {
    const { partitions, keys } = this.#fleet;
    for (let n = this.index + 1; n < index; n++) {
      const draw = this.#drawOf(n);
      const source = this.#sourceOf(draw);
      const partition = partitions[source]!;
      const sequence = this.#nextSequence[source]!;
      this.#nextPartitionIndex[partition]!++;
      if (this.#isDuplicate(draw, sequence)) continue;
      this.#nextSequence[source] = sequence + 1;
      newestOf[source] = n;
      onTimeBefore[source] = onTimeOf[partition]!;
      const isOnTime = this.#lateBelow === 0 ||
        !this.#isLateCandidate(messageKey(keys[source]!, sequence));
      if (isOnTime) onTimeOf[partition] = n;
    }
    this.index = index - 1;
  }

  #setEventTime(intendedUs: number): void {
    const key = this.#messageKey;
    const lateMs = this.#lateTime(key, intendedUs, this.#onTimeUs[this.partition]!);
    if (Number.isNaN(lateMs)) {
      this.planted = PLANTED_NONE;
      this.eventTimeMs = this.#times.onTime(intendedUs, mix32(key ^ DELAY_SALT));
    } else {
      this.planted = PLANTED_LATE;
      this.eventTimeMs = lateMs;
    }
    if (!this.#isLateCandidate(key)) this.#onTimeUs[this.partition] = intendedUs;
  }

  /** Event time of a message that is to be late, NaN for all others. */
  #lateTime(key: number, intendedUs: number, previousUs: number): number {
    if (!this.#isLateCandidate(key)) return NaN;
    return this.#times.late(intendedUs, mix32(key ^ DELAY_SALT), previousUs);
  }

  #isLateCandidate(key: number): boolean {
    return this.#lateBelow > 0 && mix32(key ^ LATE_SALT) < this.#lateBelow;
  }

  #isDuplicate(draw: number, sequence: number): boolean {
    return this.#duplicateBelow > 0 && sequence > 0 &&
      mix32(draw ^ DUPLICATE_SALT) < this.#duplicateBelow;
  }

  #drawOf(index: number): number {
    const key = index < 4294967296
      ? this.#indexKey
      : mix32(this.#indexKey + Math.floor(index / 4294967296));
    return mix32((index | 0) ^ key);
  }

  #sourceOf(draw: number): number {
    const place = draw * this.#columnsPerDraw;
    const column = Math.floor(place);
    const table = this.#table;
    if (table === undefined || place - column < table.keep[column]!) return column;
    return table.alias[column]!;
  }

  /** Writes the current message as AVRO into `bytes` from `offset` on.
   *
   * @param bytes with room for {@link SENSOR_RECORD_BYTES_MAX} bytes
   * @returns one past the last byte written
   * @throws {RangeError} when there is no room
   */
  encode(bytes: Uint8Array, offset: number): number {
    this.#fill();
    return this.#encoder.encode(this, bytes, offset);
  }

  /** The current message as an object, for tests, notebooks and everything off the hot path. */
  record(): SensorRecord {
    const values = this.#fill();
    const fleet = this.#fleet;
    const doubles = values.doubles;
    const source = this.sourceIndex;
    return {
      event_id: uuidText(this.#messageKey, source),
      event_source_id: this.sourceName(source),
      event_timestamp: this.eventTimeMs,
      ingest_timestamp: this.ingestTimeMs,
      sequence: this.sequence,
      site_id: fleet.siteIds[source]!,
      device_type: DEVICE_TYPES[fleet.deviceTypes[source]!]!,
      firmware_version: fleet.firmware[source]!,
      temperature_c: doubles[0]!,
      humidity_pct: doubles[1]!,
      pressure_hpa: doubles[2]!,
      vibration_x_mm_s: doubles[3]!,
      vibration_y_mm_s: doubles[4]!,
      vibration_z_mm_s: doubles[5]!,
      voltage_v: doubles[6]!,
      current_a: doubles[7]!,
      power_w: doubles[8]!,
      battery_pct: doubles[9]!,
      signal_dbm: values.signalDbm,
      latitude: fleet.latitudes[source]!,
      longitude: fleet.longitudes[source]!,
      status: STATUSES[values.status]!,
      error_code: values.errorCode === 0 ? null : values.errorCode,
      is_anomaly: values.isAnomaly === 1,
      quality: values.quality,
    };
  }

  get temperatureC(): number {
    return this.#fill().doubles[0]!;
  }

  get humidityPct(): number {
    return this.#fill().doubles[1]!;
  }

  get pressureHpa(): number {
    return this.#fill().doubles[2]!;
  }

  /** Length of the vibration's vector, by the same expression as in the projection of the windows. */
  get vibrationMmS(): number {
    const { doubles } = this.#fill();
    return vibrationMagnitude(doubles[3]!, doubles[4]!, doubles[5]!);
  }

  get powerW(): number {
    return this.#fill().doubles[8]!;
  }

  /** 0 or 1. */
  get isAnomaly(): number {
    return this.#fill().isAnomaly;
  }

  /** 0 or 1: the status is ERROR. */
  get isError(): number {
    return this.#fill().status === STATUS_ERROR ? 1 : 0;
  }

  #fill(): SensorValues {
    const values = this.#values;
    if (!this.#valuesReady) {
      values.fill(this.sourceIndex, this.eventTimeMs, this.#messageKey);
      this.#valuesReady = true;
    }
    return values;
  }
}

/** What belongs to a source's message alone: for sequences below 2^32, different for each of the source's messages. */
function messageKey(sourceKey: number, sequence: number): number {
  const high = sequence < 4294967296 ? 0 : Math.floor(sequence / 4294967296);
  return mix32((sequence | 0) ^ sourceKey ^ Math.imul(high, 0x9e3779b9));
}
