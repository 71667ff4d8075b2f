/** One topic of one broker under a sequence of operations, seen from outside: what each operation showed, in words that any broker would use. */
import { crc32cPortable, utf8 } from "../../../lib/base/mod.ts";
import {
  closePayload,
  encodeMessage,
  MESSAGE_METADATA,
  type MessageIdData,
  ProtoWriter,
  writeSend,
  writeSingleMetadata,
} from "../../../lib/pulsar/wire/mod.ts";
import type { Operation, Sequence } from "./operations.ts";
import { Judged } from "./judged_subscription.ts";
import { JudgeConnection } from "./judge_connection.ts";
import { settle } from "./settle.ts";
import { type JudgedBroker, plainAnswer, type SubscriptionHost } from "./shape.ts";
import { readStats } from "./topic_stats.ts";

const PRODUCER = "p";
/** 2^64 − 1 on the wire. */
const EARLIEST = { ledgerId: -1, entryId: -1 };
/** 2^63 − 1 on the wire. */
const LATEST = { ledgerId: Infinity, entryId: Infinity };
/** Messages carry publish times of their own, a second apart, so that seeking by time means the same everywhere. */
const FIRST_PUBLISH_TIME_MS = 1_700_000_000_000;

/** An entry of the topic. */
export interface Entry {
  readonly ordinal: number;
  readonly position: { readonly ledgerId: number; readonly entryId: number };
  readonly messageCount: number;
  readonly publishTimeMs: number;
  readonly key: string;
}

/** What one operation showed. */
export type Observation = Readonly<Record<string, unknown>>;

/** A batch holds messages of one key, as for Key_Shared. */
function frameOf(sequenceId: number, texts: readonly string[], key: string): Uint8Array {
  const writer = new ProtoWriter();
  const publishTime = FIRST_PUBLISH_TIME_MS + 1000 * sequenceId;
  const isBatch = texts.length > 1;
  for (let i = texts.length - 1; i >= 0; i--) {
    const value = utf8(texts[i]!);
    writer.raw(value);
    if (isBatch) {
      const head = new ProtoWriter();
      writeSingleMetadata(head, { payloadBytes: value.length, partitionKey: key });
      writer.raw(head.finish());
    }
  }
  const payloadBytes = writer.length;
  encodeMessage(MESSAGE_METADATA, {
    ...{ producerName: PRODUCER, sequenceId, publishTime, partitionKey: key },
    ...(isBatch ? { numMessagesInBatch: texts.length } : {}),
  }, writer);
  closePayload(writer, payloadBytes, crc32cPortable);
  const numMessages = texts.length;
  writeSend(writer, { producerId: 0, sequenceId, numMessages, highestSequenceId: sequenceId });
  return writer.finish();
}

/** The topic and all that is connected to it. */
export class World implements SubscriptionHost, AsyncDisposable {
  readonly #entries: Entry[] = [];
  readonly #subscriptions: Judged[];
  #producer: JudgeConnection | undefined;
  #sequenceId = 0;
  isTerminated = false;
  isTerminating = false;
  isSeeking = false;
  #textCount = 0;

  constructor(readonly broker: JudgedBroker, readonly topic: string, sequence: Sequence) {
    this.#subscriptions = sequence.types.map((type, i) => new Judged(this, `sub${i}`, type));
  }

