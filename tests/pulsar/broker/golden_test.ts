import assert from "node:assert/strict";
import { systemClock, utf8 } from "../../../lib/base/mod.ts";
import { decodeCommand, encodeCommand, FrameReader } from "../../../lib/pulsar/wire/mod.ts";
import type { Command } from "../../../lib/pulsar/wire/mod.ts";
import type { StartOptions } from "../../../lib/pulsar/broker/mod.ts";
import { testBroker } from "./_broker.ts";
import type { TestBroker } from "./_broker.ts";
import { SECRET, tokenOf } from "./_tokens.ts";
import { type RecordedFrame, recording } from "../recorded.ts";
import { plain, RawClient } from "./_raw_client.ts";
import type { Received } from "./_raw_client.ts";

interface Decoded {
  readonly command: Command;
  readonly section: Uint8Array;
}

function decode(bytes: Uint8Array): Decoded | undefined {
  const reader = new FrameReader({ initialBytes: bytes.length + 8 });
  reader.room().set(bytes);
  reader.filled(bytes.length);
  try {
    const frame = reader.next()!;
    return { command: decodeCommand(frame)!, section: bytes.slice(frame.commandEnd - frame.start) };
  } catch {
    return undefined;
  }
}

/** Ledger ids are the broker's own: the recorded one stands for ours from where it is first seen. */
class Ledgers {
  readonly #ours = new Map<number, number>();

  learn(recorded: unknown, ours: unknown): void {
    if (typeof recorded !== "object" || recorded === null) return;
    for (const [key, value] of Object.entries(recorded)) {
      const other = (ours as Record<string, unknown> | undefined)?.[key];
      const isNew = key === "ledgerId" && typeof value === "number" && Number.isFinite(value) &&
        value >= 0 && !this.#ours.has(value);
      if (isNew && typeof other === "number") this.#ours.set(value, other);
      else this.learn(value, other);
    }
  }

  translate(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.translate(one));
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) =>
        key === "ledgerId"
          ? [key, this.#ours.get(one as number) ?? one]
          : [key, this.translate(one)]
      ),
    );
  }
}

/** What two brokers may say differently without a client noticing. */
const FREE = new Set([
  "serverVersion",
  "featureFlags",
  "brokerServiceUrl",
  "message",
  "errorMessage",
  "address",
  "connectedSince",
]);

function comparable(type: string, body: unknown): string {
  const fields = Object.entries(body as Record<string, unknown>)
    .filter(([key]) => !FREE.has(key))
    // 4.2.4 says 0 or 2^64 − 1 for none, as the object that it uses again happens to hold.
    .filter(([key, value]) => !(key === "highestSequenceId" && (value === 0 || value === -1)))
    .map(([key, value]) => [key, /^standalone-/.test(String(value)) ? "generated" : value] as const)
    .sort(([a], [b]) => a < b ? -1 : 1);
  return `${type} ${JSON.stringify(Object.fromEntries(fields), plain)}`;
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const done = new AbortController();
  const late = systemClock.sleep(8000, done.signal).then(() => {
    throw new Error(`nothing came for ${what}`);
  });
  late.catch(() => {/* it was in time */});
  return await Promise.race([promise, late]).finally(() => done.abort());
}

/** What comes beside the answers to requests, in whatever order. */
const BESIDE: ReadonlySet<string> = new Set([
  "ACTIVE_CONSUMER_CHANGE",
  "MESSAGE",
  "REACHED_END_OF_TOPIC",
  "SEND_RECEIPT",
  "WATCH_TOPIC_UPDATE",
]);

/** What an answer belongs to: a request, what comes beside, or nothing in particular. */
function kindOf({ command }: Received): string {
  if (BESIDE.has(command.type)) return command.type;
  const { requestId } = command.body as { requestId?: bigint };
  return requestId === undefined || requestId === -1n ? "" : `request ${requestId}`;
}

/** Plays the client's part of a recording and compares what the broker says to it. */
class Replay {
  readonly #clients = new Map<number, RawClient>();
  readonly #ledgers = new Ledgers();
  /** What came before what the recording has first. */
  readonly #early: Received[] = [];

  constructor(
    private readonly broker: TestBroker,
    private readonly options: { readonly hangsUp?: boolean; readonly token?: string } = {},
  ) {}

