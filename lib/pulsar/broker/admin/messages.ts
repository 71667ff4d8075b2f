import { messageOf } from "../../../base/mod.ts";
import { CompressionType } from "../../wire/mod.ts";
import type { MessageMetadata } from "../../wire/mod.ts";
import { AdminError } from "../policies/mod.ts";
import { isPartitioned, openTopic, TOPIC, topicOf } from "./paths.ts";
import { route } from "./router.ts";
import type { AdminRequest, Route } from "./router.ts";
import type { Broker } from "../broker.ts";
import { plainPayload, readEntryAfter } from "../log/mod.ts";
import type { PartitionLog, Position, StoredEntry } from "../log/mod.ts";
import type { Subscription } from "../dispatch/mod.ts";

const COMPRESSIONS = new Map<number, string>(
  Object.entries(CompressionType).map(([name, number]) => [number, name]),
);

/** A moment as Java writes it: fractions of a second only as far as there are any. */
function instantOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, "Z");
}

/** Headers hold one byte a character; what does not fit becomes a question mark, as in Pulsar. */
function headerSafe(text: string): string {
  return text.replace(/[^\x20-\xff]/g, "?");
}

function headersOf(entry: StoredEntry, plainBytes: number): Headers {
  const { position, metadata, sizeBytes } = entry;
  const { numMessagesInBatch, compression = 0 } = metadata;
  const properties = Object.fromEntries(
    (metadata.properties ?? []).map(({ key, value }) => [key, value]),
  );
  const values: Record<string, unknown> = {
    "X-Pulsar-Message-ID": `${position.ledgerId}:${position.entryId}`,
    "X-Pulsar-PROPERTY": JSON.stringify(properties),
    "X-Pulsar-publish-time": instantOf(metadata.publishTime),
    "X-Pulsar-event-time": metadata.eventTime ? instantOf(metadata.eventTime) : undefined,
    "X-Pulsar-deliver-at-time": metadata.deliverAtTime
      ? instantOf(metadata.deliverAtTime)
      : undefined,
    "X-Pulsar-num-batch-message": numMessagesInBatch,
    "X-Pulsar-batch-size": numMessagesInBatch === undefined ? undefined : sizeBytes,
    "X-Pulsar-null-value": metadata.nullValue || undefined,
    "X-Pulsar-Is-Encrypted": (metadata.encryptionKeys?.length ?? 0) > 0,
    "X-Pulsar-producer-name": metadata.producerName,
    "X-Pulsar-sequence-id": metadata.sequenceId,
    "X-Pulsar-schema-version": hexadecimal(metadata.schemaVersion),
    "X-Pulsar-compression": compression === 0 ? undefined : COMPRESSIONS.get(compression),
    "X-Pulsar-uncompressed-size": compression === 0 ? undefined : plainBytes,
    "X-Pulsar-Base64-ordering-key": metadata.orderingKey?.toBase64(),
    "X-Pulsar-total-chunk-message-size": metadata.totalChunkMsgSize,
    "X-Pulsar-uuid": metadata.uuid,
    "X-Pulsar-num-chunks-from-message": metadata.numChunksFromMsg,
    "X-Pulsar-chunk-id": metadata.chunkId,
    "X-Pulsar-txn-uncommitted": false,
    ...keyHeader(metadata),
    "content-type": "application/json",
  };
  const headers = new Headers();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) headers.set(name, headerSafe(String(value)));
  }
  return headers;
}

function keyHeader(
  { partitionKey, partitionKeyB64Encoded, nullPartitionKey }: MessageMetadata,
): Record<string, unknown> {
  return {
    "X-Pulsar-null-partition-key": nullPartitionKey || undefined,
    "X-Pulsar-partition-key": partitionKey,
    "X-Pulsar-partition-key-b64-encoded": partitionKeyB64Encoded || undefined,
  };
}

function hexadecimal(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : bytes.toBase64();
}

/** An entry as Pulsar's clients take it apart: metadata in headers, the payload without compression. */
function entryResponse(entry: StoredEntry | undefined, missing: string): Response {
  if (entry === undefined) throw new AdminError(404, missing);
  let payload: Uint8Array;
  try {
    payload = plainPayload(entry);
  } catch (error) {
    throw new AdminError(500, messageOf(error));
  }
  return new Response(payload as Uint8Array<ArrayBuffer>, {
    headers: headersOf(entry, payload.length),
  });
}

/**
 * The entry that is `count` behind a position.
 *
 * @returns the place before it, for reading, or undefined where there are fewer
 */
