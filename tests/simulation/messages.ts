import type { EventTimeMs, WallTimeMs } from "../../lib/base/mod.ts";
import {
  identityHigh,
  identityLow,
  identityOf,
  sourceHash,
  textOf,
  utf8,
} from "../../lib/base/mod.ts";
import type { Projection } from "../../lib/contract.ts";

/** A message of the tests' own small format, so that stream/ is tested without AVRO. */
export interface TestMessage {
  readonly source: string;
  readonly sequence: number;
  readonly eventTimeMs: EventTimeMs;
  readonly ingestTimeMs: WallTimeMs;
  readonly temperature: number;
  readonly pressure: number;
  readonly anomaly: boolean;
}

const FIXED_BYTES = 42;

/** length of the name, sequence, event time, ingest time, two measures, flag, name */
export function encodeMessages(
  messages: readonly TestMessage[],
): { bytes: Uint8Array; bounds: Uint32Array } {
  const names = messages.map((message) => utf8(message.source));
  const size = names.reduce((sum, name) => sum + FIXED_BYTES + name.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const bounds = new Uint32Array(messages.length * 2);
  let at = 0;
  messages.forEach((message, i) => {
    bounds[2 * i] = at;
    view.setUint8(at, names[i]!.length);
    view.setFloat64(at + 1, message.sequence);
    view.setFloat64(at + 9, message.eventTimeMs);
    view.setFloat64(at + 17, message.ingestTimeMs);
    view.setFloat64(at + 25, message.temperature);
    view.setFloat64(at + 33, message.pressure);
    view.setUint8(at + 41, message.anomaly ? 1 : 0);
    bytes.set(names[i]!, at + FIXED_BYTES);
    at += FIXED_BYTES + names[i]!.length;
    bounds[2 * i + 1] = at;
  });
  return { bytes, bounds };
}

/** Reads {@link TestMessage}s. */
export class TestProjection implements Projection {
  readonly measureNames = ["temperature", "pressure"];
  readonly flagNames = ["anomaly_count"];
  readonly measures = new Float64Array(2);
  readonly flags = new Uint8Array(1);
  sourceSlot = 0;
  sequence = 0;
  eventTimeMs: EventTimeMs = 0;
  ingestTimeMs: WallTimeMs = 0;
  readonly #names: string[] = [];
  readonly #slots = new Map<string, number>();

  get sourceCount(): number {
    return this.#names.length;
  }

  sourceName(slot: number): string {
    return this.#names[slot]!;
  }

  sourceHash(slot: number): number {
    return sourceHash(utf8(this.#names[slot]!));
  }

  slotOf(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    this.#slots.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    const length = bytes[start]!;
    if (end - start !== FIXED_BYTES + length) throw new RangeError(`bad length at offset ${start}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
    this.sequence = view.getFloat64(1);
    this.eventTimeMs = view.getFloat64(9);
    this.ingestTimeMs = view.getFloat64(17);
    this.measures[0] = view.getFloat64(25);
    this.measures[1] = view.getFloat64(33);
    this.flags[0] = view.getUint8(41);
    this.sourceSlot = this.slotOf(textOf(bytes.subarray(start + FIXED_BYTES, end)));
  }
}

/** How the naive model cuts event time. */
export interface Rule {
  readonly windowSizeMs: number;
  readonly outOfOrdernessMs: number;
  readonly allowedLatenessMs: number;
}

/** What the naive model expects of one source in one window. */
export interface ExpectedRow {
  readonly partition: number;
  readonly windowStartMs: number;
  readonly source: string;
  readonly messages: TestMessage[];
  /** Index of the entry at which its window closes; the number of entries where only the end marker does. */
  closedAtEntry: number;
}

/** What the naive model says of a partition's log. */
export interface Expected {
  readonly rows: ExpectedRow[];
  readonly late: TestMessage[];
  readonly duplicates: number;
}

/** The plainest possible reading of the rules, message by message, with sets and maps: the oracle of the tests. */
export function expectedOf(
  partition: number,
  entries: readonly (readonly TestMessage[])[],
  rule: Rule,
): Expected {
  const seen = new Set<string>();
  const rows = new Map<string, ExpectedRow>();
  const late: TestMessage[] = [];
  let duplicates = 0;
  let watermarkMs = -Infinity;
  entries.forEach((messages, entry) => {
    for (const message of messages) {
      const key = `${message.source}\n${message.sequence}`;
      if (seen.has(key)) {
        duplicates++;
        continue;
      }
      seen.add(key);
      watermarkMs = Math.max(watermarkMs, message.eventTimeMs - rule.outOfOrdernessMs);
      const windowStartMs = message.eventTimeMs -
        (((message.eventTimeMs % rule.windowSizeMs) + rule.windowSizeMs) % rule.windowSizeMs);
      if (windowStartMs + rule.windowSizeMs + rule.allowedLatenessMs <= watermarkMs) {
        late.push(message);
        continue;
      }
      const rowKey = `${windowStartMs}\n${message.source}`;
      const row = rows.get(rowKey) ?? {
        partition,
        windowStartMs,
        source: message.source,
        messages: [],
        closedAtEntry: entries.length,
      };
      row.messages.push(message);
      rows.set(rowKey, row);
    }
    for (const row of rows.values()) {
      const closesMs = row.windowStartMs + rule.windowSizeMs + rule.allowedLatenessMs;
      if (closesMs <= watermarkMs) row.closedAtEntry = Math.min(row.closedAtEntry, entry);
    }
  });
  return { rows: [...rows.values()], late, duplicates };
}

/** The sum of the messages' identities, the slow way. */
export function identitySumOf(messages: readonly TestMessage[]): bigint {
  const sum = messages.reduce((total, { source, sequence }) => {
    const hash = sourceHash(utf8(source));
    return total + identityOf(identityHigh(hash, sequence), identityLow(hash, sequence));
  }, 0n);
  return BigInt.asUintN(64, sum);
}

/** An expected row as the sink must hold it, but for batch_id and emitted_at. */
export function rowOf(row: ExpectedRow, rule: Rule): Record<string, string | number> {
  const { messages } = row;
  const numbers = (pick: (message: TestMessage) => number) => messages.map(pick);
  const measure = (name: string, values: number[]) => ({
    [`${name}_count`]: String(values.length),
    [`${name}_avg`]: values.reduce((sum, value) => sum + value, 0) / values.length,
    [`${name}_min`]: Math.min(...values),
    [`${name}_max`]: Math.max(...values),
  });
  const sequences = numbers((message) => message.sequence);
  const times = numbers((message) => message.eventTimeMs);
  return {
    window_start: row.windowStartMs,
    window_end: row.windowStartMs + rule.windowSizeMs,
    event_source_id: row.source,
    message_count: String(messages.length),
    identity_sum: String(identitySumOf(messages)),
    ...measure("temperature", numbers((message) => message.temperature)),
    ...measure("pressure", numbers((message) => message.pressure)),
    anomaly_count: String(messages.filter((message) => message.anomaly).length),
    first_event_time: Math.min(...times),
    last_event_time: Math.max(...times),
    min_sequence: String(Math.min(...sequences)),
    max_sequence: String(Math.max(...sequences)),
    partition: row.partition,
  };
}