  /** Ordinal of a position, −1 for none before the first, or what it is instead. */
  ordinalOf({ ledgerId, entryId }: { ledgerId: number; entryId: number }): number | string {
    const found = this.#entries.find(({ position }) =>
      position.ledgerId === ledgerId && position.entryId === entryId
    );
    return found?.ordinal ?? (entryId < 0 ? "none" : "unknown");
  }

  keyOf(ordinal: number): string {
    return this.#entries[ordinal]!.key;
  }

  get subscriptions(): readonly Judged[] {
    return this.#subscriptions;
  }

  async connect(): Promise<JudgeConnection> {
    const connection = await JudgeConnection.open(this.broker.serviceUrl, this.broker.tampering);
    // A broker serves a topic only after it was asked where the topic is.
    await connection.request("LOOKUP", { topic: this.topic });
    return connection;
  }

  /** Does one thing and waits until nothing more comes of it. */
  async perform(operation: Operation): Promise<Observation> {
    this.isTerminating = operation.kind === "terminate";
    this.isTerminated ||= this.isTerminating;
    this.isSeeking = operation.kind === "seek";
    const result = await this.#do(operation);
    await settle(this);
    const events = this.#subscriptions.map((subscription) => subscription.takeEvents());
    this.isSeeking = false;
    const reopened: string[] = [];
    for (const subscription of this.#subscriptions) reopened.push(...await subscription.reopen());
    if (reopened.length > 0) await settle(this);
    const later = this.#subscriptions.map((subscription) => subscription.takeEvents());
    return { result, events, reopened, later, stats: await readStats(this) };
  }

  async #do(operation: Operation): Promise<unknown> {
    switch (operation.kind) {
      case "produce":
        return await this.#produce(operation.messageCount, operation.key);
      case "open":
        return await this.#subscriptions[operation.subscription]?.open(`c${operation.consumer}`);
      case "unload":
      case "restart":
        // A real one forgets which messages of a batch were acknowledged when the topic is loaded again; the embedded broker does not.
        if (this.#subscriptions.some(({ partial }) => partial.size > 0)) return "not now";
        return operation.kind === "unload"
          ? await this.#admin("PUT", "unload")
          : await this.#restart();
      case "terminate":
        return await this.#admin("POST", "terminate");
      case "seek":
        // A real one never answers on an empty topic that was terminated and loaded again.
        if (this.isTerminated && this.#entries.length === 0) return "not now";
        return await this.#subscriptionFor(operation.choice)?.perform(operation);
      default:
        return await this.#subscriptionFor(operation.choice)?.perform(operation);
    }
  }

  async #restart(): Promise<string> {
    await this.#producer?.cut();
    const consumers = this.#subscriptions.flatMap((subscription) => subscription.consumers);
    for (const { connection } of consumers) await connection.cut();
    await this.broker.restart(this.topic);
    return "done";
  }

  #subscriptionFor(choice: number): Judged | undefined {
    const open = this.#subscriptions.filter((subscription) => subscription.consumers.length > 0);
    return open[Math.floor(choice * open.length)];
  }

  async #produce(messageCount: number, key: string): Promise<unknown> {
    if (this.#producer === undefined || this.#producer.isClosed || this.#isProducerClosed()) {
      await this.#producer?.cut();
      this.#producer = await this.connect();
      const answer = await this.#producer.request("PRODUCER", {
        ...{ topic: this.topic, producerId: 0, producerName: PRODUCER },
      });
      if (answer?.type !== "PRODUCER_SUCCESS") {
        await this.#producer.cut();
        return plainAnswer(answer);
      }
    }
    const texts = Array.from({ length: messageCount }, () => `m${this.#textCount++}`);
    const sequenceId = this.#sequenceId++;
    const answer = await this.#producer.sendMessage(frameOf(sequenceId, texts, key));
    if (answer?.type !== "SEND_RECEIPT") return plainAnswer(answer);
    const { ledgerId, entryId } = answer.body.messageId!;
    this.#entries.push({
      ordinal: this.#entries.length,
      position: { ledgerId, entryId },
      messageCount,
      key,
      publishTimeMs: FIRST_PUBLISH_TIME_MS + 1000 * sequenceId,
    });
    return "SEND_RECEIPT";
  }

  #isProducerClosed(): boolean {
    return this.#producer!.events.some(({ command }) => command.type === "CLOSE_PRODUCER");
  }

  /** Where a seek goes. */
  seekTarget(
    { to, which }: Extract<Operation, { kind: "seek" }>,
  ): { readonly messageId?: MessageIdData; readonly messagePublishTime?: number } {
    const entry = this.#entries[Math.floor(which * this.#entries.length)];
    if (to === "earliest" || entry === undefined) return { messageId: EARLIEST };
    if (to === "latest") return { messageId: LATEST };
    if (to === "time") return { messagePublishTime: entry.publishTimeMs };
    return { messageId: entry.position };
  }

  async #admin(method: string, action: string): Promise<number> {
    const path = this.topic.replace("://", "/");
    const response = await fetch(`${this.broker.adminUrl}/admin/v2/${path}/${action}`, { method });
    await response.body?.cancel();
    return response.status;
  }

  /** What is left of each subscription at the end: everything that was not acknowledged. */
  async audit(): Promise<Observation> {
    const left: unknown[] = [];
    for (const subscription of this.#subscriptions) {
      const opened = await subscription.openAuditor();
      await settle(this);
      left.push([opened, subscription.takeEvents()]);
    }
    return { left };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer?.cut();
    for (const subscription of this.#subscriptions) await subscription.cutAll();
    const path = this.topic.replace("://", "/");
    const url = `${this.broker.adminUrl}/admin/v2/${path}?force=true`;
    await (await fetch(url, { method: "DELETE" })).body?.cancel();
  }
}
