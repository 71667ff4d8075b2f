import { AdminError, stringMap } from "../policies/mod.ts";
import { unackedBefore } from "./messages.ts";
import {
  assertNamespaceThere,
  isPartitioned,
  isSet,
  openTopic,
  TOPIC,
  topicNotFound,
  topicOf,
  topicsOf,
} from "./paths.ts";
import { route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import { expireUpTo } from "../expiry.ts";
import { comparePositions } from "../log/mod.ts";
import type { Position } from "../log/mod.ts";
import type { Subscription } from "../dispatch/mod.ts";
import type { Topic } from "../topic.ts";

const AT = `${TOPIC}/subscription/:subscription`;

function notFound(request: AdminRequest): AdminError {
  const { subscription } = request.params;
  return new AdminError(
    404,
    `Subscription ${subscription} not found for topic ${topicOf(request).full}`,
  );
}

/** The subscription of the path in each partition that has it. */
async function subscriptionsOf(broker: Broker, request: AdminRequest): Promise<Subscription[]> {
  const name = request.params["subscription"]!;
  const found = (await topicsOf(broker, request))
    .flatMap((topic) => topic.subscriptions.get(name) ?? []);
  if (found.length > 0) return found;
  throw isPartitioned(broker, request)
    ? new AdminError(404, "Subscription not found")
    : notFound(request);
}

async function saveCursors(subscriptions: readonly Subscription[]): Promise<void> {
  for (const { topic } of subscriptions) await topic.saveCursors();
}

interface JsonPosition {
  readonly ledgerId?: number;
  readonly entryId?: number;
}

/** 2^63 − 1 as JSON's numbers have it: the latest message. */
const LATEST_FROM = 2 ** 62;

/** The place before the message that a body names: `earliest`, `latest`, or an id. */
function markOf(topic: Topic, body: unknown, isExcluded: boolean): Position {
  const { log } = topic;
  const latest = log.last ?? log.beforeFirst;
  if (body === undefined || body === null || body === "latest") return latest;
  if (body === "earliest") return log.beforeFirst;
  const { ledgerId, entryId } = body as JsonPosition;
  if (typeof ledgerId !== "number" || typeof entryId !== "number") {
    throw new AdminError(400, "Invalid messageId: expected ledgerId and entryId");
  }
  if (ledgerId >= LATEST_FROM || ledgerId > latest.ledgerId) return latest;
  if (ledgerId < log.beforeFirst.ledgerId) return log.beforeFirst;
  const at = isExcluded ? { ledgerId, entryId } : log.previousPosition({ ledgerId, entryId });
  return comparePositions(at, latest) > 0 ? latest : at;
}

async function create(broker: Broker, request: AdminRequest): Promise<void> {
  const name = topicOf(request);
  assertNamespaceThere(broker, name.namespace);
  const subscription = request.params["subscription"]!;
  const body = await request.json();
  const inner = (body as { messageId?: unknown })?.messageId;
  const start = inner ?? body;
  const properties = stringMap((body as { properties?: unknown })?.properties);
  const isThere = broker.catalog.has(name.full) || broker.catalog.partitionsOf(name.full) > 0;
  if (!isThere && !broker.policies(name).isAutoCreating) throw topicNotFound(name);
  const topics = isThere ? await topicsOf(broker, request) : [await broker.topic(name)];
  if (topics.every((topic) => topic.subscriptions.has(subscription))) {
    throw new AdminError(409, "Subscription already exists for topic");
  }
  for (const topic of topics) {
    topic.subscribe(subscription, {
      isDurable: true,
      markDelete: () => markOf(topic, start, false),
      properties,
    });
    await topic.saveCursors();
  }
}

async function remove(broker: Broker, request: AdminRequest): Promise<void> {
  const subscriptions = await subscriptionsOf(broker, request);
  if (!isSet(request, "force") && subscriptions.some(({ consumers }) => consumers.length > 0)) {
    throw new AdminError(412, "Subscription has active connected consumers");
  }
  for (const subscription of subscriptions) await subscription.topic.unsubscribe(subscription);
}

async function skipAll(broker: Broker, request: AdminRequest): Promise<void> {
  const subscriptions = await subscriptionsOf(broker, request);
  for (const subscription of subscriptions) {
    const { log } = subscription.topic;
    subscription.reset(log.last ?? log.beforeFirst);
  }
  await saveCursors(subscriptions);
}

async function skip(broker: Broker, request: AdminRequest): Promise<void> {
  if (isPartitioned(broker, request)) {
    throw new AdminError(405, "Skip messages on a partitioned topic is not allowed");
  }
  const [subscription] = await subscriptionsOf(broker, request);
  const count = Number(request.params["count"]);
  if (!(count > 0)) return;
  const { log } = subscription!.topic;
  // The place before the one that comes next is the last one that is passed over.
  const mark = unackedBefore(subscription!, count + 1) ?? log.last ?? log.beforeFirst;
  subscription!.reset(mark);
  await saveCursors([subscription!]);
}

async function resetToTime(broker: Broker, request: AdminRequest): Promise<void> {
  const timeMs = Number(request.params["timestamp"]);
  const subscriptions = await subscriptionsOf(broker, request);
  for (const one of subscriptions) one.reset(one.topic.log.lastBefore(timeMs));
  await saveCursors(subscriptions);
}

interface ResetBody {
  readonly messageId?: unknown;
  readonly isExcluded?: boolean;
  /** What Java's admin client calls it. */
  readonly excluded?: boolean;
}

function isExcluded(body: ResetBody | null): boolean {
  return body?.isExcluded === true || body?.excluded === true;
}

async function resetToMessage(broker: Broker, request: AdminRequest): Promise<void> {
  if (isPartitioned(broker, request)) {
    throw new AdminError(405, "Reset-cursor at position is not allowed for partitioned-topic");
  }
  const topic = await openTopic(broker, request);
  const subscription = topic.subscriptions.get(request.params["subscription"]!);
  if (subscription === undefined) throw notFound(request);
  const body = await request.json() as ResetBody;
  subscription.reset(markOf(topic, body?.messageId ?? body, isExcluded(body)));
  await topic.saveCursors();
}

/** With less behind a consumer that is connected, Pulsar does not look for what is old, as it will be read soon. */
const EXPIRY_BACKLOG_MIN = 1_000;

/** Whether Pulsar looks for messages that are old enough (PersistentSubscription.expireMessages). */
function isExpirable(subscription: Subscription, mark: Position): boolean {
  const { entries } = subscription.backlog();
  if (entries === 0) return false;
  const isMoving = comparePositions(mark, subscription.cursor.markDelete) > 0;
  return isMoving || subscription.consumers.length === 0 || entries >= EXPIRY_BACKLOG_MIN;
}

/** Moves subscriptions over what is old enough, without closing their consumers. */
async function expire(
  request: AdminRequest,
  subscriptions: readonly Subscription[],
  markFor: (subscription: Subscription) => Position,
): Promise<void> {
  for (const subscription of subscriptions) {
    const { topic, name } = subscription;
    const nowMs = topic.context.clock.wallMs();
    const mark = markFor(subscription);
    const isByTime = request.params["seconds"] !== undefined;
    if (isByTime && !isExpirable(subscription, mark)) {
      throw new AdminError(
        409,
        `Expire message by timestamp not issued on topic ${topic.name.full} for subscription ${name} due to ongoing message expiration not finished or subscription almost catch  up. If it's performed on a partitioned topic operation might succeeded on other partitions, please check stats of individual partition.`,
      );
    }
    expireUpTo(subscription, mark, nowMs);
  }
  await saveCursors(subscriptions);
}

function olderThan(broker: Broker, request: AdminRequest) {
  const timeMs = broker.parts.clock.wallMs() - Number(request.params["seconds"]) * 1000;
  return (subscription: Subscription) => subscription.topic.log.lastBefore(timeMs);
}

async function expireAll(broker: Broker, request: AdminRequest): Promise<void> {
  const subscriptions = (await topicsOf(broker, request))
    .flatMap((topic) => [...topic.subscriptions.values()]);
  await expire(request, subscriptions, olderThan(broker, request));
}

async function expireToMessage(broker: Broker, request: AdminRequest): Promise<void> {
  const body = await request.json() as ResetBody;
  const topic = await openTopic(broker, request);
  const mark = markOf(topic, body?.messageId ?? body, !isExcluded(body));
  await expire(request, await subscriptionsOf(broker, request), () => mark);
}

async function putProperties(broker: Broker, request: AdminRequest): Promise<void> {
  const properties = stringMap(await request.json());
  const subscriptions = await subscriptionsOf(broker, request);
  for (const subscription of subscriptions) {
    subscription.properties = properties;
    subscription.touch();
  }
  await saveCursors(subscriptions);
}

/** How many entries a subscription's place is from a message; for tools that move places. */
async function backlogSize(broker: Broker, request: AdminRequest): Promise<number> {
  const topic = await openTopic(broker, request);
  return topic.log.behind(markOf(topic, await request.json(), false)).bytes;
}

/** Subscriptions of topics. */
export function subscriptionRoutes(broker: Broker): Route[] {
  return [
    route(`GET ${TOPIC}/subscriptions`, async (request) => [
      ...new Set((await topicsOf(broker, request)).flatMap((one) => [...one.subscriptions.keys()])),
    ], "use"),
    route(`PUT ${AT}`, (request) => create(broker, request), "consume"),
    route(`DELETE ${AT}`, (request) => remove(broker, request), "consume"),
    route(`POST ${AT}/skip_all`, (request) => skipAll(broker, request), "consume"),
    route(`POST ${AT}/skip/:count(-?\\d+)`, (request) => skip(broker, request), "consume"),
    route(`POST ${AT}/resetcursor`, (request) => resetToMessage(broker, request), "consume"),
    route(
      `POST ${AT}/resetcursor/:timestamp(-?\\d+)`,
      (request) => resetToTime(broker, request),
      "consume",
    ),
    route(
      `POST ${AT}/expireMessages/:seconds(-?\\d+)`,
      async (request) =>
        expire(request, await subscriptionsOf(broker, request), olderThan(broker, request)),
      "consume",
    ),
    route(`POST ${AT}/expireMessages`, (request) => expireToMessage(broker, request), "consume"),
    route(
      `POST ${TOPIC}/all_subscription/expireMessages/:seconds(-?\\d+)`,
      (request) => expireAll(broker, request),
      "consume",
    ),
    route(`GET ${AT}/properties`, async (request) => {
      const [first] = await subscriptionsOf(broker, request);
      return first!.properties;
    }, "consume"),
    route(`PUT ${AT}/properties`, (request) => putProperties(broker, request), "consume"),
    route(`PUT ${TOPIC}/backlogSize`, (request) => backlogSize(broker, request), "consume"),
    route(`GET ${AT}/replicatedSubscriptionStatus`, async (request) =>
      Object.fromEntries(
        (await subscriptionsOf(broker, request)).map(({ topic }) => [topic.name.full, false]),
      ), "consume"),
    route(`POST ${AT}/replicatedSubscriptionStatus`, () => {
      throw new AdminError(405, "Replicated subscriptions are not supported by this broker");
    }),
  ];
}
