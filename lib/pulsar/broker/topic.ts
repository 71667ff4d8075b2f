import { lineOf, textOf } from "../../base/mod.ts";
import { MetadataView, PayloadSection } from "../wire/mod.ts";
import type { AppendListener, DocumentPlace, EarlierEntries, Entry, Position } from "./log/mod.ts";
import { Compaction, COMPACTION_SUBSCRIPTION } from "./compaction.ts";
import type { CompactionHost, CompactionStatus } from "./compaction.ts";
import { assertQuota, backlogBytes, enforceQuota } from "./backlog_quota.ts";
import { Cursor, hasTypedConsumers, Subscription } from "./dispatch/mod.ts";
import { Deduplication } from "./deduplication.ts";
import type { DeduplicationState, KnownProducer } from "./deduplication.ts";
import {
  comparePositions,
  EARLIEST,
  EntrySizes,
  PartitionLog,
  readDocument,
  removeDocument,
  writeDocument,
} from "./log/mod.ts";
import { BrokerError, unloading } from "./errors.ts";
import { IdleSubscriptions } from "./idle_subscriptions.ts";
import type { Producer } from "./producer.ts";
import type { SubscriptionState, TopicContext } from "./dispatch/mod.ts";
import { TopicProducers } from "./topic_producers.ts";
import type { TopicPolicies } from "./policies/mod.ts";
import { encodeName, TOPIC_FILE } from "./topic_name.ts";
import type { TopicName } from "./topic_name.ts";
import type { WritableTopic } from "./writable_topic.ts";

const DEDUPLICATION = "deduplication.json";
const CURSOR_SUFFIX = ".cursor";
/** Data that nobody subscribes to is kept at least this long, as the least age of a Pulsar ledger before it rolls. */
const UNSUBSCRIBED_KEEP_MS = 10 * 60_000;

interface TopicState {
  readonly name: string;
  /** Counts exclusive producers, −1 before the first. */
  readonly epoch: number;
  /** Nobody may write any more. */
  readonly isTerminated?: boolean;
}

type Retention = Pick<TopicPolicies, "retentionBytes" | "retentionMs">;

/** What a topic is opened with. */
export interface TopicOptions {
  /** Of its files; made where there is none. */
  readonly folder: string;
  readonly context: TopicContext;
  readonly policies: () => TopicPolicies;
  /** Something of the topic is to be written soon. */
  readonly wantHousekeeping: (topic: Topic) => void;
}

/** One topic without partitions, or one partition: a log, those who write it, and those who read it. */
export class Topic implements WritableTopic, CompactionHost {
  readonly gate = new TopicProducers(() => this.saveState());
  readonly subscriptions = new Map<string, Subscription>();
  messagesIn = 0;
  bytesIn = 0;
  messagesOut = 0;
  bytesOut = 0;
  readonly entrySizes = new EntrySizes();
  /** Why nothing could be stored since something last was. */
  #storeFailure: string | undefined;
  isClosed = false;
  /** Nobody may write any more. */
  isTerminated = false;
  #areCursorsDirty = false;
  #isTrimWanted = false;
  #isFlushWanted = false;
  #writing: Promise<void> | undefined;
  #snapshotAt: Position = EARLIEST;
  readonly #idle = new IdleSubscriptions();
  readonly compaction = new Compaction(this);

  readonly context: TopicContext;
  readonly policies: () => TopicPolicies;
  readonly #wantHousekeeping: () => void;

  private constructor(
    readonly name: TopicName,
    { context, policies, wantHousekeeping }: TopicOptions,
    readonly log: PartitionLog,
    readonly deduplication: Deduplication,
  ) {
    this.context = context;
    this.policies = policies;
    this.#wantHousekeeping = () => wantHousekeeping(this);
    log.onReadable = () => this.wake();
    log.onSealed = () => this.wantTrim();
  }

