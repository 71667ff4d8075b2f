import { lineOf } from "../../../base/mod.ts";
import {
  AckView,
  COMMANDS,
  decodeCommand,
  DEFAULT_FRAME_BYTES_MAX,
  encodeCommand,
  FlowView,
  FrameReader,
  MetadataView,
  PayloadSection,
  ProtoWriter,
  SendView,
  ServerError,
  writeSendReceipt,
} from "../../wire/mod.ts";
import type { CommandBodies, CommandType, Frame } from "../../wire/mod.ts";
import type { Broker, ClientConnection } from "../broker.ts";
import { handleAck } from "./command_ack.ts";
import { detach } from "./command_non_persistent.ts";
import { dropWatchers } from "./command_topic_list.ts";
import { mayUse } from "../authorization.ts";
import type { Identity } from "../authentication.ts";
import { challenge, connect, NOBODY } from "./command_connect.ts";
import { handleCommand } from "./commands.ts";
import { BrokerError, noTransactions, serverAnswer } from "../errors.ts";
import { Outbox } from "../dispatch/mod.ts";
import type { Producer, ProducerHost, SequenceIds } from "../producer.ts";
import { withChecksum } from "../log/mod.ts";
import { NO_REQUEST } from "./session.ts";
import type { TopicWatcher } from "../topic_watcher.ts";
import type { Attachment, NonPersistentAttachment, Session } from "./session.ts";

