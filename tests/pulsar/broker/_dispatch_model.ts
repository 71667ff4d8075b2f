/** A subscription with several consumers, moved by hand, and a model of what its consumers may see. */
import assert from "node:assert/strict";
import { crc32cPortable, seededRandom, utf8 } from "../../../lib/base/mod.ts";
import type { Clock } from "../../../lib/base/mod.ts";
import {
  closePayload,
  decodeCommand,
  encodeMessage,
  FrameReader,
  MESSAGE_METADATA,
  ProtoWriter,
} from "../../../lib/pulsar/wire/mod.ts";
import { Consumer } from "../../../lib/pulsar/broker/dispatch/consumer.ts";
import { Cursor } from "../../../lib/pulsar/broker/dispatch/cursor.ts";
import type { DispatchLimits } from "../../../lib/pulsar/broker/dispatch/dispatch_limits.ts";
import { KeyRing } from "../../../lib/pulsar/broker/dispatch/key_ring.ts";
import type { ClientLink } from "../../../lib/pulsar/broker/dispatch/link.ts";
import { PartitionLog } from "../../../lib/pulsar/broker/log/log.ts";
import { murmur3 } from "../../../lib/pulsar/wire/murmur3.ts";
import type {
  Subscription,
  SubscriptionHost,
} from "../../../lib/pulsar/broker/dispatch/subscription.ts";
import { DEFAULT_POLICIES } from "../../../lib/pulsar/broker/policies/topic_policies.ts";
import { parseTopicName } from "../../../lib/pulsar/broker/topic_name.ts";
import { FOLDER, sharedOn } from "./_log.ts";
import { SimDisk } from "./_sim_disk.ts";

/** Where the class under test comes from: the project, or a copy with a fault planted. */
export type SubscriptionClass = typeof Subscription;

/** One step of a random history; numbers are taken modulo what there is. */
export interface Action {
  readonly kind:
    | "produce"
    | "flow"
    | "ack"
    | "ackPart"
    | "ackByOther"
    | "nack"
    | "redeliverAll"
    | "join"
    | "leave"
    | "fill"
    | "wait"
    | "restart"
    | "cumulative";
  readonly who: number;
  readonly what: number;
  readonly more: number;
}

export const KINDS: readonly Action["kind"][] = [
  "produce",
  "produce",
  "produce",
  "flow",
  "flow",
  "flow",
  "ack",
  "ack",
  "ackPart",
  "ackByOther",
  "nack",
  "redeliverAll",
  "join",
  "join",
  "leave",
  "fill",
  "wait",
  "restart",
  "cumulative",
];

/** Small, so that histories reach them. */
const LIMITS: DispatchLimits = {
  consumerUnackedMax: 6,
  subscriptionUnackedMax: 10,
  lookAheadPerConsumer: 4,
  lookAheadMax: 10,
  delayedMax: 5,
};
const CONSUMERS_MAX = 4;

/** A clock whose sleepers go on within `advance`, so that a history needs no event loop. */
class HandClock implements Clock {
  nowMs = 1_000_000;
  #sleepers: { dueMs: number; wake: () => void }[] = [];

  wallMs = () => this.nowMs;
  monoUs = () => this.nowMs * 1000;
  every = () => () => {};

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    const dueMs = this.nowMs + delayMs;
    const then = (wake: () => void) => {
      if (!signal?.aborted) {
        this.#sleepers.push({
          dueMs,
          wake: () => signal?.aborted || wake(),
        });
      }
    };
    return { then } as unknown as Promise<void>;
  }

  advance(deltaMs: number): void {
    const untilMs = this.nowMs + deltaMs;
    for (;;) {
      const next = this.#sleepers.filter(({ dueMs }) => dueMs <= untilMs)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.wake();
    }
    this.nowMs = untilMs;
  }
}

/** What the model knows of an entry. */
interface ModelEntry {
  readonly ledgerId: number;
  readonly entryId: number;
  readonly key: string;
  readonly hash: number;
  readonly messageCount: number;
  readonly deliverAtMs: number;
  /** A bit for each message that is not acknowledged. */
  left: number;
  holder: ModelConsumer | undefined;
  redeliveries: number;
  wasSent: boolean;
}

interface ModelConsumer {
  readonly name: string;
  readonly consumer: Consumer;
  permits: number;
  isFull: boolean;
}

