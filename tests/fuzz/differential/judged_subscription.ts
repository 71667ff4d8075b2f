/** One subscription of a topic and its consumers, each on a connection of its own: what came, what is outstanding, what may be acknowledged. */
import {
  CommandAckAckType,
  type CommandBodies,
  type MessageIdData,
} from "../../../lib/pulsar/wire/mod.ts";
import { type Operation, type SubscriptionType, TYPES } from "./operations.ts";
import type { Said } from "./judge_connection.ts";
import { type JudgedConsumer, plainAnswer, type SubscriptionHost } from "./shape.ts";

/** Enough for everything that a sequence makes, where who gets what is the broker's choice. */
const PLENTY = 1000;
const WORD_BITS = 64;

/** A message that came. */
interface Delivery {
  readonly ordinal: number | string;
  readonly texts: readonly string[];
  readonly redeliveryCount: number;
  /** Places in the batch that are not acknowledged; undefined for all. */
  readonly places: readonly number[] | undefined;
}

/** An entry that a consumer has and has not acknowledged. */
interface Outstanding {
  readonly ordinal: number;
  readonly position: MessageIdData;
  readonly holder: string;
  readonly messageCount: number;
}

/** The set bits of an ack set: what is not acknowledged. */
function placesOf(ackSet: readonly bigint[] | undefined): number[] | undefined {
  if (ackSet === undefined || ackSet.length === 0) return undefined;
  const places: number[] = [];
  ackSet.forEach((word, i) => {
    for (let bit = 0; bit < WORD_BITS; bit++) {
      if ((BigInt.asUintN(64, word) >> BigInt(bit)) & 1n) places.push(WORD_BITS * i + bit);
    }
  });
  return places;
}

/** A subscription as the judge sees it. */
export class Judged {
  consumers: JudgedConsumer[] = [];
  readonly #outstanding = new Map<number, Outstanding>();
  /** Entries of which some messages are acknowledged and others not. */
  readonly partial = new Set<number>();
  /** Somebody has left: what comes of it depends on what he had, which is the broker's choice. */
  #hasLost = false;

  constructor(
    private readonly world: SubscriptionHost,
    readonly name: string,
    readonly type: SubscriptionType,
  ) {}

  get isShared(): boolean {
    return this.type === "shared" || this.type === "key_shared";
  }

  /** Entries that were delivered and not acknowledged since. */
  get outstandingCount(): number {
    return this.#outstanding.size;
  }

  /** Opens a consumer of this name, if there is none. */
  async open(name: string): Promise<string> {
    if (this.consumers.some((consumer) => consumer.name === name)) return "is open";
    const connection = await this.world.connect();
    const answer = await connection.request("SUBSCRIBE", {
      ...{ topic: this.world.topic, subscription: this.name, consumerId: 0, consumerName: name },
      subType: TYPES.indexOf(this.type) as CommandBodies["SUBSCRIBE"]["subType"],
      initialPosition: 1,
    });
    if (answer?.type !== "SUCCESS") {
      await connection.cut();
      return plainAnswer(answer);
    }
    this.consumers.push({ name, connection, seen: 0, permits: 0 });
    this.consumers.sort((a, b) => a.name < b.name ? -1 : 1);
    if (this.isShared) await this.#flow(this.consumers.find((one) => one.name === name)!, PLENTY);
    return "SUCCESS";
  }

