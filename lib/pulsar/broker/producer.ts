import { notePushed, noteSettled } from "./deduplication.ts";
import type { KnownProducer } from "./deduplication.ts";
import type { BrokerError } from "./errors.ts";
import type { ClientLink } from "./dispatch/mod.ts";
import type { AppendListener, Entry } from "./log/mod.ts";
import type { TopicName } from "./topic_name.ts";

/** What a producer needs of its topic. */
export interface ProducerHost {
  readonly name: TopicName;
  /** Counts exclusive producers. */
  readonly epoch: number;
  stage(entry: Entry, listener: AppendListener): void;
  /** Writes what was staged. */
  flush(): void;
  noteIn(messages: number, bytes: number): void;
  removeProducer(producer: Producer): void;
  /** An entry could not be stored. */
  producerFailed(producer: Producer, error: BrokerError): void;
}

/** What a PRODUCER command says of its producer. */
export interface ProducerOptions {
  readonly link: ClientLink;
  readonly producerId: number;
  readonly name: string;
  readonly epoch: number;
  readonly access: ProducerAccess;
  readonly schemaVersion: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly connectedSinceMs: number;
  readonly known: KnownProducer | undefined;
}

/** Access modes, by Pulsar's names. */
export type ProducerAccess = "Shared" | "Exclusive" | "WaitForExclusive" | "ExclusiveWithFencing";

/** Where a producer's answers go. */
export interface ProducerAnswers {
  receipt(producer: Producer, ids: SequenceIds, ledgerId: number, entryId: number): void;
  sendError(producer: Producer, sequenceId: number, error: unknown): void;
}

/** Sequence ids of one SEND; `highest` is −1 where the client gave none. */
export interface SequenceIds {
  readonly first: number;
  readonly highest: number;
  /** A chunk of a message, but not its last: all of them have one sequence id, which counts with the last. */
  readonly isPart: boolean;
}

/** One producer on a topic, as the broker sees it. */
export class Producer {
  readonly link: ClientLink;
  readonly producerId: number;
  readonly name: string;
  readonly epoch: number;
  readonly access: ProducerAccess;
  readonly schemaVersion: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly connectedSinceMs: number;
  readonly #known: KnownProducer | undefined;
  messagesIn = 0;
  bytesIn = 0;
  isClosed = false;
  /** After one entry could not be stored, none behind it may be, or a resend would pass for a duplicate. */
  #failure: BrokerError | undefined;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(
    readonly topic: ProducerHost,
    private readonly answers: ProducerAnswers,
    options: ProducerOptions,
  ) {
    this.link = options.link;
    this.producerId = options.producerId;
    this.name = options.name;
    this.epoch = options.epoch;
    this.access = options.access;
    this.schemaVersion = options.schemaVersion;
    this.metadata = options.metadata;
    this.connectedSinceMs = options.connectedSinceMs;
    this.#known = options.known;
  }

  /** The highest sequence id that the topic holds of this name, −1 for none. */
  get lastSequenceId(): number {
    return this.#known?.stored ?? -1;
  }

  get isDeduplicated(): boolean {
    return this.#known !== undefined;
  }

  /** Stores an entry, or answers that it is there already. The answer comes when its fate is known. */
  publish(entry: Entry, ids: SequenceIds): void {
    if (this.#failure !== undefined) {
      this.answers.sendError(this, ids.first, this.#failure);
      return;
    }
    const known = this.#known;
    const last = Math.max(ids.first, ids.highest);
    if (known !== undefined && last <= known.pushed) {
      this.#answerDuplicate(known, ids, last);
      return;
    }
    if (known !== undefined && !ids.isPart) notePushed(known, last);
    this.#inFlight++;
    this.topic.stage(entry, this.#listener(entry, ids, last));
  }

  #answerDuplicate(known: KnownProducer, ids: SequenceIds, last: number): void {
    if (last <= known.stored) {
      this.answers.receipt(this, ids, -1, -1);
      return;
    }
    // The first copy is still on its way to the disk.
    this.#inFlight++;
    known.waiting.push(() => {
      if (last <= known.stored) this.answers.receipt(this, ids, -1, -1);
      else this.answers.sendError(this, ids.first, this.#failure);
      this.#settled();
    });
  }

  #listener(entry: Entry, ids: SequenceIds, last: number): AppendListener {
    const { messageCount } = entry;
    const bytes = entry.end - entry.start;
    const known = ids.isPart ? undefined : this.#known;
    return {
      appended: (ledgerId, entryId) => {
        this.messagesIn += messageCount;
        this.bytesIn += bytes;
        this.topic.noteIn(messageCount, bytes);
        this.answers.receipt(this, ids, ledgerId, entryId);
        if (known !== undefined) noteSettled(known, last);
        this.#settled();
      },
      appendFailed: (error) => {
        this.#failure ??= error;
        this.answers.sendError(this, ids.first, error);
        if (known !== undefined) noteSettled(known);
        this.#settled();
        this.topic.producerFailed(this, error);
      },
    };
  }

  #settled(): void {
    this.#inFlight--;
    if (this.#inFlight > 0) return;
    this.#idle?.();
    this.#idle = undefined;
  }

  /** Resolves when every entry has its answer. */
  idle(): Promise<void> | undefined {
    if (this.#inFlight === 0) return undefined;
    return new Promise((resolve) => this.#idle = resolve);
  }
}
