/** Which partition a message goes to. */
import type { Random } from "../../base/mod.ts";
import { type HashingScheme, keyHash } from "./key_hash.ts";
import type { OutgoingMessage } from "./outgoing_message.ts";

/**
 * An application's own way to choose partitions.
 *
 * @returns an integer from 0 to `partitionCount` − 1
 */
export type MessageRouter = (
  message: OutgoingMessage<unknown>,
  topic: { readonly partitionCount: number },
) => number;

/**
 * `roundRobin`: messages without a key stay with one partition until its batch goes out, and then go to the next one.
 * `singlePartition`: they stay with one partition, chosen at random. With both, a key decides by its hash.
 */
export type Routing = "roundRobin" | "singlePartition" | MessageRouter;

/** Chooses the partitions of one producer. */
export class PartitionRouter {
  readonly #routing: Routing;
  readonly #hashing: HashingScheme;
  /** Where messages without a key go. */
  #current: number;

  constructor(
    options: {
      readonly routing: Routing;
      readonly hashing: HashingScheme;
      readonly random: Random;
    },
  ) {
    this.#routing = options.routing;
    this.#hashing = options.hashing;
    // Producers that start together do not all begin with the same partition.
    this.#current = options.random.uint32();
  }

  /**
   * @param partitionKey of the message as it goes out
   * @throws {RangeError} when a router of the application's names a partition that is not there
   */
  route(
    message: OutgoingMessage<unknown>,
    partitionKey: string | undefined,
    partitionCount: number,
  ): number {
    if (typeof this.#routing === "function") {
      const partition = this.#routing(message, { partitionCount });
      if (Number.isInteger(partition) && partition >= 0 && partition < partitionCount) {
        return partition;
      }
      throw new RangeError(
        `the router chose partition ${partition}, the topic has 0 to ${partitionCount - 1}`,
      );
    }
    if (partitionKey !== undefined) return keyHash(partitionKey, this.#hashing) % partitionCount;
    return this.#current % partitionCount;
  }

  /** What was collected for a partition goes out: messages without a key go on with the next one. */
  batchEnded(partition: number, partitionCount: number): void {
    if (this.#routing === "roundRobin" && this.#current % partitionCount === partition) {
      this.#current = (partition + 1) % partitionCount;
    }
  }
}
