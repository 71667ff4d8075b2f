import { KeySharedMode } from "../../wire/mod.ts";
import type { KeySharedMeta } from "../../wire/mod.ts";
import type { Consumer } from "./consumer.ts";
import type { DispatchSource } from "./dispatcher.ts";
import { BrokerError } from "../errors.ts";
import { KeyRanges } from "./key_ranges.ts";
import { KeyRing } from "./key_ring.ts";
import type { HashRange, KeySelector } from "./key_selector.ts";
import { MultipleDispatcher } from "./multiple_dispatcher.ts";
import type { MultipleDispatcherOptions } from "./multiple_dispatcher.ts";
import { NOWHERE, PlaceQueue } from "../log/mod.ts";

/** Entries of the replay that are for one consumer. */
interface Bucket {
  readonly queue: PlaceQueue;
  /** All of them wait for somebody else's acknowledgement. */
  isStuck: boolean;
}

interface Holder {
  readonly consumer: Consumer;
  entries: number;
  /** How often somebody else could not have an entry because of this. */
  blockedAttempts: number;
}

/** A hash that is somebody else's by now. */
export interface DrainingHash {
  readonly hash: number;
  /** What the consumer before still holds of it. */
  readonly entries: number;
  readonly blockedAttempts: number;
}

/** What distinguishes one Key_Shared subscription from another. */
export interface KeySharedPolicy {
  readonly isSticky: boolean;
  /** A key may move to another consumer while the first one still has unacknowledged messages of it. */
  readonly isOutOfOrderAllowed: boolean;
}

/** The policy that a consumer asks for. */
export function keySharedPolicy(meta: KeySharedMeta | undefined): KeySharedPolicy {
  return {
    isSticky: meta?.keySharedMode === KeySharedMode.STICKY,
    isOutOfOrderAllowed: meta?.allowOutOfOrderDelivery === true,
  };
}

/**
 * Key_Shared: all messages of a key go to one consumer, in order.
 *
 * Two rules keep the order while consumers come and go: nothing of a key is sent to a consumer while another one has unacknowledged
 * messages of the same hash (Pulsar's draining hashes, PIP-379), and what waits is tried, in the order of the log, before what is new.
 */
export class KeySharedDispatcher extends MultipleDispatcher {
  readonly #selector: KeySelector;
  readonly #buckets = new Map<Consumer | undefined, Bucket>();
  /** Of what waits. */
  readonly #hashes = new Map<number, number>();
  readonly #holders = new Map<number, Holder>();
  readonly #drained = new Map<Consumer, number>();

  constructor(
    source: DispatchSource,
    options: MultipleDispatcherOptions,
    readonly policy: KeySharedPolicy,
  ) {
    super(source, options);
    this.#selector = policy.isSticky ? new KeyRanges() : new KeyRing();
  }

  override get replaySize(): number {
    return this.#hashes.size;
  }

  /** Hashes of each consumer. */
  ranges(): ReadonlyMap<Consumer, readonly HashRange[]> {
    return this.#selector.ranges();
  }

