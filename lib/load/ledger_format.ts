import { textOf, utf8, WeirError } from "../base/mod.ts";
import type { WallTimeMs } from "../base/mod.ts";
import type { ScheduleChange, ScheduleJson } from "./schedule.ts";

/**
 * The ledger's file: one JSON document a line, only ever appended.
 *
 *     {"header":{"version":1,"runId":…,"seed":…,"startWallMs":…,"schedule":{…},"plan":{…}}}   first line
 *     {"sent":[[partition,first,count,count…],…],"acked":[[partition,first,count],…]}         one a flush
 *     {"change":{"kind":"rate","segment":{…}}}            a rate changed, with its message index
 *     {"restart":{"atWallMs":…}}                          a new process goes on with this file
 *     {"endMarker":3}                                     the receipt of partition 3's end marker
 *     {"end":{"atWallMs":…,"messageCount":…}}             nothing more will be sent
 *
 * `sent` keeps each batch apart, because a batch without receipt is present or absent as a whole; batches that follow one
 * another share an entry. `acked` merges them. A line goes out in one write: a process that is killed loses none that
 * was flushed, and at most the last line is torn.
 */

/** What the ledger knows before the first message. */
export interface LedgerHeader {
  readonly runId: string;
  readonly seed: number;
  /** The instant from which the schedule counts; a restarted producer goes on from the same one. */
  readonly startWallMs: WallTimeMs;
  /** As planned; changes follow as lines of their own. */
  readonly schedule: ScheduleJson;
  /** What regenerates the messages, in the words of whoever generates them. */
  readonly plan: Readonly<Record<string, unknown>>;
}

/** One flush. `sent`: partition, first index, then a count for each batch. `acked`: partition, first index, count. */
export interface LedgerNotes {
  readonly sent?: readonly (readonly number[])[];
  readonly acked?: readonly (readonly [number, number, number])[];
}

/** Any line of the file. */
export type LedgerLine =
  | { readonly header: LedgerHeader & { readonly version: 1 } }
  | { readonly change: ScheduleChange }
  | { readonly restart: { readonly atWallMs: WallTimeMs } }
  | { readonly endMarker: number }
  | { readonly end: { readonly atWallMs: WallTimeMs; readonly messageCount: number } }
  | LedgerNotes;

/** Why a ledger could not be written or read. */
export class LedgerError extends WeirError<"write_failed" | "missing" | "damaged" | "exists"> {
  override readonly name = "LedgerError";
}

/** The bytes of a line, newline included. */
export function encodeLine(line: LedgerLine): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(line) + "\n");
}

/** The whole lines of a file, and where the last of them ends. */
export interface DecodedLines {
  readonly lines: readonly LedgerLine[];
  /** Bytes up to and with the last newline; what follows is a torn line. */
  readonly wholeBytes: number;
}

/**
 * Reads the lines of a ledger; what follows the last newline is left out.
 *
 * @throws {LedgerError} `damaged` when a whole line is not JSON, with its line number
 */
export function decodeLines(bytes: Uint8Array): DecodedLines {
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines: LedgerLine[] = [];
  let start = 0;
  while (start < wholeBytes) {
    const end = bytes.indexOf(0x0a, start);
    try {
      lines.push(JSON.parse(textOf(bytes.subarray(start, end))) as LedgerLine);
    } catch (cause) {
      throw new LedgerError(`Cannot read ledger: line ${lines.length + 1} is damaged`, {
        code: "damaged",
        cause,
      });
    }
    start = end + 1;
  }
  return { lines, wholeBytes };
}
