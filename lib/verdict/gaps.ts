import type { EventTimeMs } from "../base/mod.ts";
import { explain, messageIdentity } from "./explain.ts";
import type { Explanation } from "./explain.ts";
import type { Expectation } from "./oracle.ts";
import type { Finding } from "./result.ts";
import type { WrongColumn } from "./row_columns.ts";

/** Where messages were expected or found. */
export interface Place {
  readonly table: "rows" | "late";
  readonly partition: number;
  readonly windowStartMs: EventTimeMs;
  /** −1 for a source that the plan does not know. */
  readonly sourceIndex: number;
  readonly sourceName: string;
}

/** A difference between what was expected and what was found in one place. */
export interface Gap {
  readonly place: Place;
  /** The row as a whole is missing or too much; undefined when both sides have one. */
  readonly whole: "missing_row" | "extra_row" | "doubled_row" | undefined;
  /** Expected − found. */
  readonly countGap: number;
  /** Expected − found, modulo 2^64. */
  readonly identityGap: bigint;
  /** Sequences that the place should hold, or says that it holds. */
  readonly first: number;
  readonly last: number;
  readonly wrong: readonly WrongColumn[];
}

/** What the differences come to. */
export interface GapReport {
  readonly lostCount: number;
  readonly duplicatedCount: number;
  /** At most {@link FINDINGS_MAX}. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  /** Messages reported late that belong into a row. */
  readonly unplannedLateCount: number;
}

/** A message that one place lacks, or has once too often. */
interface Named {
  readonly gap: Gap;
  /** Undefined when only its identity is known. */
  readonly sequence: number | undefined;
  readonly identity: bigint;
}

/** So many findings are told; all are counted. */
export const FINDINGS_MAX = 100;
/** So many differences are looked into by name. */
const EXPLAINED_MAX = 2000;
/** So many sequences stand in one finding. */
const SEQUENCES_MAX = 10;
/** So many messages of a row that should not exist are searched for. */
const EXTRA_ROW_MESSAGES_MAX = 1000;

function textOfTime(timeMs: EventTimeMs): string {
  if (!(Math.abs(timeMs) < 8.64e15)) return String(timeMs);
  return new Date(timeMs).toISOString().replace("T", " ").replace(".000Z", "");
}

function textOfPlace({ table, partition, windowStartMs }: Place): string {
  const where = `window ${textOfTime(windowStartMs)}, partition ${partition}`;
  return table === "rows" ? where : `late messages of ${where}`;
}

function textOfSequences(sequences: readonly number[], count: number): string {
  if (count === 1 && sequences.length === 1) return `message ${sequences[0]}`;
  const shown = sequences.slice(0, 3).join(", ");
  const more = count > 3 ? ", …" : "";
  return sequences.length === 0 ? `${count} messages` : `${count} messages (${shown}${more})`;
}

class Describer {
  readonly #expectation: Expectation;
  readonly #losses = new Map<bigint, Named>();
  readonly #missingRows = new Map<string, Gap>();
  readonly #gains: Named[] = [];
  readonly findings: Finding[] = [];
  findingCount = 0;
  lostCount = 0;
  duplicatedCount = 0;
  unplannedLateCount = 0;
  #explained = 0;

  constructor(expectation: Expectation) {
    this.#expectation = expectation;
  }

