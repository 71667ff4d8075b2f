/** Messages that were not dealt with, sent on: to the retry letter topic, to come again later, or to the dead letter topic, to be looked at. */
import type { DeadLetterPolicy } from "./consumer_options.ts";
import type { Message } from "./message.ts";
import { MessageId } from "./message_id.ts";
import type { Producer } from "./producer.ts";
import type { ProducerOptions } from "./producer_options.ts";
import type { Schema, SchemaInfo } from "./schema.ts";

/** Properties of messages sent on, by the names that Pulsar's clients share (RetryMessageUtil in Java's). */
const LETTER_PROPERTIES = {
  reconsumeTimes: "RECONSUMETIMES",
  delayTimeMs: "DELAY_TIME",
  realTopic: "REAL_TOPIC",
  realSubscription: "REAL_SUBSCRIPTION",
  originMessageId: "ORIGIN_MESSAGE_ID",
} as const;

const RECONSUME_TIMES_MAX = 16;

/** Opens producers. */
export type OpenProducer = (options: ProducerOptions<Uint8Array>) => Promise<Producer<Uint8Array>>;

/** What letters are sent with. */
export interface LettersOptions {
  /** Full name of the (first) topic, which names the others; undefined to take that of each message. */
  readonly topic: string | undefined;
  readonly subscription: string;
  readonly consumerName: string;
  readonly policy: DeadLetterPolicy | undefined;
  readonly schemaInfo: SchemaInfo | undefined;
  readonly openProducer: OpenProducer;
}

/** Full name of the topic that `reconsumeLater` sends to. */
export function retryTopicOf(
  topic: string,
  subscription: string,
  policy: DeadLetterPolicy | undefined,
): string {
  return policy?.retryLetterTopic ?? `${topic}-${subscription}-RETRY`;
}

/** Sends letters; the producers are opened when the first one is sent. */
export class Letters implements AsyncDisposable {
  readonly #options: LettersOptions;
  readonly #producers = new Map<string, Promise<Producer<Uint8Array>>>();
  #isClosed = false;

  constructor(options: LettersOptions) {
    this.#options = options;
  }

  /** How often a message may come before it goes to the dead letter topic. */
  get #maxRedeliverCount(): number {
    return this.#options.policy?.maxRedeliverCount ?? RECONSUME_TIMES_MAX;
  }

  /** Sends a message to the dead letter topic. */
  async bury(message: Message<unknown>): Promise<void> {
    const { subscription, policy } = this.#options;
    const target = policy?.deadLetterTopic ?? `${this.#baseOf(message)}-${subscription}-DLQ`;
    const producer = await this.#producer(target, "DLQ", policy?.initialSubscription);
    await producer.send({ ...contentOf(message), properties: this.#properties(message) });
  }

  /**
   * Sends a message to the retry letter topic, to be delivered after a delay; or to the dead letter topic where it was there too often.
   *
   * @param properties are added to those of the message
   */
  async retry(
    message: Message<unknown>,
    delayMs: number,
    properties: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const { subscription, policy } = this.#options;
    const { reconsumeTimes, delayTimeMs } = LETTER_PROPERTIES;
    const times = Number(message.properties[reconsumeTimes] ?? 0) + 1;
    if (times > this.#maxRedeliverCount) return await this.bury(message);
    const target = retryTopicOf(this.#baseOf(message), subscription, policy);
    const producer = await this.#producer(target, "RETRY");
    await producer.send({
      ...contentOf(message),
      deliverAfterMs: delayMs,
      properties: {
        ...this.#properties(message),
        ...properties,
        [reconsumeTimes]: String(times),
        [delayTimeMs]: String(delayMs),
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const opened = await Promise.allSettled(this.#producers.values());
    await Promise.all(
      opened.map((one) =>
        one.status === "fulfilled" ? one.value[Symbol.asyncDispose]() : undefined
      ),
    );
  }

  #producer(
    topic: string,
    kind: "DLQ" | "RETRY",
    initialSubscription?: string,
  ): Promise<Producer<Uint8Array>> {
    const existing = this.#producers.get(topic);
    if (existing !== undefined) return existing;
    const { openProducer, schemaInfo } = this.#options;
    const { consumerName, subscription } = this.#options;
    const opening = openProducer({
      topic,
      // Each message is waited for alone: a batch would only delay it.
      batching: false,
      chunking: true,
      schema: passingOn(schemaInfo),
      properties: { kind, subscription, consumer: consumerName },
      ...(initialSubscription === undefined ? {} : { initialSubscription }),
    });
    this.#producers.set(topic, opening);
    // The next message tries again.
    opening.then(
      (producer) => this.#isClosed ? producer[Symbol.asyncDispose]() : undefined,
      () => this.#producers.delete(topic),
    );
    return opening;
  }

  #baseOf({ topic }: Message<unknown>): string {
    return this.#options.topic ?? topic.replace(/-partition-\d+$/, "");
  }

  #properties(message: Message<unknown>): Record<string, string> {
    const { realTopic, realSubscription, originMessageId } = LETTER_PROPERTIES;
    return {
      // A message that was sent on before keeps where it came from at first.
      [realTopic]: message.topic,
      [originMessageId]: MessageId.toText(message.id),
      ...message.properties,
      [realSubscription]: this.#options.subscription,
    };
  }
}

function contentOf(message: Message<unknown>) {
  const { data, isNull, key, keyBytes, orderingKey, eventTimeMs } = message;
  const isText = keyBytes === undefined || key === undefined || isTextOf(key, keyBytes);
  return {
    value: isNull ? null : data,
    ...(key === undefined ? {} : isText ? { key } : { keyBytes }),
    ...(orderingKey === undefined ? {} : { orderingKey }),
    ...(eventTimeMs === undefined ? {} : { eventTimeMs }),
  };
}

/** A key that was sent as bytes is Base64 as a text. */
function isTextOf(key: string, keyBytes: Uint8Array): boolean {
  return new TextEncoder().encode(key).length === keyBytes.length;
}

/** The bytes as they are, under the schema that they were written with. */
function passingOn(info: SchemaInfo | undefined): Schema<Uint8Array> {
  return { info, encode: (bytes) => bytes, decode: (bytes) => bytes };
}
