import { lineOf } from "../../../base/mod.ts";
import type { EarlierEntries, PartitionLog, Position } from "../log/mod.ts";
import type { Consumer } from "./consumer.ts";
import { Cursor } from "./cursor.ts";
import type { CursorState } from "./cursor.ts";
import { DISPATCH_LIMITS } from "./dispatch_limits.ts";
import type { DispatchLimits } from "./dispatch_limits.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { BrokerError, unloading } from "../errors.ts";
import { KeySharedDispatcher, keySharedPolicy } from "./key_shared_dispatcher.ts";
import { MultipleDispatcher } from "./multiple_dispatcher.ts";
import { comparePositions, EARLIEST, placeOf } from "../log/mod.ts";
import { SharedDispatcher } from "./shared_dispatcher.ts";
import { SingleActiveDispatcher } from "./single_dispatcher.ts";
import type { TopicContext } from "./topic_context.ts";
import type { TopicName } from "../topic_name.ts";
import type { TopicPolicies } from "../policies/mod.ts";

/** Kinds of subscription, by Pulsar's names. */
export type SubscriptionKind = "Exclusive" | "Shared" | "Failover" | "Key_Shared";

/** What survives a restart of a durable subscription. */
export interface SubscriptionState extends CursorState {
  readonly name: string;
  readonly kind: SubscriptionKind;
  readonly properties: Readonly<Record<string, string>>;
}

/** What a subscription needs of its topic. */
export interface SubscriptionHost {
  readonly name: TopicName;
  readonly log: PartitionLog;
  readonly context: TopicContext;
  readonly policies: () => TopicPolicies;
  /** Nobody may write any more. */
  readonly isTerminated: boolean;
  /** What stands for the beginning of the log when it is read compacted. */
  readonly compacted: EarlierEntries | undefined;
  messagesOut: number;
  bytesOut: number;
  /** A cursor moved. */
  wantCursors(): void;
  /** A segment may have become free. */
  wantTrim(): void;
  saveCursors(): Promise<void>;
  unsubscribe(subscription: Subscription): void;
}

/** What a new subscription starts with. */
export interface SubscriptionOptions {
  readonly name: string;
  readonly isDurable: boolean;
  readonly cursor: Cursor;
  readonly kind?: SubscriptionKind;
  readonly properties?: Readonly<Record<string, string>>;
}

/** A named place in a topic, and those who read from it. */
export class Subscription {
  readonly name: string;
  readonly isDurable: boolean;
  readonly cursor: Cursor;
  properties: Readonly<Record<string, string>>;
  kind: SubscriptionKind;
  /** The cursor has moved since it was last written. */
  isDirty = false;
  messagesOut = 0;
  bytesOut = 0;
  /** Why nothing can be read for it, while that is so. */
  readError: unknown;
  #dispatcher: Dispatcher | undefined;
  /** Consumers that were told that the topic has ended. */
  readonly #atEnd = new WeakSet<Consumer>();

  constructor(readonly topic: SubscriptionHost, options: SubscriptionOptions) {
    this.name = options.name;
    this.isDurable = options.isDurable;
    this.cursor = options.cursor;
    this.kind = options.kind ?? "Exclusive";
    this.properties = options.properties ?? {};
  }

  /** The subscription of {@link Subscription.state}. */
  static restore(topic: SubscriptionHost, state: SubscriptionState): Subscription {
    return new Subscription(topic, {
      name: state.name,
      isDurable: true,
      cursor: Cursor.restore(topic.log, state),
      kind: state.kind,
      properties: state.properties,
    });
  }

  get log(): PartitionLog {
    return this.topic.log;
  }

  get compacted(): EarlierEntries | undefined {
    return this.topic.compacted;
  }

  /** One that stands at the beginning of the log goes before it: what was compacted may lie in ledgers that are gone. */
  startCompacted(): void {
    if (this.compacted === undefined) return;
    const { markDelete } = this.cursor;
    const { beforeFirst } = this.topic.log;
    if (markDelete.entryId !== -1 || comparePositions(markDelete, beforeFirst) > 0) return;
    this.cursor.reset(EARLIEST);
  }

  get topicName(): TopicName {
    return this.topic.name;
  }

  get partition(): number {
    return this.topic.name.partition;
  }

  state(): SubscriptionState {
    const { name, kind, properties } = this;
    return { name, kind, properties, ...this.cursor.state() };
  }

  get consumers(): readonly Consumer[] {
    return this.#dispatcher?.consumers ?? [];
  }

  get active(): Consumer | undefined {
    return this.#dispatcher?.active;
  }

