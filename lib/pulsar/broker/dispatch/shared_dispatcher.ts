import type { Consumer } from "./consumer.ts";
import { MultipleDispatcher } from "./multiple_dispatcher.ts";
import { NOWHERE, PlaceQueue } from "../log/mod.ts";
import type { LogReader } from "../log/mod.ts";

/** Entries that a consumer gets in one turn, as dispatcherMaxRoundRobinBatchSize. */
const TURN_ENTRIES = 20;
/** Chunked messages whose consumer is remembered; beyond, the one that began first is forgotten. */
const CHUNKED_MAX = 10_000;
/** Chunks that are looked past in one turn because their consumer cannot take them now. */
const HELD_CHUNKS_MAX = 100;

/**
 * Shared: whole entries to consumers in turn, those with the best priority first; what comes again goes before what is new.
 * The chunks of one message go to one consumer. (Pulsar: AbstractDispatcherMultipleConsumers.getNextConsumer, SharedConsumerAssignor.)
 */
export class SharedDispatcher extends MultipleDispatcher {
  readonly #queue = new PlaceQueue();
  readonly #chunkOwners = new Map<string, Consumer>();
  #turn = 0;

  override get replaySize(): number {
    return this.#queue.size;
  }

  protected override dispatch(): void {
    for (;;) {
      const consumer = this.#next();
      if (consumer === undefined || !this.#serve(consumer)) return;
    }
  }

  /** The consumer whose turn it is, of those that can take something. */
  #next(): Consumer | undefined {
    const { consumers } = this;
    if (this.#turn >= consumers.length) this.#turn = 0;
    const best = consumers.find((consumer) => consumer.isReady)?.priority;
    for (let step = 0; step < consumers.length; step++) {
      const at = (this.#turn + step) % consumers.length;
      const consumer = consumers[at]!;
      if (consumer.priority !== best || !consumer.isReady) continue;
      this.#turn = at + 1;
      return consumer;
    }
    return undefined;
  }

  /** @returns false when there is nothing more to send */
  #serve(consumer: Consumer): boolean {
    for (let sent = 0; sent < TURN_ENTRIES && consumer.isReady; sent++) {
      if (!this.#sendAgain(consumer) && !this.#sendNew(consumer)) return false;
    }
    return true;
  }

  #sendAgain(consumer: Consumer): boolean {
    for (let held = 0; held < HELD_CHUNKS_MAX;) {
      const place = this.#queue.at(held);
      if (place === undefined) return false;
      if (!this.loadReplay(place)) continue;
      const target = this.#targetOf(consumer);
      if (target.isReady) {
        this.#queue.removeAt(held);
        this.#sendTo(target, this.replayReader, place);
        return true;
      }
      held++;
    }
    return false;
  }

  #sendNew(consumer: Consumer): boolean {
    if (this.isBlocked) return false;
    for (;;) {
      const place = this.loadNext();
      if (place === NOWHERE) return false;
      const target = this.#targetOf(consumer);
      const isSent = target.isReady;
      if (isSent) this.#sendTo(target, this.reader, place);
      else if (this.#queue.size >= this.limits.lookAheadMax) return false;
      else this.#queue.add(place);
      this.reader.next();
      if (isSent) return true;
    }
  }

  /** Who gets the current entry: the consumer, unless it is a chunk of a message that another one has the beginning of. */
  #targetOf(consumer: Consumer): Consumer {
    const uuid = this.head.chunkedUuid;
    return (uuid === undefined ? undefined : this.#chunkOwners.get(uuid)) ?? consumer;
  }

  #sendTo(consumer: Consumer, reader: LogReader, place: number): void {
    const { chunkedUuid: uuid, chunkId, chunkCount } = this.head;
    if (uuid !== undefined) {
      this.#chunkOwners.delete(uuid);
      if (chunkId < chunkCount - 1) this.#chunkOwners.set(uuid, consumer);
      if (this.#chunkOwners.size > CHUNKED_MAX) {
        this.#chunkOwners.delete(this.#chunkOwners.keys().next().value!);
      }
    }
    this.send(consumer, reader, place, 0);
  }

  protected override replay(entries: Iterable<readonly [number, number]>): void {
    this.#queue.addAll(Array.from(entries, ([place]) => place));
  }

  protected override forgetReplay(place: number): void {
    this.#queue.remove(place);
  }

  protected override clearReplay(): void {
    this.#queue.clear();
    this.#chunkOwners.clear();
  }

  protected override replayPlaces(): number[] {
    return this.#queue.places();
  }

  protected override joined(): void {}

  protected override left(consumer: Consumer): void {
    for (const [uuid, owner] of this.#chunkOwners) {
      if (owner === consumer) this.#chunkOwners.delete(uuid);
    }
  }

  protected override released(): void {}

  protected override hashOfHead(): number {
    return 0;
  }
}
