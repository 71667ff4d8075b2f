import type { Clock, MonoUs, Random, WallTimeMs } from "../base/mod.ts";
import { messageOf, WeirError } from "../base/mod.ts";
import type { Sink } from "../contract.ts";
import type { PendingBatch } from "./checkpoint.ts";
import { StreamError } from "./errors.ts";

/** Bounds of trying again. */
export interface RetryOptions {
  /** Inserts of one batch by one owner. */
  readonly insertAttemptsMax: number;
  /** How long a sink or source may fail in a row, in wall time. */
  readonly retryForMs: number;
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
}

/** Two minutes of trying: long enough for a server that starts again. */
export const RETRY_DEFAULTS: RetryOptions = {
  insertAttemptsMax: 8,
  retryForMs: 120_000,
  backoffMsMin: 50,
  backoffMsMax: 5_000,
};

/** Tokens that one batch may use: its own, and fresh ones for data that the sink says it has and has not. */
const TOKENS_MAX = 4;

/** One insert that was answered. */
export interface InsertEvent {
  readonly partition: number;
  readonly batchId: string;
  readonly rows: number;
  readonly bytes: number;
  readonly durationMs: number;
}

/** What a delivery needs. */
export interface DeliveryContext {
  readonly sink: Sink;
  readonly clock: Clock;
  readonly random: Random;
  readonly retry: RetryOptions;
  /** The owner's epoch, which makes its attempts' names unlike those of others. */
  readonly epoch: number;
  /** @throws an error with code `stale_owner` */
  readonly assertOwner: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly onInsert?: ((event: InsertEvent) => void) | undefined;
}

/** When a batch became visible: the response of the insert that stored it, or the count that found it. */
export interface Delivered {
  readonly visibleMonoUs: MonoUs;
  readonly visibleWallMs: WallTimeMs;
}

/**
 * Calls until it succeeds, waiting longer each time, with a share of chance so that owners do not knock together.
 *
 * @throws what the last call threw, once `retryForMs` is over or an error says that trying again is of no use
 */
export async function retrying<T>(
  action: () => Promise<T>,
  context: Pick<DeliveryContext, "clock" | "random" | "retry" | "signal">,
): Promise<T> {
  const { clock, retry, signal } = context;
  const startUs = clock.monoUs();
  for (let attempt = 0;; attempt++) {
    signal.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      const forMs = (clock.monoUs() - startUs) / 1000;
      if (isFinal(error) || signal.aborted || forMs > retry.retryForMs) throw error;
    }
    await backOff(attempt, context);
  }
}

/** An error of the project that says it is no use trying again; anything else, such as a broken connection, may pass. */
function isFinal(error: unknown): boolean {
  return error instanceof WeirError && !error.retryable;
}

function backOff(
  attempt: number,
  { clock, random, retry, signal }: Pick<DeliveryContext, "clock" | "random" | "retry" | "signal">,
): Promise<void> {
  const longestMs = Math.min(retry.backoffMsMax, retry.backoffMsMin * 2 ** attempt);
  return clock.sleep(longestMs * (0.5 + random.float() / 2), signal);
}

/** Names an attempt, so that whoever comes after can cancel it. */
export function queryIdOf(batchId: string, epoch: number, attempt: number): string {
  return `${batchId}:e${epoch}:a${attempt}`;
}

/** The token of a batch: its id; then, should the sink have swallowed it, others that every owner tries in the same order. */
export function tokenOf(batchId: string, rung: number): string {
  return rung === 0 ? batchId : `${batchId}:r${rung}`;
}

/**
 * Stores one batch exactly once.
 *
 *     new ─────────────────────► insert, token T ── answered ──► count ── all ──► done
 *                                  ▲        │                      │
 *     from a checkpoint            │        │ failed               └─ none: swallowed ──► insert, token T:r1 …
 *      or after a failure          │        ▼
 *     ───► count ─ none ─► cancel ─┴─ count again ── all ──► done
 *
 * A failed insert says nothing about its rows, so it is counted before anything is sent again. What is still under way is cancelled by its
 * name and counted once more. It is sent again under the *same* token, so that an attempt that turns up later after all is
 * dropped; only where the sink answers "stored" and holds nothing is there a fresh token, and the order of fresh tokens is the same for every owner.
 *
 * @throws {StreamError} `partial_batch`, `doubled_batch`, `swallowed_batch` or `sink_unavailable`; whatever `assertOwner` throws
 */
