/** Counters that only rise. */
export interface Counters {
  readonly messagesIn: number;
  readonly bytesIn: number;
  readonly messagesOut: number;
  readonly bytesOut: number;
}

/** The weight of the newest second: about ten seconds count. */
const WEIGHT = 0.1;

/** Counters a second, smoothed over about ten seconds. */
export class Rates {
  messagesInPerSec = 0;
  bytesInPerSec = 0;
  messagesOutPerSec = 0;
  bytesOutPerSec = 0;
  #last: Counters = { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 };
  #lastUs: number | undefined;

  /** Looks at the counters, about once a second. */
  sample(counters: Counters, nowUs: number): void {
    const last = this.#last;
    const seconds = this.#lastUs === undefined ? 1 : (nowUs - this.#lastUs) / 1e6;
    const { messagesIn, bytesIn, messagesOut, bytesOut } = counters;
    this.#lastUs = nowUs;
    this.#last = { messagesIn, bytesIn, messagesOut, bytesOut };
    if (seconds <= 0) return;
    const smooth = (rate: number, difference: number) =>
      rate + WEIGHT * (difference / seconds - rate);
    this.messagesInPerSec = smooth(this.messagesInPerSec, messagesIn - last.messagesIn);
    this.bytesInPerSec = smooth(this.bytesInPerSec, bytesIn - last.bytesIn);
    this.messagesOutPerSec = smooth(this.messagesOutPerSec, messagesOut - last.messagesOut);
    this.bytesOutPerSec = smooth(this.bytesOutPerSec, bytesOut - last.bytesOut);
  }
}
