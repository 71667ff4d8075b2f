/** Subscriptions: cursors, consumers, and how messages are spread over them. */
export { Consumer, hasTypedConsumers } from "./consumer.ts";
export type { DeliverySource } from "./consumer.ts";
export { Cursor } from "./cursor.ts";
export { pickActive } from "./failover.ts";
export { KeyRanges } from "./key_ranges.ts";
export { KeyRing } from "./key_ring.ts";
export type { KeySelector } from "./key_selector.ts";
export { KeySharedDispatcher, keySharedPolicy } from "./key_shared_dispatcher.ts";
export type { ClientLink } from "./link.ts";
export { Outbox } from "./outbox.ts";
export { Subscription } from "./subscription.ts";
export type { SubscriptionKind, SubscriptionState } from "./subscription.ts";
export type { TopicContext } from "./topic_context.ts";
