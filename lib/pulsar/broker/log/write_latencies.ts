/** Upper bounds in ms, and Pulsar's names for them in its metrics. */
const BUCKETS: readonly (readonly [ms: number, name: string])[] = [
  [0.5, "le_0_5"],
  [1, "le_1"],
  [5, "le_5"],
  [10, "le_10"],
  [20, "le_20"],
  [50, "le_50"],
  [100, "le_100"],
  [200, "le_200"],
  [1000, "le_1000"],
  [Infinity, "overflow"],
];

/** How long entries took from their write to the moment from which they may have a receipt, in the buckets of `pulsar_storage_write_latency`. */
export class WriteLatencies {
  readonly #counts = new Float64Array(BUCKETS.length);
  sumMs = 0;
  count = 0;

  /** Notes entries that were written together. */
  add(entries: number, latencyMs: number): void {
    this.count += entries;
    this.sumMs += entries * latencyMs;
    let at = 0;
    while (latencyMs > BUCKETS[at]![0]) at++;
    this.#counts[at]! += entries;
  }

  /** Each bucket by its name, not cumulative, as Pulsar has them. */
  buckets(): (readonly [name: string, count: number])[] {
    return BUCKETS.map(([, name], i) => [name, this.#counts[i]!]);
  }
}
