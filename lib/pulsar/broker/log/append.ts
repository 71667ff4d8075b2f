import type { BrokerError } from "../errors.ts";

/** What a log is to keep: a body as it came, somewhere in a larger buffer. */
export interface Entry {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly messageCount: number;
  readonly publishTimeMs: number;
}

/** Is told, in the order of the appends, what became of an entry. */
export interface AppendListener {
  /** The entry is as safe as the durability promises, and readers may have it. */
  appended(ledgerId: number, entryId: number): void;
  /** The entry is not in the log, and will not be. */
  appendFailed(error: BrokerError): void;
}
