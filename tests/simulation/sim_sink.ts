import type {
  InsertOptions,
  InsertReceipt,
  RowBatch,
  Sink,
  WindowRow,
} from "../../lib/contract.ts";
import type { Process, World } from "./world.ts";

/** What may go wrong at the sink, each the chance per insert. */
export interface SinkFaults {
  /** Refused; nothing stored. */
  refused: number;
  /** Stored, but the answer is lost. */
  answerLost: number;
  /** The client gives up, and the rows are stored later. */
  slow: number;
  /** Chance per count or cancel to fail. */
  unavailable: number;
  /** Tokens are forgotten at once, as with a deduplication window of 0. */
  forgetsTokens: boolean;
  /** Cancelling cannot reach what is still on its way. */
  cancelMisses: boolean;
  /** A power loss may leave part of the rows with a surviving token, instead of none. */
  tearsPartially: boolean;
}

interface Attempt {
  readonly batch: RowBatch;
  readonly token: string;
  readonly queryId: string;
  cancelled: boolean;
}

/** A sink in the world, with ClickHouse's faults: tokens that outlive their rows, rows that come late, answers that do not. */
export class SimSink {
  /** Rows by batch id; a batch stored twice has them twice. */
  readonly stored = new Map<string, WindowRow[]>();
  readonly #tokens = new Set<string>();
  readonly #underWay = new Set<Attempt>();
  faults: SinkFaults;
  down = false;
  /** Inserts answered with success although their token made the sink drop them and their rows were not there. */
  swallowed = 0;
  /** Inserts dropped because their rows were there under the same token. */
  deduplicated = 0;
  /** Inserts that stored their rows after the client had given up. */
  cameLate = 0;

  constructor(readonly world: World, faults: SinkFaults) {
    this.faults = faults;
  }

  /** The sink as a process uses it. */
  of(process: Process): Sink {
    return {
      systemName: "simulated sink",
      insert: (batch, options) => this.#insert(process, batch, options),
      count: (batch) => this.#ask(process, () => this.stored.get(batch.batchId)?.length ?? 0),
      cancel: (queryId) => this.#ask(process, () => this.#cancel(queryId)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  /** The power fails: inserts that were under way are whole, gone, or torn. */
  losePower(): void {
    for (const attempt of this.#underWay) {
      const outcome = this.world.random.below(4);
      if (outcome === 0) this.#apply(attempt);
      if (outcome >= 2 && !attempt.cancelled && !this.#tokens.has(attempt.token)) {
        // A torn part: the token was logged, the rows were not.
        this.#tokens.add(attempt.token);
        if (outcome === 3 && this.faults.tearsPartially) {
          const rows = attempt.batch.rows.slice(
            0,
            this.world.random.below(attempt.batch.rows.length),
          );
          if (rows.length > 0) this.#store(attempt.batch.batchId, rows);
        }
      }
      attempt.cancelled = true;
    }
    this.#underWay.clear();
    this.down = true;
    this.world.after(this.world.between(100, 2_000), () => {
      this.down = false;
    });
  }

  #insert(process: Process, batch: RowBatch, options: InsertOptions): Promise<InsertReceipt> {
    process.step();
    const attempt: Attempt = {
      batch,
      token: options.token,
      queryId: options.queryId,
      cancelled: false,
    };
    const { faults, world } = this;
    const dice = world.random.float();
    const refused = dice < faults.refused;
    const answerLost = !refused && dice < faults.refused + faults.answerLost;
    const slow = !refused && !answerLost &&
      dice < faults.refused + faults.answerLost + faults.slow;
    if (!refused && !this.down) {
      this.#underWay.add(attempt);
      world.after(slow ? world.between(200, 4_000) : world.between(1, 30), () => {
        if (this.#apply(attempt) && slow) this.cameLate++;
      });
    }
    const failed = refused || answerLost || slow || this.down;
    return new Promise((resolve, reject) => {
      world.after(
        failed ? world.between(30, 150) : world.between(30, 60),
        () =>
          process.reach(() => {
            if (options.signal?.aborted) reject(options.signal.reason);
            else if (failed || this.down || attempt.cancelled) {
              reject(new Error("connection reset"));
            } else resolve({ bytes: 100 * batch.rows.length });
          }),
      );
    });
  }

  /** Returns whether the rows were stored. */
  #apply(attempt: Attempt): boolean {
    this.#underWay.delete(attempt);
    if (attempt.cancelled) return false;
    if (this.#tokens.has(attempt.token)) {
      if (this.stored.has(attempt.batch.batchId)) this.deduplicated++;
      else this.swallowed++;
      return false;
    }
    if (!this.faults.forgetsTokens) this.#tokens.add(attempt.token);
    this.#store(attempt.batch.batchId, attempt.batch.rows);
    return true;
  }

  #store(batchId: string, rows: readonly WindowRow[]): void {
    this.stored.set(batchId, [...(this.stored.get(batchId) ?? []), ...rows]);
  }

  #cancel(queryId: string): void {
    for (const attempt of this.#underWay) {
      if (attempt.queryId !== queryId) continue;
      if (this.faults.cancelMisses && this.world.chance(0.5)) continue;
      attempt.cancelled = true;
    }
  }

  #ask<T>(process: Process, answer: () => T): Promise<T> {
    return process.ask(this.world.between(1, 20), () => {
      if (this.down || this.world.chance(this.faults.unavailable)) {
        throw new Error("connection refused");
      }
      return answer();
    });
  }
}
