import { formatCount } from "../base/mod.ts";
import { formatQuantity, isSameDimension, parseQuantity, unitText } from "./quantity.ts";
import type { Quantity } from "./quantity.ts";
import { amountOf, type Amounts, DimensionMismatch, parseRelation } from "./relation.ts";
import type { Amount, Relation } from "./relation.ts";
import type { Result } from "./result.ts";

/**
 * What somebody says about a system: named quantities, each with its unit. Names that {@link RELATIONS} know complete in
 * an editor; relations of your own may use others.
 */
export type Claim =
  & Partial<Record<ClaimName, string>>
  & { readonly [name: string]: string | undefined };

/** What the known relations speak of. */
export type ClaimName =
  | "rate"
  | "duration"
  | "messages"
  | "messageSize"
  | "bandwidth"
  | "volume"
  | "latencyMean"
  | "latencyP50"
  | "latencyP99"
  | "latencyMax"
  | "stall"
  | "inFlight"
  | "cores"
  | "coresUsed"
  | "cpuPerMessage"
  | "aggregated"
  | "late"
  | "lost"
  | "sources"
  | "windows"
  | "windowLength"
  | "rows"
  | "messagesPerRow";

/** What came of holding a claim against one relation. */
export interface ClaimFinding {
  readonly finding: "holds" | "cannot be true" | "wrong unit" | "implies";
  readonly law: string;
  readonly relation: string;
  /** With the numbers, for a person. */
  readonly because: string;
  /** How far the two sides are apart, above 1; absent where nothing contradicts. */
  readonly factor?: number;
  /** The quantities concerned. */
  readonly names: readonly string[];
}

/** How a claim is held against relations. */
export interface AuditOptions {
  /** What must hold; {@link RELATIONS} unless told. */
  readonly relations?: readonly Relation[];
  /** Share by which two sides may differ, since published figures are rounded; 0.05 unless told. */
  readonly tolerance?: number;
}

/** What holds for every stream, whoever measured it. */
export const RELATIONS: readonly Relation[] = [
  parseRelation("rate × duration", "messages = rate × duration"),
  // Little 1961: what is inside a system is what comes in while one stays.
  parseRelation("Little's law", "inFlight = rate × latencyMean"),
  parseRelation("bandwidth", "bandwidth = rate × messageSize"),
  parseRelation("volume", "volume = messages × messageSize"),
  // Denning and Buzen 1978.
  parseRelation("utilization law", "coresUsed = rate × cpuPerMessage"),
  parseRelation("utilization law", "cores >= rate × cpuPerMessage"),
  parseRelation("totals", "messages = aggregated + late + lost"),
  // Aligned windows: one begun before and one cut short may be touched as well.
  parseRelation("windows in time", "windows >= duration ÷ windowLength"),
  parseRelation("windows in time", "windows <= duration ÷ windowLength + 2"),
  parseRelation("rows of windows", "rows <= sources × windows"),
  parseRelation("events against rows", "messages = rows × messagesPerRow"),
  parseRelation("no row without an event", "rows × 1 message/row <= messages"),
  parseRelation("order of percentiles", "latencyP50 <= latencyP99"),
  parseRelation("order of percentiles", "latencyP99 <= latencyMax"),
  parseRelation("mean and maximum", "latencyMean <= latencyMax"),
  // Markov's inequality: half of all wait at least the median, one in a hundred at least the 99th percentile.
  parseRelation("mean and median", "latencyMean >= 0.5 × latencyP50"),
  parseRelation("mean and tail", "latencyMean >= 0.01 × latencyP99"),
  // Whoever is due in a stall waits for its end: Tene's coordinated omission hides it.
  parseRelation("stall and maximum", "latencyMax >= stall"),
  parseRelation("stall and tail", "latencyP99 >= stall − 0.01 × duration"),
];

