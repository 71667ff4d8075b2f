/** One consumer of one topic or partition: from the broker's frames to messages, and from acknowledgements to the broker's commands. */
import { AckSender } from "./ack_sender.ts";
import type { AckId } from "./ack_tracker.ts";
import { BatchBits } from "./batch_bits.ts";
import { ChunkAssembler } from "./chunk_assembler.ts";
import { closedError } from "./closed_error.ts";
import type { ClientContext } from "./context.ts";
import { type Chunk, type EntryHeader, MessageDecoder } from "./message_decoder.ts";
import { type MessageId, messageIdData, messageIdOf } from "./message_id.ts";
import { Permits } from "./permits.ts";
import { ReadingPlace } from "./reading_place.ts";
import {
  type EntryOrigin,
  type EntryParts,
  ReceivedEntry,
  type ReceivedMessage,
} from "./received_entry.ts";
import { Redelivery } from "./redelivery.ts";
import type { Schema, TopicSchema } from "./schema.ts";
import type { InboxSource } from "./inbox.ts";
import { unexpected } from "./lookup.ts";
import type {
  TopicConsumerOptions,
  TopicConsumerOwner,
  TopicConsumerParts,
  TopicCounters,
} from "./topic_consumer_parts.ts";
import { type SessionHost, TopicSession } from "./topic_session.ts";
import type { Position } from "../../contract.ts";
import {
  CommandSubscribeSubType,
  expectCommand,
  type Frame,
  type MessageIdData,
  type MessageView,
  ProtoWriter,
  PulsarError,
  writeFlow,
} from "../wire/mod.ts";

/** How often one entry may come damaged before `receive` is told. */
const DAMAGED_DELIVERIES_MAX = 3;
/** Damaged entries that are remembered. */
const DAMAGED_ENTRIES_MAX = 1000;

/** Reads one topic. */
export class TopicConsumer implements SessionHost, EntryOrigin, InboxSource {
  readonly topic: string;
  readonly partition: number;
  readonly schema: Schema<unknown> | undefined;
  readonly session: TopicSession;
  readonly acks: AckSender;
  readonly redelivery: Redelivery;
  readonly counters: TopicCounters = {
    messages: 0,
    bytes: 0,
    damaged: 0,
    incompleteChunkedMessages: 0,
  };
  readonly #context: ClientContext;
  readonly #options: TopicConsumerOptions;
  readonly #owner: TopicConsumerOwner;
  readonly #decoder: MessageDecoder;
  readonly #permits: Permits;
  readonly #chunks: ChunkAssembler;
  readonly #writer = new ProtoWriter();
  readonly #damaged = new Map<string, number>();
  readonly #place: ReadingPlace;
  #epoch = 0;
  #isSeeking = false;
  #isPaused = false;
  hasReachedEnd = false;

