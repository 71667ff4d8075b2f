import type { WallTimeMs } from "../../base/mod.ts";
import type { Subscription } from "./dispatch/mod.ts";
import { expiredOf } from "./expiry.ts";
import { comparePositions, EARLIEST } from "./log/mod.ts";

/** When something of a subscription last moved, to the second; 0 for never since the broker began. */
export class SubscriptionTimes {
  consumedMs: WallTimeMs = 0;
  ackedMs: WallTimeMs = 0;
  flowMs: WallTimeMs = 0;
  markDeleteMs: WallTimeMs = 0;
  /** Messages that became too old in the last second. */
  expiredPerSec = 0;
  #expired = 0;
  #sent = 0;
  #acked = 0;
  #granted = 0;
  #markDelete = EARLIEST;

  /** Looks at the counters, once a second, so that nothing takes the time a message. */
  sample(subscription: Subscription, atMs: WallTimeMs): void {
    // Clients that know types refuse statistics with a fraction where Pulsar has a long.
    const nowMs = Math.floor(atMs);
    const { consumers, cursor: { markDelete } } = subscription;
    const expired = expiredOf(subscription).entries;
    this.expiredPerSec = expired - this.#expired;
    this.#expired = expired;
    let [sent, acked, granted] = [0, 0, 0];
    for (const one of consumers) {
      sent += one.messagesOut;
      acked += one.messagesAcked;
      granted += one.permitsGranted;
    }
    if (sent > this.#sent) this.consumedMs = nowMs;
    if (acked > this.#acked) this.ackedMs = nowMs;
    if (granted > this.#granted) this.flowMs = nowMs;
    if (this.#markDelete !== EARLIEST && comparePositions(markDelete, this.#markDelete) > 0) {
      this.markDeleteMs = nowMs;
    }
    [this.#sent, this.#acked, this.#granted] = [sent, acked, granted];
    this.#markDelete = { ...markDelete };
  }
}

/** They go with their subscriptions. */
const known = new WeakMap<Subscription, SubscriptionTimes>();

/** The times of a subscription. */
export function timesOf(subscription: Subscription): SubscriptionTimes {
  let times = known.get(subscription);
  if (times === undefined) known.set(subscription, times = new SubscriptionTimes());
  return times;
}
