/** Where in a topic a consumer stands: where it was told to begin, and what it has taken since. */
import type { Position } from "../../contract.ts";
import type { StartPosition } from "./consumer_options.ts";
import { MessageId } from "./message_id.ts";
import { comparePositions } from "./positions.ts";
import type { ReceivedEntry, ReceivedMessage } from "./received_entry.ts";

/** The beginning, and the last message taken. */
export class ReadingPlace {
  readonly #includesStart: boolean;
  #start: StartPosition | undefined;
  /** Where it was told to begin with a time: the broker finds the place, as producers' clocks differ. */
  #startTimeMs: number | undefined;
  #lastEntry: ReceivedEntry | undefined;
  #lastIndex = -1;
  #leavesOutEarlier = false;

  /**
   * @param start undefined where the subscription's cursor says it
   * @param includesStart whether a seek includes the message that it names
   */
  constructor(start: StartPosition | undefined, includesStart: boolean) {
    this.#start = start;
    this.#includesStart = includesStart;
  }

  /** Where it was told to begin, as SUBSCRIBE says it. */
  get start(): StartPosition | undefined {
    return this.#start;
  }

  get startTimeMs(): number | undefined {
    return this.#startTimeMs;
  }

  /** The last message taken, if there is one. */
  get last(): MessageId | undefined {
    if (this.#lastEntry === undefined) return undefined;
    const { ledgerId, entryId, isBatch } = this.#lastEntry;
    return { ledgerId, entryId, partition: -1, batchIndex: isBatch ? this.#lastIndex : -1 };
  }

  taken({ entry, batchIndex }: ReceivedMessage<unknown>): void {
    this.#lastEntry = entry;
    this.#lastIndex = batchIndex;
  }

  /** A seek goes to an id, or to a publish time in ms since 1970; what it returns takes that back. */
  moveTo(target: MessageId | number): () => void {
    const before = [this.#start, this.#startTimeMs, this.#lastEntry] as const;
    const isTime = typeof target === "number";
    this.#start = isTime ? undefined : { id: target, isInclusive: this.#includesStart };
    this.#startTimeMs = isTime ? target : undefined;
    this.#lastEntry = undefined;
    this.#leavesOutEarlier = false;
    return () => [this.#start, this.#startTimeMs, this.#lastEntry] = before;
  }

  /** Reading goes on behind the last message taken: for a subscription that the broker forgets with its connection. */
  goOn(): void {
    const { last } = this;
    if (last === undefined) return;
    this.#start = { id: last, isInclusive: false };
    this.#startTimeMs = undefined;
    this.#leavesOutEarlier = true;
  }

  /** What was taken is wanted again. */
  goBack(): void {
    if (this.#leavesOutEarlier) this.#start = undefined;
    this.#leavesOutEarlier = false;
  }

  /** The first message of an entry that is not before the beginning; `messageCount` when all are. */
  firstWanted(entry: ReceivedEntry): number {
    if (this.#start === undefined) return 0;
    const { id, isInclusive } = this.#start;
    const order = comparePositions(entry, id);
    // Messages were taken while it was subscribed anew, from a place before them.
    if (order < 0 && this.#leavesOutEarlier) return entry.messageCount;
    if (order !== 0) return 0;
    if (isInclusive) return Math.max(id.batchIndex, 0);
    return id.batchIndex < 0 ? entry.messageCount : id.batchIndex + 1;
  }

  /**
   * Whether there is a message after the place.
   *
   * @param last message of the topic
   * @param markDelete where the subscription's cursor is, if the broker says it
   */
  isBefore(last: MessageId, markDelete: Position | undefined): boolean {
    const taken = this.last;
    if (taken !== undefined) return MessageId.compare(last, taken) > 0;
    if (this.#start !== undefined) {
      const { id, isInclusive } = this.#start;
      if (id.entryId >= 0 && Number.isFinite(id.ledgerId)) {
        const order = comparePositions(last, id) || batchOrder(last, id);
        return isInclusive ? order >= 0 : order > 0;
      }
      if (id.entryId < 0) return true;
    }
    return markDelete !== undefined && comparePositions(last, markDelete) > 0;
  }
}

/** An id without a place in the batch stands for the whole of it. */
function batchOrder(last: MessageId, id: MessageId): number {
  return id.batchIndex < 0 ? 0 : last.batchIndex - id.batchIndex;
}