  private constructor(
    context: ClientContext,
    options: TopicConsumerOptions,
    owner: TopicConsumerOwner,
  ) {
    this.#context = context;
    this.#options = options;
    this.#owner = owner;
    this.topic = options.topic;
    this.partition = options.partition;
    this.schema = options.schema;
    this.#place = new ReadingPlace(options.start, options.includesStart);
    const consumesEncrypted = options.cryptoFailureAction === "consume";
    this.#decoder = new MessageDecoder(context.crc32c, { consumesEncrypted });
    this.#permits = new Permits(options.permits);
    this.session = new TopicSession(context, options.topic, this);
    this.acks = new AckSender(context.clock, this.session, {
      ...options,
      receiptTimeoutMs: context.requestTimeoutMs,
      acknowledged: (id, isWhole) => this.redelivery.acknowledged(id, isWhole),
    });
    this.redelivery = new Redelivery(context.clock, options, {
      redeliver: (positions) => this.#redeliver(positions),
      deadLetter: (message) => this.#deadLetter(message),
      housekeeping: () => this.#expireChunks(),
    });
    this.#chunks = new ChunkAssembler({
      pendingMax: options.maxPendingChunkedMessages,
      messageBytesMax: options.chunkedMessageBytesMax,
      expiryMs: options.expireIncompleteChunkedMessageMs,
      dropped: (positions, why) => this.#chunksDropped(positions, why),
    });
  }

  /** @throws {PulsarError} why it cannot subscribe */
  static async open(
    context: ClientContext,
    options: TopicConsumerOptions,
    { owner, signal }: TopicConsumerParts,
  ): Promise<TopicConsumer> {
    const consumer = new TopicConsumer(context, options, owner);
    try {
      await consumer.session.open(signal);
      return consumer;
    } catch (error) {
      await consumer.close(closedError(`read ${options.topic}`, "consumer"));
      throw error;
    }
  }

  /** Whether the broker counts redeliveries, and delivers single entries again. */
  get isShared(): boolean {
    const { subType } = this.#options.subscribe;
    return subType === CommandSubscribeSubType.Shared ||
      subType === CommandSubscribeSubType.Key_Shared;
  }

  /** A message of an entry that was handed over has been taken. */
  taken(message: ReceivedMessage<unknown>): void {
    this.#permits.settled(1);
    this.#place.taken(message);
    this.counters.messages++;
    this.counters.bytes += message.byteLength;
    this.redelivery.taken(message);
    this.grantPermits();
  }

  /** Messages that were handed over are not needed any more. */
  withdrawn(count: number): void {
    this.#permits.settled(count);
  }

  /** Allows the broker to send what there is room for. */
  grantPermits(): void {
    const { connection } = this.session;
    if (connection === undefined || this.#isPaused || this.#isSeeking) return;
    let permits = this.#permits.take();
    if (permits === 0 && this.#isUnbuffered) permits = this.#permitsForWaiting();
    if (permits === 0) return;
    writeFlow(this.#writer.reset(), this.session.consumerId, permits);
    connection.write(this.#writer.finish());
  }

  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused;
    if (!isPaused) this.grantPermits();
  }

  /** Delivers again everything that was not acknowledged. */
  redeliverAll(): void {
    this.#owner.withdraw(this);
    this.#place.goBack();
    this.redelivery.clear();
    this.#chunks.clear();
    this.#epoch++;
    const consumerEpoch = this.isShared ? undefined : this.#epoch;
    this.acks.flush();
    this.acks.redeliver({ consumerEpoch });
    this.grantPermits();
  }

  /** Sets the subscription's cursor.
   *
   * @throws {PulsarError} what the broker answers
   */
  async seek(target: MessageId | number): Promise<void> {
    const action = `seek in ${this.topic}`;
    const session = this.session.sessionCount;
    this.acks.flush();
    this.#isSeeking = true;
    const takeBack = this.#place.moveTo(target);
    this.#owner.withdraw(this);
    this.session.didWork = true;
    try {
      const body = typeof target === "number"
        ? { messagePublishTime: target }
        : { messageId: seekTarget(target) };
      await this.session.requestRetrying("SEEK", body, action);
      this.acks.clear();
      this.redelivery.clear();
      this.hasReachedEnd = false;
    } catch (error) {
      takeBack();
      throw error;
    } finally {
      this.#isSeeking = false;
      // The broker has closed the consumer; should it not have, what is on its way is of before, and what was dropped comes no more.
      const { connection, sessionCount } = this.session;
      if (connection !== undefined && sessionCount === session) this.session.renew();
    }
    await this.session.whenSubscribed();
    this.grantPermits();
  }

  /** The topic's last message, and the subscription's cursor where the broker tells it. */
  async lastMessageId(): Promise<
    { last: MessageId | undefined; markDelete: Position | undefined }
  > {
    const action = `read the last message id of ${this.topic}`;
    const answer = await this.session.requestRetrying("GET_LAST_MESSAGE_ID", {}, action);
    if (answer.type !== "GET_LAST_MESSAGE_ID_RESPONSE") throw unexpected(action, answer.type);
    const { lastMessageId, consumerMarkDeletePosition: markDelete } = answer.body;
    const last = lastMessageId.entryId < 0
      ? undefined
      : { ...messageIdOf(lastMessageId, this.topic), partition: this.partition };
    return { last, markDelete };
  }

  /** Whether the topic has a message after the last one taken. */
  async hasMessageAvailable(): Promise<boolean> {
    const { last, markDelete } = await this.lastMessageId();
    return last !== undefined && this.#place.isBefore(last, markDelete);
  }

  async unsubscribe(force: boolean): Promise<void> {
    const action = `unsubscribe ${this.#options.subscribe.subscription} from ${this.topic}`;
    await this.session.requestRetrying("UNSUBSCRIBE", { force }, action);
    await this.close(closedError(`read ${this.topic}`, "consumer"), { tellBroker: false });
  }

  async close(
    error: PulsarError,
    { tellBroker = true }: { readonly tellBroker?: boolean } = {},
  ): Promise<void> {
    this.redelivery.close();
    this.acks.close(error);
    this.#chunks.clear();
    await this.session.close(error, tellBroker);
  }

  subscribeBody(): ReturnType<SessionHost["subscribeBody"]> {
    const { subscribe } = this.#options;
    const consumerEpoch = this.isShared ? undefined : this.#epoch;
    if (subscribe.durable !== false) return { ...subscribe, consumerEpoch };
    this.#place.goOn();
    const { start, startTimeMs } = this.#place;
    const agoSec = startTimeMs === undefined
      ? subscribe.startMessageRollbackDurationSec
      : Math.max(1, Math.ceil((this.#context.clock.wallMs() - startTimeMs) / 1000));
    const startMessageId = start === undefined ? undefined : messageIdData(start.id);
    return { ...subscribe, consumerEpoch, startMessageId, startMessageRollbackDurationSec: agoSec };
  }

  subscribed(): void {
    this.#owner.withdraw(this);
    if (this.#options.subscribe.durable === false) this.#place.goOn();
    this.#permits.reset();
    this.redelivery.clear();
    this.#chunks.clear();
    this.acks.sessionBegins();
    this.grantPermits();
  }

  message(frame: Frame, view: MessageView): void {
    const { redeliveryCount, consumerEpoch, ackSetWords } = view;
    const { ledgerId, entryId } = view.messageId;
    const count = this.#decoder.open(frame.bytes, frame.commandEnd, frame.end);
    const ackSet = ackSetWords === 0
      ? undefined
      : BatchBits.fromAckSet(expectCommand(frame, "MESSAGE").ackSet!, count);
    // What is acknowledged already the broker has not counted.
    const permits = ackSet?.count ?? count;
    this.#permits.arrived(permits, frame.end - frame.start);
    const isOutdated = consumerEpoch >= 0 && consumerEpoch < this.#epoch;
    const taken = isOutdated || this.#isSeeking
      ? 0
      : this.#receive({ ledgerId, entryId, redeliveryCount }, ackSet);
    this.#permits.settled(permits - taken);
    this.grantPermits();
  }

  activeChanged(isActive: boolean): void {
    // Who reads now gets what waits here, from the first that is not acknowledged on.
    if (!isActive) this.#owner.withdraw(this);
    this.#owner.activeChanged(isActive, this.topic);
  }

  reachedEnd(): void {
    this.hasReachedEnd = true;
    this.#owner.reachedEnd();
  }

  failed(error: unknown): void {
    this.#owner.failed(error, this.topic);
  }

  /** Hands the entry last opened over; returns how many of its messages are to be taken. */
  #receive(header: EntryHeader, ackSet: BatchBits | undefined): number {
    try {
      const decoded = this.#decoder.decode(header);
      if (decoded.kind === "marker") return 0;
      if (decoded.kind === "message") return this.#deliver(decoded.parts, ackSet);
      return this.#addChunk(decoded.chunk);
    } catch (error) {
      if (!(error instanceof PulsarError)) throw error;
      this.#undecodable(error, header);
      return 0;
    }
  }

  #addChunk(chunk: Chunk): number {
    if (this.acks.tracker.unacknowledged(chunk.parts) === "none") return 0;
    if (this.#isOrphan(chunk)) {
      this.#chunksDropped([chunk.parts], "expired");
      return 0;
    }
    const assembled = this.#chunks.add(chunk, this.#context.clock.monoUs() / 1000);
    if (this.#chunks.pending > 0) {
      this.redelivery.wakeWithin(this.#options.expireIncompleteChunkedMessageMs);
    }
    if (assembled === undefined) return 0;
    this.acks.chunked(assembled.positions);
    return this.#deliver(assembled.parts, undefined);
  }

  /** Its beginning lies before this subscription's: what comes first now is old, and the rest of it will not come. */
  #isOrphan({ uuid, chunkId, parts }: Chunk): boolean {
    if (chunkId === 0 || this.#chunks.has(uuid)) return false;
    const ageMs = this.#context.clock.wallMs() - parts.publishTimeMs;
    return ageMs >= this.#options.expireIncompleteChunkedMessageMs;
  }

  #deliver(parts: EntryParts, ackSet: BatchBits | undefined): number {
    const known = this.acks.tracker.unacknowledged(parts);
    if (known === "none") return 0;
    const entry = new ReceivedEntry(this, parts);
    entry.wanted = ackSet;
    if (known !== undefined) this.#narrow(entry, (i) => known.has(i));
    if (!this.#applyStart(entry)) return 0;
    if (this.#options.subscribe.readCompacted === true && entry.isBatch) {
      this.#narrow(entry, (i) => entry.single(i)?.compactedOut !== true);
    }
    const count = entry.left;
    if (count === 0) return 0;
    this.session.didWork = true;
    this.hasReachedEnd = false;
    if (this.redelivery.isSpent(entry)) {
      for (let message = entry.next(); message !== undefined; message = entry.next()) {
        void this.redelivery.bury(message);
      }
      return 0;
    }
    this.#prepareSchema(entry);
    this.#owner.arrived(this, entry);
    return count;
  }

  /** Leaves out what lies before the place where reading begins; false where nothing is left. */
  #applyStart(entry: ReceivedEntry): boolean {
    const first = this.#place.firstWanted(entry);
    if (first === 0) return true;
    // The subscription is past them, or its cursor would stay here for ever.
    if (this.#options.subscribe.durable !== false) this.#acknowledgeBefore(entry, first);
    if (first >= entry.messageCount) return false;
    this.#narrow(entry, (i) => i >= first);
    return true;
  }

  #acknowledgeBefore(entry: ReceivedEntry, first: number): void {
    const { ledgerId, entryId, messageCount: batchMessageCount } = entry;
    for (let i = 0; i < Math.min(first, batchMessageCount); i++) {
      const batchIndex = entry.isBatch ? i : -1;
      this.#passOver({ ledgerId, entryId, batchIndex, batchMessageCount });
    }
  }

  /** Acknowledges what nobody is shown. If that fails it comes again, and is passed over again. */
  #passOver(id: AckId): void {
    this.acks.acknowledge(id).catch(() => {});
  }

  #narrow(entry: ReceivedEntry, isWanted: (index: number) => boolean): void {
    entry.wanted ??= BatchBits.full(entry.messageCount);
    for (let i = 0; i < entry.messageCount; i++) if (!isWanted(i)) entry.wanted.clear(i);
  }

  #prepareSchema(entry: ReceivedEntry): void {
    const schema = this.schema as TopicSchema<unknown> | undefined;
    if (schema?.prepare === undefined) return;
    const preparing = schema.prepare(entry.metadata.schemaVersion);
    if (preparing === undefined) return;
    entry.isReady = false;
    preparing.catch((error) => {
      entry.schemaError = error;
    }).finally(() => {
      entry.isReady = true;
      this.#owner.wake();
    });
  }

  #undecodable(error: PulsarError, position: Position): void {
    if (error.code === "not_supported" && this.#options.cryptoFailureAction === "discard") {
      const { ledgerId, entryId } = position;
      return this.#passOver({ ledgerId, entryId, batchIndex: -1 });
    }
    if (error.code !== "checksum_mismatch") return this.#owner.unreadable(error);
    this.counters.damaged++;
    const key = `${position.ledgerId}:${position.entryId}`;
    const count = (this.#damaged.get(key) ?? 0) + 1;
    if (count >= DAMAGED_DELIVERIES_MAX || this.#damaged.size >= DAMAGED_ENTRIES_MAX) {
      this.#damaged.delete(key);
      const text = `entry ${key} of ${this.topic} came with a wrong checksum ${count} times`;
      return this.#owner.unreadable(new PulsarError(`Cannot read: ${text}`, { code: error.code }));
    }
    this.#damaged.set(key, count);
    this.#redeliver([position]);
  }

  #redeliver(positions: readonly Position[]): void {
    if (!this.isShared) return this.redeliverAll();
    const keys = new Set(positions.map(({ ledgerId, entryId }) => `${ledgerId}:${entryId}`));
    this.#owner.withdraw(this, keys);
    this.acks.flush();
    this.acks.redeliver({ positions });
    this.grantPermits();
  }

  async #deadLetter(message: ReceivedMessage<unknown>): Promise<void> {
    await this.#owner.deadLetter(message);
    await this.acks.acknowledge(message.ackId);
  }

  #expireChunks(): void {
    this.#chunks.expire(this.#context.clock.monoUs() / 1000);
    if (this.#chunks.pending > 0) {
      this.redelivery.wakeWithin(this.#options.expireIncompleteChunkedMessageMs);
    }
  }

  #chunksDropped(positions: readonly Position[], why: "expired" | "too_many" | "gap"): void {
    this.counters.incompleteChunkedMessages++;
    for (const { ledgerId, entryId } of positions) {
      // Nothing will ever be made of chunks whose producer has gone; others come again.
      if (why === "expired") this.#passOver({ ledgerId, entryId, batchIndex: -1 });
      else this.redelivery.later({ ledgerId, entryId });
    }
  }

  get #isUnbuffered(): boolean {
    return this.#options.permits.messagesMax === 0;
  }

  #permitsForWaiting(): number {
    const wanted = this.#owner.waiting - this.#permits.outstanding - this.#permits.queued;
    if (wanted <= 0) return 0;
    this.#permits.grant(wanted);
    return wanted;
  }
}

/** A place in a batch is said as the set of what comes after it. */
function seekTarget(id: MessageId): MessageIdData {
  const { ledgerId, entryId, batchIndex, batchMessageCount = 0 } = id;
  if (id.firstChunk !== undefined) return { ...id.firstChunk };
  if (batchIndex <= 0 || batchMessageCount <= 1) return { ledgerId, entryId };
  const bits = BatchBits.full(batchMessageCount);
  bits.clearUpTo(batchIndex - 1);
  return { ledgerId, entryId, ackSet: bits.toAckSet() };
}
