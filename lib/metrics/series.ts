import type { Disk, WallTimeMs } from "../base/mod.ts";
import type { CumulativeBuckets } from "./buckets.ts";
import { MetricsError } from "./error.ts";
import type { Scrape } from "./parser.ts";

/** All roles at one instant: a line of `samples.jsonl`. A role that did not answer is missing. */
export interface Sample {
  readonly atMs: WallTimeMs;
  /** By role, e.g. `produce`; where a role runs more than once, `aggregate-1`, `aggregate-2`. */
  readonly roles: Readonly<Record<string, Scrape>>;
}

/** The role of an instance: `aggregate` for `aggregate-2`. */
export function roleOf(instance: string): string {
  return instance.replace(/-\d+$/, "");
}

/**
 * Appends samples to a file, one JSON object a line.
 *
 * @example
 * ```ts
 * import { readSamples, SampleLog } from "./series.ts";
 * import { systemDisk } from "../base/mod.ts";
 * import assert from "node:assert/strict";
 * const path = Deno.makeTempDirSync() + "/samples.jsonl";
 * using log = new SampleLog(systemDisk, path);
 * log.append({ atMs: 1, roles: { produce: { values: { sent_total: 2 }, buckets: {} } } });
 * assert.equal(readSamples(systemDisk, path).length, 1);
 * ```
 */
export class SampleLog implements Disposable {
  readonly #file;

  /** @throws what the disk throws when the file cannot be opened */
  constructor(disk: Disk, path: string) {
    this.#file = disk.open(path);
    // A run that was killed while it wrote leaves half a line; what follows must not be glued to it.
    const sizeBytes = this.#file.sizeBytes();
    const last = new Uint8Array(1);
    if (sizeBytes > 0 && this.#file.readAt(sizeBytes - 1, last) === 1 && last[0] !== 0x0a) {
      this.#file.append(new Uint8Array([0x0a]));
    }
  }

  append(sample: Sample): void {
    this.#file.append(new TextEncoder().encode(encodeSample(sample) + "\n"));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * Reads what a {@link SampleLog} wrote. A torn last line is left out, and so is one in the middle that ends where a
 * killed writer was cut off; anything else that is no sample is an error.
 *
 * @returns the samples in the order they were written, none where there is no file
 * @throws {MetricsError} `bad_sample`, with the line's number
 */
export function readSamples(disk: Disk, path: string): Sample[] {
  const bytes = disk.readFile(path);
  return bytes === undefined ? [] : parseSamples(new TextDecoder().decode(bytes));
}

/**
 * The samples in the text of a `samples.jsonl`.
 *
 * @throws {MetricsError} `bad_sample`, with the line's number
 */
export function parseSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  text.split("\n").forEach((line, index) => {
    if (line === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      // Only a cut-off line begins as a sample does and is no JSON.
      if (line.startsWith("{")) return;
      throw badSample(index + 1);
    }
    if (!isStoredSample(value)) throw badSample(index + 1);
    samples.push(decodeSample(value));
  });
  return samples;
}

/** Buckets as stored: only those whose count differs from the one before, +∞ as text, for JSON has no infinity. */
type StoredBuckets = readonly (readonly [boundSec: number | "+Inf", count: number])[];

interface StoredSample {
  readonly atMs: number;
  readonly roles: Readonly<
    Record<string, { values: Record<string, number>; buckets: Record<string, StoredBuckets> }>
  >;
}

function encodeSample(sample: Sample): string {
  return JSON.stringify({
    atMs: sample.atMs,
    roles: mapValues(sample.roles, ({ values, buckets }) => ({
      values,
      buckets: mapValues(buckets, storedBuckets),
    })),
  });
}

function storedBuckets(buckets: CumulativeBuckets): StoredBuckets {
  const steps: (readonly [number | "+Inf", number])[] = [];
  buckets.forEach(([boundSec, count], i) => {
    // The bound below a step is kept too: it says where the bucket begins.
    const changed = count !== (buckets[i - 1]?.[1] ?? 0);
    const stepFollows = buckets[i + 1] !== undefined && buckets[i + 1]![1] !== count;
    if (!changed && !stepFollows && boundSec !== Infinity) return;
    steps.push([boundSec === Infinity ? "+Inf" : boundSec, count]);
  });
  return steps;
}

function decodeSample(stored: StoredSample): Sample {
  return {
    atMs: stored.atMs,
    roles: mapValues(stored.roles, ({ values, buckets }) => ({
      values,
      buckets: mapValues(
        buckets,
        (steps) =>
          steps.map(([bound, count]) => [bound === "+Inf" ? Infinity : bound, count] as const),
      ),
    })),
  };
}

function isStoredSample(value: unknown): value is StoredSample {
  if (!isObject(value) || typeof value["atMs"] !== "number" || !isObject(value["roles"])) {
    return false;
  }
  return Object.values(value["roles"]).every((role) =>
    isObject(role) && isObject(role["values"]) && isObject(role["buckets"])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function badSample(lineNumber: number): MetricsError {
  return new MetricsError(`Cannot read samples: line ${lineNumber} is not a sample`, {
    code: "bad_sample",
  });
}
