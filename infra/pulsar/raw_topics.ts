/**
 * What clients say about topics and the official ones cannot be brought to say in a fixed order: who may write, lists of topics, schemas by
 * version, transactions, compaction. Every question waits for its answer, so that a recording can be played again.
 *
 * @module
 */
import { loadCrc32c, utf8 } from "../../lib/base/mod.ts";
import {
  closePayload,
  decodeCommand,
  encodeCommand,
  encodeMessage,
  FrameReader,
  MESSAGE_METADATA,
  ProtoWriter,
  SINGLE_MESSAGE_METADATA,
  writeSend,
} from "../../lib/pulsar/wire/mod.ts";
import type {
  Command,
  CommandBodies,
  CommandType,
  MessageMetadata,
} from "../../lib/pulsar/wire/mod.ts";

const NAMESPACE = "public/default";
const topic = (name: string) => `persistent://${NAMESPACE}/raw-${name}`;

/** One connection that waits for each answer. */
class Talker implements Disposable {
  readonly #reader = new FrameReader({ initialBytes: 1024 * 1024 });
  #requestId = 0n;

  private constructor(readonly socket: Deno.TcpConn) {}

  static async connect(port: number): Promise<Talker> {
    const talker = new Talker(await Deno.connect({ hostname: "127.0.0.1", port }));
    await talker.#write(encodeCommand("CONNECT", { clientVersion: "raw", protocolVersion: 21 }));
    await talker.until("CONNECTED");
    return talker;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.socket.write(rest));
  }

  async #next(): Promise<Command | undefined> {
    for (;;) {
      const frame = this.#reader.next();
      if (frame !== undefined) return decodeCommand(frame);
      const count = await this.socket.read(this.#reader.room());
      if (count === null) return undefined;
      this.#reader.filled(count);
    }
  }

  /** Takes what comes up to a command of this type. */
  async until(type: CommandType, times = 1): Promise<void> {
    for (let left = times; left > 0;) {
      const command = await this.#next();
      if (command === undefined) throw new Error(`Cannot record: the end came before ${type}`);
      if (command.type === type) left--;
    }
  }

  /** Says something that has no answer. */
  say<Type extends CommandType>(type: Type, body: CommandBodies[Type]): Promise<void> {
    return this.#write(encodeCommand(type, body));
  }

  /** Asks, and takes what comes up to the answer. */
  async ask<Type extends CommandType>(
    type: Type,
    body: Omit<CommandBodies[Type], "requestId">,
  ): Promise<void> {
    const requestId = this.#requestId++;
    await this.say(type, { ...body, requestId } as unknown as CommandBodies[Type]);
    for (;;) {
      const command = await this.#next();
      if (command === undefined) throw new Error(`Cannot record: no answer to ${type}`);
      if ((command.body as { requestId?: bigint }).requestId === requestId) return;
    }
  }

  /** Makes the broker own the topic. */
  lookup(name: string): Promise<void> {
    return this.ask("LOOKUP", { topic: name, authoritative: false });
  }

  produce(name: string, body: Partial<CommandBodies["PRODUCER"]> = {}): Promise<void> {
    return this.ask("PRODUCER", { topic: name, producerId: 0, producerName: "raw", ...body });
  }

  subscribe(name: string, body: Partial<CommandBodies["SUBSCRIBE"]> = {}): Promise<void> {
    return this.ask("SUBSCRIBE", {
      topic: name,
      subscription: "sub",
      subType: 0,
      consumerId: 0,
      initialPosition: 1,
      consumerName: "raw",
      ...body,
    });
  }

  /** Sends an entry and waits for its receipt. */
  async send(
    sequenceId: number,
    payload: Uint8Array,
    metadata: Partial<MessageMetadata> = {},
  ): Promise<void> {
    const writer = new ProtoWriter();
    writer.raw(payload);
    const fields = { producerName: "raw", sequenceId, publishTime: 1_700_000_000_000, ...metadata };
    encodeMessage(MESSAGE_METADATA, fields, writer);
    closePayload(writer, payload.length, await loadCrc32c());
    const numMessages = metadata.numMessagesInBatch ?? 1;
    const highestSequenceId = sequenceId + numMessages - 1;
    writeSend(writer, { producerId: 0, sequenceId, numMessages, highestSequenceId });
    await this.#write(writer.finish());
    await this.until("SEND_RECEIPT");
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** WaitForExclusive: who waits is told so, and told again when its turn has come. */
async function producerWaiting(port: number): Promise<void> {
  const name = topic("waiting");
  using first = await Talker.connect(port);
  await first.lookup(name);
  await first.produce(name, { producerName: "shared" });
  using second = await Talker.connect(port);
  const waiting = { producerName: "waiting", producerAccessMode: 2 } as const;
  await second.produce(name, waiting);
  await first.produce(name, { producerId: 1, producerName: "late" });
  await first.produce(name, { producerId: 2, producerName: "exclusive", producerAccessMode: 1 });
  await first.ask("CLOSE_PRODUCER", { producerId: 0 });
  await second.until("PRODUCER_SUCCESS");
  await second.ask("CLOSE_PRODUCER", { producerId: 0 });
  // Who wrote exclusively before and knows a lower epoch is fenced; a shared one is told the epoch.
  await first.produce(name, { producerId: 3, producerName: "next", producerAccessMode: 1 });
  await first.ask("CLOSE_PRODUCER", { producerId: 3 });
  await second.produce(name, { ...waiting, producerId: 1, topicEpoch: 0 });
  await first.produce(name, { producerId: 4, producerName: "shared" });
  await first.ask("CLOSE_PRODUCER", { producerId: 99 });
}

/** Topics by pattern and by hash, and a watcher on topics that come and go. */
async function topicList(port: number): Promise<void> {
  using client = await Talker.connect(port);
  const topicsPattern = `${topic("list")}-.*`;
  const list = { namespace: NAMESPACE, topicsPattern };
  for (const name of ["list-a", "list-b"]) await client.lookup(topic(name));
  await client.ask("WATCH_TOPIC_LIST", { watcherId: 1, ...list });
  await client.produce(topic("list-a"), { producerId: 0 });
  await client.ask("GET_TOPICS_OF_NAMESPACE", { ...list, mode: 0 });
  await client.ask("GET_TOPICS_OF_NAMESPACE", { ...list, mode: 1 });
  await client.ask("WATCH_TOPIC_LIST", { watcherId: 1, ...list });
  const tooLong = { ...list, topicsPattern: "x".repeat(60) };
  await client.ask("WATCH_TOPIC_LIST", { watcherId: 2, ...tooLong });
  await client.ask("WATCH_TOPIC_LIST_CLOSE", { watcherId: 1 });
  await client.ask("WATCH_TOPIC_LIST_CLOSE", { watcherId: 7 });
}

/** Partitions of topics that are there or not, and what cannot be looked up. */
async function topicMetadata(port: number): Promise<void> {
  using client = await Talker.connect(port);
  const name = topic("metadata");
  for (const metadataAutoCreationEnabled of [false, true]) {
    await client.ask("PARTITIONED_METADATA", { topic: name, metadataAutoCreationEnabled });
  }
  await client.ask("PARTITIONED_METADATA", { topic: "persistent://public/none/x" });
  await client.ask("LOOKUP", { topic: "persistent://x", authoritative: false });
  await client.ask("LOOKUP", { topic: name, authoritative: true, advertisedListenerName: "none" });
  await client.ask("GET_LAST_MESSAGE_ID", { consumerId: 77 });
}

/** Schemas by version, in other words, refused, and of topics that are not there. */
async function schemas(port: number): Promise<void> {
  const name = topic("schemas");
  using client = await Talker.connect(port);
  await client.lookup(name);
  const a = { name: "a", type: "int" };
  const b = { name: "b", type: "string", default: "" };
  const avro = (...fields: unknown[]) => ({
    name: "R",
    type: 4 as const,
    schemaData: utf8(JSON.stringify({ type: "record", name: "R", fields })),
  });
  const version = (last: number) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, last);
  await client.ask("GET_OR_CREATE_SCHEMA", { topic: topic("none"), schema: avro(a) });
  await client.produce(name, { schema: avro(a) });
  await client.ask("GET_OR_CREATE_SCHEMA", { topic: name, schema: avro({ ...a, doc: "words" }) });
  await client.ask("GET_OR_CREATE_SCHEMA", { topic: name, schema: avro(a, b) });
  await client.ask("GET_OR_CREATE_SCHEMA", { topic: name, schema: avro({ ...a, type: "string" }) });
  await client.ask("GET_OR_CREATE_SCHEMA", { topic: name, schema: { ...avro(a), type: 2 } });
  await client.ask("GET_SCHEMA", { topic: name });
  await client.ask("GET_SCHEMA", { topic: name, schemaVersion: version(0) });
  await client.ask("GET_SCHEMA", { topic: name, schemaVersion: version(9) });
  await client.ask("GET_SCHEMA", { topic: topic("none") });
  await client.subscribe(name, { schema: avro(a) });
  await client.subscribe(name, {
    consumerId: 1,
    subscription: "s1",
    schema: avro({ name: "c", type: "int" }),
  });
}

