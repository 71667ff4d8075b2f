import assert from "node:assert/strict";
import { crc32cPortable, FakeClock, seededRandom } from "../../../lib/base/mod.ts";
import type { MessageBatch, Position, SourceHandler } from "../../../lib/contract.ts";
import type { FrameBatch } from "../../../lib/pulsar/client/batch_buffer.ts";
import { connectPulsar, type PulsarClientOptions } from "../../../lib/pulsar/client/client.ts";
import type { BatchProducer } from "../../../lib/pulsar/client/batch_producer.ts";
import { PulsarError, type PulsarErrorCode } from "../../../lib/pulsar/wire/mod.ts";
import { FakeBroker } from "./fake_broker.ts";

export const TOPIC = "persistent://public/default/orders";

/** A fake broker, a clock that stands still, and a client of both. */
export async function connectFake(options: Partial<PulsarClientOptions> = {}) {
  const broker = new FakeBroker();
  const clock = new FakeClock(1_790_000_000_000);
  const client = await connectPulsar({
    serviceUrl: "pulsar://127.0.0.1:6650",
    openTransport: broker.openTransport,
    clock,
    random: seededRandom(1),
    crc32c: crc32cPortable,
    ...options,
  });
  return { broker, clock, client };
}

/** Lets everything that is ready happen. */
export async function settle(clock: FakeClock): Promise<void> {
  await clock.advance(0);
  await clock.advance(0);
}

/** Fills a batch with texts. */
export function fill(batch: FrameBatch, texts: readonly string[]): FrameBatch {
  for (const text of texts) {
    const bytes = new TextEncoder().encode(text);
    const at = batch.reserve(bytes.length);
    batch.bytes.set(bytes, at);
    batch.commit(at + bytes.length);
  }
  return batch;
}

/** A batch of partition 0 with these texts. */
export function batchOf(producer: BatchProducer, texts: readonly string[]): FrameBatch {
  const batch = producer.openBatch(0);
  assert.ok(batch !== undefined, "no room in flight");
  return fill(batch, texts);
}

/** The texts of a batch. */
export function textsOf(batch: MessageBatch): string[] {
  return Array.from(
    { length: batch.messageCount },
    (_, i) =>
      new TextDecoder().decode(
        batch.bytes.subarray(batch.bounds[2 * i], batch.bounds[2 * i + 1]),
      ),
  );
}

/** Remembers what a source says. */
export class Recorder implements SourceHandler {
  readonly events: string[] = [];
  readonly texts: string[] = [];
  /** Whether `activated` gives the last position handled, as a checkpoint would. */
  checkpoint: Position | undefined;

  activated(partition: number): Promise<Position | undefined> {
    this.events.push(`activated ${partition}`);
    return Promise.resolve(this.checkpoint);
  }

  deactivated(partition: number): void {
    this.events.push(`deactivated ${partition}`);
  }

  batch(batch: MessageBatch): void | Promise<void> {
    this.texts.push(...textsOf(batch));
    this.checkpoint = batch.position;
  }
}

/** Asserts that a promise is rejected with a PulsarError of this code, and gives it. */
export async function rejectsWith(
  promise: Promise<unknown>,
  code: PulsarErrorCode,
): Promise<PulsarError> {
  const error = await promise.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof PulsarError, `not a PulsarError: ${error}`);
  assert.equal(error.code, code, error.message);
  return error;
}