export async function deliver(pending: PendingBatch, context: DeliveryContext): Promise<Delivered> {
  const { batch } = pending;
  const { sink, epoch, retry, clock } = context;
  let uncertain = pending.sinceEpoch < epoch;
  let rung = 0;
  let failure: unknown;
  for (let attempt = 0; attempt < retry.insertAttemptsMax; attempt++) {
    if (uncertain && await isStored(pending, attempt, context)) return now(clock);
    await context.assertOwner();
    const options = {
      token: tokenOf(batch.batchId, rung),
      queryId: queryIdOf(batch.batchId, epoch, attempt),
      signal: context.signal,
    };
    const startUs = clock.monoUs();
    try {
      const { bytes } = await sink.insert(batch, options);
      const durationMs = (clock.monoUs() - startUs) / 1000;
      const { batchId, partition, rows } = batch;
      context.onInsert?.({ partition, batchId, rows: rows.length, bytes, durationMs });
    } catch (error) {
      if (context.signal.aborted || isFinal(error)) throw error;
      failure = error;
      uncertain = true;
      await backOff(attempt, context);
      continue;
    }
    const delivered = now(clock);
    if (await countIsWhole(pending, context)) return delivered;
    uncertain = false;
    if (++rung >= TOKENS_MAX) throw swallowed(pending);
  }
  throw new StreamError(
    `Cannot store batch ${batch.batchId}: ${retry.insertAttemptsMax} inserts failed, the last with: ${
      messageOf(failure)
    }`,
    {
      code: "sink_unavailable",
      cure: "see that the sink is up; the batch is kept in the checkpoint",
      cause: failure,
    },
  );
}

/** Settles whether earlier attempts stored the batch; if not, none of them will any more. */
async function isStored(
  pending: PendingBatch,
  ownAttempts: number,
  context: DeliveryContext,
): Promise<boolean> {
  if (await countIsWhole(pending, context)) return true;
  const { batchId } = pending.batch;
  for (let epoch = pending.sinceEpoch; epoch <= context.epoch; epoch++) {
    const attempts = epoch === context.epoch ? ownAttempts : context.retry.insertAttemptsMax;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const queryId = queryIdOf(batchId, epoch, attempt);
      await available(() => context.sink.cancel(queryId), pending, context);
    }
  }
  return await countIsWhole(pending, context);
}

/**
 * @returns true when all rows are there, false when none is
 * @throws {StreamError} when it is anything between or above
 */
async function countIsWhole(pending: PendingBatch, context: DeliveryContext): Promise<boolean> {
  const { batch } = pending;
  const stored = await available(() => context.sink.count(batch), pending, context);
  if (stored === batch.rows.length) return true;
  if (stored === 0) return false;
  const partial = stored < batch.rows.length;
  throw new StreamError(
    `Cannot store batch ${batch.batchId}: ${stored} rows of it are in the sink, expected ${batch.rows.length} or none`,
    {
      code: partial ? "partial_batch" : "doubled_batch",
      cure: `delete the rows with batch_id = '${batch.batchId}' and start again`,
    },
  );
}

async function available<T>(
  action: () => Promise<T>,
  pending: PendingBatch,
  context: DeliveryContext,
): Promise<T> {
  try {
    return await retrying(action, context);
  } catch (cause) {
    if (context.signal.aborted || isFinal(cause)) throw cause;
    throw new StreamError(
      `Cannot learn whether batch ${pending.batch.batchId} is stored: ${messageOf(cause)}`,
      {
        code: "sink_unavailable",
        cure: "see that the sink is up; the batch is kept in the checkpoint",
        cause,
      },
    );
  }
}

function swallowed(pending: PendingBatch): StreamError {
  return new StreamError(
    `Cannot store batch ${pending.batch.batchId}: the sink answered ${TOKENS_MAX} inserts with success and holds none of its rows`,
    {
      code: "swallowed_batch",
      cure:
        "see whether something deletes rows or whether the table's TTL is already over for them",
    },
  );
}

function now(clock: Clock): Delivered {
  return { visibleMonoUs: clock.monoUs(), visibleWallMs: clock.wallMs() };
}
