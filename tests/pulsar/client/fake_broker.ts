/** A scripted broker in this process, for faults that a real one commits seldom: it speaks through pipes, so that a fake clock owns the time. */
import type { OpenTransport, Transport } from "../../../lib/pulsar/client/transport.ts";
import { type BrokerAddress, formatAddress } from "../../../lib/pulsar/client/service_url.ts";
import {
  type Command,
  type CommandBodies,
  CommandLookupTopicResponseLookupType,
  CommandPartitionedTopicMetadataResponseLookupType,
  decodeCommand,
  encodeCommand,
  type Frame,
  FrameReader,
  PulsarError,
  ServerError,
} from "../../../lib/pulsar/wire/mod.ts";
import { concatBytes } from "../../../lib/base/mod.ts";
import { ProtoWriter, writeMessageHeader } from "../../../lib/pulsar/wire/mod.ts";

/** One direction of a pipe. */
class Stream {
  #chunks: Uint8Array[] = [];
  #isClosed = false;
  #wake = () => {};

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#isClosed) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const [first] = this.#chunks;
    const count = Math.min(first!.length, target.length);
    target.set(first!.subarray(0, count));
    if (count === first!.length) this.#chunks.shift();
    else this.#chunks[0] = first!.subarray(count);
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#isClosed) return Promise.reject(new Error("broken pipe"));
    this.#chunks.push(bytes.slice());
    this.#wake();
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }
}

/** A client's connection as the broker sees it. */
export class FakeConnection {
  readonly #out: Stream;
  readonly #in: Stream;

  constructor(readonly address: string, readonly index: number, streams: [Stream, Stream]) {
    [this.#in, this.#out] = streams;
  }

  send<Type extends keyof CommandBodies>(type: Type, body: CommandBodies[Type]): void {
    this.sendBytes(encodeCommand(type, body));
  }

  sendBytes(bytes: Uint8Array): void {
    // A connection that the test has dropped takes nothing any more.
    this.#out.write(bytes).catch(() => {});
  }

  isDropped = false;

  drop(): void {
    this.isDropped = true;
    this.#in.close();
    this.#out.close();
  }
}

/** An entry of a fake topic. */
export interface FakeEntry {
  readonly ledgerId: number;
  readonly entryId: number;
  /** The payload section as it was sent. */
  readonly section: Uint8Array;
}

interface FakeTopic {
  readonly entries: FakeEntry[];
  /** Index of the first entry that is not acknowledged. */
  acknowledged: number;
}

interface FakeConsumer {
  readonly connection: FakeConnection;
  readonly consumerId: number;
  readonly topic: FakeTopic;
  next: number;
  permits: number;
}

/** Answers instead of the default; true when it did. */
export type Hook = (
  command: Command,
  connection: FakeConnection,
  frame: Frame,
) => boolean | undefined | void;

/** The broker. */
export class FakeBroker {
  readonly commands: { readonly connection: number; readonly command: Command }[] = [];
  readonly topics = new Map<string, FakeTopic>();
  readonly connections: FakeConnection[] = [];
  readonly #producers = new Map<string, FakeTopic>();
  readonly consumers: FakeConsumer[] = [];
  partitions = 0;
  /** Set to refuse connections. */
  isDown = false;
  hook: Hook = () => false;
  serverVersion = "Pulsar Server4.2.4";

  readonly openTransport: OpenTransport = (address: BrokerAddress) => {
    if (this.isDown) {
      return Promise.reject(
        new PulsarError("Cannot connect: refused", { code: "connection_refused", retryable: true }),
      );
    }
    const [toBroker, toClient] = [new Stream(), new Stream()];
    const connection = new FakeConnection(formatAddress(address), this.connections.length, [
      toBroker,
      toClient,
    ]);
    this.connections.push(connection);
    void this.#serve(connection, toBroker);
    const transport: Transport = {
      read: (target) => toClient.read(target),
      write: (bytes) => toBroker.write(bytes),
      close: () => {
        toBroker.close();
        toClient.close();
      },
    };
    return Promise.resolve(transport);
  };

