/** What the tests of our client share: sending text messages in batches, and writing down all that a source hands over. */
import assert from "node:assert/strict";
import { utf8 } from "../../lib/base/mod.ts";
import {
  END_MARKER_PROPERTY,
  type MessageBatch,
  type Position,
  type Receipt,
  type SourceHandler,
} from "../../lib/contract.ts";
import type { BatchProducer, TopicSource } from "../../lib/pulsar/mod.ts";

const DEADLINE_MS = 60_000;

/** Sends one batch to a partition and waits for its receipt. */
export async function sendTexts(
  producer: BatchProducer,
  where: { partition: number; sequenceId: number },
  texts: readonly string[],
): Promise<Receipt> {
  await producer.whenReady(where.partition);
  const batch = producer.openBatch(where.partition);
  assert(batch !== undefined);
  for (const text of texts) {
    const value = utf8(text);
    const start = batch.reserve(value.length);
    batch.bytes.set(value, start);
    batch.commit(start + value.length);
  }
  return await producer.send(batch, where.sequenceId);
}

/** One entry as the handler got it. */
export interface SeenBatch {
  readonly partition: number;
  readonly position: Position;
  readonly texts: readonly string[];
  readonly isEndMarker: boolean;
}

function textsOf(batch: MessageBatch): string[] {
  const decoder = new TextDecoder();
  return Array.from(
    { length: batch.messageCount },
    (_, i) => decoder.decode(batch.bytes.subarray(batch.bounds[2 * i]!, batch.bounds[2 * i + 1]!)),
  );
}

/** A handler that writes everything down. */
export class Notes implements SourceHandler {
  readonly batches: SeenBatch[] = [];
  /** Partitions that are read at present. */
  readonly active = new Set<number>();
  /** Where each partition goes on; shared between handlers, it is the checkpoint that they hand over. */
  readonly positions: Map<number, Position>;
  readonly #settled: (() => void)[] = [];

  constructor(positions = new Map<number, Position>()) {
    this.positions = positions;
  }

  batch(batch: MessageBatch): void {
    const isEndMarker = batch.properties[END_MARKER_PROPERTY] !== undefined;
    const { partition, position } = batch;
    this.batches.push({
      partition,
      position,
      texts: isEndMarker ? [] : textsOf(batch),
      isEndMarker,
    });
    this.positions.set(partition, position);
    this.#changed();
  }

  activated(partition: number): Promise<Position | undefined> {
    this.active.add(partition);
    this.#changed();
    return Promise.resolve(this.positions.get(partition));
  }

  deactivated(partition: number): void {
    this.active.delete(partition);
    this.#changed();
  }

  /** The texts of a partition, in the order in which they came. */
  textsOf(partition: number): string[] {
    return this.batches.filter((batch) => batch.partition === partition)
      .flatMap((batch) => batch.texts);
  }

  get texts(): string[] {
    return this.batches.flatMap((batch) => batch.texts);
  }

  /** Waits until the condition holds; it is looked at after each call of the handler. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    while (!condition()) {
      await new Promise<void>((resolve, reject) => {
        const late = () =>
          reject(new Error(`Cannot wait for ${what}: not after ${DEADLINE_MS} ms`));
        deadline.addEventListener("abort", late, { once: true });
        this.#settled.push(() => {
          deadline.removeEventListener("abort", late);
          resolve();
        });
      });
    }
  }

  #changed(): void {
    for (const resolve of this.#settled.splice(0)) resolve();
  }
}

/** Runs a source with a handler until `work` is done; an error of either is thrown. */
export async function whileRunning(
  source: TopicSource,
  handler: SourceHandler,
  work: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const running = source.run(handler, stop.signal);
  try {
    await Promise.race([running, work()]);
  } finally {
    stop.abort();
  }
  await running;
}
