/** What the admin interface says of a topic, as far as any broker must say the same. */
import type { TopicView } from "./shape.ts";

/** Of one subscription. */
export interface SubscriptionFigures {
  readonly type: string;
  /** Entries that are not acknowledged. */
  readonly msgBacklog: number;
  readonly unackedMessages: number;
  readonly consumers: readonly string[];
}

/** Of a topic. */
export interface TopicFigures {
  readonly producers: number;
  readonly msgInCounter?: number;
  readonly subscriptions: Readonly<Record<string, SubscriptionFigures>>;
  /** Ordinal of the last entry. */
  readonly last: number | string;
}

interface RawStats {
  readonly publishers?: readonly unknown[];
  readonly subscriptions?: Readonly<
    Record<string, {
      readonly type?: string;
      readonly msgBacklog: number;
      readonly unackedMessages?: number;
      readonly consumers?: readonly { readonly consumerName: string }[];
    }>
  >;
}

async function get<T>(world: TopicView, what: string): Promise<T | undefined> {
  const path = world.topic.replace("://", "/");
  const response = await fetch(`${world.broker.adminUrl}/admin/v2/${path}/${what}`);
  const text = await response.text();
  return response.ok ? JSON.parse(text) as T : undefined;
}

/** The figures of a topic, or undefined while the broker has none. */
export async function readStats(world: TopicView): Promise<TopicFigures | undefined> {
  const stats = await get<RawStats>(world, "stats");
  if (stats === undefined) return undefined;
  const last = await get<{ ledgerId: number; entryId: number }>(world, "lastMessageId");
  const subscriptions = Object.entries(stats.subscriptions ?? {}).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, one]): [string, SubscriptionFigures] => {
      const consumers = (one.consumers ?? []).map(({ consumerName }) => consumerName).sort();
      const isShared = /shared/i.test(one.type ?? "");
      return [name, {
        // Who has nobody any more has no type either, or still its last one.
        type: consumers.length === 0 ? "" : one.type ?? "",
        msgBacklog: one.msgBacklog,
        // Only shared subscriptions keep account of what each consumer has.
        unackedMessages: isShared ? one.unackedMessages ?? 0 : 0,
        consumers,
      }];
    });
  return {
    producers: stats.publishers?.length ?? 0,
    subscriptions: Object.fromEntries(subscriptions),
    // A real one that has loaded a topic and then terminated it knows no last message any more.
    last: last === undefined || world.isTerminated ? "none" : world.ordinalOf(last),
  };
}
