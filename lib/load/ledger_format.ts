import { crc32cPortable, textOf, utf8, WeirError } from "../base/mod.ts";
import type { WallTimeMs } from "../base/mod.ts";
import type { ScheduleChange, ScheduleJson } from "./schedule.ts";

/**
 * The ledger's file: one JSON document a line, only ever appended.
 *
 *     {"header":{"version":2,"runId":…,"seed":…,"startWallMs":…,"schedule":{…},"plan":{…}}}   first line
 *     {"sent":[[partition,first,count,count…],…],"acked":[[partition,first,count],…]}         one a flush
 *     {"change":{"kind":"rate","segment":{…}}}            a rate changed, with its message index
 *     {"restart":{"atWallMs":…}}                          a new process goes on with this file
 *     {"endMarker":3}                                     the receipt of partition 3's end marker
 *     {"end":{"atWallMs":…,"messageCount":…}}             nothing more will be sent
 *
 * `sent` keeps each batch apart, because a batch without receipt is present or absent as a whole; batches that follow one
 * another share an entry. `acked` merges them. A line goes out in one write: a process that is killed loses none that
 * was flushed, and at most the last line is torn.
 *
 * Each line ends with `"chain":N`, the CRC-32C of the chain before it and the line: a line that was removed, added, moved or changed by hand is
 * noticed, unless somebody works the rest out anew. Ledgers of version 1 lack it.
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
  | { readonly header: LedgerHeader & { readonly version: number } }
  | { readonly change: ScheduleChange }
  | { readonly restart: { readonly atWallMs: WallTimeMs } }
  | { readonly endMarker: number }
  | { readonly end: { readonly atWallMs: WallTimeMs; readonly messageCount: number } }
  | LedgerNotes;

/** Why a ledger could not be written or read. */
export class LedgerError extends WeirError<"write_failed" | "missing" | "damaged" | "exists"> {
  override readonly name = "LedgerError";
}

/** From this version on each line carries the chain. */
const CHAINED_VERSION = 2;
/** What new ledgers are. */
export const LEDGER_VERSION = CHAINED_VERSION;
/** Before the first line. */
export const CHAIN_BEGIN = 0;

function chainAfter(before: number, text: string): number {
  const bytes = utf8(`${before} ${text}`);
  return crc32cPortable(bytes, 0, bytes.length);
}

/**
 * The bytes of a line, newline included.
 *
 * @param before the chain of the line before, {@link CHAIN_BEGIN} for the first
 */
export function encodeLine(
  line: LedgerLine,
  before: number,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly chain: number } {
  const text = JSON.stringify(line);
  const chain = chainAfter(before, text);
  return { bytes: utf8(`${text.slice(0, -1)},"chain":${chain}}\n`), chain };
}

const CHAIN_AT_END = /,"chain":(\d+)\}$/;

/** @returns the chain of the line; undefined where it does not follow the one before */
function chainOf(text: string, before: number): number | undefined {
  const match = CHAIN_AT_END.exec(text);
  if (match === null) return undefined;
  const chain = Number(match[1]);
  return chainAfter(before, `${text.slice(0, match.index)}}`) === chain ? chain : undefined;
}

/** The whole lines of a file, and where the last of them ends. */
export interface DecodedLines {
  readonly lines: readonly LedgerLine[];
  /** Of the last line, for the one that follows it; undefined in a ledger without. */
  readonly chain: number | undefined;
  /** Bytes up to and with the last newline; what follows is a torn line. */
  readonly wholeBytes: number;
}

/**
 * Reads the lines of a ledger; what follows the last newline is left out.
 *
 * @throws {LedgerError} `damaged` when a whole line is not JSON, or does not follow the one before it, with its line number
 */
export function decodeLines(bytes: Uint8Array): DecodedLines {
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines: LedgerLine[] = [];
  let chain: number | undefined;
  let start = 0;
  while (start < wholeBytes) {
    const end = bytes.indexOf(0x0a, start);
    const text = textOf(bytes.subarray(start, end));
    const line = parsed(text, lines.length + 1);
    if (lines.length === 0 && isChained(line)) chain = CHAIN_BEGIN;
    if (chain !== undefined) {
      chain = chainOf(text, chain);
      if (chain === undefined) throw broken(lines.length + 1);
    }
    lines.push(line);
    start = end + 1;
  }
  return { lines, chain, wholeBytes };
}

function isChained(line: LedgerLine): boolean {
  return "header" in line && line.header.version >= CHAINED_VERSION;
}

function parsed(text: string, lineNumber: number): LedgerLine {
  try {
    return JSON.parse(text) as LedgerLine;
  } catch (cause) {
    throw new LedgerError(`Cannot read ledger: line ${lineNumber} is damaged`, {
      code: "damaged",
      cause,
    });
  }
}

function broken(lineNumber: number): LedgerError {
  return new LedgerError(
    `Cannot trust ledger: line ${lineNumber} does not follow the one before it, so that a line was removed, added or changed`,
    { code: "damaged" },
  );
}