  take(gap: Gap): void {
    if (gap.whole === "missing_row") return this.#takeMissing(gap);
    if (gap.whole === "extra_row") return this.#takeExtra(gap);
    if (gap.whole === "doubled_row") return this.#tellRow("doubled_row", gap);
    if (gap.identityGap === 0n) return this.#tellChanged(gap);
    const explanation = this.#explain(gap);
    if (explanation.solved) return this.#takeNames(gap, explanation);
    if (gap.wrong.length === 1 && gap.countGap === 0) return this.#tellChanged(gap);
    if (gap.countGap === -1) {
      this.#gains.push({
        gap,
        sequence: undefined,
        identity: BigInt.asUintN(64, -gap.identityGap),
      });
      return;
    }
    this.#tellUnnamed(gap);
  }

  /** Matches what one place lacks with what another has too much, and tells the rest. */
  finish(): void {
    const doubled = new Map<Gap, Named[]>();
    for (const gain of this.#gains) {
      const loss = this.#losses.get(gain.identity);
      if (loss === undefined) {
        doubled.set(gain.gap, [...doubled.get(gain.gap) ?? [], gain]);
      } else {
        this.#losses.delete(gain.identity);
        this.#tellMoved(loss, gain);
      }
    }
    const lost = new Map<Gap, Named[]>();
    for (const loss of this.#losses.values()) {
      lost.set(loss.gap, [...lost.get(loss.gap) ?? [], loss]);
    }
    for (const gap of this.#missingRows.values()) this.#tellRow("missing_row", gap);
    for (const [gap, named] of lost) {
      if (gap.whole === "missing_row") this.#tellRow("missing_row", gap);
      else this.#tellNamed("lost", gap, named);
    }
    for (const [gap, named] of doubled) {
      if (gap.whole === "extra_row") this.#tellRow("extra_row", gap);
      else this.#tellNamed("doubled", gap, named);
    }
  }

  #takeMissing(gap: Gap): void {
    if (gap.countGap > 1) this.#missingRows.set(`${gap.countGap}:${gap.identityGap}`, gap);
    else this.#losses.set(gap.identityGap, { gap, sequence: gap.first, identity: gap.identityGap });
  }

  #takeExtra(gap: Gap): void {
    const identity = BigInt.asUintN(64, -gap.identityGap);
    const key = `${-gap.countGap}:${identity}`;
    const missing = this.#missingRows.get(key);
    if (missing !== undefined) {
      this.#missingRows.delete(key);
      return this.#tellMovedRow(missing, gap);
    }
    if (gap.countGap === -1) {
      this.#gains.push({ gap, sequence: undefined, identity });
      return;
    }
    const explanation = -gap.countGap <= EXTRA_ROW_MESSAGES_MAX ? this.#explain(gap) : undefined;
    if (explanation?.solved) this.#takeNames(gap, explanation);
    else this.#tellRow("extra_row", gap);
  }

  #explain(gap: Gap): Explanation {
    const { sourceIndex } = gap.place;
    const none: Explanation = { solved: false, lost: [], doubled: [] };
    if (sourceIndex === -1 || ++this.#explained > EXPLAINED_MAX) return none;
    const hash = this.#expectation.hashes[sourceIndex]!;
    const own = explain(hash, gap, gap.countGap, gap.identityGap);
    if (own.solved || gap.countGap > 0) return own;
    // What is too much here may come from another window of the source.
    const all = { first: 0, last: this.#expectation.maxSequences[sourceIndex]! };
    return explain(hash, all, gap.countGap, gap.identityGap);
  }

  #takeNames(gap: Gap, { lost, doubled }: Explanation): void {
    const hash = this.#expectation.hashes[gap.place.sourceIndex]!;
    for (const sequence of lost) {
      const identity = messageIdentity(hash, sequence);
      this.#losses.set(identity, { gap, sequence, identity });
    }
    for (const sequence of doubled) {
      this.#gains.push({ gap, sequence, identity: messageIdentity(hash, sequence) });
    }
  }

  #tellNamed(kind: "lost" | "doubled", gap: Gap, named: readonly Named[]): void {
    if (kind === "lost") this.lostCount += named.length;
    else this.duplicatedCount += named.length;
    const sequences = named.flatMap(({ sequence }) => sequence === undefined ? [] : [sequence]);
    const unknown = kind === "doubled" && sequences.length === 0 ? " (not of its plan)" : "";
    const what = textOfSequences(sequences, named.length);
    const verb = named.length === 1 ? "is" : "are";
    this.#tell(kind, gap, {
      messageCount: named.length,
      sequences,
      text: `${what} of ${gap.place.sourceName}${unknown} ${verb} ${kind}: ${
        textOfPlace(gap.place)
      }`,
    });
  }

  /** More than can be named: only counts are sure. */
  #tellUnnamed(gap: Gap): void {
    const { sourceName } = gap.place;
    const least = gap.countGap === 0 ? "at least " : "";
    const tell = (kind: "lost" | "doubled", messageCount: number) =>
      this.#tell(kind, gap, {
        messageCount,
        text: `${least}${messageCount} messages of ${sourceName} are ${kind}: ${
          textOfPlace(gap.place)
        }`,
      });
    const lost = gap.countGap === 0 ? 1 : Math.max(0, gap.countGap);
    const doubled = gap.countGap === 0 ? 1 : Math.max(0, -gap.countGap);
    this.lostCount += lost;
    this.duplicatedCount += doubled;
    if (lost > 0) tell("lost", lost);
    if (doubled > 0) tell("doubled", doubled);
  }

  #tellMoved(loss: Named, gain: Named): void {
    const from = loss.gap.place;
    const to = gain.gap.place;
    const kind = to.table === "late" ? "unplanned_late" : "moved";
    if (kind === "unplanned_late") this.unplannedLateCount++;
    const toSource = to.sourceName === from.sourceName ? "" : `${to.sourceName}, `;
    const sequences = loss.sequence === undefined ? [] : [loss.sequence];
    this.#tell(kind, loss.gap, {
      messageCount: 1,
      sequences,
      expected: textOfPlace(from),
      found: toSource + textOfPlace(to),
      text: `${textOfSequences(sequences, 1)} of ${from.sourceName} should be in ${
        textOfPlace(from)
      }, and is in ${toSource}${textOfPlace(to)}`,
    });
  }

  #tellMovedRow(missing: Gap, extra: Gap): void {
    const to = extra.place;
    const found = `${to.sourceName}, ${textOfPlace(to)}`;
    this.#tell("moved", missing, {
      messageCount: missing.countGap,
      expected: textOfPlace(missing.place),
      found,
      text: `all ${missing.countGap} messages of ${missing.place.sourceName} in ${
        textOfPlace(missing.place)
      } are in ${found} instead`,
    });
  }

  #tellRow(kind: "missing_row" | "extra_row" | "doubled_row", gap: Gap): void {
    const messageCount = Math.abs(gap.countGap);
    if (kind === "missing_row") this.lostCount += messageCount;
    else this.duplicatedCount += messageCount;
    const says = {
      missing_row: "is missing",
      extra_row: "should not be",
      doubled_row: "is doubled",
    };
    const held = Number.isFinite(gap.first) && Number.isFinite(gap.last)
      ? `, messages ${gap.first} to ${gap.last}`
      : "";
    this.#tell(kind, gap, {
      messageCount,
      sequences: gap.first === gap.last ? [gap.first] : [],
      text: `the row of ${gap.place.sourceName} ${says[kind]} (${messageCount} messages${held}): ${
        textOfPlace(gap.place)
      }`,
    });
  }

  #tellChanged(gap: Gap): void {
    for (const { column, expected, found } of gap.wrong) {
      this.#tell("changed", gap, {
        messageCount: 0,
        column,
        expected,
        found,
        text: `column ${column} of ${gap.place.sourceName} is ${found} instead of ${expected}: ${
          textOfPlace(gap.place)
        }`,
      });
    }
    if (gap.wrong.length === 0) this.#tellUnnamed(gap);
  }

  #tell(
    kind: Finding["kind"],
    { place }: Gap,
    told: Pick<Finding, "text" | "messageCount"> & Partial<Finding>,
  ): void {
    this.findingCount++;
    if (this.findings.length >= FINDINGS_MAX) return;
    this.findings.push({
      kind,
      source: place.sourceName,
      partition: Number.isInteger(place.partition) ? place.partition : null,
      windowStartMs: Number.isFinite(place.windowStartMs) ? place.windowStartMs : null,
      column: null,
      expected: null,
      found: null,
      ...told,
      sequences: (told.sequences ?? []).slice(0, SEQUENCES_MAX),
    });
  }
}

/**
 * Names what lies behind the differences: a message that one place lacks and another has too much was moved, others are lost or doubled;
 * a difference without one in the identities is a changed column.
 */
export function describeGaps(gaps: readonly Gap[], expectation: Expectation): GapReport {
  const describer = new Describer(expectation);
  // Missing rows first: rows that should not be are compared with them.
  for (const gap of gaps) if (gap.whole === "missing_row") describer.take(gap);
  for (const gap of gaps) if (gap.whole !== "missing_row") describer.take(gap);
  describer.finish();
  const { lostCount, duplicatedCount, findings, findingCount, unplannedLateCount } = describer;
  return { lostCount, duplicatedCount, findings, findingCount, unplannedLateCount };
}
