/** Upper bounds in bytes, and Pulsar's names for them in its metrics. */
const BUCKETS: readonly (readonly [bytes: number, name: string])[] = [
  [128, "le_128"],
  [512, "le_512"],
  [1024, "le_1_kb"],
  [2 * 1024, "le_2_kb"],
  [4 * 1024, "le_4_kb"],
  [16 * 1024, "le_16_kb"],
  [100 * 1024, "le_100_kb"],
  [1024 * 1024, "le_1_mb"],
  [Infinity, "le_overflow"],
];

/** How many entries of which sizes came, in the buckets of Pulsar's `pulsar_entry_size`. */
export class EntrySizes {
  readonly #counts = new Float64Array(BUCKETS.length);
  sumBytes = 0;
  count = 0;

  /** Notes an entry. */
  add(bytes: number): void {
    this.count++;
    this.sumBytes += bytes;
    let at = 0;
    while (bytes > BUCKETS[at]![0]) at++;
    this.#counts[at]!++;
  }

  /** Each bucket by its name, not cumulative, as Pulsar has them. */
  buckets(): (readonly [name: string, count: number])[] {
    return BUCKETS.map(([, name], i) => [name, this.#counts[i]!]);
  }
}