/** A socket, as `Deno.Conn` has it. */
export interface Socket {
  read(target: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** What is known of a client before it says a word. */
export interface ConnectionOptions {
  /** Of the client, `host:port`. */
  readonly address: string;
  /** Where clients find this broker. */
  readonly serviceUrl: string;
  /** Who the client is by its certificate, where it has shown one. */
  readonly certifiedRole?: string | undefined;
}

/** A client that says nothing for this long is asked for a sign of life; after twice that it is gone. */
const KEEP_ALIVE_MS = 30_000;
/** A client whose place another one wants must answer within this. */
const LIVENESS_MS = 5000;
const COMMANDS_RUNNING_MAX = 10_000;
/** Of a CONNECT: credentials are a few kilobytes at most. */
const HANDSHAKE_BYTES_MAX = 128 * 1024;
/** Seconds within which new credentials must come. */
const CHALLENGE_TICKS_MAX = 30;
/** First protocol version that knows ACTIVE_CONSUMER_CHANGE. */
const ACTIVE_CONSUMER_VERSION = 12;

const SEND = COMMANDS.SEND.number;
const ACK = COMMANDS.ACK.number;
const FLOW = COMMANDS.FLOW.number;

const sendView = new SendView();
const ackView = new AckView();
const flowView = new FlowView();
const PERMITS_MAX = 2 ** 31 - 1;
const section = new PayloadSection();
const metadata = new MetadataView();
const writer = new ProtoWriter();

/** One client's connection: reads its frames, runs its commands, and owns its producers and consumers. */
export class Connection implements Session, ClientConnection {
  readonly outbox: Outbox;
  readonly producers = new Map<number, Producer>();
  readonly consumers = new Map<number, Attachment>();
  readonly nonPersistentConsumers = new Map<number, NonPersistentAttachment>();
  /** Ids whose creation is under way. */
  readonly opening = new Set<string>();
  readonly waiting = new Map<number, () => void>();
  readonly watchers = new Map<number, TopicWatcher>();
  clientVersion = "";
  protocolVersion = 0;
  isConnected = false;
  isClosed = false;
  identity: Identity = NOBODY;
  canRefresh = false;
  isChallenged = false;
  /** Runs while it is found out who the client is. */
  #introducing: Promise<void> | undefined;
  /** Who has not introduced himself has little to say. */
  readonly #reader = new FrameReader({ frameBytesMax: HANDSHAKE_BYTES_MAX });
  readonly #acceptedMs: number;
  /** Producers that this side closed: what their clients sent before they knew is passed over. */
  readonly #droppedProducers = new Set<number>();
  readonly #stagedTopics = new Set<ProducerHost>();
  #commandsRunning = 0;
  #lastReadMs: number;
  #isAsked = false;
  #ticksChallenged = 0;
  #signs: ((isAlive: boolean) => void)[] = [];

  readonly address: string;
  readonly serviceUrl: string;
  readonly certifiedRole: string | undefined;

  constructor(
    readonly broker: Broker,
    private readonly socket: Socket,
    { address, serviceUrl, certifiedRole }: ConnectionOptions,
  ) {
    this.address = address;
    this.serviceUrl = serviceUrl;
    this.certifiedRole = certifiedRole;
    this.#acceptedMs = this.#lastReadMs = this.#nowMs();
    this.outbox = new Outbox(socket, {
      drained: () => this.#wakeConsumers(),
      writeFailed: () => this.close(),
    });
  }

  #nowMs(): number {
    return this.broker.parts.clock.monoUs() / 1000;
  }

  get knowsActiveConsumer(): boolean {
    return this.protocolVersion >= ACTIVE_CONSUMER_VERSION;
  }

  /** Serves the client until it goes or is sent away. */
  async run(): Promise<void> {
    const { connections, parts } = this.broker;
    const isOneTooMany = connections.size >= parts.connectionsMax;
    connections.add(this);
    this.broker.connectionsCreated++;
    try {
      if (isOneTooMany) await this.#refuseOneTooMany();
      while (!this.isClosed) {
        const count = await this.socket.read(this.#reader.room());
        if (count === null || this.isClosed) break;
        this.#received(count);
        if (this.#introducing !== undefined) {
          await this.#introducing;
          this.#introducing = undefined;
          this.#listen();
          this.#handleFrames();
        }
        // Who does not read its answers is not listened to.
        const roomy = this.outbox.roomy();
        if (roomy !== undefined) await roomy;
      }
    } catch (error) {
      // A reset connection is how clients leave; anything else the operator should know.
      if (!isDisconnect(error) && !this.isClosed) {
        this.broker.parts.report(`connection of ${this.address} closed: ${lineOf(error)}`);
      }
    } finally {
      this.close();
    }
  }

  /** In Pulsar's words. */
  async #refuseOneTooMany(): Promise<void> {
    this.broker.connectionsRefused++;
    const error = new BrokerError("Reached the maximum number of connections", {
      code: "not_supported",
    });
    this.send("ERROR", { requestId: NO_REQUEST, ...serverAnswer(error) });
    await this.end();
  }

  #received(count: number): void {
    this.#lastReadMs = this.#nowMs();
    this.#isAsked = false;
    this.#reader.filled(count);
    for (const resolve of this.#signs.splice(0)) resolve(true);
    this.#handleFrames();
  }

  #handleFrames(): void {
    try {
      if (this.isClosed) return;
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        this.#handle(frame);
        if (this.isClosed || this.#introducing !== undefined) break;
      }
    } finally {
      this.flush();
    }
  }

  /** Writes what the frames read so far have staged. */
  flush(): void {
    if (this.#stagedTopics.size === 0) return;
    for (const topic of this.#stagedTopics) topic.flush();
    this.#stagedTopics.clear();
  }

  #handle(frame: Frame): void {
    if (!this.isConnected) this.#handshake(frame);
    else if (frame.type === SEND) this.#send(frame);
    else if (frame.type === FLOW) this.#flow(frame);
    else if (frame.type === ACK) handleAck(this, ackView.read(frame), frame);
    else this.#command(frame);
  }

  #handshake(frame: Frame): void {
    const command = decodeCommand(frame);
    // As Pulsar: who does not introduce himself is sent away without a word.
    if (command?.type !== "CONNECT") this.close();
    else {
      this.#introducing = connect(this, command.body);
      this.#listen();
    }
  }