/** Mistakes that leave their factor behind. */
const KNOWN_FACTORS: readonly (readonly [factor: number, mistake: string])[] = [
  [8, "bits taken for bytes?"],
  [24, "days taken for hours?"],
  [60, "seconds taken for minutes?"],
  [1000, "off by one prefix (ms and µs, k and M)?"],
  [3600, "seconds taken for hours?"],
  [86_400, "seconds taken for days?"],
  [1e6, "off by two prefixes (s and µs, M and 1)?"],
];

const TOLERANCE = 0.05;

function hintOf(factor: number, tolerance: number): string {
  const known = KNOWN_FACTORS.find(([value]) => Math.abs(factor / value - 1) <= tolerance);
  return known === undefined ? "" : `; ${known[1]}`;
}

/** Above 1 by how far the sides miss the relation; at most 1 where they keep it. */
function missOf({ operator }: Relation, left: number, right: number): number {
  if (left === right) return 1;
  const ratio = left / right;
  if (operator === "<=") return right < 0 ? Infinity : ratio;
  // A bound that is not above 0 binds nothing.
  if (operator === ">=") return right <= 0 ? 1 : 1 / ratio;
  return ratio > 0 ? Math.max(ratio, 1 / ratio) : Infinity;
}

const FACTOR_TEXT_MAX = 1e6;

function factorText(factor: number): string {
  if (factor > FACTOR_TEXT_MAX) return "more than a million";
  return factor >= 100 ? formatCount(factor) : String(Number(factor.toPrecision(3)));
}

/**
 * A run of weir as a claim, so that it is held against the same relations as anybody's.
 *
 * @param result latencies are those of publishing; totals are left out where messages were planted twice
 */
export function claimOf(result: Result): Claim {
  const { messages, rows, latencyUs: { publish }, rateMessagesPerSec, cpuNsPerMessage } = result;
  const load = result.configuration["load"] as { readonly durationMs?: number } | undefined;
  const optional = (name: ClaimName, value: number | null | undefined, unit: string) =>
    value === null || value === undefined ? {} : { [name]: `${value} ${unit}` };
  const totals = messages.plantedDuplicates > 0 ? {} : {
    aggregated: `${messages.aggregated} messages`,
    late: `${messages.late} messages`,
    lost: `${messages.lost} messages`,
  };
  return {
    ...optional("rate", rateMessagesPerSec, "messages/s"),
    ...optional("duration", load?.durationMs, "ms"),
    messages: `${messages.acked} messages`,
    ...totals,
    rows: `${rows.found} rows`,
    ...(publish.count === 0 ? {} : {
      latencyP50: `${publish.p50} us`,
      latencyP99: `${publish.p99} us`,
      latencyMax: `${publish.max} us`,
    }),
    ...optional("cpuPerMessage", cpuNsPerMessage, "ns/message"),
  };
}

function namesOf({ left, right }: Relation): string[] {
  return [...new Set([...left.names, ...right.names])];
}

/** A side as it comes out: `rate × duration is 9,000,000 messages`. */
function sideText(text: string, { value, dimension }: Amount): string {
  return `${text} is ${formatQuantity(value, dimension)}`;
}

function wrongUnit(relation: Relation, claim: Claim, error: DimensionMismatch): ClaimFinding {
  const names = namesOf(relation);
  const given = names.map((name) => `${name} ${claim[name]}`).join(", ");
  const unit = (dimension: DimensionMismatch["left"]) => unitText(dimension) || "a plain count";
  return {
    finding: "wrong unit",
    law: relation.law,
    relation: relation.text,
    because: `one side is ${unit(error.left)}, the other ${unit(error.right)}: ${given}`,
    names,
  };
}

function compareSides(
  relation: Relation,
  left: Amount,
  right: Amount,
  tolerance: number,
): ClaimFinding {
  const names = namesOf(relation);
  const head = { law: relation.law, relation: relation.text, names };
  const factor = missOf(relation, left.value, right.value);
  const sides = `${sideText(relation.left.text, left)}, ${sideText(relation.right.text, right)}`;
  if (factor <= 1 + tolerance) return { ...head, finding: "holds", because: sides };
  const because = `${sides}: a factor of ${factorText(factor)}${hintOf(factor, tolerance)}`;
  return { ...head, finding: "cannot be true", because, factor };
}