/** A broker without transactions. */
async function transactions(port: number): Promise<void> {
  using client = await Talker.connect(port);
  const name = topic("transactions");
  await client.lookup(name);
  await client.subscribe(name);
  const id = { txnidMostBits: 0, txnidLeastBits: 1 };
  const subscription = { topic: name, subscription: "sub" };
  await client.ask("TC_CLIENT_CONNECT_REQUEST", { tcId: 0 });
  await client.ask("NEW_TXN", { tcId: 0, txnTtlSeconds: 1 });
  await client.ask("ADD_PARTITION_TO_TXN", { ...id, partitions: [name] });
  await client.ask("ADD_SUBSCRIPTION_TO_TXN", { ...id, subscription: [subscription] });
  await client.ask("END_TXN", { ...id, txnAction: 0 });
  await client.ask("END_TXN_ON_PARTITION", { ...id, topic: name, txnAction: 0 });
  await client.ask("END_TXN_ON_SUBSCRIPTION", { ...id, subscription, txnAction: 0 });
}

/** The payload of a batch of keys and values. */
function batchOf(messages: readonly (readonly [string, string])[]): Uint8Array {
  const writer = new ProtoWriter();
  for (const [partitionKey, value] of messages.toReversed()) {
    const bytes = utf8(value);
    writer.raw(bytes);
    const fields = { payloadSize: bytes.length, partitionKey };
    writer.frame32(encodeMessage(SINGLE_MESSAGE_METADATA, fields, writer));
  }
  return writer.finish();
}

