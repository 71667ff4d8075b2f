/** Notices topics of a pattern that come and go: told by the broker where it does that, else by asking now and then. */
import { Alarm } from "./alarm.ts";
import type { Connection, WatcherEndpoint } from "./connection.ts";
import { type ClientContext, retrying } from "./context.ts";
import { unexpected } from "./lookup.ts";
import { type FoundTopic, matchingTopics, type TopicPattern } from "./topic_pattern.ts";
import { type CommandBodies, encodeCommand, PulsarError } from "../wire/mod.ts";

/** After a connection was lost, the topics are looked at again so much later. */
const RENEWAL_DELAY_MS = 1000;

/** What a watcher is made with. */
export interface TopicWatcherOptions {
  readonly context: ClientContext;
  readonly pattern: TopicPattern;
  /** How often it asks. */
  readonly intervalMs: number;
  /** Aborted when nobody wants to know any more. */
  readonly closing: AbortSignal;
  /** Is given all topics there are, one call after the other. */
  readonly changed: (topics: readonly FoundTopic[]) => Promise<void>;
}

/** Watches the topics of one pattern. */
export class TopicWatcher implements WatcherEndpoint {
  readonly #options: TopicWatcherOptions;
  readonly #alarm: Alarm;
  readonly #watcherId: number;
  #connection: Connection | undefined;
  /** The broker has refused: it is asked instead. */
  #cannotWatch = false;
  #isBusy = false;
  #isStale = false;
  /** Times when the topics could not be looked at. */
  failedCount = 0;

  constructor(options: TopicWatcherOptions) {
    this.#options = options;
    this.#watcherId = options.context.nextId();
    this.#alarm = new Alarm(options.context.clock, () => void this.#refresh());
  }

  /**
   * The topics that there are.
   *
   * @throws {PulsarError} why they cannot be listed
   */
  async list(signal: AbortSignal): Promise<FoundTopic[]> {
    const { context, pattern } = this.#options;
    const { namespace, mode } = pattern;
    const action = `list the topics of ${namespace}`;
    const ask = async () => {
      const { connection } = await context.lookup.connectToService();
      const answer = await connection.request(
        "GET_TOPICS_OF_NAMESPACE",
        { namespace, mode },
        action,
      );
      if (answer.type !== "GET_TOPICS_OF_NAMESPACE_RESPONSE") throw unexpected(action, answer.type);
      return answer.body.topics ?? [];
    };
    const { openTimeoutMs: deadlineMs } = context;
    return matchingTopics(pattern, await retrying(context, ask, { deadlineMs, signal }));
  }

  /** Begins to watch. */
  start(): void {
    this.#alarm.within(0);
  }

  /** Ends it, and tells the broker. */
  close(): void {
    this.#alarm.cancel();
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    connection.removeWatcher(this.#watcherId);
    const body = { watcherId: this.#watcherId, requestId: -1n };
    connection.write(encodeCommand("WATCH_TOPIC_LIST_CLOSE", body));
  }

  topicsChanged(_body: CommandBodies["WATCH_TOPIC_UPDATE"]): void {
    // What there is now counts, not what it was when this was sent.
    this.#isStale = true;
    this.#alarm.within(0);
  }

  lost(_error: PulsarError): void {
    this.#connection = undefined;
    if (!this.#options.closing.aborted) this.#alarm.within(RENEWAL_DELAY_MS);
  }

  async #refresh(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const { closing, intervalMs, changed } = this.#options;
    try {
      await this.#watch();
      do {
        this.#isStale = false;
        await changed(await this.list(closing));
      } while (this.#isStale && !closing.aborted);
    } catch {
      // Counted; it is tried again when the interval is over.
      if (!closing.aborted) this.failedCount++;
    } finally {
      this.#isBusy = false;
    }
    if (!closing.aborted) this.#alarm.within(intervalMs);
  }

  async #watch(): Promise<void> {
    if (this.#connection !== undefined || this.#cannotWatch) return;
    const { context, pattern, closing } = this.#options;
    const { connection } = await context.lookup.connectToService();
    if (connection.serverFeatures.supportsTopicWatchers !== true || closing.aborted) return;
    this.#connection = connection;
    connection.addWatcher(this.#watcherId, this);
    const { namespace, text: topicsPattern } = pattern;
    const body = { watcherId: this.#watcherId, namespace, topicsPattern };
    try {
      await connection.request("WATCH_TOPIC_LIST", body, `watch the topics of ${namespace}`);
    } catch (error) {
      connection.removeWatcher(this.#watcherId);
      this.#connection = undefined;
      if (!(error instanceof PulsarError)) throw error;
      // Not every expression of JavaScript is one of the broker's.
      this.#cannotWatch = !error.retryable;
    }
  }
}