  /** Takes frames of every size from a client that is known. */
  #listen(): void {
    if (this.isConnected) this.#reader.frameBytesMax = DEFAULT_FRAME_BYTES_MAX;
  }

  #command(frame: Frame): void {
    const command = decodeCommand(frame);
    // As Pulsar, whose codec gives up on a command of a kind that it does not know.
    if (
      command === undefined || command.type === "CONNECT" ||
      this.#commandsRunning >= COMMANDS_RUNNING_MAX
    ) {
      this.close();
      return;
    }
    // Commands see everything that came before them as written.
    this.flush();
    const running = handleCommand(this, command);
    if (running === undefined) return;
    this.#commandsRunning++;
    void running.finally(() => this.#commandsRunning--);
  }

  #send(frame: Frame): void {
    const { producerId, sequenceId, highestSequenceId, hasTransaction } = sendView.read(frame);
    const producer = this.producers.get(producerId);
    // One that was fenced is not told: it is sent away when it sends.
    if (producer === undefined || producer.isClosed) {
      if (!this.#droppedProducers.has(producerId)) this.close();
      return;
    }
    if (hasTransaction) return this.sendError(producer, sequenceId, noTransactions());
    const { crc32c } = this.broker.parts;
    section.read(frame.bytes, frame.commandEnd, frame.end);
    if (!section.checksumMatches(crc32c)) {
      this.#refuseChecksum(producer, sequenceId);
      return;
    }
    metadata.read(section.bytes, section.metadataStart, section.metadataEnd);
    const { messageCount, publishTimeMs, chunkId, chunkCount } = metadata;
    const body = section.hasChecksum
      ? { bytes: frame.bytes, start: section.entryStart, end: section.end }
      : withChecksum(frame.bytes, section.checkedStart, section.end, crc32c);
    this.#stagedTopics.add(producer.topic);
    producer.publish({ ...body, messageCount, publishTimeMs }, {
      first: sequenceId,
      highest: highestSequenceId,
      isPart: chunkId >= 0 && chunkId < chunkCount - 1,
    });
  }

  #refuseChecksum(producer: Producer, sequenceId: number): void {
    this.send("SEND_ERROR", {
      producerId: producer.producerId,
      sequenceId,
      error: ServerError.ChecksumError,
      message: "Checksum failed on the broker",
    });
    // Were a later message stored first, deduplication would take this one for a duplicate when it comes again.
    if (!producer.isDeduplicated) return;
    producer.topic.removeProducer(producer);
    this.dropProducer(producer.producerId);
  }

  #flow(frame: Frame): void {
    const { consumerId, messagePermits } = flowView.read(frame);
    // As Pulsar, which reads a signed number and takes only one above zero.
    if (messagePermits < 1 || messagePermits > PERMITS_MAX) return this.close();
    const attachment = this.consumers.get(consumerId);
    if (attachment === undefined) {
      this.nonPersistentConsumers.get(consumerId)?.consumer.flow(messagePermits);
      return;
    }
    attachment.consumer.flow(messagePermits);
    attachment.subscription.wake();
  }

  #wakeConsumers(): void {
    for (const { subscription } of this.consumers.values()) subscription.wake();
  }

  /** Sends a command. */
  send<Type extends CommandType>(type: Type, body: CommandBodies[Type]): void {
    this.outbox.add(encodeCommand(type, body));
  }

  receipt(producer: Producer, ids: SequenceIds, ledgerId: number, entryId: number): void {
    if (producer.isClosed && this.isClosed) return;
    writeSendReceipt(writer.reset(), {
      producerId: producer.producerId,
      sequenceId: ids.first,
      highestSequenceId: ids.highest,
      ledgerId,
      entryId,
    });
    this.outbox.add(writer.bytes, writer.start, writer.end);
  }

  sendError(producer: Producer, sequenceId: number, error: unknown): void {
    this.send("SEND_ERROR", {
      producerId: producer.producerId,
      sequenceId,
      ...serverAnswer(error),
    });
  }

  dropConsumer(consumerId: number): void {
    this.consumers.delete(consumerId);
    this.nonPersistentConsumers.delete(consumerId);
    this.send("CLOSE_CONSUMER", { consumerId, requestId: NO_REQUEST });
  }

  dropProducer(producerId: number): void {
    this.producers.delete(producerId);
    this.#droppedProducers.add(producerId);
    this.send("CLOSE_PRODUCER", { producerId, requestId: NO_REQUEST });
  }

  /** A producer of this id is there again. */
  addProducer(producer: Producer): void {
    this.#droppedProducers.delete(producer.producerId);
    this.producers.set(producer.producerId, producer);
  }

  sendActiveConsumerChange(consumerId: number, isActive: boolean): void {
    if (this.knowsActiveConsumer) {
      this.send("ACTIVE_CONSUMER_CHANGE", { consumerId, isActive });
    }
  }

  sendReachedEndOfTopic(consumerId: number): void {
    this.send("REACHED_END_OF_TOPIC", { consumerId });
  }

  isAlive(): Promise<boolean> {
    if (this.isClosed) return Promise.resolve(false);
    this.send("PING", {});
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#signs.push(resolve);
    const waiting = new AbortController();
    this.broker.parts.clock.sleep(LIVENESS_MS, waiting.signal).then(() => {
      resolve(false);
      this.close();
    }, () => {});
    return promise.finally(() => waiting.abort());
  }

  /** Once a second: asks a silent client for a sign of life, and closes one that gives none. */
  checkAlive(): void {
    const { clock } = this.broker.parts;
    if (this.isConnected && clock.wallMs() >= this.identity.expiresAtMs) this.#expired();
    // Counted from the beginning: a byte now and then is no introduction.
    const isTooSlow = !this.isConnected && this.#nowMs() - this.#acceptedMs >= KEEP_ALIVE_MS;
    const silentMs = this.#nowMs() - this.#lastReadMs;
    if (isTooSlow || silentMs >= 2 * KEEP_ALIVE_MS) this.close();
    else if (silentMs < KEEP_ALIVE_MS) return;
    else if (!this.#isAsked) {
      this.#isAsked = true;
      this.send("PING", {});
    }
  }

  /** The credentials have ended: new ones are asked for once, and must come before a client would be taken for gone. */
  #expired(): void {
    this.#ticksChallenged = this.isChallenged ? this.#ticksChallenged + 1 : 0;
    if (!this.isChallenged || this.#ticksChallenged >= CHALLENGE_TICKS_MAX) challenge(this);
  }

  /** Sends away producers and consumers whose role has lost its right. */
  recheckRights(): void {
    const { broker, identity: { role } } = this;
    for (const producer of [...this.producers.values()]) {
      if (mayUse(broker, role, { action: "produce", name: producer.topic.name })) continue;
      producer.topic.removeProducer(producer);
      this.dropProducer(producer.producerId);
    }
    for (const [id, { consumer, subscription }] of [...this.consumers]) {
      const { topicName: name, name: own } = subscription;
      if (mayUse(broker, role, { action: "consume", name, subscription: own })) continue;
      subscription.remove(consumer);
      this.dropConsumer(id);
    }
  }

  /** Closes after everything was written. */
  async end(): Promise<void> {
    await Promise.race([this.outbox.flushed(), this.broker.parts.clock.sleep(1000)]);
    this.close();
  }

  /** Ends the connection; its producers and consumers go with it. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.broker.connections.delete(this);
    this.flush();
    dropWatchers(this);
    for (const giveUp of this.waiting.values()) giveUp();
    for (const producer of this.producers.values()) producer.topic.removeProducer(producer);
    // None of them gets what another one leaves behind.
    for (const { consumer } of this.consumers.values()) consumer.isClosed = true;
    for (const { consumer, subscription } of this.consumers.values()) subscription.remove(consumer);
    for (const attachment of this.nonPersistentConsumers.values()) detach(attachment);
    for (const resolve of this.#signs.splice(0)) resolve(false);
    this.outbox.close();
    try {
      this.socket.close();
    } catch {
      // It was closed from the other side already.
    }
  }
}

function isDisconnect(error: unknown): boolean {
  return error instanceof Error &&
    /ConnectionReset|BrokenPipe|ConnectionAborted|Interrupted|BadResource|UnexpectedEof/.test(
      error.name,
    );
}