  /** Hashes that the consumer must acknowledge before somebody else gets more of them. */
  draining(consumer: Consumer): DrainingHash[] {
    return [...this.#holders].flatMap(([hash, holder]) => {
      const isDraining = holder.consumer === consumer && this.#selector.select(hash) !== consumer;
      const { entries, blockedAttempts } = holder;
      return isDraining ? [{ hash, entries, blockedAttempts }] : [];
    });
  }

  /** How many such hashes the consumer has acknowledged to the end. */
  drainedHashes(consumer: Consumer): number {
    return this.#drained.get(consumer) ?? 0;
  }

  override async add(consumer: Consumer): Promise<void> {
    for (;;) {
      const holder = this.#selector.conflictWith(consumer);
      if (holder === undefined) break;
      if (!await holder.link.isAlive()) continue;
      throw new BrokerError(`Range conflict with consumer ${holder.name}`, {
        code: "consumer_assign",
        retryable: true,
      });
    }
    await super.add(consumer);
  }

  protected override joined(consumer: Consumer): void {
    this.#selector.add(consumer);
    this.#shareOut();
  }

  protected override left(consumer: Consumer): void {
    this.#selector.remove(consumer);
    this.#drained.delete(consumer);
    this.#shareOut();
  }

  /** Puts what waits into the buckets of those who have the hashes now. */
  #shareOut(): void {
    const places = this.replayPlaces();
    this.#buckets.clear();
    for (const place of places) this.#bucketFor(this.#hashes.get(place)!).queue.add(place);
  }

  #bucketFor(hash: number): Bucket {
    const consumer = this.#selector.select(hash);
    let bucket = this.#buckets.get(consumer);
    if (bucket === undefined) {
      this.#buckets.set(consumer, bucket = { queue: new PlaceQueue(), isStuck: false });
    }
    return bucket;
  }

  protected override dispatch(): void {
    for (const consumer of this.consumers) if (consumer.isReady) this.#sendAgain(consumer);
    while (!this.isBlocked && this.replaySize < this.#lookAhead && this.hasReadyConsumer()) {
      const place = this.loadNext();
      if (place === NOWHERE) return;
      this.#sendNew(place, this.hashOfHead());
      this.reader.next();
    }
  }

  get #lookAhead(): number {
    const { lookAheadMax, lookAheadPerConsumer } = this.limits;
    return Math.min(lookAheadMax, lookAheadPerConsumer * this.consumers.length);
  }

  #sendNew(place: number, hash: number): void {
    const consumer = this.#selector.select(hash);
    // Nothing of this hash waits that could be sent: what waits was tried before.
    if (consumer?.isReady !== true || !this.#mayHave(consumer, hash)) {
      this.replay([[place, hash]]);
      return;
    }
    this.send(consumer, this.reader, place, hash);
    this.#hold(consumer, hash);
  }

  #sendAgain(consumer: Consumer): void {
    const bucket = this.#buckets.get(consumer);
    if (bucket === undefined || bucket.isStuck) return;
    const passed = new Set<number>();
    for (let at = 0; consumer.isReady;) {
      const place = bucket.queue.at(at);
      if (place === undefined) {
        bucket.isStuck = true;
        return;
      }
      const hash = this.#hashes.get(place)!;
      if (passed.has(hash) || !this.#mayHave(consumer, hash)) {
        passed.add(hash);
        at++;
        continue;
      }
      if (!this.loadReplay(place)) continue;
      this.forgetReplay(place);
      this.send(consumer, this.replayReader, place, hash);
      this.#hold(consumer, hash);
    }
  }

  #mayHave(consumer: Consumer, hash: number): boolean {
    const holder = this.#holders.get(hash);
    if (holder === undefined || holder.consumer === consumer) return true;
    holder.blockedAttempts++;
    return false;
  }

  #hold(consumer: Consumer, hash: number): void {
    if (this.policy.isOutOfOrderAllowed) return;
    const holder = this.#holders.get(hash);
    if (holder === undefined) this.#holders.set(hash, { consumer, entries: 1, blockedAttempts: 0 });
    else holder.entries++;
  }

  protected override released(consumer: Consumer, hash: number): void {
    const holder = this.#holders.get(hash);
    if (holder?.consumer !== consumer) return;
    holder.entries--;
    if (holder.entries > 0) return;
    this.#holders.delete(hash);
    const next = this.#selector.select(hash);
    if (next !== consumer && !consumer.isClosed) {
      this.#drained.set(consumer, this.drainedHashes(consumer) + 1);
    }
    const bucket = this.#buckets.get(next);
    if (bucket !== undefined) bucket.isStuck = false;
  }

  protected override replay(entries: Iterable<readonly [number, number]>): void {
    const added = new Map<Bucket, number[]>();
    for (const [place, hash] of entries) {
      if (this.#hashes.has(place)) continue;
      this.#hashes.set(place, hash);
      const bucket = this.#bucketFor(hash);
      const places = added.get(bucket);
      if (places === undefined) added.set(bucket, [place]);
      else places.push(place);
    }
    for (const [bucket, places] of added) {
      bucket.queue.addAll(places);
      bucket.isStuck = false;
    }
  }

  protected override forgetReplay(place: number): void {
    const hash = this.#hashes.get(place);
    if (hash === undefined) return;
    this.#hashes.delete(place);
    this.#bucketFor(hash).queue.remove(place);
  }

  protected override clearReplay(): void {
    this.#buckets.clear();
    this.#hashes.clear();
    this.#holders.clear();
  }

  protected override replayPlaces(): number[] {
    return [...this.#hashes.keys()].sort((a, b) => a - b);
  }

  protected override hashOfHead(): number {
    return this.#selector.hashOf(this.head.keyHash());
  }
}
