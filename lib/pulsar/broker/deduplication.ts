import type { Position } from "./log/mod.ts";

const PRODUCERS_MAX = 10_000;

/** What is known of one producer's name. */
export interface KnownProducer {
  readonly name: string;
  /** The highest sequence id that was staged. */
  pushed: number;
  /** The highest sequence id that has a receipt. */
  stored: number;
  /** Entries between the two. */
  inFlight: number;
  /** Called when `inFlight` is 0 again, for duplicates of entries whose fate was open. */
  readonly waiting: (() => void)[];
}

/** What survives a restart, together with the entries behind `position`. */
export interface DeduplicationState {
  readonly position: readonly [ledgerId: number, entryId: number];
  readonly producers: readonly (readonly [name: string, sequenceId: number])[];
}

/**
 * Tells a message that was sent again from a new one: sequence ids of a producer's name only rise.
 * (Pulsar: https://pulsar.apache.org/docs/concepts-messaging/#message-deduplication)
 */
export class Deduplication {
  /** In the order of last use. */
  readonly #producers = new Map<string, KnownProducer>();

  /** The entry of a name; the one that was not used for longest is forgotten beyond 10,000. */
  of(name: string): KnownProducer {
    let known = this.#producers.get(name);
    if (known === undefined) {
      known = { name, pushed: -1, stored: -1, inFlight: 0, waiting: [] };
    } else {
      this.#producers.delete(name);
    }
    this.#producers.set(name, known);
    if (this.#producers.size > PRODUCERS_MAX) this.#forgetOldest();
    return known;
  }

  #forgetOldest(): void {
    for (const [name, { inFlight }] of this.#producers) {
      if (inFlight > 0) continue;
      this.#producers.delete(name);
      return;
    }
  }

  /** Notes an entry that was found in the log while opening it. */
  recover(name: string, sequenceId: number): void {
    const known = this.of(name);
    known.pushed = known.stored = Math.max(known.stored, sequenceId);
  }

  /** What to keep of it; `position` is the last entry that it counts. */
  state(position: Position): DeduplicationState {
    return {
      position: [position.ledgerId, position.entryId],
      producers: [...this.#producers.values()]
        .filter((known) => known.stored >= 0)
        .map((known) => [known.name, known.stored] as const),
    };
  }
}

/** Notes that an entry was staged. */
export function notePushed(known: KnownProducer, sequenceId: number): void {
  known.pushed = sequenceId;
  known.inFlight++;
}

/** Notes an entry's end: stored under its sequence id, or not at all. */
export function noteSettled(known: KnownProducer, storedSequenceId?: number): void {
  if (storedSequenceId !== undefined) known.stored = Math.max(known.stored, storedSequenceId);
  known.inFlight--;
  if (known.inFlight > 0) return;
  known.pushed = known.stored;
  for (const wake of known.waiting.splice(0)) wake();
}
