import type { Engine } from "./engine.ts";
import { queryError } from "./errors.ts";
import { commentOf } from "./request.ts";

interface Running {
  readonly ended: Promise<void>;
  cancelled: boolean;
  /** Ends an answer that nobody reads, which the engine does not notice. */
  onKill: () => void;
}

/** What a query that is under way tells, and is told. */
export interface RunningQuery {
  end(): void;
  throwIfCancelled(): void;
  /** Calls `action` when the query is killed. */
  whenKilled(action: () => void): void;
}

/** The queries under way by their query_id, so that KILL QUERY finds them: the engine knows them by ids of its own. */
export class RunningQueries {
  readonly #running = new Map<string, Running>();

  constructor(readonly engine: Engine) {}

  get count(): number {
    return this.#running.size;
  }

  /**
   * Notes a query.
   *
   * @throws {QueryError} when one with this id is under way
   */
  begin(queryId: string): RunningQuery {
    if (this.#running.has(queryId)) {
      throw queryError(
        "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
        `Query with id = ${queryId} is already running`,
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const running: Running = { ended: promise, cancelled: false, onKill: () => {} };
    this.#running.set(queryId, running);
    return {
      end: () => {
        this.#running.delete(queryId);
        resolve();
      },
      whenKilled: (action) => running.onKill = action,
      throwIfCancelled: () => {
        if (running.cancelled) throw queryError("QUERY_WAS_CANCELLED", "Query was cancelled");
      },
    };
  }

  /** Ends a query, wherever it is; resolves at once, or with `wait` when it has ended. @returns whether there was one */
  async kill(queryId: string, wait: boolean): Promise<boolean> {
    const running = this.#running.get(queryId);
    if (running === undefined) return false;
    running.cancelled = true;
    using session = this.engine.open();
    // Not SYNC: the engine then waits for a query whose connection is closed only after this one answers.
    await session.query(
      `KILL QUERY WHERE startsWith(Settings['log_comment'], '${commentOf(queryId)}') ASYNC`,
      "Null",
    );
    running.onKill();
    if (wait) await running.ended;
    return true;
  }

  /** Ends them all. */
  async killAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((queryId) => this.kill(queryId, true)));
  }
}

const KILL =
  /^\s*KILL\s+QUERY\s+WHERE\s+query_id\s*=\s*'([A-Za-z0-9_.:-]{1,200})'\s*(SYNC|ASYNC)?\s*;?\s*$/i;

/** The query_id that a KILL QUERY of the usual form names, and whether it waits. */
export function readKill(sql: string): { queryId: string; wait: boolean } | undefined {
  const match = KILL.exec(sql);
  if (match === null) return undefined;
  return { queryId: match[1]!, wait: match[2]?.toUpperCase() === "SYNC" };
}
