import type { Clock } from "../../../base/mod.ts";
import { CompactingReader } from "../log/mod.ts";
import type { Consumer } from "./consumer.ts";
import { READ_RETRY_MS } from "./dispatcher.ts";
import type { Dispatcher, DispatchSource } from "./dispatcher.ts";
import { BrokerError } from "../errors.ts";
import { pickActive } from "./failover.ts";
import type { Position } from "../log/mod.ts";

/**
 * So long nobody takes the place of a consumer that a seek has sent away; then somebody does, should it not come back. (A real broker
 * waits for ever.)
 */
const RETURN_MS = 5000;

/** What a dispatcher needs besides its subscription. */
export interface DispatcherOptions {
  readonly clock: Clock;
  readonly kind: "Exclusive" | "Failover";
  /** Pause before a consumer that takes over from a living one is served, so that the old one can acknowledge what it has. */
  readonly failoverDelayMs: number;
}

/** Exclusive and Failover: one consumer is served, in the order of the log. */
export class SingleActiveDispatcher implements Dispatcher {
  readonly #consumers: Consumer[] = [];
  readonly #reader: CompactingReader;
  #active: Consumer | undefined;
  /** Ends the wait for a takeover or a retry. */
  #waiting: AbortController | undefined;
  #isWaking = false;

  constructor(
    private readonly source: DispatchSource,
    private readonly options: DispatcherOptions,
  ) {
    const compacted = () => this.#active?.readsCompacted === true ? source.compacted : undefined;
    this.#reader = new CompactingReader(source.log, compacted);
    this.#reader.seek(source.cursor.markDelete);
  }

  get consumers(): readonly Consumer[] {
    return this.#consumers;
  }

  get active(): Consumer | undefined {
    return this.#active;
  }

  async add(consumer: Consumer): Promise<void> {
    for (;;) {
      const [holder] = this.options.kind === "Exclusive" ? this.#consumers : [];
      if (holder === undefined) break;
      if (await holder.link.isAlive()) {
        throw new BrokerError("Exclusive consumer is already connected", {
          code: "consumer_busy",
          retryable: true,
        });
      }
    }
    this.#consumers.push(consumer);
    const before = this.#active;
    this.#pick();
    const isUnchanged = this.options.kind === "Failover" && before === this.#active;
    if (isUnchanged) this.#notify(consumer);
  }

  remove(consumer: Consumer, isComingBack = false): void {
    const at = this.#consumers.indexOf(consumer);
    if (at < 0) return;
    this.#consumers.splice(at, 1);
    if (this.#consumers.length > 0) {
      if (isComingBack) {
        this.#active = undefined;
        this.#stopWaiting();
        this.#after(RETURN_MS, () => this.#pick());
        return;
      }
      this.#pick();
      return;
    }
    this.#active = undefined;
    this.#stopWaiting();
    this.#reader.pause();
    this.source.log.readers.delete(this.#reader);
  }

  #pick(): void {
    const { topicName: name } = this.source;
    const before = this.#active;
    const active = pickActive(this.#consumers, name.partition, name.full);
    if (active === before) return;
    this.#active = active;
    this.#stopWaiting();
    const { kind, failoverDelayMs } = this.options;
    const takesOver = before !== undefined && !before.isClosed;
    if (kind === "Failover" && takesOver && failoverDelayMs > 0) {
      this.#after(failoverDelayMs, () => this.#takeOver());
    } else {
      this.#takeOver();
    }
  }

  #takeOver(): void {
    this.source.log.readers.add(this.#reader);
    this.#reader.seek(this.source.cursor.markDelete);
    if (this.options.kind === "Failover") {
      for (const consumer of this.#consumers) this.#notify(consumer);
    }
    this.wake();
  }

  #notify(consumer: Consumer): void {
    // When all are sent away at once, none hears of the others' going.
    if (consumer.isClosed) return;
    consumer.link.sendActiveConsumerChange(consumer.consumerId, consumer === this.#active);
  }

  #after(delayMs: number, action: () => void): void {
    const waiting = this.#waiting = new AbortController();
    this.options.clock.sleep(delayMs, waiting.signal).then(() => {
      this.#waiting = undefined;
      action();
    }, () => {});
  }

  #stopWaiting(): void {
    this.#waiting?.abort();
    this.#waiting = undefined;
  }

  wake(): void {
    const consumer = this.#active;
    if (consumer === undefined || this.#waiting !== undefined || this.#isWaking) return;
    this.#isWaking = true;
    try {
      this.#send(consumer);
      this.source.readError = undefined;
    } catch (error) {
      // Stepping over what cannot be read would hide a loss: it is reported, and tried again.
      this.source.reportReadError(error);
      this.#after(READ_RETRY_MS, () => this.wake());
    } finally {
      this.#isWaking = false;
    }
  }

  #send(consumer: Consumer): void {
    const reader = this.#reader;
    const { cursor } = this.source;
    // As a Pulsar does, which reads for these by another way.
    const epoch = consumer.readsCompacted ? -1 : consumer.epoch;
    while (consumer.isReady && reader.load()) {
      if (!cursor.isAcked(reader.ledgerId, reader.entryId)) consumer.deliver(reader, 0, epoch);
      reader.next();
    }
    if (!consumer.isReady) reader.pause();
  }

  /** Single messages cannot come again without breaking the order, so all do: as in Pulsar, whatever the positions. */
  redeliver(consumer: Consumer, _positions: readonly Position[], epoch: number): void {
    // What was sent before this bears an older epoch, so the client knows it from what comes again.
    consumer.epoch = Math.max(consumer.epoch, epoch);
    if (consumer === this.#active) this.rewind();
  }

  rewind(): void {
    this.#reader.seek(this.source.cursor.markDelete);
    this.wake();
  }

  close(): void {
    this.#stopWaiting();
    this.#active = undefined;
    this.#reader.close();
  }
}
