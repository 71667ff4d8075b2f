/** What a scenario is given: clients, topics, the admin interface, and ways to say what it saw. */
import assert from "node:assert/strict";
import { systemClock, utf8 } from "../../../../lib/base/mod.ts";
import {
  connectPulsar,
  type Consumer,
  type ConsumerOptions,
  type Message,
  MessageId,
  type OutgoingMessage,
  type Producer,
  type ProducerOptions,
  PulsarAdmin,
  type PulsarClient,
  type PulsarClientOptions,
  PulsarError,
  type Reader,
  type ReaderOptions,
  tokenAuthentication,
} from "../../../../lib/pulsar/mod.ts";
import type { DriverConfig } from "../../matrix/driver.ts";

/** What the harness tells. */
export type Config = DriverConfig & { readonly list?: boolean };

/** Long enough on a busy machine, and only waited for when something is wrong. */
export const WAIT_MS = 10_000;
/** Nothing may come in this time. */
export const SILENCE_MS = 400;

const decoder = new TextDecoder();

/** One scenario's own. */
export class Context implements AsyncDisposable {
  readonly notes: Record<string, unknown> = {};
  readonly #clients: PulsarClient[] = [];
  #client: Promise<PulsarClient> | undefined;

  constructor(readonly config: Config, readonly scenario: string) {}

  /** Something seen that must be the same with every broker. */
  note(what: string, seen: unknown): void {
    this.notes[what] = seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }

  async open(options: Partial<PulsarClientOptions> = {}): Promise<PulsarClient> {
    const { serviceUrl, token } = this.config;
    const authentication = token === undefined ? undefined : tokenAuthentication(token);
    const client = await connectPulsar({ serviceUrl, authentication, ...options });
    this.#clients.push(client);
    return client;
  }

  client(): Promise<PulsarClient> {
    return this.#client ??= this.open();
  }

  name(suffix = ""): string {
    return `weir-${this.scenario}-${this.config.runId}${suffix}`;
  }

  topic(suffix = "", namespace = "public/default"): string {
    return `persistent://${namespace}/${this.name(suffix)}`;
  }

  path(suffix = ""): string {
    return `persistent/public/default/${this.name(suffix)}`;
  }

  /** A namespace of the scenario's own. */
  async namespace(): Promise<string> {
    const namespace = `public/${this.name()}`;
    await this.admin("PUT", `namespaces/${namespace}`, { replication_clusters: ["standalone"] });
    return namespace;
  }

  /** The client of the admin interface. */
  official(): PulsarAdmin {
    const { adminUrl, token } = this.config;
    return new PulsarAdmin({
      adminUrl,
      authentication: token === undefined ? undefined : tokenAuthentication(token),
    });
  }

  async adminStatus(
    method: string,
    path: string,
    options: { body?: unknown; token?: string | undefined } = {},
  ): Promise<{ status: number; text: string }> {
    const { body, token = this.config.token } = options;
    const headers = new Headers({ "content-type": "application/json" });
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const url = `${this.config.adminUrl}/admin/v2/${path}`;
    const response = await fetch(url, { method, headers, ...init });
    return { status: response.status, text: await response.text() };
  }

  // deno-lint-ignore no-explicit-any
  async admin(method: string, path: string, body?: unknown): Promise<any> {
    const { status, text } = await this.adminStatus(method, path, { body });
    assert(status < 300, `${method} ${path}: HTTP ${status} ${text.slice(0, 300)}`);
    return text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text;
  }

  /** Asks the harness to do something to the broker. */
  async control(action: string): Promise<void> {
    const response = await fetch(`${this.config.controlUrl}/${action}`, { method: "POST" });
    await response.body?.cancel();
    assert.equal(response.status, 200);
  }

  async partitioned(count: number, suffix = ""): Promise<void> {
    await this.admin("PUT", `${this.path(suffix)}/partitions`, count);
  }

