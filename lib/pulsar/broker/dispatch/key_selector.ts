import type { Consumer } from "./consumer.ts";

/** Hashes of keys lie below this. */
export const KEY_HASHES = 65_536;

/** A stretch of hashes, both ends in it. */
export type HashRange = readonly [start: number, end: number];

/** Which consumer of a Key_Shared subscription has which keys. */
export interface KeySelector {
  /** Brings a key's Murmur3 hash into the range that is shared out; never 0. */
  hashOf(keyHash: number): number;
  /** Who holds a hash that a new consumer wants for itself, or undefined where it may come in. @throws {BrokerError} `consumer_assign` */
  conflictWith(consumer: Consumer): Consumer | undefined;
  add(consumer: Consumer): void;
  remove(consumer: Consumer): void;
  /** The consumer for a hash, undefined where nobody is. */
  select(hash: number): Consumer | undefined;
  /** What each consumer has. */
  ranges(): ReadonlyMap<Consumer, readonly HashRange[]>;
}
