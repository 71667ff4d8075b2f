import type { RoleNote } from "../run/mod.ts";

/** A batch that a killed aggregator left in its checkpoint, and what became of it. */
export interface RecoveredBatch {
  /** Its name, which is the token of its first insert. */
  readonly batchId: string;
  readonly rows: number;
  /** False where ClickHouse was asked and had all of its rows. */
  readonly insertedAgain: boolean;
}

interface MessageCount {
  /** That went into windows since the process began. */
  readonly messages: number;
}

/** What an aggregator says of a death and of what comes after; a kill that comes from outside gives it no time for last words. */
export type RecoveryNote =
  | { readonly kind: "dying"; readonly data: MessageCount }
  | { readonly kind: "recovered"; readonly data: RecoveredBatch }
  | { readonly kind: "aggregated"; readonly data: MessageCount };

/** What was done twice because aggregators were killed at a place. */
export interface Recovery {
  readonly batches: readonly RecoveredBatch[];
  /** Messages that went into windows, counted once for each process that put them there. */
  readonly aggregatedMessages: number;
}

/**
 * Adds up what the aggregators of a run said.
 *
 * @param notes of all roles, in the order in which they came
 */
export function recoveryOf(notes: readonly RoleNote[]): Recovery {
  const batches: RecoveredBatch[] = [];
  const living = new Map<string, number>();
  let buried = 0;
  for (const note of notes) {
    const { kind, data } = note as unknown as RecoveryNote;
    if (kind === "recovered") batches.push(data);
    else if (kind === "aggregated") living.set(note.name, data.messages);
    else if (kind === "dying") {
      buried += data.messages;
      living.delete(note.name);
    }
  }
  const alive = [...living.values()].reduce((sum, messages) => sum + messages, 0);
  return { batches, aggregatedMessages: buried + alive };
}