  async #flow(consumer: JudgedConsumer, messagePermits: number): Promise<void> {
    consumer.permits += messagePermits;
    await consumer.connection.send("FLOW", { consumerId: 0, messagePermits });
  }

  /** Does what concerns one of its consumers or what they have. */
  async perform(operation: Operation): Promise<unknown> {
    switch (operation.kind) {
      case "flow": {
        if (this.isShared) return "has plenty";
        const consumer = this.#consumerFor(operation.choice);
        await this.#flow(consumer, operation.permits);
        return consumer.name;
      }
      case "ack":
      case "ack_cumulative":
      case "ack_index":
        return await this.#acknowledge(operation);
      case "redeliver":
        return await this.#redeliver(operation.which);
      case "seek":
        this.partial.clear();
        return await this.#request("SEEK", this.world.seekTarget(operation));
      case "unsubscribe": {
        const answer = await this.#request("UNSUBSCRIBE", {});
        // What is said to a consumer that is gone is not always answered.
        if (answer === "SUCCESS") await this.cutAll();
        return answer;
      }
      case "close":
        return await this.#leave(operation.choice, true);
      case "cut":
        return await this.#leave(operation.choice, false);
      default:
        return undefined;
    }
  }

  #consumerFor(choice: number): JudgedConsumer {
    // The fraction that chose the subscription is spent; its later digits choose the consumer.
    const digits = (choice * 1000) % 1;
    return this.consumers[Math.floor(digits * this.consumers.length)]!;
  }

  async #request(type: "SEEK" | "UNSUBSCRIBE", body: object): Promise<string> {
    const { connection } = this.consumers[0]!;
    return plainAnswer(await connection.request(type, { consumerId: 0, ...body } as never));
  }

  async #leave(choice: number, isPolite: boolean): Promise<string> {
    const consumer = this.#consumerFor(choice);
    const { connection, name } = consumer;
    if (isPolite) await connection.request("CLOSE_CONSUMER", { consumerId: 0 });
    await connection.cut();
    this.#forget(consumer);
    this.#hasLost = true;
    return name;
  }

  #forget(consumer: JudgedConsumer): void {
    this.consumers = this.consumers.filter((one) => one !== consumer);
    for (const [ordinal, { holder }] of this.#outstanding) {
      if (holder === consumer.name) this.#outstanding.delete(ordinal);
    }
  }

  #outstandingAt(which: number): Outstanding | undefined {
    const sorted = [...this.#outstanding.values()].sort((a, b) => a.ordinal - b.ordinal);
    return sorted[Math.floor(which * sorted.length)];
  }

  async #acknowledge(
    operation: Extract<Operation, { kind: "ack" | "ack_cumulative" | "ack_index" }>,
  ): Promise<unknown> {
    const entry = this.#outstandingAt(operation.which);
    if (entry === undefined) return "nothing is outstanding";
    const holder = this.consumers.find(({ name }) => name === entry.holder)!;
    const isCumulative = operation.kind === "ack_cumulative" ||
      operation.kind === "ack_index" && operation.isCumulative && !this.isShared;
    const { ledgerId, entryId } = entry.position;
    const isPart = operation.kind === "ack_index" && entry.messageCount > 1;
    const index = isPart ? operation.index % entry.messageCount : 0;
    const ackSet = isPart ? [remaining(entry.messageCount, index, isCumulative)] : undefined;
    const isWhole = ackSet === undefined || ackSet[0] === 0n;
    const answer = await holder.connection.request("ACK", {
      consumerId: 0,
      ackType: isCumulative ? CommandAckAckType.Cumulative : CommandAckAckType.Individual,
      messageId: [{ ledgerId, entryId, ...(isWhole ? {} : { ackSet }) }],
    });
    if (isWhole) this.partial.delete(entry.ordinal);
    else this.partial.add(entry.ordinal);
    if (isWhole && !isCumulative) this.#outstanding.delete(entry.ordinal);
    if (isCumulative && !this.isShared) {
      for (const ordinal of this.#outstanding.keys()) {
        if (ordinal < entry.ordinal || ordinal === entry.ordinal && isWhole) {
          this.#outstanding.delete(ordinal);
        }
      }
    }
    return [plainAnswer(answer), entry.ordinal, isPart ? index : "whole", isCumulative];
  }

  async #redeliver(which: number | "all"): Promise<unknown> {
    const entry = which === "all" ? undefined : this.#outstandingAt(which);
    if (which !== "all" && entry === undefined) return "nothing is outstanding";
    const wanted = this.isShared && entry !== undefined ? [entry] : [...this.#outstanding.values()];
    for (const { name, connection } of this.consumers) {
      // Each holder names what it has: what goes from one to the other meanwhile is not counted twice.
      const messageIds = this.isShared
        ? wanted.filter(({ holder }) => holder === name).map(({ position }) => ({ ...position }))
        : [];
      if (this.isShared && messageIds.length === 0) continue;
      await connection.send("REDELIVER_UNACKNOWLEDGED_MESSAGES", { consumerId: 0, messageIds });
    }
    for (const { ordinal } of wanted) this.#outstanding.delete(ordinal);
    return wanted.map(({ ordinal }) => ordinal).sort((a, b) => a - b);
  }

  /** What has come since the last time: for shared types without who got it, in the order of the log, and what is outstanding now. */
  takeEvents(): unknown {
    const all = this.consumers.map((consumer) => {
      const fresh = consumer.connection.events.slice(consumer.seen);
      consumer.seen = consumer.connection.events.length;
      const deliveries = fresh.filter(({ command }) => command.type === "MESSAGE")
        .map((said) => this.#deliver(consumer, said));
      const others = fresh.filter((said) => this.#isNews(said)).map(plainEvent);
      return { name: consumer.name, deliveries, others };
    });
    if (!this.isShared) {
      return all.map((one) => ({ ...one, deliveries: one.deliveries.map(plainDelivery) }));
    }
    const union = this.#hasLost
      ? "what somebody had"
      : all.flatMap(({ deliveries }) => deliveries).sort(byOrdinal).map(plainDelivery);
    this.#hasLost = false;
    const disorder = all.flatMap(({ deliveries }) => this.#disorderOf(deliveries));
    const outstanding = [...this.#outstanding.keys()].sort((a, b) => a - b);
    const others = all.map((one) => [one.name, ...one.others]);
    return { union, disorder, outstanding, others };
  }

  /**
   * Whether an event is compared. Of the end of the topic a real one tells later consumers or not, as reads happen to be under way; and
   * while the one who was served comes back from a seek, the embedded broker has, after its delay, somebody else take over, a real one nobody.
   */
  #isNews({ command }: Said): boolean {
    if (command.type === "ACTIVE_CONSUMER_CHANGE") return !this.world.isSeeking;
    if (command.type === "REACHED_END_OF_TOPIC") return this.world.isTerminating;
    return command.type !== "MESSAGE";
  }

  /** Messages of one key that a consumer got for the first time behind later ones. */
  #disorderOf(deliveries: readonly Delivery[]): string[] {
    if (this.type !== "key_shared") return [];
    const newest = new Map<string, number>();
    return deliveries.flatMap(({ ordinal, redeliveryCount }) => {
      if (typeof ordinal !== "number") return [];
      const key = this.world.keyOf(ordinal);
      const before = newest.get(key) ?? -1;
      newest.set(key, Math.max(before, ordinal));
      return redeliveryCount === 0 && ordinal < before
        ? [`${ordinal} of key ${key} comes after ${before}`]
        : [];
    });
  }

  #deliver(consumer: JudgedConsumer, { command, texts }: Said): Delivery {
    const { messageId, redeliveryCount = 0, ackSet } = command.body as CommandBodies["MESSAGE"];
    const ordinal = this.world.ordinalOf(messageId);
    consumer.permits -= texts.length;
    if (typeof ordinal === "number") {
      const { ledgerId, entryId } = messageId;
      this.#outstanding.set(ordinal, {
        ordinal,
        position: { ledgerId, entryId },
        holder: consumer.name,
        messageCount: texts.length,
      });
    }
    return { ordinal, texts, redeliveryCount, places: placesOf(ackSet) };
  }

  /** Opens again, in the order of their names, the consumers that the broker has sent away. */
  async reopen(): Promise<string[]> {
    const gone = this.consumers.filter(({ connection }) =>
      connection.isClosed ||
      connection.events.some(({ command }) => command.type === "CLOSE_CONSUMER")
    );
    for (const consumer of gone) {
      this.#forget(consumer);
      await consumer.connection.cut();
    }
    const answers: string[] = [];
    for (const { name } of gone) answers.push(`${name}: ${await this.open(name)}`);
    return answers;
  }

  /** Lets a new consumer read everything that is not acknowledged, after all others are gone. */
  async openAuditor(): Promise<string> {
    await this.cutAll();
    const opened = await this.#openPatiently();
    if (opened === "SUCCESS" && !this.isShared) await this.#flow(this.consumers[0]!, PLENTY);
    return opened;
  }

  /** A broker may take a moment to see that the others are gone. */
  async #openPatiently(): Promise<string> {
    for (let i = 0; i < 50; i++) {
      const answer = await this.open("auditor");
      if (!answer.startsWith("ERROR")) return answer;
    }
    return "cannot be opened";
  }

  async cutAll(): Promise<void> {
    for (const { connection } of this.consumers) await connection.cut();
    this.consumers = [];
    this.#outstanding.clear();
  }
}

/** A word of an ack set: the bits of what remains. */
function remaining(messageCount: number, index: number, isCumulative: boolean): bigint {
  let word = (1n << BigInt(messageCount)) - 1n;
  for (let i = 0; i < messageCount; i++) {
    if (i === index || isCumulative && i < index) word &= ~(1n << BigInt(i));
  }
  return word;
}

function byOrdinal(a: Delivery, b: Delivery): number {
  return Number(a.ordinal) - Number(b.ordinal) || a.redeliveryCount - b.redeliveryCount;
}

function plainDelivery({ ordinal, texts, redeliveryCount, places }: Delivery): string {
  const part = places === undefined ? "" : ` of which ${places.join(",")}`;
  return `${ordinal}: ${texts.join(" ")}${part}, redelivered ${redeliveryCount}`;
}

function plainEvent({ command }: Said): string {
  const { isActive } = command.body as { isActive?: boolean };
  return isActive === undefined ? command.type : `${command.type} ${isActive}`;
}
