/** Which subscriptions consumers may have, in Pulsar's words and order (ServerCnx.handleSubscribe, PersistentTopic.internalSubscribe). */
import { BrokerError } from "../errors.ts";
import type { SubscriptionKind } from "../dispatch/mod.ts";
import type { Topic } from "../topic.ts";

/** What a consumer asks for. */
export interface SubscriptionRequest {
  readonly name: string;
  readonly kind: SubscriptionKind;
  readonly isDurable: boolean;
}

function notAllowed(message: string): BrokerError {
  return new BrokerError(message, { code: "not_supported" });
}

/**
 * Whether one more consumer may come, and its subscription be made where it is not there.
 *
 * @throws {BrokerError} `consumer_busy`, `subscription_not_found`, `not_supported`, `producer_busy`
 */
export function assertSubscribable(topic: Topic, request: SubscriptionRequest): void {
  const { name, kind, isDurable } = request;
  const policies = topic.policies();
  const there = topic.subscriptions.get(name);
  assertRoom(topic, "Topic", policies.consumersMax);
  if (isDurable && there === undefined && !policies.isAutoSubscribing) {
    throw new BrokerError("Subscription does not exist", { code: "subscription_not_found" });
  }
  const kinds = policies.subscriptionKinds;
  if (kinds.length > 0 && !kinds.includes(kind)) {
    throw notAllowed(`Topic[{${topic.name.full}}] doesn't support ${kind} sub type!`);
  }
  // As in Pulsar, whose clients know the number under another name.
  if (name.trim() === "") {
    throw new BrokerError("Empty subscription name", { code: "producer_busy" });
  }
  if (/^pulsar\.(repl\.|dedup$)/.test(name)) {
    throw new BrokerError("Subscription with reserved subscription name attempted", {
      code: "producer_busy",
    });
  }
  if (there === undefined) {
    assertMayMake(topic, policies.subscriptionsMax);
    return;
  }
  if (there.isDurable !== isDurable) {
    // A reader's subscription and one that is kept are never the same.
    const which = there.isDurable ? "Durable" : "NonDurable";
    throw notAllowed(`${which} subscription with the same name already exists.`);
  }
  assertRoom(
    { subscriptions: new Map([[name, there]]) },
    "Subscription",
    policies.subscriptionConsumersMax,
  );
}

function assertMayMake(topic: Topic, subscriptionsMax: number): void {
  if (subscriptionsMax <= 0 || topic.subscriptions.size < subscriptionsMax) return;
  throw notAllowed(`Exceed the maximum number of subscriptions of the topic: ${topic.name.full}`);
}

function assertRoom(
  { subscriptions }: Pick<Topic, "subscriptions">,
  what: "Topic" | "Subscription",
  consumersMax: number,
): void {
  if (consumersMax <= 0) return;
  let consumers = 0;
  for (const subscription of subscriptions.values()) consumers += subscription.consumers.length;
  if (consumers < consumersMax) return;
  throw new BrokerError(`${what} reached max consumers limit`, {
    code: "consumer_busy",
    retryable: true,
  });
}
