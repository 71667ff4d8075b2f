import { AdminError } from "../policies/mod.ts";
import { openTopic, TOPIC, topicOf, topicsOf } from "./paths.ts";
import { route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import type { Subscription } from "../dispatch/mod.ts";
import { comparePositions, readEntryAfter } from "../log/mod.ts";
import type { Position } from "../log/mod.ts";
import type { Topic } from "../topic.ts";

/** As Pulsar's `subscriptionBacklogScanMaxEntries`: what lies behind is not counted, and the answer says so. */
const SCANNED_ENTRIES_MAX = 10_000;
/** Others get their turn after as many. */
const SCANNED_AT_ONCE = 200;

interface Scan {
  entries: number;
  messages: number;
  isAborted: boolean;
  first: Position | undefined;
  last: Position | undefined;
}

/** Counts what a subscription has not acknowledged, by reading it. */
async function scan(topic: Topic, { cursor }: Subscription, after: Position): Promise<Scan> {
  const found: Scan = {
    entries: 0,
    messages: 0,
    isAborted: false,
    first: undefined,
    last: undefined,
  };
  let at = after;
  for (let read = 1;; read++) {
    if (topic.isClosed) throw new AdminError(503, "The topic is being unloaded");
    const entry = readEntryAfter(topic.log, at);
    if (entry === undefined) return found;
    if (read > SCANNED_ENTRIES_MAX) return { ...found, isAborted: true };
    at = entry.position;
    if (cursor.isAcked(at.ledgerId, at.entryId)) continue;
    found.entries++;
    found.messages += entry.metadata.numMessagesInBatch ?? 1;
    found.first ??= at;
    found.last = at;
    if (read % SCANNED_AT_ONCE === 0) await topic.context.clock.sleep(0);
  }
}

const textOf = (at: Position | undefined) => at && `${at.ledgerId}:${at.entryId}`;

/** What of the log is before the message that the body names; the subscription's place where it names none. */
function startOf({ topic, cursor }: Subscription, body: unknown): Position {
  const { ledgerId = -1, entryId = -1 } = (body ?? {}) as Partial<Position>;
  if (!(ledgerId >= 0)) return cursor.markDelete;
  const before = topic.log.previousPosition({ ledgerId, entryId });
  return comparePositions(before, topic.log.beforeFirst) < 0 ? topic.log.beforeFirst : before;
}

async function analyze(broker: Broker, request: AdminRequest): Promise<unknown> {
  const topic = await openTopic(broker, request);
  const name = request.params["subscription"]!;
  const subscription = topic.subscriptions.get(name);
  if (subscription === undefined) {
    throw new AdminError(404, `Subscription ${name} not found for topic ${topicOf(request).full}`);
  }
  const start = startOf(subscription, await request.json());
  const { entries, messages, isAborted, first, last } = await scan(topic, subscription, start);
  return {
    entries,
    messages,
    markerMessages: 0,
    // There are no filters: everything is let through.
    filterRejectedEntries: 0,
    filterAcceptedEntries: entries,
    filterRescheduledEntries: 0,
    filterRejectedMessages: 0,
    filterAcceptedMessages: messages,
    filterRescheduledMessages: 0,
    aborted: isAborted,
    firstMessageId: textOf(first),
    lastMessageId: textOf(last),
  };
}

/** What lies behind subscriptions: counted, or thrown away. */
export function backlogRoutes(broker: Broker): Route[] {
  return [
    route(
      `POST ${TOPIC}/subscription/:subscription/analyzeBacklog`,
      (request) => analyze(broker, request),
      "consume",
    ),
    route(`DELETE ${TOPIC}/truncate`, async (request) => {
      for (const topic of await topicsOf(broker, request)) await topic.truncate();
    }),
  ];
}