  /** Entries and bytes that are not acknowledged. */
  backlog(): { readonly entries: number; readonly bytes: number } {
    const behind = this.topic.log.behind(this.cursor.markDelete);
    return { entries: Math.max(0, behind.entries - this.cursor.ackedBehind), bytes: behind.bytes };
  }

  /** @throws {BrokerError} `consumer_busy`, `consumer_assign` */
  async add(consumer: Consumer, kind: SubscriptionKind): Promise<void> {
    if (this.consumers.length > 0) this.#assertSameKind(consumer, kind);
    const dispatcher = this.#dispatcher = this.#dispatcherFor(consumer, kind);
    await dispatcher.add(consumer);
    if (this.#dispatcher === dispatcher) return;
    // While another consumer was asked whether it lives, all had gone, and perhaps one of another type had come.
    dispatcher.remove(consumer);
    throw this.#dispatcher === undefined
      ? unloading()
      : new BrokerError("Subscription is of different type.", {
        code: "consumer_busy",
        retryable: true,
      });
  }

  /** While somebody is connected, others must want the same, in Pulsar's words. */
  #assertSameKind(consumer: Consumer, kind: SubscriptionKind): void {
    const difference = kind === this.kind ? this.#policyDifference(consumer) : `Active ` +
      `subscription type of '${this.kind}' is different than the connecting consumer's type '${kind}'.`;
    if (difference === undefined) return;
    throw new BrokerError(`Subscription is of different type. ${difference}`, {
      code: "consumer_busy",
      retryable: true,
    });
  }

  #policyDifference(consumer: Consumer): string | undefined {
    if (!(this.#dispatcher instanceof KeySharedDispatcher)) return undefined;
    const there = this.#dispatcher.policy;
    const wanted = keySharedPolicy(consumer.keyShared);
    if (there.isSticky !== wanted.isSticky) {
      const mode = (isSticky: boolean) => isSticky ? "STICKY" : "AUTO_SPLIT";
      return `Active subscription key_shared mode of '${mode(there.isSticky)}' is different than ` +
        `the connecting consumer's key_shared mode '${mode(wanted.isSticky)}'.`;
    }
    if (there.isOutOfOrderAllowed === wanted.isOutOfOrderAllowed) return undefined;
    return there.isOutOfOrderAllowed
      ? "Active subscription allows out of order delivery while the connecting consumer does not allow it."
      : "Active subscription does not allow out of order delivery while the connecting consumer allows it.";
  }

  #dispatcherFor(consumer: Consumer, kind: SubscriptionKind): Dispatcher {
    const there = this.#dispatcher;
    const isUsable = there !== undefined && kind === this.kind &&
      this.#policyDifference(consumer) === undefined;
    if (isUsable) return there;
    there?.close();
    if (this.kind !== kind) this.touch();
    this.kind = kind;
    const { clock, failoverDelayMs } = this.topic.context;
    const options = { clock, limits: () => this.#limits() };
    if (kind === "Shared") return new SharedDispatcher(this, options);
    if (kind === "Key_Shared") {
      return new KeySharedDispatcher(this, options, keySharedPolicy(consumer.keyShared));
    }
    return new SingleActiveDispatcher(this, { clock, kind, failoverDelayMs });
  }

  #limits(): DispatchLimits {
    const limits = this.topic.context.dispatchLimits ?? DISPATCH_LIMITS;
    const policies = this.topic.policies();
    return {
      ...limits,
      // As in Pulsar: what a reader holds is not counted, for nothing of it is kept.
      consumerUnackedMax: this.isDurable
        ? policies.consumerUnackedMax ?? limits.consumerUnackedMax
        : 0,
      subscriptionUnackedMax: policies.subscriptionUnackedMax ?? limits.subscriptionUnackedMax,
    };
  }

  /** What spreads messages over several consumers, where the subscription is of such a type. */
  get multiple(): MultipleDispatcher | undefined {
    return this.#dispatcher instanceof MultipleDispatcher ? this.#dispatcher : undefined;
  }

  remove(consumer: Consumer): void {
    consumer.isClosed = true;
    this.#dispatcher?.remove(consumer);
  }

  /** Sends what can be sent. */
  wake(): void {
    this.#dispatcher?.wake();
    if (this.topic.isTerminated) this.tellEnd();
  }