function positionBefore(
  log: PartitionLog,
  after: Position,
  count: number,
): Position | undefined {
  let left = count;
  for (const { ledgerId, settledEntries } of log.segments) {
    if (ledgerId < after.ledgerId) continue;
    const first = ledgerId === after.ledgerId ? after.entryId + 1 : 0;
    const there = Math.max(0, settledEntries - first);
    if (left <= there) return { ledgerId, entryId: first + left - 2 };
    left -= there;
  }
  return undefined;
}

/** The entry that is `count` behind a subscription's place, leaving out what is acknowledged; the place before it. */
export function unackedBefore(
  { cursor, topic }: Subscription,
  count: number,
): Position | undefined {
  const { log } = topic;
  const last = log.last;
  if (last === undefined) return undefined;
  let before = cursor.markDelete;
  let left = count;
  const isBehind = (at: Position) =>
    at.ledgerId > last.ledgerId || (at.ledgerId === last.ledgerId && at.entryId > last.entryId);
  for (let at = log.nextPosition(before); !isBehind(at); at = log.nextPosition(at)) {
    if (!cursor.isAcked(at.ledgerId, at.entryId)) {
      left--;
      if (left === 0) return before;
    }
    before = at;
  }
  return undefined;
}

async function peek(broker: Broker, request: AdminRequest): Promise<Response> {
  if (isPartitioned(broker, request)) {
    throw new AdminError(405, "Peek messages on a partitioned topic is not allowed");
  }
  const topic = await openTopic(broker, request);
  const count = Number(request.params["position"]);
  if (!(count >= 1)) throw new AdminError(500, "The position counts from 1");
  const subscription = topic.subscriptions.get(request.params["subscription"]!);
  if (subscription === undefined) throw new AdminError(404, "Message not found");
  const before = unackedBefore(subscription, count);
  const entry = before === undefined ? undefined : readEntryAfter(topic.log, before);
  return entryResponse(entry, "Message not found");
}

async function examine(broker: Broker, request: AdminRequest): Promise<Response> {
  if (isPartitioned(broker, request)) {
    throw new AdminError(
      405,
      "Examine messages on a partitioned topic is not allowed, please try examine message on specific topic partition",
    );
  }
  const { log } = await openTopic(broker, request);
  const total = log.entryCount;
  if (total === 0) {
    throw new AdminError(412, "Could not examine messages due to the total message is zero");
  }
  const query = request.url.searchParams;
  const wanted = Math.trunc(Number(query.get("messagePosition") ?? 1)) || 1;
  const count = Math.min(total, Math.max(1, wanted));
  const isEarliest = query.get("initialPosition") === "earliest";
  const before = positionBefore(log, log.beforeFirst, isEarliest ? count : total - count + 1);
  return entryResponse(before && readEntryAfter(log, before), "Message not found");
}

async function byId(broker: Broker, request: AdminRequest): Promise<Response> {
  const { log } = await openTopic(broker, request);
  const ledgerId = Number(request.params["ledger"]);
  const entryId = Number(request.params["entry"]);
  const segment = log.segmentOf(ledgerId);
  const isThere = segment !== undefined && entryId >= 0 && entryId < segment.settledEntries;
  const entry = isThere ? readEntryAfter(log, { ledgerId, entryId: entryId - 1 }) : undefined;
  return entryResponse(entry, "Message id not found");
}

/** The first message that was published at a time or after it. */
async function idByTime(broker: Broker, request: AdminRequest): Promise<unknown> {
  const { log } = await openTopic(broker, request);
  const before = log.lastBefore(Number(request.params["timestamp"]));
  const isNone = before.entryId < 0 && before.ledgerId === log.beforeFirst.ledgerId;
  const at = isNone ? { ledgerId: -1, entryId: -1 } : log.nextPosition(before);
  return messageIdOf(at, topicOf(request).partition);
}

/** A message id as Pulsar's admin interface writes it. */
export function messageIdOf({ ledgerId, entryId }: Position, partition: number): unknown {
  return { ledgerId, entryId, partitionIndex: partition, batchIndex: -1, batchSize: 0 };
}

/** Single messages of topics. */
export function messageRoutes(broker: Broker): Route[] {
  return [
    route(
      `GET ${TOPIC}/subscription/:subscription/position/:position(-?\\d+)`,
      (request) => peek(broker, request),
      "consume",
    ),
    route(`GET ${TOPIC}/examinemessage`, (request) => examine(broker, request), "consume"),
    route(
      `GET ${TOPIC}/ledger/:ledger(-?\\d+)/entry/:entry(-?\\d+)`,
      (request) => byId(broker, request),
      "consume",
    ),
    route(
      `GET ${TOPIC}/messageid/:timestamp(-?\\d+)`,
      (request) => idByTime(broker, request),
      "consume",
    ),
  ];
}
