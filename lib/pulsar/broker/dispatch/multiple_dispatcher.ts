import type { Clock } from "../../../base/mod.ts";
import type { Consumer } from "./consumer.ts";
import { countBits } from "./consumer.ts";
import type { DispatchLimits } from "./dispatch_limits.ts";
import { DelayTracker } from "./delay_tracker.ts";
import { READ_RETRY_MS } from "./dispatcher.ts";
import type { Dispatcher, DispatchSource } from "./dispatcher.ts";
import { entryAt, EntryHead, ledgerAt, LogReader, NOWHERE, placeOf } from "../log/mod.ts";
import type { Position } from "../log/mod.ts";

/** Limits of a policy that was changed hold from the next message after this on. */
const LIMITS_READ_EVERY_US = 1_000_000;
/** What is read from disk at once for entries that are sent again. */
const REPLAY_WINDOW_BYTES = 64 * 1024;
/** Delayed entries that are due within this time are sent together. */
const DELAY_TICK_MS = 20;
/** The host's clock may be set while a delay is waited for. */
const DELAY_SLEEP_MAX_MS = 60_000;

/** What a dispatcher for several consumers needs besides its subscription. */
export interface MultipleDispatcherOptions {
  readonly clock: Clock;
  /** Looked at now and then: policies may change. */
  readonly limits: () => DispatchLimits;
}

/** What an entry is, that is to be sent. */
export type EntryFate = "send" | "passed" | "wait";

/**
 * What Shared and Key_Shared have in common: entries that consumers hold until they are acknowledged, entries that are to come again,
 * and entries whose time has not come. All of it is in memory and bounded; what is lost with it lies behind the cursor and comes again.
 * (Pulsar: PersistentDispatcherMultipleConsumers.)
 */
export abstract class MultipleDispatcher implements Dispatcher {
  readonly #consumers: Consumer[] = [];
  /** Reads what was never sent. */
  protected readonly reader: LogReader;
  /** Reads what is sent again. */
  protected readonly replayReader: LogReader;
  protected readonly head = new EntryHead();
  /** How often an entry was sent again. */
  readonly #redeliveries = new Map<number, number>();
  readonly #delayed = new DelayTracker();
  #unackedMessages = 0;
  #isBlocked = false;
  #isWaking = false;
  protected limits: DispatchLimits;
  #limitsReadAtUs = 0;
  /** Ends the wait for a delayed entry or a retry. */
  #waiting: AbortController | undefined;
  #waitsUntilMs = Infinity;

  constructor(
    protected readonly source: DispatchSource,
    protected readonly options: MultipleDispatcherOptions,
  ) {
    this.reader = source.log.reader(source.cursor.markDelete);
    this.replayReader = new LogReader(source.log, REPLAY_WINDOW_BYTES);
    this.limits = options.limits();
  }

  /** Entries that wait to be sent again, or for their consumer. */
  abstract get replaySize(): number;
  /** Sends as much as consumers, limits and log allow. */
  protected abstract dispatch(): void;
  /** Entries are to be sent again; each with the hash of its key, 0 where none is known. */
  protected abstract replay(entries: Iterable<readonly [place: number, hash: number]>): void;
  protected abstract forgetReplay(place: number): void;
  protected abstract clearReplay(): void;
  /** Places of the replay, for those that are acknowledged meanwhile. */
  protected abstract replayPlaces(): number[];
  /** A consumer has been added. */
  protected abstract joined(consumer: Consumer): void;
  /** A consumer is gone; its entries are replayed after this. */
  protected abstract left(consumer: Consumer): void;
  /** The consumer has one entry less of this hash. */
  protected abstract released(consumer: Consumer, hash: number): void;
  /** Hash of the current entry's key, 0 where that is of no interest. */
  protected abstract hashOfHead(): number;

  /** By priority, and within it in the order in which they came. */
  get consumers(): readonly Consumer[] {
    return this.#consumers;
  }

  get active(): undefined {
    return undefined;
  }

  /** Messages that consumers hold and nobody has acknowledged. */
  get unackedMessages(): number {
    return this.#unackedMessages;
  }

  /** So many messages are not acknowledged that no new ones are sent. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Entries that are delivered at a later time. */
  get delayedEntries(): number {
    return this.#delayed.size;
  }

  add(consumer: Consumer): Promise<void> {
    if (this.#consumers.length === 0) {
      this.source.log.readers.add(this.reader);
      this.#forget();
    }
    const at = this.#consumers.findIndex((other) => other.priority > consumer.priority);
    this.#consumers.splice(at < 0 ? this.#consumers.length : at, 0, consumer);
    this.joined(consumer);
    this.wake();
    return Promise.resolve();
  }

  remove(consumer: Consumer): void {
    const at = this.#consumers.indexOf(consumer);
    if (at < 0) return;
    this.#consumers.splice(at, 1);
    this.left(consumer);
    if (this.#consumers.length === 0) {
      consumer.pending.clear();
      this.#forget();
      this.#stopWaiting();
      this.reader.close();
      return;
    }
    this.#giveBack(consumer, [...consumer.pending.places()]);
    this.wake();
  }