  /**
   * Tells each consumer once that everything is acknowledged and nothing more will come.
   *
   * @param isAgain tells those who know, too: as Pulsar, when a topic is terminated once more
   */
  tellEnd(isAgain = false): void {
    if (!this.topic.isTerminated || this.backlog().entries > 0) return;
    for (const consumer of this.consumers) {
      if (this.#atEnd.has(consumer) && !isAgain) continue;
      this.#atEnd.add(consumer);
      consumer.link.sendReachedEndOfTopic(consumer.consumerId);
    }
  }

  redeliver(consumer: Consumer, positions: readonly Position[], epoch: number): void {
    this.#dispatcher?.redeliver(consumer, positions, epoch);
  }

  noteOut(messages: number, bytes: number): void {
    this.messagesOut += messages;
    this.bytesOut += bytes;
    this.topic.messagesOut += messages;
    this.topic.bytesOut += bytes;
  }

  /** A failed read is told once, until a read succeeds again. */
  reportReadError(error: unknown): void {
    if (this.readError === undefined) {
      this.topic.context.report(
        `subscription ${JSON.stringify(this.name)} of ${this.topic.name.full} stands still: ${
          lineOf(error)
        }`,
      );
    }
    this.readError = error;
  }

  /** Acknowledges everything up to an entry; one that is not there yet acknowledges nothing. */
  ackCumulative(position: Position): void {
    if (this.#isAhead(position)) return;
    this.#moved(() => this.cursor.ackCumulative(position));
    this.multiple?.settleUpToMark();
  }

  /**
   * Acknowledges one entry.
   *
   * @param by the consumer that does
   * @returns how many messages that were, as far as the broker knows
   */
  ackIndividual(position: Position, by?: Consumer): number {
    if (this.#isAhead(position)) return 0;
    const { multiple } = this;
    const messages = multiple?.settle(by, placeOf(position.ledgerId, position.entryId)) ?? 1;
    this.#moved(() => this.cursor.ackIndividual(position));
    return messages;
  }

  /** Words with a bit for each message of the entry that is not acknowledged; cumulative ones acknowledge all entries before too. */
  ackPartial(
    position: Position,
    words: readonly bigint[],
    { isCumulative = false, by }: { isCumulative?: boolean; by?: Consumer } = {},
  ): number {
    if (this.#isAhead(position)) return 0;
    this.#moved(() => {
      if (isCumulative) this.cursor.ackCumulative(this.topic.log.previousPosition(position));
      this.cursor.ackPartial(position, words);
    });
    const { multiple } = this;
    if (multiple === undefined) return 1;
    const { ledgerId, entryId } = position;
    const place = placeOf(ledgerId, entryId);
    if (this.cursor.isAcked(ledgerId, entryId)) return multiple.settle(by, place);
    return multiple.settlePart(by, place, this.cursor.ackSet(ledgerId, entryId) ?? []);
  }

  /** No client may acknowledge what is not there yet. */
  #isAhead(position: Position): boolean {
    return comparePositions(position, this.topic.log.last ?? this.topic.log.beforeFirst) > 0;
  }

  #moved(action: () => void): void {
    const { ledgerId } = this.cursor.markDelete;
    action();
    this.touch();
    if (this.topic.isTerminated) this.tellEnd();
    if (this.cursor.markDelete.ledgerId !== ledgerId) this.topic.wantTrim();
  }

  /** The cursor must be written. */
  touch(): void {
    if (!this.isDurable) return;
    this.isDirty = true;
    this.topic.wantCursors();
  }

  /**
   * Moves the cursor and closes those who are served, who subscribe again: as Pulsar's seek.
   *
   * @param markDelete everything up to this counts as acknowledged
   * @param ackSet of the entry behind it: a bit for each message that is not acknowledged
   */
  reset(markDelete: Position, ackSet?: readonly bigint[]): void {
    const { active } = this;
    if (active === undefined) this.dropConsumers();
    this.cursor.reset(markDelete, this.topic.log.nextPosition(markDelete), ackSet);
    if (active === undefined) this.#dispatcher?.rewind();
    else this.#sendAway(active);
    this.touch();
  }

  /** It will be back in a moment: nobody takes over at once, and whoever does begins at the cursor's new place. */
  #sendAway(active: Consumer): void {
    this.#dispatcher?.remove(active, true);
    active.isClosed = true;
    active.link.dropConsumer(active.consumerId);
  }

  /** Closes all consumers; their clients subscribe again. */
  dropConsumers(): void {
    const consumers = [...this.consumers];
    // None of them gets what another one leaves behind.
    for (const consumer of consumers) consumer.isClosed = true;
    for (const consumer of consumers) {
      this.remove(consumer);
      consumer.link.dropConsumer(consumer.consumerId);
    }
  }

  close(): void {
    this.dropConsumers();
    this.#dispatcher?.close();
    this.#dispatcher = undefined;
  }
}