  async producer<T = Uint8Array>(
    options: Partial<ProducerOptions<T>> = {},
  ): Promise<Producer<T>> {
    const client = await this.client();
    return await client.openProducer<T>({ topic: this.topic(), batching: false, ...options });
  }

  /** Batches that go out when they are full, or by flush(). */
  async batching(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    return await this.producer({ batching: { messagesMax: 10, delayMs: 60_000 }, ...options });
  }

  async consumer<T = Uint8Array>(
    options: Partial<ConsumerOptions<T>> = {},
  ): Promise<Consumer<T>> {
    const client = await this.client();
    const isElsewhere = options.topics !== undefined || options.topicsPattern !== undefined;
    return await client.openConsumer<T>({
      ...(isElsewhere ? {} : { topic: this.topic() }),
      subscription: "sub",
      initialPosition: "earliest",
      ...options,
    });
  }

  async shared(options: Partial<ConsumerOptions> = {}): Promise<Consumer> {
    return await this.consumer({ subscriptionType: "shared", ...options });
  }

  async reader(options: Partial<ReaderOptions> = {}): Promise<Reader> {
    const client = await this.client();
    return await client.openReader({
      topic: this.topic(),
      startMessageId: "earliest",
      ...options,
    });
  }

  // deno-lint-ignore no-explicit-any
  async stats(suffix = ""): Promise<any> {
    return await this.admin("GET", `${this.path(suffix)}/stats`);
  }
}

/** A message of a text. */
export function of(text: string, rest: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { value: utf8(text), ...rest };
}

export function numbered(count: number, prefix = "message"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
}

/** Sends one by one; gives the ids of the receipts. */
export async function send(producer: Producer, texts: readonly string[]): Promise<MessageId[]> {
  const ids: MessageId[] = [];
  for (const text of texts) ids.push(await producer.send(of(text)));
  return ids;
}

/** Sends without waiting between, then flushes. */
export async function sendAll(
  producer: Producer,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  const sent = messages.map((message) => producer.send(message));
  await producer.flush();
  await Promise.all(sent);
}

export function textOf(message: Message<unknown>): string {
  return decoder.decode(message.data);
}

export function texts(messages: readonly Message<unknown>[]): string[] {
  return messages.map(textOf);
}

export async function receive<T>(consumer: Consumer<T>, timeoutMs = WAIT_MS): Promise<Message<T>> {
  const message = await consumer.receive({ timeoutMs });
  assert(message !== undefined, "no message came");
  return message;
}

export async function take<T>(consumer: Consumer<T>, count: number): Promise<Message<T>[]> {
  const messages: Message<T>[] = [];
  while (messages.length < count) messages.push(await receive(consumer));
  return messages;
}

export async function next(reader: Reader): Promise<string> {
  const message = await reader.readNext({ timeoutMs: WAIT_MS });
  assert(message !== undefined, "no message came");
  return textOf(message);
}

export async function silent(consumer: Consumer<unknown>): Promise<void> {
  const message = await consumer.receive({ timeoutMs: SILENCE_MS });
  assert(message === undefined, "nothing more was expected, a message came");
}

/** Takes and acknowledges until nothing comes any more. */
export async function drain(consumer: Consumer, timeoutMs = SILENCE_MS): Promise<Message[]> {
  const messages: Message[] = [];
  for (;;) {
    const message = await consumer.receive({ timeoutMs });
    if (message === undefined) return messages;
    messages.push(message);
    await consumer.acknowledge(message);
  }
}

/** The code of the error that there must be. */
export async function refused(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof PulsarError) return error.code;
    throw error;
  }
  throw new Error("it was accepted, and must be refused");
}

export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  waitMs = WAIT_MS,
): Promise<void> {
  const untilUs = systemClock.monoUs() + waitMs * 1000;
  while (!await isSo()) {
    assert(systemClock.monoUs() < untilUs, `not in time: ${what}`);
    await systemClock.sleep(50);
  }
}

export async function sleep(ms: number): Promise<void> {
  await systemClock.sleep(ms);
}

export { assert, MessageId };
