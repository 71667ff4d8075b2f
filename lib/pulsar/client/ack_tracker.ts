/** What was acknowledged of one topic and not sent yet, and which batches are acknowledged in part. Pure: whoever owns it has the timer. */
import type { Position } from "../../contract.ts";
import { BatchBits } from "./batch_bits.ts";
import type { MessageId } from "./message_id.ts";
import { comparePositions } from "./positions.ts";
import type { MessageIdData } from "../wire/mod.ts";

/** Batches acknowledged in part that are remembered; of the oldest beyond, messages may come again. */
const PARTIAL_BATCHES_MAX = 100_000;

/** The parts of a message id that an acknowledgement needs. */
export type AckId = Pick<MessageId, "ledgerId" | "entryId" | "batchIndex" | "batchMessageCount">;

/** A batch of which some messages are acknowledged. */
interface PartialBatch extends Position {
  readonly bits: BatchBits;
  /** Whether its bits have changed since they were sent. */
  isPending: boolean;
}

/** Acknowledgements as they are to be sent. */
export interface PendingAcks {
  readonly cumulative: MessageIdData | undefined;
  readonly individual: readonly MessageIdData[];
}

/**
 * Collects acknowledgements, so that one command carries many, and knows when a batch is complete:
 * a broker that keeps no places in batches is told of a batch only then.
 */
export class AckTracker {
  readonly #sendsBatchIndexes: boolean;
  readonly #partial = new Map<string, PartialBatch>();
  /** Acknowledgements in a row mostly concern one batch: found without a key. */
  #last: PartialBatch | undefined;
  #individual: Position[] = [];
  /** The newest of them, beyond which nothing needs to be looked for. */
  #newest: Position = { ledgerId: -1, entryId: -1 };
  #cumulative: MessageIdData | undefined;
  #pendingBatches = 0;

  /** @param sendsBatchIndexes whether the broker is told of single messages of a batch */
  constructor(options: { readonly sendsBatchIndexes: boolean }) {
    this.#sendsBatchIndexes = options.sendsBatchIndexes;
  }

  /** How many acknowledgements wait to be sent. */
  get pendingCount(): number {
    return this.#individual.length + this.#pendingBatches + (this.#cumulative ? 1 : 0);
  }

