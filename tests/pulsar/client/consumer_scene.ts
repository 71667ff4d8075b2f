/** What the tests of consumers have in common that run against any broker. */
import assert from "node:assert/strict";
import { systemClock, textOf, utf8 } from "../../../lib/base/mod.ts";
import type {
  Consumer,
  Message,
  MessageId,
  OpenTransport,
  ProducerOptions,
  PulsarAdmin,
  PulsarClient,
  Transport,
} from "../../../lib/pulsar/mod.ts";
import { connectPulsar, systemTransport } from "../../../lib/pulsar/mod.ts";

/** The broker under test. */
export interface BrokerUnderTest {
  readonly serviceUrl: string;
  readonly adminUrl: string;
}

/** A broker, a client of it and an admin, for one test. */
export interface Scene {
  readonly client: PulsarClient;
  readonly admin: PulsarAdmin;
  readonly broker: BrokerUnderTest;
  /** A topic that no other test uses. */
  readonly topic: string;
}

/** Patience where something must not come. */
export const QUIET_MS = 400;
/** Patience where something must come. */
export const WAIT_MS = 15_000;

/** An entry a message. */
export const UNBATCHED = { batching: false } as const;

/** The payloads as texts. */
export function textsOf(messages: readonly Message<unknown>[]): string[] {
  return messages.map(({ data }) => textOf(data));
}

/** Sends texts, and gives their ids. */
export async function produce(
  client: PulsarClient,
  topic: string,
  texts: readonly string[],
  options: Partial<ProducerOptions> = {},
): Promise<MessageId[]> {
  await using producer = await client.openProducer({ topic, ...options });
  const sent = texts.map((text) => producer.send({ value: utf8(text) }));
  await producer.flush();
  return await Promise.all(sent);
}

/** `m0`, `m1`, … */
export function numbered(count: number, prefix = "m"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** Receives so many messages, or as many as come. */
export async function take<T>(consumer: Consumer<T>, count: number): Promise<Message<T>[]> {
  const messages: Message<T>[] = [];
  while (messages.length < count) {
    const message = await consumer.receive({ timeoutMs: WAIT_MS });
    if (message === undefined) break;
    messages.push(message);
  }
  return messages;
}

/** Nothing comes any more. */
export async function assertQuiet(consumer: Consumer<unknown>): Promise<void> {
  const message = await consumer.receive({ timeoutMs: QUIET_MS });
  assert.equal(message, undefined, message === undefined ? "" : textOf(message.data));
}

/** Waits until something holds. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let i = 0; i < WAIT_MS / 20; i++) {
    if (await check()) return;
    await systemClock.sleep(20);
  }
  assert.fail(`never came true: ${what}`);
}

/** A time in whole ms since 1970 between everything that has happened and everything that comes after this. */
export async function nextMs(): Promise<number> {
  const timeMs = Math.floor(systemClock.wallMs()) + 1;
  await eventually("the clock goes on", () => systemClock.wallMs() >= timeMs + 1);
  return timeMs;
}

/** Options of a shared consumer of everything. */
export const SHARED = {
  subscription: "s",
  subscriptionType: "shared",
  initialPosition: "earliest",
} as const;
/** … and of an exclusive one. */
export const EXCLUSIVE = { subscription: "s", initialPosition: "earliest" } as const;

/** What is to be done with a broker, and shown. */
export interface Behaviour {
  readonly name: string;
  readonly run: (scene: Scene) => Promise<void>;
}

/** Where behaviours are noted, to be registered for each broker. */
export class Behaviours {
  readonly all: Behaviour[] = [];
  readonly behaviour = (name: string, run: Behaviour["run"]): void =>
    void this.all.push({ name, run });
}

/** Connections that a test can break. */
export class BreakableLine {
  readonly #open = new Set<Transport>();

  readonly openTransport: OpenTransport = async (address) => {
    const transport = await systemTransport()(address);
    this.#open.add(transport);
    return transport;
  };

  /** A client that soon connects again. */
  connect(serviceUrl: string): Promise<PulsarClient> {
    const { openTransport } = this;
    return connectPulsar({ serviceUrl, backoff: { initialMs: 5, maxMs: 50 }, openTransport });
  }

  breakAll(): void {
    for (const transport of this.#open) transport.close();
    this.#open.clear();
  }
}
