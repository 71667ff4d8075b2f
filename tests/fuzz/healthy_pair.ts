/** Clients that do everything right beside those that do not: what they were promised must hold, whatever the others say. */
import { systemClock, utf8 } from "../../lib/base/mod.ts";
import { type CommandBodies, encodeCommand } from "../../lib/pulsar/wire/mod.ts";
import { payloadText, sendFrame } from "../pulsar/broker/_raw_client.ts";
import type { MemoryBroker } from "./memory_broker.ts";
import type { Heard, MemorySocket } from "./memory_socket.ts";

const WAIT_MS = 20_000;

/** A connection that hears what it asked for, or throws. */
class Healthy {
  readonly socket: MemorySocket;
  readonly #ended: Promise<void>;
  readonly #heard: Heard[] = [];
  #requestId = 1n;

  constructor(broker: MemoryBroker) {
    const { socket, ended } = broker.connect((heard) => {
      // A broker may ask for a sign of life when another one wants the place.
      if (heard.command.type === "PING") this.socket.push(encodeCommand("PONG", {}));
      else this.#heard.push(heard);
    });
    this.socket = socket;
    this.#ended = ended;
    socket.push(encodeCommand("CONNECT", { clientVersion: "healthy", protocolVersion: 21 }));
  }

  async request(
    type: "PRODUCER" | "SUBSCRIBE" | "CLOSE_CONSUMER" | "LOOKUP",
    body: Record<string, unknown>,
    answer: Heard["command"]["type"],
  ): Promise<void> {
    const requestId = this.#requestId++;
    this.socket.push(encodeCommand(type, { ...body, requestId } as never));
    await this.next(answer);
  }

  /** The next command, which must be of this type. */
  async next<Type extends Heard["command"]["type"]>(
    type: Type,
  ): Promise<{ readonly body: CommandBodies[Type]; readonly section: Uint8Array }> {
    const done = new AbortController();
    const late = systemClock.sleep(WAIT_MS, done.signal).then(() => "late", () => "in time");
    try {
      while (this.#heard.length === 0) {
        if (this.socket.isClosed) throw new Error(`a healthy client was sent away before ${type}`);
        if (this.socket.fault !== undefined) throw new Error(this.socket.fault);
        const what = await Promise.race([this.socket.changed(), late]);
        if (what === "late") throw new Error(`a healthy client waits for ${type} in vain`);
      }
    } finally {
      done.abort();
    }
    const { command, section } = this.#heard.shift()!;
    if (command.type !== type) {
      const { message = "" } = command.body as { message?: string };
      throw new Error(`a healthy client got ${command.type} instead of ${type} ${message}`);
    }
    return { body: command.body as CommandBodies[Type], section };
  }

  async end(): Promise<void> {
    this.socket.end();
    await this.#ended;
  }
}

/** A producer and a consumer on a topic of their own, one message at a time, and an audit that reads all of it at the end. */
export class HealthyPair {
  /** Texts that have a receipt. */
  readonly acknowledged: string[];
  readonly #producer: Healthy;
  readonly #consumer: Healthy;

  private constructor(
    private readonly broker: MemoryBroker,
    private readonly topic: string,
    acknowledged: string[],
  ) {
    this.acknowledged = acknowledged;
    this.#producer = new Healthy(broker);
    this.#consumer = new Healthy(broker);
  }

  /** Connects both. What was acknowledged before, on the same data, is given when the broker was started again. */
  static async open(
    broker: MemoryBroker,
    topic: string,
    acknowledged: string[] = [],
  ): Promise<HealthyPair> {
    const pair = new HealthyPair(broker, topic, acknowledged);
    await pair.#open();
    return pair;
  }

  async #open(): Promise<void> {
    const { topic } = this;
    await this.#producer.next("CONNECTED");
    await this.#consumer.next("CONNECTED");
    const audit = { topic, subscription: "audit", subType: 0, initialPosition: 1 };
    await this.#consumer.request("SUBSCRIBE", { ...audit, consumerId: 1 }, "SUCCESS");
    await this.#consumer.request("CLOSE_CONSUMER", { consumerId: 1 }, "SUCCESS");
    const reading = { ...audit, subscription: "reading", consumerId: 0 };
    await this.#consumer.request("SUBSCRIBE", reading, "SUCCESS");
    this.#consumer.socket.push(encodeCommand("FLOW", { consumerId: 0, messagePermits: 1_000_000 }));
    const producer = { topic, producerId: 0, producerName: "healthy" };
    await this.#producer.request("PRODUCER", producer, "PRODUCER_SUCCESS");
  }

  /**
   * Sends one message, takes its receipt, receives and acknowledges it.
   *
   * @throws what has harmed them
   */
  async exchange(): Promise<void> {
    const sequenceId = this.acknowledged.length;
    const text = `healthy ${sequenceId}`;
    this.#producer.socket.push(
      sendFrame({ sequenceId, payload: utf8(text), producerName: "healthy" }),
    );
    const receipt = await this.#producer.next("SEND_RECEIPT");
    if (receipt.body.sequenceId !== sequenceId) {
      throw new Error(`a healthy client got receipt ${receipt.body.sequenceId} for ${sequenceId}`);
    }
    this.acknowledged.push(text);
    const { body, section } = await this.#consumer.next("MESSAGE");
    const came = payloadText(section);
    if (came !== text) throw new Error(`a healthy client got "${came}" instead of "${text}"`);
    const { messageId } = body;
    this.#consumer.socket.push(
      encodeCommand("ACK", { consumerId: 0, ackType: 0, messageId: [messageId] }),
    );
  }

  /**
   * Reads everything again from the beginning.
   *
   * @throws when it is not exactly what was acknowledged to the producer
   */
  async audit(): Promise<void> {
    const auditor = new Healthy(this.broker);
    await auditor.next("CONNECTED");
    const { topic } = this;
    const audit = { topic, subscription: "audit", subType: 0, consumerId: 0 };
    await auditor.request("SUBSCRIBE", audit, "SUCCESS");
    auditor.socket.push(encodeCommand("FLOW", { consumerId: 0, messagePermits: 1_000_000 }));
    for (const [i, text] of this.acknowledged.entries()) {
      const came = payloadText((await auditor.next("MESSAGE")).section);
      if (came !== text) throw new Error(`acknowledged message ${i} is "${came}" in the log`);
    }
    // What is too much would come before the answer.
    await auditor.request("LOOKUP", { topic }, "LOOKUP_RESPONSE");
    await auditor.end();
  }

  async close(): Promise<void> {
    await this.#producer.end();
    await this.#consumer.end();
  }
}
