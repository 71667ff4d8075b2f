/** Commands about the topics of a namespace: their list, and keeping it up to date. */
import type {
  CommandGetTopicsOfNamespace,
  CommandWatchTopicList,
  CommandWatchTopicListClose,
} from "../../wire/mod.ts";
import type { Broker } from "../broker.ts";
import { BrokerError } from "../errors.ts";
import type { Session } from "./session.ts";
import { PATTERN_LENGTH_MAX, topicListHash, topicMatcher } from "./topic_list.ts";
import { TopicWatcher } from "../topic_watcher.ts";

const MODE_PERSISTENT = 0;
const MODE_NON_PERSISTENT = 1;
const WATCHERS_MAX = 1000;

function topicsOf(broker: Broker, namespace: string, mode: number): string[] {
  const persistent = mode === MODE_NON_PERSISTENT ? [] : broker.catalog.topics(namespace);
  return mode === MODE_PERSISTENT
    ? persistent
    : [...persistent, ...broker.nonPersistentNames(namespace)];
}

/** GET_TOPICS_OF_NAMESPACE: names of topics, partitions one by one; all, or those that match a pattern. */
export async function handleGetTopics(
  connection: Session,
  { requestId, namespace, mode = MODE_PERSISTENT, topicsPattern, topicsHash }:
    CommandGetTopicsOfNamespace,
): Promise<void> {
  const { broker } = connection;
  const all = topicsOf(broker, namespace, mode);
  // As in Pulsar, a pattern that is too long to be looked at here is the client's affair.
  const filtered = topicsPattern !== undefined && topicsPattern.length <= PATTERN_LENGTH_MAX;
  const topics = filtered ? all.filter(await topicMatcher(topicsPattern)) : all;
  const hash = topicListHash(topics, broker.parts.crc32c);
  const isKnown = topicsHash === hash;
  connection.send("GET_TOPICS_OF_NAMESPACE_RESPONSE", {
    requestId,
    topics: isKnown ? [] : topics,
    filtered,
    topicsHash: hash,
    changed: !isKnown,
  });
}

/** WATCH_TOPIC_LIST: the topics that match, and from now on those that come and go; a watcher that is there already is read anew. */
export async function handleWatchTopicList(
  connection: Session,
  { requestId, watcherId, namespace, topicsPattern, topicsHash }: CommandWatchTopicList,
): Promise<void> {
  const { broker, watchers } = connection;
  if (topicsPattern.replace(/^(non-)?persistent:\/\//, "").length > PATTERN_LENGTH_MAX) {
    throw new BrokerError(
      `Unable to create topic list watcher: Pattern longer than maximum: ${PATTERN_LENGTH_MAX}`,
      { code: "not_supported" },
    );
  }
  const matches = await topicMatcher(topicsPattern);
  if (connection.isClosed) return;
  if (watchers.size >= WATCHERS_MAX) {
    throw new BrokerError(`Cannot watch topics: the connection has ${watchers.size} watchers`, {
      code: "too_many_requests",
    });
  }
  dropWatcher(connection, watcherId);
  const { clock, crc32c } = broker.parts;
  const watcher = new TopicWatcher({
    namespace,
    matches,
    clock,
    topics: broker.catalog.topics(namespace),
    changed: ({ added, removed, topics }) =>
      connection.send("WATCH_TOPIC_UPDATE", {
        watcherId,
        newTopics: added,
        deletedTopics: removed,
        topicsHash: topicListHash(topics, crc32c),
      }),
  });
  watchers.set(watcherId, watcher);
  broker.catalog.watchers.add(watcher);
  const hash = topicListHash(watcher.topics, crc32c);
  connection.send("WATCH_TOPIC_LIST_SUCCESS", {
    requestId,
    watcherId,
    topic: hash === topicsHash ? [] : [...watcher.topics],
    topicsHash: hash,
  });
}

/** WATCH_TOPIC_LIST_CLOSE. */
export function handleWatchTopicListClose(
  connection: Session,
  { requestId, watcherId }: CommandWatchTopicListClose,
): void {
  dropWatcher(connection, watcherId);
  connection.send("SUCCESS", { requestId });
}

function dropWatcher({ broker, watchers }: Session, watcherId: number): void {
  const watcher = watchers.get(watcherId);
  if (watcher === undefined) return;
  watchers.delete(watcherId);
  broker.catalog.watchers.delete(watcher);
  watcher.close();
}

/** The connection ends: so do its watchers. */
export function dropWatchers(connection: Session): void {
  for (const watcherId of [...connection.watchers.keys()]) dropWatcher(connection, watcherId);
}