/** What follows for a left side that was not claimed. */
function implied(relation: Relation, amounts: Amounts): ClaimFinding {
  const amount = amountOf(relation.right, amounts);
  return {
    finding: "implies",
    law: relation.law,
    relation: relation.text,
    because: `${relation.left.text} must be ${formatQuantity(amount.value, amount.dimension)}`,
    names: namesOf(relation),
  };
}

function check(
  relation: Relation,
  claim: Claim,
  amounts: Amounts,
  tolerance: number,
): ClaimFinding | null {
  const missing = namesOf(relation).filter((name) => amounts[name] === undefined);
  try {
    if (missing.length === 1 && missing[0] === relation.left.text && relation.operator === "=") {
      return implied(relation, amounts);
    }
    if (missing.length > 0) return null;
    const left = amountOf(relation.left, amounts);
    const right = amountOf(relation.right, amounts);
    if (!isSameDimension(left.dimension, right.dimension)) {
      throw new DimensionMismatch(left.dimension, right.dimension);
    }
    return compareSides(relation, left, right, tolerance);
  } catch (error) {
    if (error instanceof DimensionMismatch) return wrongUnit(relation, claim, error);
    throw error;
  }
}

/**
 * Holds a claim against what must hold for every stream. Relations of which the claim names too little are passed over;
 * where only a left side is missing, what follows for it is told.
 *
 * @param claim named quantities with units
 * @returns a finding for each relation that could be applied, in their order
 * @throws {RangeError} when a quantity cannot be read, or no relation knows its name
 *
 * @example
 * ```ts
 * import { auditClaim } from "./claims.ts";
 * import assert from "node:assert/strict";
 * const [finding] = auditClaim({ rate: "50k messages/s", duration: "3 min", messages: "150k messages" });
 * assert.equal(finding?.finding, "cannot be true");
 * assert.match(finding.because, /a factor of 60; seconds taken for minutes/);
 * ```
 */
export function auditClaim(claim: Claim, options: AuditOptions = {}): ClaimFinding[] {
  const { relations = RELATIONS, tolerance = TOLERANCE } = options;
  const known = new Set(relations.flatMap(namesOf));
  const amounts: Record<string, Quantity> = {};
  for (const [name, text] of Object.entries(claim)) {
    if (text === undefined) continue;
    if (!known.has(name)) {
      throw new RangeError(
        `Cannot audit ${JSON.stringify(name)}: no relation knows it, expected ${
          [...known].sort().join(", ")
        }`,
      );
    }
    amounts[name] = parseQuantity(text);
  }
  return relations.map((relation) => check(relation, claim, amounts, tolerance))
    .filter((finding) => finding !== null);
}

/**
 * What an audit comes to, in one sentence: how much contradicts, and the quantity that is in most of it.
 *
 * @param findings of {@link auditClaim}
 */
export function concludeAudit(findings: readonly ClaimFinding[]): string {
  const checked = findings.filter(({ finding }) => finding !== "implies");
  const wrong = checked.filter(({ finding }) => finding !== "holds");
  if (checked.length === 0) return "Nothing could be checked: the claim names too little.";
  if (wrong.length === 0) {
    return `Nothing contradicts in ${checked.length} relations, which does not make it true.`;
  }
  const weights = new Map<string, number>();
  for (const { finding, names } of checked) {
    // What stands in a relation that holds is less likely to be the one that is wrong.
    const weight = finding === "holds" ? -1 : 1;
    for (const name of names) weights.set(name, (weights.get(name) ?? 0) + weight);
  }
  const most = Math.max(...weights.values());
  const suspects = [...weights].filter(([, weight]) => weight === most).map(([name]) => name);
  const laws = [...new Set(wrong.map(({ law }) => law))].join(", ");
  return `Cannot be true as it stands: ${wrong.length} of ${checked.length} relations fail (${laws}); ` +
    `most of it concerns ${suspects.join(" and ")}.`;
}