  topic(name: string): FakeTopic {
    let topic = this.topics.get(name);
    if (topic === undefined) this.topics.set(name, topic = { entries: [], acknowledged: 0 });
    return topic;
  }

  /** How many commands of a type came. */
  count(type: Command["type"]): number {
    return this.commands.filter(({ command }) => command.type === type).length;
  }

  /** The bodies of the commands of a type. */
  bodies<Type extends Command["type"]>(type: Type): CommandBodies[Type][] {
    return this.commands.flatMap(({ command }) =>
      command.type === type ? [command.body as CommandBodies[Type]] : []
    );
  }

  /** Drops every connection. */
  dropAll(): void {
    for (const connection of this.connections) connection.drop();
  }

  async #serve(connection: FakeConnection, stream: Stream): Promise<void> {
    const reader = new FrameReader();
    for (;;) {
      const count = await stream.read(reader.room());
      if (count === null) break;
      reader.filled(count);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        if (connection.isDropped) break;
        const command = decodeCommand(frame)!;
        this.commands.push({ connection: connection.index, command });
        if (this.hook(command, connection, frame) !== true) this.answer(command, connection, frame);
      }
    }
    const gone = this.consumers.filter((consumer) => consumer.connection === connection);
    for (const consumer of gone) this.consumers.splice(this.consumers.indexOf(consumer), 1);
  }

  /** The default answer. */
  answer(command: Command, connection: FakeConnection, frame: Frame): void {
    switch (command.type) {
      case "CONNECT":
        return connection.send("CONNECTED", {
          serverVersion: this.serverVersion,
          protocolVersion: command.body.protocolVersion,
          maxMessageSize: 1 << 20,
        });
      case "PING":
        return connection.send("PONG", {});
      case "PARTITIONED_METADATA":
        return connection.send("PARTITIONED_METADATA_RESPONSE", {
          requestId: command.body.requestId,
          response: CommandPartitionedTopicMetadataResponseLookupType.Success,
          partitions: this.partitions,
        });
      case "LOOKUP":
        return connection.send("LOOKUP_RESPONSE", {
          requestId: command.body.requestId,
          response: CommandLookupTopicResponseLookupType.Connect,
          brokerServiceUrl: connection.address,
        });
      case "PRODUCER":
        this.#producers.set(
          `${connection.index}:${command.body.producerId}`,
          this.topic(command.body.topic),
        );
        return connection.send("PRODUCER_SUCCESS", {
          requestId: command.body.requestId,
          producerName: command.body.producerName ?? "generated",
          lastSequenceId: -1,
        });
      case "SEND":
        return this.store(command.body, connection, frame);
      case "SUBSCRIBE":
        return this.#subscribe(command.body, connection);
      case "FLOW":
        return this.#flow(command.body, connection);
      case "ACK":
        return this.#acknowledge(command.body, connection);
      case "GET_LAST_MESSAGE_ID":
        return this.#lastMessageId(command.body, connection);
      case "REDELIVER_UNACKNOWLEDGED_MESSAGES":
        return this.#redeliver(connection, command.body.consumerId);
      case "SEEK":
        return this.#seek(command.body, connection);
      case "CLOSE_CONSUMER": {
        const { consumerId, requestId } = command.body;
        const gone = this.#consumer(connection, consumerId);
        if (gone !== undefined) this.consumers.splice(this.consumers.indexOf(gone), 1);
        return connection.send("SUCCESS", { requestId });
      }
      case "CLOSE_PRODUCER":
      case "UNSUBSCRIBE":
        return connection.send("SUCCESS", { requestId: command.body.requestId });
      default:
    }
  }

  /** Stores a message and, unless told otherwise, sends its receipt. */
  store(
    body: CommandBodies["SEND"],
    connection: FakeConnection,
    frame: Frame,
    options: { readonly receipt?: boolean } = {},
  ): void {
    const topic = this.#producers.get(`${connection.index}:${body.producerId}`)!;
    const section = frame.bytes.slice(frame.commandEnd, frame.end);
    const entry = { ledgerId: 7, entryId: topic.entries.length, section };
    topic.entries.push(entry);
    if (options.receipt === false) return;
    const { producerId, sequenceId } = body;
    const { ledgerId, entryId } = entry;
    connection.send("SEND_RECEIPT", {
      producerId,
      sequenceId,
      highestSequenceId: -1,
      messageId: { ledgerId, entryId },
    });
    this.deliverAll();
  }

  refuse(
    connection: FakeConnection,
    requestId: bigint,
    error: keyof typeof ServerError,
    message = "refused by the test",
  ): true {
    connection.send("ERROR", { requestId, error: ServerError[error], message });
    return true;
  }

  /** Sends what consumers have permits for. */
  deliverAll(): void {
    for (const consumer of this.consumers) {
      while (consumer.permits > 0 && consumer.next < consumer.topic.entries.length) {
        const entry = consumer.topic.entries[consumer.next++]!;
        consumer.permits -= 1;
        consumer.connection.sendBytes(messageFrame(consumer.consumerId, entry));
      }
    }
  }

  #subscribe(body: CommandBodies["SUBSCRIBE"], connection: FakeConnection): void {
    const topic = this.topic(body.topic);
    const { consumerId } = body;
    this.consumers.push({ connection, consumerId, topic, next: topic.acknowledged, permits: 0 });
    connection.send("SUCCESS", { requestId: body.requestId });
  }

  #flow(body: CommandBodies["FLOW"], connection: FakeConnection): void {
    const consumer = this.#consumer(connection, body.consumerId);
    if (consumer !== undefined) consumer.permits += body.messagePermits;
    this.deliverAll();
  }

  #acknowledge(body: CommandBodies["ACK"], connection: FakeConnection): void {
    const consumer = this.#consumer(connection, body.consumerId);
    if (consumer !== undefined) consumer.topic.acknowledged = body.messageId![0]!.entryId + 1;
  }

  #redeliver(connection: FakeConnection, consumerId: number): void {
    const consumer = this.#consumer(connection, consumerId);
    if (consumer !== undefined) consumer.next = consumer.topic.acknowledged;
    this.deliverAll();
  }

  #lastMessageId(body: CommandBodies["GET_LAST_MESSAGE_ID"], connection: FakeConnection): void {
    const { entries } = this.#consumer(connection, body.consumerId)!.topic;
    const last = entries.at(-1);
    connection.send("GET_LAST_MESSAGE_ID_RESPONSE", {
      requestId: body.requestId,
      lastMessageId: { ledgerId: last?.ledgerId ?? -1, entryId: last?.entryId ?? -1 },
    });
  }

  #seek(body: CommandBodies["SEEK"], connection: FakeConnection): void {
    const consumer = this.#consumer(connection, body.consumerId)!;
    consumer.topic.acknowledged = Math.max(body.messageId!.entryId, 0);
    this.consumers.splice(this.consumers.indexOf(consumer), 1);
    connection.send("CLOSE_CONSUMER", { consumerId: body.consumerId, requestId: -1n });
    connection.send("SUCCESS", { requestId: body.requestId });
  }

  #consumer(connection: FakeConnection, consumerId: number): FakeConsumer | undefined {
    return this.consumers.find((consumer) =>
      consumer.connection === connection && consumer.consumerId === consumerId
    );
  }
}

/** The frame that hands an entry to a consumer. */
export function messageFrame(consumerId: number, entry: FakeEntry): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter();
  const { ledgerId, entryId, section } = entry;
  const sectionBytes = section.length;
  writeMessageHeader(writer, {
    consumerId,
    ledgerId,
    entryId,
    partition: -1,
    redeliveryCount: 0,
    sectionBytes,
  });
  return concatBytes([writer.finish(), section]);
}