  /**
   * Opens a topic from its folder, which is made where there is none.
   *
   * @throws {BrokerError} `damaged`, `disk_full`, `disk_error`
   */
  static async open(name: TopicName, options: TopicOptions): Promise<Topic> {
    const { folder, context } = options;
    const { disk, crc32c, durability } = context.shared;
    const at = { disk, crc32c, durability, folder };
    const deduplication = new Deduplication();
    const known = readDocument<DeduplicationState>({ ...at, name: DEDUPLICATION });
    for (const [producer, id] of known?.producers ?? []) deduplication.recover(producer, id);
    const after = known === undefined
      ? EARLIEST
      : { ledgerId: known.position[0], entryId: known.position[1] };
    const log = await PartitionLog.open(context.shared, folder, {
      after,
      visit: (_header, bytes, start, end) => recoverSequence(deduplication, bytes, start, end),
    });
    const topic = new Topic(name, options, log, deduplication);
    topic.#snapshotAt = after;
    const state = readDocument<TopicState>({ ...at, name: TOPIC_FILE });
    topic.gate.epoch = state?.epoch ?? -1;
    topic.isTerminated = state?.isTerminated ?? false;
    if (state === undefined) await topic.saveState();
    for (const file of disk.list(folder)) {
      if (!file.endsWith(CURSOR_SUFFIX)) continue;
      const subscription = readDocument<SubscriptionState>({ ...at, name: file })!;
      topic.subscriptions.set(subscription.name, Subscription.restore(topic, subscription));
    }
    await topic.compaction.open();
    return topic;
  }