function bits(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** A subscription under a random history. Each delivery, and the state after each step, is held against the model. */
export class DispatchModel {
  readonly #clock = new HandClock();
  readonly #entries: ModelEntry[] = [];
  #consumers: ModelConsumer[] = [];
  #subscription: Subscription;
  #ring = new KeyRing();
  #named = 0;
  readonly #host: SubscriptionHost;

  private constructor(
    private readonly log: PartitionLog,
    private readonly isKeyed: boolean,
    private readonly Class: SubscriptionClass,
  ) {
    this.#host = {
      name: parseTopicName("t"),
      log,
      context: {
        shared: log.shared,
        clock: this.#clock,
        failoverDelayMs: 0,
        dispatchLimits: LIMITS,
        report: (line) => assert.fail(line),
      },
      isTerminated: false,
      compacted: undefined,
      policies: () => DEFAULT_POLICIES,
      messagesOut: 0,
      bytesOut: 0,
      wantCursors: () => {},
      wantTrim: () => {},
      saveCursors: () => Promise.resolve(),
      unsubscribe: () => {},
    };
    log.onReadable = () => this.#subscription.wake();
    this.#subscription = new Class(this.#host, {
      name: "s",
      isDurable: true,
      cursor: new Cursor(log, log.beforeFirst),
    });
  }

  static async open(isKeyed: boolean, Class: SubscriptionClass): Promise<DispatchModel> {
    // Small segments and tails, so that entries are read back from several files of the disk.
    const shared = await sharedOn(new SimDisk(seededRandom(1)), "os", {
      segmentBytesMax: 1500,
      tailBytesMax: 1,
    });
    return new DispatchModel(await PartitionLog.open(shared, FOLDER), isKeyed, Class);
  }

  async step({ kind, who, what, more }: Action): Promise<void> {
    const consumer = this.#consumers[who % Math.max(1, this.#consumers.length)];
    if (kind === "produce") this.#produce(what, more);
    else if (kind === "wait") this.#clock.advance(what % 40);
    else if (kind === "join") await this.#join(what);
    else if (kind === "restart") this.#restart();
    else if (kind === "cumulative") this.#cumulative(what);
    else if (consumer !== undefined) this.#stepOf(consumer, { kind, who, what, more });
    this.#assertBusy();
  }

  #stepOf(consumer: ModelConsumer, { kind, what, more }: Action): void {
    const held = this.#heldBy(consumer);
    const one = held[what % Math.max(1, held.length)];
    if (kind === "flow") this.#flow(consumer, 1 + what % 5);
    else if (kind === "leave") this.#leave(consumer);
    else if (kind === "fill") this.#fill(consumer);
    else if (kind === "redeliverAll") this.#redeliver(consumer, held, []);
    else if (one === undefined) return;
    else if (kind === "ack") this.#ack(consumer, one);
    else if (kind === "ackPart") this.#ackPart(consumer, one, more);
    else if (kind === "ackByOther") this.#ack(this.#consumers[more % this.#consumers.length]!, one);
    else if (kind === "nack") {
      const given = held.filter((_, i) => (more >> i & 1) === 1 || held[i] === one);
      // An entry that this consumer does not hold is passed over.
      const foreign = this.#entries.filter((entry) => entry.holder !== consumer).slice(0, 2);
      this.#redeliver(consumer, given, [...given, ...foreign]);
    }
  }

  #heldBy(consumer: ModelConsumer): ModelEntry[] {
    return this.#entries.filter(({ holder }) => holder === consumer);
  }

  #produce(what: number, more: number): void {
    const key = `key ${what % 4}`;
    const messageCount = 1 + more % 3;
    const isDelayed = more % 7 === 0;
    const deliverAtMs = isDelayed ? this.#clock.nowMs + 1 + what % 60 : 0;
    const writer = new ProtoWriter();
    writer.raw(utf8("payload"));
    encodeMessage(MESSAGE_METADATA, {
      producerName: "p",
      sequenceId: this.#entries.length,
      publishTime: 1,
      partitionKey: key,
      ...(messageCount > 1 ? { numMessagesInBatch: messageCount } : {}),
      ...(isDelayed ? { deliverAtTime: deliverAtMs } : {}),
    }, writer);
    closePayload(writer, 7, crc32cPortable);
    const bytes = writer.finish();
    this.log.append({ bytes, start: 0, end: bytes.length, messageCount, publishTimeMs: 1 }, {
      appended: (ledgerId, entryId) => {
        const hash = this.#ring.hashOf(murmur3(utf8(key)));
        const left = (1 << messageCount) - 1;
        this.#entries.push({
          ...{ ledgerId, entryId, key, hash, messageCount, deliverAtMs, left },
          ...{ holder: undefined, redeliveries: 0, wasSent: false },
        });
      },
      appendFailed: (error) => assert.fail(error),
    });
    this.log.flush();
  }

  async #join(what: number): Promise<void> {
    if (this.#consumers.length === CONSUMERS_MAX) return;
    const name = what % 3 === 0 ? "same" : `c${this.#named++}`;
    const permits = what % 4;
    const reader = new FrameReader();
    const take = (bytes: Uint8Array, start = 0, end = bytes.length) => {
      reader.room().set(bytes.subarray(start, end));
      reader.filled(end - start);
      for (let frame = reader.next(); frame; frame = reader.next()) {
        const command = decodeCommand(frame)!;
        assert(command.type === "MESSAGE");
        this.#delivered(member, command.body);
      }
    };
    const outbox = {
      get isFull() {
        return member.isFull;
      },
      add: take,
      addSlab: (slab: { bytes: Uint8Array }, start: number, end: number) =>
        take(slab.bytes, start, end),
    };
    const link = {
      outbox,
      address: "test:1",
      clientVersion: "",
      isAlive: () => Promise.resolve(true),
      dropConsumer: () => {},
    } as unknown as ClientLink;
    const consumer = new Consumer(this.#subscription, {
      ...{ link, name, permits, consumerId: this.#named, epoch: -1, metadata: {} },
      ...{ priority: 0, connectedSinceMs: 0 },
    });
    const member: ModelConsumer = { name, consumer, permits: 0, isFull: false };
    this.#consumers.push(member);
    this.#ring.add(consumer);
    await this.#subscription.add(consumer, this.isKeyed ? "Key_Shared" : "Shared");
    if (permits > 0) this.#flow(member, permits);
  }

  #flow(member: ModelConsumer, permits: number): void {
    member.permits += permits;
    member.isFull = false;
    member.consumer.flow(permits);
    this.#subscription.wake();
  }

  #fill(member: ModelConsumer): void {
    member.isFull = true;
  }

  #leave(member: ModelConsumer): void {
    this.#consumers = this.#consumers.filter((other) => other !== member);
    this.#ring.remove(member.consumer);
    for (const entry of this.#heldBy(member)) entry.holder = undefined;
    if (this.#consumers.length === 0) this.#forgetCounts();
    this.#subscription.remove(member.consumer);
  }

  #forgetCounts(): void {
    for (const entry of this.#entries) {
      entry.redeliveries = 0;
      entry.wasSent = false;
    }
  }

  #ack(by: ModelConsumer, entry: ModelEntry): void {
    entry.left = 0;
    entry.holder = undefined;
    this.#subscription.ackIndividual(entry, by.consumer);
    this.#subscription.multiple?.wake();
  }

  #ackPart(by: ModelConsumer, entry: ModelEntry, mask: number): void {
    entry.left &= mask;
    entry.redeliveries = 0;
    if (entry.left === 0) entry.holder = undefined;
    const words = [BigInt(mask & ((1 << entry.messageCount) - 1))];
    // With no bit left the client names the entry alone.
    if (words[0] === 0n) this.#subscription.ackIndividual(entry, by.consumer);
    else this.#subscription.ackPartial(entry, words, { by: by.consumer });
    this.#subscription.multiple?.wake();
  }

  #cumulative(what: number): void {
    if (what % 5 !== 0 || this.#entries.length === 0) return;
    const last = what % this.#entries.length;
    for (const entry of this.#entries.slice(0, last + 1)) {
      entry.left = 0;
      entry.holder = undefined;
    }
    this.#subscription.ackCumulative(this.#entries[last]!);
  }

  #redeliver(member: ModelConsumer, given: ModelEntry[], named: ModelEntry[]): void {
    for (const entry of given) {
      entry.holder = undefined;
      entry.redeliveries++;
    }
    this.#subscription.redeliver(member.consumer, named, -1);
  }

  #restart(): void {
    const state = JSON.parse(JSON.stringify(this.#subscription.state()));
    for (const member of this.#consumers) this.#ring.remove(member.consumer);
    this.#subscription.close();
    this.#consumers = [];
    for (const entry of this.#entries) entry.holder = undefined;
    this.#forgetCounts();
    this.#subscription = this.Class.restore(this.#host, state);
  }

  #delivered(member: ModelConsumer, body: {
    readonly messageId: { readonly ledgerId: number; readonly entryId: number };
    readonly redeliveryCount?: number | undefined;
    readonly ackSet?: readonly bigint[] | undefined;
  }): void {
    const { ledgerId, entryId } = body.messageId;
    const at = this.#entries.findIndex((one) =>
      one.ledgerId === ledgerId && one.entryId === entryId
    );
    // A first delivery comes before its receipt.
    const entry = this.#entries[at]!;
    const what = `${ledgerId}:${entryId} to ${member.name}`;
    assert(this.#consumers.includes(member), `${what}, which has gone`);
    assert.notEqual(entry.left, 0, `${what} although it is acknowledged`);
    assert(entry.holder === undefined, `${what} while ${entry.holder?.name} has it`);
    assert(entry.deliverAtMs <= this.#clock.nowMs, `${what} before its time`);
    assert(member.permits > 0, `${what} without a permit`);
    assert(!member.isFull, `${what}, which does not read`);
    assert.equal(body.redeliveryCount ?? 0, entry.redeliveries, `redelivery count of ${what}`);
    const whole = (1 << entry.messageCount) - 1;
    assert.equal(Number(body.ackSet?.[0] ?? whole), entry.left, `what is left of ${what}`);
    this.#assertLimits(member, entry, what);
    if (this.isKeyed) this.#assertOrder(member, at, what);
    else if (!entry.wasSent && entry.deliverAtMs === 0) this.#assertNothingWaits(what);
    entry.holder = member;
    entry.wasSent = true;
    member.permits -= bits(entry.left);
  }

  #assertLimits(member: ModelConsumer, entry: ModelEntry, what: string): void {
    const held = (entries: readonly ModelEntry[]) =>
      entries.reduce((sum, { left }) => sum + bits(left), 0);
    assert(held(this.#heldBy(member)) < LIMITS.consumerUnackedMax, `${what}, which has enough`);
    const all = held(this.#entries.filter(({ holder }) => holder !== undefined));
    const isNew = !entry.wasSent && entry.deliverAtMs === 0;
    if (isNew && !this.isKeyed) {
      assert(all < LIMITS.subscriptionUnackedMax, `${what} over the subscription's limit`);
    }
  }

  #assertNothingWaits(what: string): void {
    const before = this.#entries.find(({ wasSent, left, holder }) =>
      wasSent && left !== 0 && holder === undefined
    );
    assert(before === undefined, `${what}, new, before ${before?.entryId} that comes again`);
  }

  #assertOrder(member: ModelConsumer, at: number, what: string): void {
    const entry = this.#entries[at]!;
    const owner = this.#ring.select(entry.hash);
    assert(owner === member.consumer, `${what}, but its key is ${owner?.name}'s`);
    for (const [i, other] of this.#entries.entries()) {
      if (other.hash !== entry.hash || other.left === 0) continue;
      const isElsewhere = other.holder !== undefined && other.holder !== member;
      assert(!isElsewhere, `${what} while ${other.holder?.name} has ${other.entryId} of its key`);
      const isOvertaken = i < at && other.holder === undefined &&
        other.deliverAtMs <= this.#clock.nowMs;
      assert(!isOvertaken, `${what} before ${other.ledgerId}:${other.entryId} of its key`);
    }
  }

  /** Nothing waits that could be sent. */
  #assertBusy(): void {
    const dispatcher = this.#subscription.multiple;
    if (dispatcher === undefined || this.#consumers.length === 0) return;
    const isFull = dispatcher.isBlocked || dispatcher.delayedEntries >= LIMITS.delayedMax ||
      (this.isKeyed && dispatcher.replaySize >= Math.min(10, 4 * this.#consumers.length));
    if (isFull) return;
    const waiting = this.#entries.filter(({ left, holder, deliverAtMs }) =>
      left !== 0 && holder === undefined && deliverAtMs <= this.#clock.nowMs - 20
    );
    const ready = this.#consumers.filter(({ consumer }) => consumer.isReady);
    if (!this.isKeyed) {
      assert(ready.length === 0 || waiting.length === 0, `${waiting[0]?.entryId} could be sent`);
      return;
    }
    for (const entry of waiting) {
      const owner = ready.find(({ consumer }) => consumer === this.#ring.select(entry.hash));
      const isHeld = this.#entries.some(({ hash, holder }) =>
        hash === entry.hash && holder !== undefined && holder !== owner
      );
      assert(owner === undefined || isHeld, `${entry.entryId} could be sent to ${owner?.name}`);
    }
  }

  /** Takes and acknowledges everything: nothing may be left behind. */
  async finish(): Promise<void> {
    if (this.#consumers.length === 0) await this.#join(0);
    for (let round = 0; this.#entries.some(({ left }) => left !== 0); round++) {
      assert(round < 200, "some messages never come");
      for (const member of this.#consumers) this.#flow(member, 10);
      for (const entry of this.#entries) {
        if (entry.holder !== undefined) this.#ack(entry.holder, entry);
      }
      this.#clock.advance(20);
    }
    assert.equal(this.#subscription.backlog().entries, 0);
    assert.equal(this.#subscription.multiple?.unackedMessages, 0);
    assert.equal(this.#subscription.multiple?.replaySize, 0);
    this.#subscription.close();
    assert.equal(this.log.readers.size, 0, "a reader is left behind");
  }
}
