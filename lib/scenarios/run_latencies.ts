import { type IntervalLine, Latencies } from "../run/mod.ts";

/** What is counted over the whole run, because it counts work as well as time. */
const NEVER_APART = ["insert", "checkpoint"] as const;

/** An interval without its begin is as long as roles make them. */
const INTERVAL_MS = 1000;

/** The latencies of a run, those of its warm-up apart. */
export class RunLatencies {
  readonly measured = new Latencies();
  readonly warmUp = new Latencies();
  readonly #warmUpMs: number;
  #warmUntilMs: number;

  /** @param warmUpMs wall ms from the load's begin, 0 for none */
  constructor(warmUpMs: number) {
    this.#warmUpMs = warmUpMs;
    this.#warmUntilMs = warmUpMs === 0 ? -Infinity : Infinity;
  }

  /** @param atMs wall ms at which the first message is due */
  begin(atMs: number): void {
    if (this.#warmUpMs > 0) this.#warmUntilMs = atMs + this.#warmUpMs;
  }

  /** Takes what a role recorded in an interval. One that began in the warm-up belongs to it as a whole. */
  add({ atMs, fromMs = atMs - INTERVAL_MS, histograms }: IntervalLine): void {
    if (fromMs >= this.#warmUntilMs) return this.measured.add(histograms);
    const isApart = (name: string) => !NEVER_APART.some((never) => never === name);
    const entries = Object.entries(histograms);
    this.warmUp.add(Object.fromEntries(entries.filter(([name]) => isApart(name))));
    this.measured.add(Object.fromEntries(entries.filter(([name]) => !isApart(name))));
  }
}
