import { type Clock, systemDisk } from "../base/mod.ts";
import { parseExposition, type Sample, SampleLog, scrapeMetrics } from "../metrics/mod.ts";

/** A process to be scraped. */
export interface SampleTarget {
  /** `aggregate-1`; the role is what stands before the number. */
  readonly name: string;
  readonly metricsUrl: string;
}

/** How a run is sampled. */
export interface SamplerOptions {
  readonly clock: Clock;
  /** Path of `samples.jsonl`. */
  readonly path: string;
  /** Who is there now; asked each time, because roles come and go. */
  targets(): Iterable<SampleTarget>;
  /** The runner's own figures, as Prometheus text. */
  ownMetrics(): string;
  /** A sample could not be kept, e.g. because the disk is full. */
  failed(error: unknown): void;
  /** After each sample. */
  sampled(sample: Sample): void;
}

const SAMPLE_INTERVAL_MS = 1000;

/** Scrapes all roles each second into `samples.jsonl`. A role that does not answer is missing from that sample. */
export class Sampler implements AsyncDisposable {
  readonly #options: SamplerOptions;
  readonly #log: SampleLog;
  readonly #stopTimer: () => void;
  #last: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#log = new SampleLog(systemDisk, options.path);
    this.#stopTimer = options.clock.every(SAMPLE_INTERVAL_MS, () => {
      // A scrape that takes longer than the interval is not overtaken by the next.
      if (!this.#busy) void this.sample();
    });
  }

  /** Takes a sample now, after one that is under way. */
  sample(): Promise<void> {
    this.#last = this.#last.then(() => this.#take()).catch(this.#options.failed);
    return this.#last;
  }

  /** Takes no more samples. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimer();
    await this.#last;
    this.#log[Symbol.dispose]();
  }

  async #take(): Promise<void> {
    this.#busy = true;
    try {
      await this.#scrape();
    } finally {
      this.#busy = false;
    }
  }

  async #scrape(): Promise<void> {
    const { clock, targets, ownMetrics, sampled } = this.#options;
    const atMs = clock.wallMs();
    const scrapes = await Promise.allSettled(
      [...targets()].map(async ({ name, metricsUrl }) =>
        [name, await scrapeMetrics(metricsUrl)] as const
      ),
    );
    const answered = scrapes.flatMap((scrape) =>
      scrape.status === "fulfilled" ? [scrape.value] : []
    );
    const roles = { ...Object.fromEntries(answered), runner: parseExposition(ownMetrics()) };
    const sample = { atMs, roles };
    this.#log.append(sample);
    sampled(sample);
  }
}