async function compact(adminUrl: string, local: string): Promise<void> {
  const url = `${adminUrl}/admin/v2/persistent/${NAMESPACE}/${local}/compaction`;
  await (await fetch(url, { method: "PUT" })).body?.cancel();
  for (;;) {
    const { status } = await (await fetch(url)).json();
    if (status === "SUCCESS") return;
  }
}

/** A topic that is compacted after the 9th frame of the client, read before and after more was written. */
async function compaction(port: number, adminUrl: string): Promise<void> {
  const name = topic("compaction");
  using writer = await Talker.connect(port);
  await writer.lookup(name);
  await writer.produce(name);
  await writer.send(0, utf8("1"), { partitionKey: "a" });
  await writer.send(1, utf8("2"), { partitionKey: "b" });
  await writer.send(2, utf8("without a key"));
  await writer.send(3, utf8(""), { partitionKey: "b" });
  const batch = batchOf([["a", "3"], ["c", "4"], ["c", "5"]]);
  await writer.send(4, batch, { numMessagesInBatch: 3 });
  await compact(adminUrl, "raw-compaction");
  using reader = await Talker.connect(port);
  await reader.subscribe(name, { readCompacted: true, subType: 1 });
  await reader.subscribe(name, { readCompacted: true });
  await reader.ask("GET_LAST_MESSAGE_ID", { consumerId: 0 });
  await reader.say("FLOW", { consumerId: 0, messagePermits: 100 });
  await reader.until("MESSAGE");
  await writer.send(7, utf8("6"), { partitionKey: "c" });
  await reader.until("MESSAGE");
  await reader.ask("GET_LAST_MESSAGE_ID", { consumerId: 0 });
  await reader.subscribe(name, { consumerId: 1, subscription: "plain" });
  await reader.say("FLOW", { consumerId: 1, messagePermits: 100 });
  await reader.until("MESSAGE", 6);
}

/** By name, as the scenarios of the official clients. */
export const RAW_TOPIC_SCENARIOS: Readonly<
  Record<string, (port: number, adminUrl: string) => Promise<void>>
> = {
  producer_waiting: producerWaiting,
  topic_list: topicList,
  topic_metadata: topicMetadata,
  schemas,
  transactions,
  compaction,
};
