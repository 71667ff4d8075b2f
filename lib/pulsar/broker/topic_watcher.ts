import type { Clock } from "../../base/mod.ts";

/** Changes within this time go out together: each update costs a hash over the whole list. */
const GATHER_MS = 20;

/** Topics that came and went since the last update, and all that there are now. */
export interface TopicListChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly topics: ReadonlySet<string>;
}

/** What a watcher is made of. */
export interface TopicWatcherOptions {
  readonly namespace: string;
  readonly matches: (topic: string) => boolean;
  /** All topics of the namespace that there are now. */
  readonly topics: readonly string[];
  readonly clock: Clock;
  readonly changed: (change: TopicListChange) => void;
}

/** Keeps a client's list of topics up to date (Pulsar's PIP-145). */
export class TopicWatcher {
  readonly namespace: string;
  /** Those that match, in no order. */
  readonly topics = new Set<string>();
  readonly #options: TopicWatcherOptions;
  readonly #told: Set<string>;
  readonly #touched = new Set<string>();
  readonly #stop = new AbortController();
  #isGathering = false;

  constructor(options: TopicWatcherOptions) {
    this.#options = options;
    this.namespace = options.namespace;
    for (const topic of options.topics) if (options.matches(topic)) this.topics.add(topic);
    this.#told = new Set(this.topics);
  }

  /** A topic of the namespace came or went. */
  note(topic: string, isThere: boolean): void {
    if (!this.#options.matches(topic)) return;
    if (isThere) this.topics.add(topic);
    else this.topics.delete(topic);
    this.#touched.add(topic);
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#options.clock.sleep(GATHER_MS, this.#stop.signal).then(() => this.flush(), () => {});
  }

  /** Tells now what is not told yet. */
  flush(): void {
    this.#isGathering = false;
    const added: string[] = [];
    const removed: string[] = [];
    for (const topic of this.#touched) {
      const isThere = this.topics.has(topic);
      if (isThere === this.#told.has(topic)) continue;
      if (isThere) this.#told.add(topic);
      else this.#told.delete(topic);
      (isThere ? added : removed).push(topic);
    }
    this.#touched.clear();
    if (added.length === 0 && removed.length === 0) return;
    this.#options.changed({ added, removed, topics: this.topics });
  }

  close(): void {
    this.#stop.abort();
  }
}
