import type { MonoUs } from "../../base/mod.ts";
import type { InactiveTopicMode } from "./policies/mod.ts";
import type { Topic } from "./topic.ts";

/** Notes since when nobody uses topics whose policies have them deleted then. Counted from their opening: a topic that is not open stays. */
export class InactiveTopics {
  /** They go with their topics. */
  readonly #sinceUs = new WeakMap<Topic, MonoUs>();

  /** Looks at a topic, once a second: whether it is to be deleted now. */
  isOver(topic: Topic, nowUs: MonoUs): boolean {
    const { isDeletingInactive, inactiveMode, inactiveMs, retentionMs } = topic.policies();
    if (!isDeletingInactive || inactiveMode === undefined) return false;
    const sinceUs = this.#sinceUs.get(topic);
    if (isUsed(topic, inactiveMode)) {
      if (sinceUs !== undefined) this.#sinceUs.delete(topic);
      return false;
    }
    if (sinceUs === undefined) this.#sinceUs.set(topic, nowUs);
    const idleMs = (nowUs - (sinceUs ?? nowUs)) / 1000;
    const isRetained = retentionMs < 0 || idleMs < retentionMs;
    const isOver = idleMs >= inactiveMs && !isRetained && !hasConsumers(topic);
    // Told once: its end takes a moment.
    if (isOver) this.#sinceUs.delete(topic);
    return isOver;
  }
}

function isUsed({ producers, subscriptions }: Topic, mode: InactiveTopicMode): boolean {
  if (producers.size > 0) return true;
  if (mode === "delete_when_no_subscriptions") return subscriptions.size > 0;
  return [...subscriptions.values()].some((one) => one.backlog().entries > 0);
}

/** Whoever reads only does not make it used, but it is not taken away from him. */
function hasConsumers({ subscriptions }: Topic): boolean {
  return [...subscriptions.values()].some(({ consumers }) => consumers.length > 0);
}
