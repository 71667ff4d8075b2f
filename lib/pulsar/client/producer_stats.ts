/** What a producer did: totals since it was opened, and rates of the last interval. */
import type { Clock, MonoUs } from "../../base/mod.ts";
import { LatencyHistogram, type LatencySummary } from "../../latency/mod.ts";

/** Figures of a producer. Latency goes from `send` to the receipt, the time in the batch included. */
export interface ProducerStats {
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesAcknowledged: number;
  readonly sendsFailed: number;
  /** Messages without a receipt yet. */
  readonly pendingMessages: number;
  /** Of the last whole interval; undefined before its end. */
  readonly interval: ProducerInterval | undefined;
}

/** Figures of one interval. */
export interface ProducerInterval {
  readonly intervalMs: number;
  readonly messagesPerSec: number;
  readonly bytesPerSec: number;
  readonly sendsFailed: number;
  /** In µs, of messages whose receipt came in this interval. */
  readonly latency: LatencySummary;
}

interface Totals {
  messagesSent: number;
  bytesSent: number;
  messagesAcknowledged: number;
  sendsFailed: number;
}

/** Counts for one producer. */
export class ProducerMeter {
  readonly #clock: Clock;
  readonly #totals: Totals = {
    messagesSent: 0,
    bytesSent: 0,
    messagesAcknowledged: 0,
    sendsFailed: 0,
  };
  readonly #latency = new LatencyHistogram();
  #atStart: Totals;
  #startUs: MonoUs;
  #interval: ProducerInterval | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atStart = { ...this.#totals };
    this.#startUs = clock.monoUs();
  }

  sent(payloadBytes: number): void {
    this.#totals.messagesSent++;
    this.#totals.bytesSent += payloadBytes;
  }

  acknowledged(latencyUs: number): void {
    this.#totals.messagesAcknowledged++;
    this.#latency.record(latencyUs);
  }

  failed(): void {
    this.#totals.sendsFailed++;
  }

  /** Ends an interval and begins the next one. */
  endInterval(): ProducerInterval {
    const nowUs = this.#clock.monoUs();
    const intervalMs = (nowUs - this.#startUs) / 1000;
    const perSec = (key: keyof Totals) =>
      intervalMs === 0 ? 0 : (this.#totals[key] - this.#atStart[key]) * 1000 / intervalMs;
    this.#interval = {
      intervalMs,
      messagesPerSec: perSec("messagesSent"),
      bytesPerSec: perSec("bytesSent"),
      sendsFailed: this.#totals.sendsFailed - this.#atStart.sendsFailed,
      latency: this.#latency.summary(),
    };
    this.#latency.reset();
    this.#atStart = { ...this.#totals };
    this.#startUs = nowUs;
    return this.#interval;
  }

  read(): ProducerStats {
    const { messagesSent, messagesAcknowledged, sendsFailed } = this.#totals;
    return {
      ...this.#totals,
      pendingMessages: messagesSent - messagesAcknowledged - sendsFailed,
      interval: this.#interval,
    };
  }
}
