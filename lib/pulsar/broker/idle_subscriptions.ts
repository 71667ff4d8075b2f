import type { MonoUs } from "../../base/mod.ts";
import { COMPACTION_SUBSCRIPTION } from "./compaction.ts";
import type { Subscription } from "./dispatch/mod.ts";

/** A reader's subscription outlives a seek, but not its reader. */
const READER_IDLE_US = 30e6;

/** Notes since when subscriptions have had no consumer. Counted from the opening of the topic: nobody is expired for the broker's absence. */
export class IdleSubscriptions {
  readonly #sinceUs = new Map<Subscription, MonoUs>();

  /**
   * Looks at all subscriptions, once a second.
   *
   * @param expirationMs how long a subscription that is kept may go without a consumer, 0 for ever
   * @returns those whose time is over
   */
  expired(
    subscriptions: ReadonlyMap<string, Subscription>,
    nowUs: MonoUs,
    expirationMs: number,
  ): Subscription[] {
    for (const subscription of this.#sinceUs.keys()) {
      const isGone = subscriptions.get(subscription.name) !== subscription;
      if (isGone || subscription.consumers.length > 0) this.#sinceUs.delete(subscription);
    }
    const over: Subscription[] = [];
    for (const subscription of subscriptions.values()) {
      if (subscription.consumers.length > 0) continue;
      const { isDurable, name } = subscription;
      const isKept = isDurable && (expirationMs === 0 || name === COMPACTION_SUBSCRIPTION);
      if (isKept) continue;
      const sinceUs = this.#sinceUs.get(subscription);
      if (sinceUs === undefined) this.#sinceUs.set(subscription, nowUs);
      else if (nowUs - sinceUs >= (isDurable ? expirationMs * 1000 : READER_IDLE_US)) {
        over.push(subscription);
      }
    }
    return over;
  }
}