  /** Notes that one message is dealt with; true when its whole entry is. */
  acknowledge(id: AckId): boolean {
    const { ledgerId, entryId, batchIndex, batchMessageCount = 0 } = id;
    if (batchIndex >= 0 && batchMessageCount > 1) {
      const batch = this.#batch(id, batchMessageCount);
      batch.bits.clear(batchIndex);
      if (batch.bits.count > 0) {
        this.#note(batch);
        return false;
      }
      this.#drop(batch);
    }
    const position = { ledgerId, entryId };
    this.#individual.push(position);
    if (comparePositions(position, this.#newest) > 0) this.#newest = position;
    return true;
  }

  /** Notes that everything up to and with a message is dealt with. */
  acknowledgeCumulative(id: AckId): void {
    const { ledgerId, entryId, batchIndex, batchMessageCount = 0 } = id;
    for (const batch of this.#partial.values()) {
      if (comparePositions(batch, id) < 0) this.#drop(batch);
    }
    if (batchIndex >= 0 && batchMessageCount > 1) {
      const batch = this.#batch(id, batchMessageCount);
      batch.bits.clearUpTo(batchIndex);
      if (batch.bits.count > 0) return this.#acknowledgeCumulativeIn(batch);
      this.#drop(batch);
    }
    this.#setCumulative({ ledgerId, entryId });
  }

  /** Takes what is to be sent; the caller has it from here on. */
  take(): PendingAcks {
    const individual: MessageIdData[] = this.#individual.splice(0);
    this.#newest = { ledgerId: -1, entryId: -1 };
    if (this.#pendingBatches > 0) {
      for (const batch of this.#partial.values()) {
        if (!batch.isPending) continue;
        batch.isPending = false;
        individual.push({ ...positionOf(batch), ackSet: batch.bits.toAckSet() });
      }
      this.#pendingBatches = 0;
    }
    const cumulative = this.#cumulative;
    this.#cumulative = undefined;
    return { cumulative, individual };
  }

  /** Gives back what could not be sent. */
  restore({ cumulative, individual }: PendingAcks): void {
    if (cumulative !== undefined) this.#setCumulative(cumulative);
    for (const { ledgerId, entryId, ackSet } of individual) {
      const batch = this.#partial.get(keyOf({ ledgerId, entryId }));
      if (ackSet === undefined) this.acknowledge({ ledgerId, entryId, batchIndex: -1 });
      else if (batch !== undefined) this.#note(batch);
    }
  }

  /**
   * What of an entry that comes is not acknowledged here yet.
   *
   * @returns undefined for all of it, `none`, or the places in the batch
   */
  unacknowledged(position: Position): BatchBits | "none" | undefined {
    const cumulative = this.#cumulative;
    if (cumulative !== undefined) {
      const order = comparePositions(position, cumulative);
      if (order < 0 || (order === 0 && cumulative.ackSet === undefined)) return "none";
    }
    if (comparePositions(position, this.#newest) <= 0) {
      const isThere = this.#individual.some((pending) => comparePositions(pending, position) === 0);
      if (isThere) return "none";
    }
    return this.#partial.size === 0 ? undefined : this.#partial.get(keyOf(position))?.bits;
  }

  /** Whether an entry is a batch of which some messages are acknowledged and others not. */
  isPartial(position: Position): boolean {
    return this.#partial.size > 0 && this.#partial.has(keyOf(position));
  }

  /** A new session: what was sent may have been lost, and then comes again; what waits to be sent stays. */
  sessionBegins(): void {
    for (const batch of this.#partial.values()) if (!batch.isPending) this.#drop(batch);
  }

  /** Forgets everything: the cursor was moved. */
  clear(): void {
    this.take();
    this.#partial.clear();
    this.#last = undefined;
  }

  #acknowledgeCumulativeIn(batch: PartialBatch): void {
    const { ledgerId, entryId } = batch;
    if (this.#sendsBatchIndexes) {
      // The bits travel with the cumulative acknowledgement itself.
      if (batch.isPending) this.#pendingBatches--;
      batch.isPending = false;
      this.#setCumulative({ ledgerId, entryId, ackSet: batch.bits.toAckSet() });
    } else this.#setCumulative({ ledgerId, entryId: entryId - 1 });
  }

  #setCumulative(data: MessageIdData): void {
    const order = this.#cumulative === undefined ? 1 : comparePositions(data, this.#cumulative);
    // Of two places in one batch the one with fewer messages left is the later.
    if (order > 0 || (order === 0 && this.#cumulative!.ackSet !== undefined)) {
      this.#cumulative = data;
    }
  }

  #batch(position: Position, messageCount: number): PartialBatch {
    if (this.#last !== undefined && comparePositions(this.#last, position) === 0) return this.#last;
    const key = keyOf(position);
    let batch = this.#partial.get(key);
    if (batch === undefined) {
      batch = { ...positionOf(position), bits: BatchBits.full(messageCount), isPending: false };
      this.#partial.set(key, batch);
      if (this.#partial.size > PARTIAL_BATCHES_MAX) {
        const [oldest] = this.#partial.values();
        this.#drop(oldest!);
      }
    }
    return this.#last = batch;
  }

  #note(batch: PartialBatch): void {
    if (!this.#sendsBatchIndexes || batch.isPending) return;
    batch.isPending = true;
    this.#pendingBatches++;
  }

  #drop(batch: PartialBatch): void {
    if (batch.isPending) this.#pendingBatches--;
    batch.isPending = false;
    this.#partial.delete(keyOf(batch));
    if (this.#last === batch) this.#last = undefined;
  }
}

function positionOf({ ledgerId, entryId }: Position): Position {
  return { ledgerId, entryId };
}

/** Text by which an entry is found. */
export function keyOf({ ledgerId, entryId }: Position): string {
  return `${ledgerId}:${entryId}`;
}
