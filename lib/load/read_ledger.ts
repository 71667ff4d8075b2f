import type { Disk, WallTimeMs } from "../base/mod.ts";
import { decodeLines, LedgerError } from "./ledger_format.ts";
import type { LedgerHeader, LedgerLine } from "./ledger_format.ts";
import { PartitionAccount } from "./partition_account.ts";
import type { PartitionLedger } from "./partition_account.ts";
import { Schedule } from "./schedule.ts";

/** Everything that a ledger says. */
export interface LedgerContents {
  readonly header: LedgerHeader;
  /** With every logged change. */
  readonly schedule: Schedule;
  /** Ascending; only partitions to which something was sent. */
  readonly partitions: readonly PartitionLedger[];
  /** When a new process went on with the ledger. */
  readonly restarts: readonly { readonly atWallMs: WallTimeMs }[];
  /** Partitions whose end marker has its receipt, ascending. */
  readonly endMarkers: readonly number[];
  /** Set when the producer ended by itself. */
  readonly end: { readonly atWallMs: WallTimeMs; readonly messageCount: number } | undefined;
  /** Bytes of whole lines; the file may hold a torn line behind them. */
  readonly wholeBytes: number;
  readonly torn: boolean;
  /** What a line that follows goes on from; undefined in a ledger of version 1. */
  readonly chain: number | undefined;
}

/** Where a producer's ledger lies in the ledger folder of a run. */
export function ledgerPath(folder: string, producerName: string): string {
  return `${folder}/${producerName}.jsonl`;
}

class Reading {
  readonly restarts: { readonly atWallMs: WallTimeMs }[] = [];
  readonly endMarkers = new Set<number>();
  readonly accounts = new Map<number, PartitionAccount>();
  end: LedgerContents["end"];

  constructor(readonly schedule: Schedule) {}

  take(line: LedgerLine): void {
    if ("header" in line) return;
    if ("change" in line) this.schedule.apply(line.change);
    else if ("restart" in line) this.restarts.push(line.restart);
    else if ("endMarker" in line) this.endMarkers.add(line.endMarker);
    else if ("end" in line) this.end = line.end;
    else {
      for (const entry of line.sent ?? []) this.#sent(entry);
      for (const [partition, first, count] of line.acked ?? []) {
        this.#account(partition).acknowledged(first, count);
      }
    }
  }

  #sent([partition = 0, first = 0, ...counts]: readonly number[]): void {
    let next = first;
    for (const count of counts) {
      this.#account(partition).sent(next, count);
      next += count;
    }
  }

  #account(partition: number): PartitionAccount {
    let account = this.accounts.get(partition);
    if (account === undefined) {
      account = new PartitionAccount(partition);
      this.accounts.set(partition, account);
    }
    return account;
  }
}

/**
 * Reads a ledger back. A torn last line, as a kill leaves it, is left out.
 *
 * @param disk where
 * @param path see {@link ledgerPath}
 * @throws {LedgerError} `missing` when there is no such file or no whole header, `damaged` when a line before the last is not JSON, or a line
 *   was removed, added or changed
 */
export function readLedger(disk: Disk, path: string): LedgerContents {
  const bytes = disk.readFile(path);
  if (bytes === undefined) {
    throw new LedgerError(`Cannot read ledger: ${JSON.stringify(path)} does not exist`, {
      code: "missing",
    });
  }
  const { lines, chain, wholeBytes } = decodeLines(bytes);
  const first = lines[0];
  if (first === undefined || !("header" in first)) {
    throw new LedgerError(`Cannot read ledger: ${JSON.stringify(path)} has no header`, {
      code: "missing",
    });
  }
  const { version: _version, ...header } = first.header;
  const reading = new Reading(Schedule.fromJSON(header.schedule));
  for (const line of lines) reading.take(line);
  const partitions = [...reading.accounts.values()].map((account) => account.result());
  return {
    header,
    schedule: reading.schedule,
    partitions: partitions.sort((a, b) => a.partition - b.partition),
    restarts: reading.restarts,
    endMarkers: [...reading.endMarkers].sort((a, b) => a - b),
    end: reading.end,
    wholeBytes,
    torn: wholeBytes < bytes.length,
    chain,
  };
}