  async #client(connection: number): Promise<RawClient> {
    let client = this.#clients.get(connection);
    if (client === undefined) {
      if (this.options.hangsUp) { for (const one of this.#clients.values()) one.socket.close(); }
      client = await RawClient.dial(this.broker.port);
      this.#clients.set(connection, client);
    }
    return client;
  }

  async run(
    frames: readonly RecordedFrame[],
    during: Readonly<Record<number, () => Promise<void>>> = {},
  ): Promise<void> {
    for (const [i, { from, connection, command, bytes, name }] of frames.entries()) {
      await during[i]?.();
      // The raw client answers PING by itself.
      if (command === "PING" && from === "broker" || command === "PONG" && from === "client") {
        continue;
      }
      const client = await this.#client(connection);
      if (from === "client") await this.#say(client, bytes);
      else await this.#hear(client, bytes, name);
    }
  }

  async #say(client: RawClient, bytes: Uint8Array): Promise<void> {
    const decoded = decode(bytes);
    if (decoded?.command === undefined || decoded.section.length > 0) {
      return await client.write(bytes);
    }
    const { type, body } = decoded.command;
    const { token } = this.options;
    const said = type === "CONNECT" && token !== undefined
      ? { ...body, authData: utf8(token) }
      : this.#ledgers.translate(body);
    await client.write(encodeCommand(type, said as never));
  }

  async #hear(client: RawClient, bytes: Uint8Array, what: string): Promise<void> {
    const recorded = decode(bytes)!;
    const ours = await this.#next(client, kindOf(recorded), what);
    assert.ok(ours !== undefined, `the broker closed the connection instead of ${what}`);
    this.#ledgers.learn(recorded.command.body, ours.command.body);
    assert.equal(
      comparable(ours.command.type, ours.command.body),
      comparable(recorded.command.type, this.#ledgers.translate(recorded.command.body)),
      what,
    );
    assert.equal(ours.section.toHex(), recorded.section.toHex(), what);
  }

  /** Messages and answers to several requests that are under way at once may come in any order. */
  async #next(client: RawClient, kind: string, what: string): Promise<Received | undefined> {
    const early = this.#early.findIndex((one) => kindOf(one) === kind);
    if (early >= 0) return this.#early.splice(early, 1)[0];
    for (;;) {
      const received = await within(client.next(), what);
      if (received === undefined || kindOf(received) === kind) return received;
      if (kindOf(received) === "" || kind === "") return received;
      this.#early.push(received);
    }
  }

  /** Whether the broker closed a connection of the recording. */
  ended(connection: number): Promise<boolean> {
    return within(this.#clients.get(connection)!.ended(), `the end of connection ${connection}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) await client[Symbol.asyncDispose]();
  }
}

async function admin(broker: TestBroker, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.equal(answer.ok, true, `${method} ${path}: ${await answer.text()}`);
}

async function replay(name: string, options: {
  readonly before?: (broker: TestBroker) => Promise<void>;
  /** The client left each connection when it opened the next. */
  readonly hangsUp?: boolean;
  /** What an administrator did before a frame, by the frame's number. */
  readonly during?: Readonly<Record<number, (broker: TestBroker) => Promise<void>>>;
  readonly start?: Partial<StartOptions>;
  /** Recordings that this one builds on: what they left is there. */
  readonly behind?: readonly string[];
  /** What the client shows: the secret that recorded tokens were signed with is gone. */
  readonly token?: string;
  readonly after?: (replay: Replay) => Promise<void>;
} = {}): Promise<void> {
  // The recorded broker did not deduplicate but in one namespace.
  await using broker = await testBroker({
    policies: { isDeduplicating: false },
    ...options.start,
  });
  await options.before?.(broker);
  for (const earlier of options.behind ?? []) {
    await using player = new Replay(broker);
    await player.run(recording(earlier));
  }
  await using player = new Replay(broker, options);
  const during = Object.entries(options.during ?? {})
    .map(([i, action]) => [i, () => action(broker)] as const);
  await player.run(recording(name), Object.fromEntries(during));
  await options.after?.(player);
}

const PLAIN = [
  "python_produce_single",
  "python_produce_batch",
  "python_consume_exclusive",
  "python_consume_single_ack",
  "python_seek",
  "python_last_message_id",
  "python_produce_avro",
  "python_produce_compressed",
  "python_batch_index_ack",
  "python_consume_key_shared",
  "python_ping",
  "java_produce",
  "java_produce_avro",
  "java_ack_receipt",
  "java_seek",
  "java_chunks",
  "python_producer_access",
  "python_non_persistent",
  "java_pattern",
  "java_dead_letter",
  "java_table_view",
  "raw_producer_waiting",
  "raw_topic_list",
  "raw_topic_metadata",
  "raw_schemas",
  "raw_transactions",
];

for (const name of PLAIN) {
  Deno.test(`the broker answers ${name} as the recorded Pulsar did`, () => replay(name));
}

