/** When messages of one topic are to be delivered again: after a negative acknowledgement, or when none of either kind came in time. */
import type { Clock } from "../../base/mod.ts";
import type { Position } from "../../contract.ts";
import { type AckId, keyOf } from "./ack_tracker.ts";
import { Alarm } from "./alarm.ts";
import type { RedeliveryBackoff } from "./consumer_options.ts";
import { DelayedPositions } from "./delayed_positions.ts";
import { comparePositions } from "./positions.ts";
import type { ReceivedEntry, ReceivedMessage } from "./received_entry.ts";

/** By how much a redelivery may be late: a twentieth of the delay, within these bounds. */
const GRANULARITY_MS_MIN = 5;
const GRANULARITY_MS_MAX = 1000;

/** When a topic's messages are delivered again. */
export interface RedeliverySettings {
  /** Undefined for none. */
  readonly ackTimeoutBackoff: RedeliveryBackoff | undefined;
  readonly negativeAckBackoff: RedeliveryBackoff;
  /** Undefined where there is no dead letter topic. */
  readonly maxRedeliverCount: number | undefined;
}

/** What is done when it is time. */
export interface RedeliveryHost {
  redeliver(positions: readonly Position[]): void;
  /** Sends a message to the dead letter topic and acknowledges it. */
  deadLetter(message: ReceivedMessage<unknown>): Promise<void>;
  /** Other things that have a time. */
  housekeeping(): void;
}

/** The messages of one topic that were taken and may have to come again. */
export class Redelivery {
  readonly #clock: Clock;
  readonly #settings: RedeliverySettings;
  readonly #host: RedeliveryHost;
  readonly #alarm: Alarm;
  readonly #negative: DelayedPositions;
  readonly #overdue: DelayedPositions;
  /** Messages that go to the dead letter topic if they fail once more, by entry and place in its batch. */
  readonly #candidates = new Map<string, Map<number, ReceivedMessage<unknown>>>();
  #lastTaken: ReceivedEntry | undefined;
  #isClosed = false;
  /** Messages that went to the dead letter topic, and attempts that failed. */
  deadLetterCount = 0;
  deadLetterFailures = 0;

  constructor(clock: Clock, settings: RedeliverySettings, host: RedeliveryHost) {
    this.#clock = clock;
    this.#settings = settings;
    this.#host = host;
    this.#alarm = new Alarm(clock, () => this.#ring());
    this.#negative = new DelayedPositions(granularityMs(settings.negativeAckBackoff(0)));
    this.#overdue = new DelayedPositions(granularityMs(settings.ackTimeoutBackoff?.(0) ?? 1000));
  }

  /** Whether a message has been delivered so often that it is not even shown any more. */
  isSpent(entry: ReceivedEntry): boolean {
    const { maxRedeliverCount } = this.#settings;
    return maxRedeliverCount !== undefined && entry.redeliveryCount > maxRedeliverCount;
  }

  /** A message was handed out. */
  taken(message: ReceivedMessage<unknown>): void {
    const { ackTimeoutBackoff, maxRedeliverCount } = this.#settings;
    const { entry } = message;
    if (ackTimeoutBackoff !== undefined && this.#lastTaken !== entry) {
      this.#lastTaken = entry;
      const delayMs = ackTimeoutBackoff(entry.redeliveryCount);
      this.#overdue.add(entry, this.#nowMs() + delayMs);
      this.#alarm.within(delayMs);
    }
    if (maxRedeliverCount !== undefined && entry.redeliveryCount >= maxRedeliverCount) {
      const key = keyOf(entry);
      let messages = this.#candidates.get(key);
      if (messages === undefined) this.#candidates.set(key, messages = new Map());
      messages.set(message.batchIndex, message);
    }
  }

  /** A message was acknowledged. `isWhole`: with it, its entry is. */
  acknowledged(id: AckId, isWhole: boolean): void {
    if (isWhole) this.#overdue.delete(id);
    if (this.#candidates.size === 0) return;
    const messages = this.#candidates.get(keyOf(id));
    messages?.delete(Math.max(id.batchIndex, 0));
    if (isWhole || messages?.size === 0) this.#candidates.delete(keyOf(id));
  }

  /** Everything up to and with a position was acknowledged. */
  acknowledgedUpTo(position: Position): void {
    this.#overdue.deleteWhere((one) => comparePositions(one, position) <= 0);
  }

  /** A message is to come again. */
  later(position: Position, redeliveryCount = 0, delayMs?: number): void {
    if (this.#isClosed) return;
    this.#overdue.delete(position);
    const afterMs = delayMs ?? this.#settings.negativeAckBackoff(redeliveryCount);
    this.#negative.add(position, this.#nowMs() + afterMs);
    this.#alarm.within(afterMs);
  }

  /** Sends a message to the dead letter topic; should that fail, it comes again. */
  async bury(message: ReceivedMessage<unknown>): Promise<void> {
    try {
      await this.#host.deadLetter(message);
      this.deadLetterCount++;
    } catch {
      // Counted; the message is not acknowledged, and so not lost.
      this.deadLetterFailures++;
      this.later(message.entry, message.redeliveryCount);
    }
  }

  /** Has `housekeeping` called within a time. */
  wakeWithin(delayMs: number): void {
    this.#alarm.within(delayMs);
  }

  /** Forgets all: everything that is not acknowledged comes again anyway. */
  clear(): void {
    this.#negative.clear();
    this.#overdue.clear();
    this.#candidates.clear();
    this.#lastTaken = undefined;
    this.#alarm.cancel();
  }

  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  #ring(): void {
    const nowMs = this.#nowMs();
    const due = [...this.#negative.takeDue(nowMs), ...this.#overdue.takeDue(nowMs)];
    const again = due.filter((position) => !this.#buryCandidates(position));
    if (again.length > 0) this.#host.redeliver(again);
    this.#host.housekeeping();
    const nextMs = Math.min(
      this.#negative.nextDueMs() ?? Infinity,
      this.#overdue.nextDueMs() ?? Infinity,
    );
    if (nextMs < Infinity) this.#alarm.within(nextMs - this.#nowMs());
  }

  #buryCandidates(position: Position): boolean {
    const key = keyOf(position);
    const messages = this.#candidates.get(key);
    if (messages === undefined) return false;
    this.#candidates.delete(key);
    for (const message of messages.values()) void this.bury(message);
    return true;
  }

  #nowMs(): number {
    return this.#clock.monoUs() / 1000;
  }
}

function granularityMs(delayMs: number): number {
  return Math.min(Math.max(delayMs / 20, GRANULARITY_MS_MIN), GRANULARITY_MS_MAX);
}