  /** Takes entries from a consumer, so that they are sent again. */
  #giveBack(consumer: Consumer, places: readonly number[]): number {
    const entries: [number, number][] = [];
    let messages = 0;
    for (const place of places) {
      const hash = consumer.pending.hashOf(place);
      const left = consumer.pending.remove(place);
      messages += left;
      this.released(consumer, hash);
      if (!this.source.cursor.isAcked(ledgerAt(place), entryAt(place))) entries.push([place, hash]);
    }
    this.#noteUnacked(-messages);
    this.replay(entries);
    return messages;
  }

  redeliver(consumer: Consumer, positions: readonly Position[]): void {
    const places = positions.length === 0
      ? [...consumer.pending.places()]
      : positions.map(({ ledgerId, entryId }) => placeOf(ledgerId, entryId))
        .filter((place) => consumer.pending.has(place));
    for (const place of new Set(places)) {
      if (this.source.cursor.isAcked(ledgerAt(place), entryAt(place))) continue;
      this.#redeliveries.set(place, (this.#redeliveries.get(place) ?? 0) + 1);
    }
    consumer.messagesRedelivered += this.#giveBack(consumer, places);
    const { consumerUnackedMax } = this.limits;
    if (consumer.isBlocked && consumer.pending.messages < consumerUnackedMax) consumer.unblock();
    this.wake();
  }

  /**
   * An entry is acknowledged, by whomever.
   *
   * @returns how many of its messages were left
   */
  settle(by: Consumer | undefined, place: number): number {
    this.#redeliveries.delete(place);
    const owner = this.#ownerOf(by, place);
    if (owner === undefined) {
      this.forgetReplay(place);
      return 0;
    }
    const hash = owner.pending.hashOf(place);
    const messages = owner.pending.remove(place);
    this.#noteAcked(owner, messages);
    this.released(owner, hash);
    return messages;
  }

  /**
   * Some messages of an entry are acknowledged.
   *
   * @param left a bit for each message that is not
   * @returns how many messages that were
   */
  settlePart(by: Consumer | undefined, place: number, left: readonly bigint[]): number {
    // As in Pulsar: whoever has worked on an entry counts from the beginning.
    this.#redeliveries.delete(place);
    const owner = this.#ownerOf(by, place);
    if (owner === undefined) return 0;
    const messages = Math.max(0, owner.pending.messagesOf(place) - countBits(left));
    owner.pending.reduce(place, messages);
    this.#noteAcked(owner, messages);
    return messages;
  }

  #ownerOf(by: Consumer | undefined, place: number): Consumer | undefined {
    if (by?.pending.has(place) === true) return by;
    return this.#consumers.find((consumer) => consumer.pending.has(place));
  }

  /** Everything up to the cursor's mark was acknowledged at once: what is held or waits before it is done. */
  settleUpToMark(): void {
    const { markDelete } = this.source.cursor;
    const isDone = (place: number) =>
      ledgerAt(place) < markDelete.ledgerId ||
      (ledgerAt(place) === markDelete.ledgerId && entryAt(place) <= markDelete.entryId);
    for (const consumer of this.#consumers) {
      for (const place of [...consumer.pending.places()].filter(isDone)) {
        this.settle(consumer, place);
      }
    }
    for (const place of this.replayPlaces().filter(isDone)) this.forgetReplay(place);
    const { ledgerId, entryId } = this.reader;
    if (isDone(placeOf(ledgerId, entryId))) this.reader.seek(markDelete);
    this.wake();
  }

  #noteAcked(owner: Consumer, messages: number): void {
    this.#noteUnacked(-messages);
    const { consumerUnackedMax } = this.limits;
    if (owner.isBlocked && owner.pending.messages <= consumerUnackedMax / 2) owner.unblock();
  }

  #noteUnacked(messages: number): void {
    this.#unackedMessages += messages;
    const { subscriptionUnackedMax } = this.limits;
    if (subscriptionUnackedMax <= 0) this.#isBlocked = false;
    else if (this.#unackedMessages >= subscriptionUnackedMax) this.#isBlocked = true;
    else if (this.#unackedMessages < subscriptionUnackedMax / 2) this.#isBlocked = false;
  }

  /** Sends the reader's current entry; the consumer holds it until it is acknowledged. */
  protected send(consumer: Consumer, reader: LogReader, place: number, hash: number): void {
    const messages = consumer.deliver(reader, this.#redeliveries.get(place) ?? 0, -1);
    consumer.pending.add(place, messages, hash);
    this.#noteUnacked(messages);
    const { consumerUnackedMax } = this.limits;
    if (consumerUnackedMax > 0 && consumer.pending.messages >= consumerUnackedMax) {
      consumer.isBlocked = true;
    }
  }

  /** Whether a consumer can take a message now. */
  protected hasReadyConsumer(): boolean {
    for (const consumer of this.#consumers) if (consumer.isReady) return true;
    return false;
  }

  /**
   * Loads an entry of the replay, and forgets it where it is acknowledged or not there any more.
   *
   * @returns whether it is to be sent
   */
  protected loadReplay(place: number): boolean {
    const ledgerId = ledgerAt(place);
    const entryId = entryAt(place);
    const reader = this.replayReader;
    const isThere = !this.source.cursor.isAcked(ledgerId, entryId) &&
      reader.loadAt(ledgerId, entryId);
    if (isThere && this.inspect(reader, place, Infinity) === "send") return true;
    this.forgetReplay(place);
    return false;
  }

  /**
   * Loads the next entry that was never sent, passing what is acknowledged, delayed or no message.
   *
   * @returns its place, or −1 when nothing can be read now
   */
  protected loadNext(): number {
    const { reader, source: { cursor } } = this;
    while (reader.load()) {
      const { ledgerId, entryId } = reader;
      if (!cursor.isAcked(ledgerId, entryId)) {
        const place = placeOf(ledgerId, entryId);
        const fate = this.inspect(reader, place, this.limits.delayedMax);
        if (fate === "send") return place;
        if (fate === "wait") return NOWHERE;
      }
      reader.next();
    }
    return NOWHERE;
  }

  /** Looks at the reader's current entry: one that is delayed is noted for later, and what is no message is acknowledged. */
  protected inspect(reader: LogReader, place: number, delayedMax: number): EntryFate {
    const { head, options } = this;
    head.read(reader.slab.bytes, reader.start, reader.end);
    if (head.isMarker) {
      this.source.ackIndividual({ ledgerId: reader.ledgerId, entryId: reader.entryId });
      return "passed";
    }
    if (head.deliverAtMs <= 0 || head.deliverAtMs <= options.clock.wallMs()) return "send";
    if (this.#delayed.size >= delayedMax) return "wait";
    this.#delayed.add(head.deliverAtMs, place, this.hashOfHead());
    return "passed";
  }

  wake(): void {
    if (this.#isWaking || this.#consumers.length === 0) return;
    this.#isWaking = true;
    this.#readLimits();
    try {
      this.#takeDue();
      this.dispatch();
      this.source.readError = undefined;
    } catch (error) {
      // Stepping over what cannot be read would hide a loss: it is reported, and tried again.
      this.source.reportReadError(error);
      this.#wakeAfter(READ_RETRY_MS);
    } finally {
      this.#isWaking = false;
      this.replayReader.close();
    }
    if (!this.hasReadyConsumer()) this.reader.pause();
    this.#waitForDelayed();
  }

  #readLimits(): void {
    const nowUs = this.options.clock.monoUs();
    if (nowUs - this.#limitsReadAtUs < LIMITS_READ_EVERY_US) return;
    this.#limitsReadAtUs = nowUs;
    this.limits = this.options.limits();
    this.#noteUnacked(0);
    const { consumerUnackedMax } = this.limits;
    for (const consumer of this.#consumers) {
      const isBelow = consumerUnackedMax <= 0 ||
        consumer.pending.messages <= consumerUnackedMax / 2;
      if (consumer.isBlocked && isBelow) consumer.unblock();
    }
  }

  #takeDue(): void {
    const nowMs = this.options.clock.wallMs();
    if (this.#delayed.nextDueMs > nowMs) return;
    const due: [number, number][] = [];
    for (let one = this.#delayed.takeDue(nowMs); one; one = this.#delayed.takeDue(nowMs)) {
      due.push([one.place, one.hash]);
    }
    this.replay(due);
  }

  #waitForDelayed(): void {
    const dueMs = this.#delayed.nextDueMs;
    if (dueMs === Infinity || dueMs >= this.#waitsUntilMs) return;
    const nowMs = this.options.clock.wallMs();
    const delayMs = Math.min(Math.max(dueMs - nowMs, DELAY_TICK_MS), DELAY_SLEEP_MAX_MS);
    this.#wakeAfter(delayMs);
    this.#waitsUntilMs = Math.max(dueMs, nowMs + delayMs);
  }

  #wakeAfter(delayMs: number): void {
    this.#stopWaiting();
    const waiting = this.#waiting = new AbortController();
    this.#waitsUntilMs = this.options.clock.wallMs() + delayMs;
    this.options.clock.sleep(delayMs, waiting.signal).then(() => {
      this.#waiting = undefined;
      this.#waitsUntilMs = Infinity;
      this.wake();
    }, () => {});
  }

  #stopWaiting(): void {
    this.#waiting?.abort();
    this.#waiting = undefined;
    this.#waitsUntilMs = Infinity;
  }

  /** Forgets everything but the consumers, and begins behind the cursor. */
  #forget(): void {
    this.#redeliveries.clear();
    this.#delayed.clear();
    this.clearReplay();
    this.#unackedMessages = 0;
    this.#isBlocked = false;
    this.reader.seek(this.source.cursor.markDelete);
  }

  rewind(): void {
    for (const consumer of this.#consumers) {
      this.#giveBack(consumer, [...consumer.pending.places()]);
    }
    this.#forget();
    this.wake();
  }

  close(): void {
    this.#stopWaiting();
    this.#consumers.length = 0;
    this.#forget();
    this.reader.close();
    this.replayReader.close();
  }
}