Deno.test("the broker answers python_deduplication as the recorded Pulsar did", () =>
  replay("python_deduplication", {
    before: async (broker) => {
      await admin(broker, "PUT", "namespaces/public/dedup");
      await admin(broker, "POST", "namespaces/public/dedup/deduplication", true);
    },
  }));

Deno.test("the broker answers java_deduplication as the recorded Pulsar did", () =>
  replay("java_deduplication", {
    before: async (broker) => {
      await admin(broker, "PUT", "namespaces/public/java-dedup");
      await admin(broker, "POST", "namespaces/public/java-dedup/deduplication", true);
    },
  }));

Deno.test("the broker answers python_not_found as the recorded Pulsar did", () =>
  replay("python_not_found", {
    before: (broker) => admin(broker, "PUT", "persistent/public/default/three/partitions", 3),
  }));

const THREE_PARTITIONS = (broker: TestBroker) =>
  admin(broker, "PUT", "persistent/public/default/partitioned/partitions", 3);

Deno.test("the broker answers python_produce_partitioned as the recorded Pulsar did", () =>
  replay("python_produce_partitioned", { before: THREE_PARTITIONS }));

Deno.test("the broker answers python_pattern as the recorded Pulsar did", () =>
  replay("python_pattern", {
    before: async (broker) => {
      await THREE_PARTITIONS(broker);
      // What other scenarios had left.
      const others =
        "access avro batch batch-index compressed exclusive failover key-shared last-id seek shared single single-ack terminated unload";
      for (const local of others.split(" ")) {
        await admin(broker, "PUT", `persistent/public/default/${local}`);
      }
    },
  }));

Deno.test("the broker answers python_consume_compressed as the recorded Pulsar did", () =>
  replay("python_consume_compressed", { behind: ["python_produce_compressed"] }));

Deno.test("the broker answers java_auto_consume as the recorded Pulsar did", () =>
  replay("java_auto_consume", { behind: ["java_produce_avro"] }));

const SECURED = { tokenSecretKey: SECRET, superusers: ["admin"] };
for (
  const [name, token] of [
    ["python_token_accepted", await tokenOf("admin")],
    ["python_token_without_rights", await tokenOf("nobody")],
    // Signed with another secret than the broker's, as when they were recorded.
    ["python_token_forged", undefined],
    ["python_token_missing", undefined],
  ] as const
) {
  Deno.test(`the broker answers ${name} as the recorded Pulsar did`, () =>
    replay(name, { start: SECURED, ...(token === undefined ? {} : { token }) }));
}

Deno.test("the broker answers raw_consumer_stats as the recorded Pulsar did", () =>
  replay("raw_consumer_stats"));

Deno.test("the broker answers raw_wrong_checksum as the recorded Pulsar did", () =>
  replay("raw_wrong_checksum"));

Deno.test("the broker closes the connections of raw_malformed that the recorded Pulsar closed", () =>
  replay("raw_malformed", {
    after: async (player) => assert.equal(await player.ended(1), true),
  }));

Deno.test("the broker closes connections whose commands come out of order", () =>
  replay("raw_out_of_order", {
    after: async (player) => {
      // SEND without PRODUCER, PRODUCER before CONNECT, CONNECT twice.
      for (const connection of [0, 2, 3]) assert.equal(await player.ended(connection), true);
    },
  }));

/** The number of the first frame for which a condition holds. */
function placeIn(name: string, condition: (frame: RecordedFrame) => boolean): number {
  return recording(name).findIndex(condition);
}

Deno.test("the broker answers raw_compaction as the recorded Pulsar did", async () => {
  const firstOfReader = placeIn("raw_compaction", ({ connection }) => connection === 1);
  const path = "persistent/public/default/raw-compaction/compaction";
  await replay("raw_compaction", {
    during: {
      [firstOfReader]: async (broker) => {
        await admin(broker, "PUT", path);
        for (let status = ""; status !== "SUCCESS";) {
          const answer = await fetch(`${broker.adminUrl}/admin/v2/${path}`);
          status = (await answer.json()).status;
        }
      },
    },
  });
});

for (
  const [name, path] of [["python_unload", "PUT unload/unload"], [
    "python_terminate",
    "POST terminated/terminate",
  ]] as const
) {
  Deno.test(`the broker answers ${name} as the recorded Pulsar did`, async () => {
    // The administrator's request made the broker close what was open.
    const closed = placeIn(
      name,
      ({ from, command }) => from === "broker" && command.startsWith("CLOSE_"),
    );
    const [method, local] = path.split(" ") as [string, string];
    await replay(name, {
      hangsUp: true,
      during: { [closed]: (broker) => admin(broker, method, `persistent/public/default/${local}`) },
    });
  });
}
