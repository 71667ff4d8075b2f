import { WeirError } from "../base/mod.ts";
import { combine, type Dimension, isSameDimension, parseQuantity, PLAIN } from "./quantity.ts";

/** A value and what it is made of. */
export interface Amount {
  readonly value: number;
  readonly dimension: Dimension;
}

/** What quantities are called, and what they are. */
export type Amounts = Readonly<Record<string, Amount>>;

interface Factor {
  readonly name: string | null;
  readonly constant: Amount | null;
  readonly power: 1 | -1;
}

interface Term {
  readonly sign: 1 | -1;
  readonly factors: readonly Factor[];
}

/** One side of a relation: terms that are added. */
export interface Side {
  readonly text: string;
  readonly names: readonly string[];
  readonly terms: readonly Term[];
}

/** What must hold between quantities. */
export interface Relation {
  /** For a person, e.g. `Little's law`. */
  readonly law: string;
  /** As written, e.g. `inFlight = rate × latencyMean`. */
  readonly text: string;
  readonly operator: "=" | "<=" | ">=";
  readonly left: Side;
  readonly right: Side;
}

/** Two amounts of different dimension were added or compared. */
export class DimensionMismatch extends WeirError<"dimension_mismatch"> {
  override readonly name = "DimensionMismatch";
  readonly left: Dimension;
  readonly right: Dimension;

  constructor(left: Dimension, right: Dimension) {
    super("Cannot add amounts: their units differ", { code: "dimension_mismatch" });
    this.left = left;
    this.right = right;
  }
}

const NAME = /^[A-Za-z][A-Za-z0-9]*$/;

function factorOf(text: string, power: 1 | -1): Factor {
  if (NAME.test(text)) return { name: text, constant: null, power };
  return { name: null, constant: parseQuantity(text), power };
}

function termOf(text: string, sign: 1 | -1): Term {
  const parts = text.split(/\s+([×*÷])\s+/);
  const factors = parts.flatMap((part, i) =>
    i % 2 === 1 ? [] : [factorOf(part.trim(), parts[i - 1] === "÷" ? -1 : 1)]
  );
  return { sign, factors };
}

function sideOf(text: string): Side {
  const parts = text.split(/\s+([+−-])\s+/);
  const terms = parts.flatMap((part, i) =>
    i % 2 === 1 ? [] : [termOf(part, i === 0 || parts[i - 1] === "+" ? 1 : -1)]
  );
  const names = terms.flatMap(({ factors }) => factors.map(({ name }) => name))
    .filter((name) => name !== null);
  return { text: text.trim(), names: [...new Set(names)], terms };
}

/**
 * Reads a relation: names and constants with `×`, `÷`, `+` and `−` (spaces around them) on both sides of `=`, `<=` or `>=`.
 *
 * @param law what it is called
 * @param text e.g. `windows <= duration ÷ windowLength + 1`
 * @throws {RangeError} when it cannot be read
 */
export function parseRelation(law: string, text: string): Relation {
  const parts = text.split(/\s+(<=|>=|=)\s+/);
  const [left, operator, right] = parts;
  if (parts.length !== 3 || left === undefined || right === undefined) {
    throw new RangeError(
      `Cannot read relation ${JSON.stringify(text)}: expected e.g. messages = rate × duration`,
    );
  }
  return {
    law,
    text: text.trim(),
    operator: operator as Relation["operator"],
    left: sideOf(left),
    right: sideOf(right),
  };
}

function amountOfTerm({ sign, factors }: Term, amounts: Amounts): Amount {
  let value: number = sign;
  let dimension = PLAIN;
  for (const { name, constant, power } of factors) {
    const amount = constant ?? amounts[name!]!;
    value = power === 1 ? value * amount.value : value / amount.value;
    dimension = combine(dimension, amount.dimension, power);
  }
  return { value, dimension };
}

/**
 * What a side comes to.
 *
 * @param amounts of all its names
 * @throws {DimensionMismatch} when its terms cannot be added
 */
export function amountOf(side: Side, amounts: Amounts): Amount {
  const [first, ...rest] = side.terms.map((term) => amountOfTerm(term, amounts));
  return rest.reduce((sum, amount) => {
    if (!isSameDimension(sum.dimension, amount.dimension)) {
      throw new DimensionMismatch(sum.dimension, amount.dimension);
    }
    return { value: sum.value + amount.value, dimension: sum.dimension };
  }, first!);
}