  #place(name: string): DocumentPlace {
    const { disk, crc32c, durability } = this.context.shared;
    return { disk, crc32c, durability, folder: this.log.folder, name };
  }

  /** Writes what is known of the topic beside its log. */
  saveState(): Promise<void> {
    const { name, epoch, isTerminated } = this;
    const state: TopicState = { name: name.full, epoch, isTerminated };
    return writeDocument(this.#place(TOPIC_FILE), state);
  }

  /** Stages an entry; `flush` writes it. */
  stage(entry: Entry, listener: AppendListener): void {
    this.#isFlushWanted = true;
    this.log.append(entry, listener);
  }

  /** Writes what was staged. */
  flush(): void {
    if (!this.#isFlushWanted) return;
    this.#isFlushWanted = false;
    this.log.flush();
  }

  noteIn(messages: number, bytes: number): void {
    this.entrySizes.add(bytes);
    this.messagesIn += messages;
    this.bytesIn += bytes;
    this.#storeFailure = undefined;
  }

  /** Sends to all subscriptions what can be sent. */
  wake(): void {
    for (const subscription of this.subscriptions.values()) subscription.wake();
  }

  /** A producer's entry could not be stored: it is closed, so that its client comes again with everything that has no receipt. */
  producerFailed(producer: Producer, error: BrokerError): void {
    if (this.producers.get(producer.name) !== producer) return;
    // Clients come again many times a second while a disk is full.
    if (error.message !== this.#storeFailure) {
      this.#storeFailure = error.message;
      this.context.report(
        `producer ${JSON.stringify(producer.name)} of ${this.name.full}: ${lineOf(error)}`,
      );
    }
    this.removeProducer(producer);
    producer.link.dropProducer(producer.producerId);
  }

  get producers(): ReadonlyMap<string, Producer> {
    return this.gate.byName;
  }

  /** Counts exclusive producers, −1 before the first. */
  get epoch(): number {
    return this.gate.epoch;
  }

  /** Whether somebody is connected who says what the topic holds, or there are messages. */
  get isActive(): boolean {
    return this.producers.size > 0 || this.log.last !== undefined || hasTypedConsumers(this);
  }

  /** What stands for the beginning of the log when it is read compacted. */
  get compacted(): EarlierEntries | undefined {
    return this.compaction.view;
  }

  /**
   * Compacts what there is now.
   *
   * @throws {BrokerError} `conflict` while it is being compacted, `damaged`, `disk_full`, `disk_error`, `closed`
   */
  compact(): Promise<void> {
    return this.compaction.run();
  }

  /** How the last compaction went. */
  get compactionStatus(): CompactionStatus {
    return this.compaction.status;
  }

  compactionSubscription(): Subscription {
    return this.subscribe(COMPACTION_SUBSCRIPTION, {
      isDurable: true,
      markDelete: () => this.log.beforeFirst,
    });
  }

  removeProducer(producer: Producer): void {
    this.gate.remove(producer);
  }

  knownProducer(name: string): KnownProducer | undefined {
    return this.policies().isDeduplicating ? this.deduplication.of(name) : undefined;
  }

  /** @throws {BrokerError} `closed`, `topic_terminated`, `quota_held`, `quota_refused` */
  assertWritable(): void {
    if (this.isClosed) throw unloading();
    if (this.isTerminated) throw terminated();
    assertQuota(this, this.context.clock.wallMs());
  }

  /** Makes the subscription that a producer wants to be there before its first message. */
  async createInitialSubscription(name: string | undefined): Promise<void> {
    if (!name || this.subscriptions.has(name)) return;
    this.subscribe(name, { isDurable: true, markDelete: () => this.log.beforeFirst });
    await this.saveCursors();
  }

  /**
   * Ends the topic for writing, for good: producers are closed, and consumers that have read everything are told.
   *
   * @returns the last message, or the place before the first
   * @throws {BrokerError} `disk_full`, `disk_error`
   */
  async terminate(): Promise<Position> {
    const wasTerminated = this.isTerminated;
    this.isTerminated = true;
    this.flush();
    this.gate.refuseWaiting(terminated());
    this.dropProducers();
    try {
      if (!wasTerminated) await this.saveState();
    } catch (error) {
      this.isTerminated = wasTerminated;
      throw error;
    }
    await this.log.settled();
    for (const subscription of this.subscriptions.values()) subscription.tellEnd(wasTerminated);
    return this.log.last ?? this.log.beforeFirst;
  }

  /** Closes all producers; their clients create them again. */
  dropProducers(): void {
    for (const producer of [...this.producers.values()]) {
      this.removeProducer(producer);
      producer.link.dropProducer(producer.producerId);
    }
  }

  /** The subscription of a name, made at `markDelete` where there is none. */
  subscribe(name: string, options: {
    readonly isDurable: boolean;
    readonly markDelete: () => Position;
    readonly properties?: Readonly<Record<string, string>>;
  }): Subscription {
    const there = this.subscriptions.get(name);
    if (there !== undefined) return there;
    const subscription = new Subscription(this, {
      name,
      isDurable: options.isDurable,
      cursor: new Cursor(this.log, options.markDelete()),
      properties: options.properties ?? {},
    });
    this.subscriptions.set(name, subscription);
    subscription.touch();
    return subscription;
  }

  /**
   * Removes a subscription at once, and its cursor for good: with durability `fsync` a power loss does not bring it back.
   *
   * @throws {BrokerError} `disk_error`
   */
  async unsubscribe(subscription: Subscription): Promise<void> {
    subscription.close();
    this.subscriptions.delete(subscription.name);
    if (!subscription.isDurable) return;
    this.wantTrim();
    // A write under way would bring the cursor back.
    while (this.#writing !== undefined) await this.#writing.catch(() => {});
    // Whoever subscribed again in the meantime writes a cursor of its own in this one's place.
    if (this.subscriptions.get(subscription.name)?.isDurable) return await this.saveCursors();
    await removeDocument(this.#place(cursorFile(subscription)));
  }

  /** A cursor moved: it is written soon. */
  wantCursors(): void {
    this.#areCursorsDirty = true;
    this.#wantHousekeeping();
  }

  /** A segment may have become free: it is removed soon. */
  wantTrim(): void {
    this.#isTrimWanted = true;
    this.#wantHousekeeping();
  }

  /**
   * Writes the cursors that moved.
   *
   * @throws {BrokerError} `disk_full`, `disk_error`; they are tried again
   */
  async saveCursors(): Promise<void> {
    while (this.#areCursorsDirty || this.#writing !== undefined) {
      if (this.#writing !== undefined) {
        await this.#writing.catch(() => {});
        continue;
      }
      this.#writing = this.#writeCursors().finally(() => {
        this.#writing = undefined;
      });
      await this.#writing;
    }
  }

  async #writeCursors(): Promise<void> {
    this.#areCursorsDirty = false;
    for (const subscription of [...this.subscriptions.values()]) {
      if (!subscription.isDirty) continue;
      subscription.isDirty = false;
      try {
        await writeDocument(this.#place(cursorFile(subscription)), subscription.state());
      } catch (error) {
        subscription.isDirty = true;
        this.#areCursorsDirty = true;
        throw error;
      }
    }
  }

  /** Writes cursors and removes what nobody needs any more; called some time after it was wanted. */
  async housekeep(): Promise<void> {
    await this.saveCursors();
    if (this.#isTrimWanted) await this.trim();
  }

  /** The lowest place of all durable subscriptions, or undefined without any. */
  slowest(): Position | undefined {
    let slowest: Position | undefined;
    for (const { isDurable, cursor: { markDelete } } of this.subscriptions.values()) {
      if (!isDurable) continue;
      if (slowest === undefined || comparePositions(markDelete, slowest) < 0) slowest = markDelete;
    }
    return slowest;
  }

  /** Takes everything as acknowledged by all subscriptions, and removes all segments but the last, whatever is to be retained. */
  async truncate(): Promise<void> {
    const end = this.log.last ?? this.log.beforeFirst;
    for (const subscription of this.subscriptions.values()) subscription.ackCumulative(end);
    await this.saveCursors();
    await this.trim({ retentionBytes: 0, retentionMs: 0 });
  }

  /** Removes segments that every durable subscription has acknowledged, beyond what is to be retained. */
  async trim(
    { retentionBytes, retentionMs }: Retention = this.policies(),
  ): Promise<void> {
    this.#isTrimWanted = false;
    if (this.log.segments.length < 2) return;
    await this.#snapshotDeduplication();
    const slowest = this.slowest();
    const now = this.context.clock.wallMs();
    const keepMs = slowest === undefined
      ? Math.max(UNSUBSCRIBED_KEEP_MS, retentionMs)
      : retentionMs;
    let sizeBytes = this.log.sizeBytes;
    this.log.trim(({ ledgerId, index }) => {
      const isAcknowledged = slowest === undefined || ledgerId < slowest.ledgerId ||
        (ledgerId === slowest.ledgerId && slowest.entryId + 1 >= index.entryCount);
      const isCounted = ledgerId <= this.#snapshotAt.ledgerId;
      const isOld = retentionMs >= 0 && now - index.sealedAtMs >= keepMs;
      const isTooMuch = retentionBytes >= 0 && sizeBytes > retentionBytes && slowest !== undefined;
      // As in Pulsar: whichever bound of retention is reached first; with both 0 nothing is retained.
      const isFree = isAcknowledged && isCounted && (isOld || (isTooMuch && retentionBytes > 0));
      if (isFree) sizeBytes -= index.sizeBytes;
      return isFree;
    });
  }

  async #snapshotDeduplication(): Promise<void> {
    const { last } = this.log;
    if (last === undefined || comparePositions(last, this.#snapshotAt) === 0) return;
    await writeDocument(this.#place(DEDUPLICATION), this.deduplication.state(last));
    this.#snapshotAt = last;
  }

  /** Bytes that some durable subscription has not acknowledged. */
  backlogBytes(): number {
    return backlogBytes(this);
  }

  /** Applies the backlog quota to those who are connected. */
  enforceQuota(): void {
    enforceQuota(this, this.context.clock.wallMs());
  }

  /** Once a second. */
  tick(): void {
    const nowUs = this.context.clock.monoUs();
    this.enforceQuota();
    const { subscriptionExpirationMs } = this.policies();
    const expired = this.#idle.expired(this.subscriptions, nowUs, subscriptionExpirationMs);
    for (const subscription of expired) {
      this.unsubscribe(subscription).catch((error: unknown) => {
        this.context.report(`${this.name.full}: ${lineOf(error)}`);
      });
    }
  }

  /** Compacts by itself when there is more to do than the policies allow. */
  #compactIfLarge(): void {
    const { compactionBytes } = this.policies();
    if (compactionBytes <= 0 || this.compactionStatus.status === "RUNNING") return;
    const done = this.compaction.view?.horizon ?? EARLIEST;
    if (this.log.behind(done).bytes < compactionBytes) return;
    // The status and the operator's log tell of a failure, and the next minute tries again.
    this.compact().catch(() => {});
  }

  /** Once a minute: gives back what nobody uses now. */
  closeIdle(): void {
    this.#compactIfLarge();
    this.wantTrim();
    this.log.closeIdleFiles();
  }

  /** Closes everything on it and writes what must survive. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.gate.refuseWaiting(unloading());
    this.dropProducers();
    for (const subscription of this.subscriptions.values()) subscription.close();
    await this.compaction.close();
    await this.log.close();
    try {
      await this.saveCursors();
      await this.#snapshotDeduplication();
    } catch (error) {
      this.context.report(`${this.name.full}: ${lineOf(error)}`);
    }
  }
}

function cursorFile({ name }: Subscription): string {
  return `${encodeName(name)}${CURSOR_SUFFIX}`;
}

function terminated(): BrokerError {
  return new BrokerError("Topic was already terminated", { code: "topic_terminated" });
}

const section = new PayloadSection();
const metadata = new MetadataView();

function recoverSequence(
  deduplication: Deduplication,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { metadataStart, metadataEnd } = section.read(bytes, start, end);
  metadata.read(bytes, metadataStart, metadataEnd);
  // The sequence id of a message in chunks counts when its last chunk is there.
  if (metadata.chunkId >= 0 && metadata.chunkId < metadata.chunkCount - 1) return;
  const name = textOf(bytes.subarray(metadata.producerNameStart, metadata.producerNameEnd));
  deduplication.recover(name, Math.max(metadata.sequenceId, metadata.highestSequenceId));
}
