import { Buffer } from "node:buffer";
import fc from "fast-check";

/** A schema as JSON, and values that it allows. */
export interface Sample {
  readonly schema: Record<string, unknown>;
  readonly records: readonly Record<string, unknown>[];
}

interface FieldCase {
  readonly type: unknown;
  readonly value: fc.Arbitrary<unknown>;
}

/** Seed of a property; printed by fast-check with the counterexample when it fails. */
export const SEED = 20_240_607;

// avsc writes odd results of −2n − 1 beyond 2^53 rounded, so −9007199254740990 comes back positive: negatives end at −2^52 where it is the oracle.
const safeLong = fc.oneof(
  fc.integer(),
  fc.integer({ min: -(2 ** 52), max: 9007199254740990 }),
  fc.constantFrom(0, -1, 63, 64, -64, -65, 2 ** 30, 2 ** 30 - 1, -(2 ** 30), 2 ** 31, -(2 ** 31)),
  fc.constantFrom(9007199254740990, -(2 ** 52), 2 ** 27, 2 ** 28, 2 ** 34, 2 ** 35),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
  fc.constantFrom("", "\ufeffmarked", "\u{1f321}", "ünï", "x".repeat(64)),
);
const buffer = (options: fc.IntArrayConstraints) =>
  fc.uint8Array(options).map((bytes) => Buffer.from(bytes));
const float32 = fc.float({ noNaN: false });
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((candidate) =>
  !(candidate in Object.prototype)
);

const enumCase = fc.tuple(name, fc.uniqueArray(name, { minLength: 1, maxLength: 80 })).map(
  ([typeName, symbols]): FieldCase => ({
    type: { type: "enum", name: `E_${typeName}`, symbols },
    value: fc.constantFrom(...symbols),
  }),
);
const fixedCase = fc.tuple(name, fc.integer({ min: 1, max: 40 })).map((
  [typeName, size],
): FieldCase => ({
  type: { type: "fixed", name: `F_${typeName}`, size },
  value: buffer({ minLength: size, maxLength: size }),
}));
const plainCase = fc.constantFrom<FieldCase>(
  { type: "boolean", value: fc.boolean() },
  { type: "int", value: fc.oneof(fc.integer(), fc.integer({ min: -70, max: 70 })) },
  { type: "long", value: safeLong },
  { type: "float", value: float32 },
  { type: "double", value: fc.double() },
  { type: "string", value: text },
  { type: "bytes", value: buffer({ maxLength: 200 }) },
  { type: { type: "long", logicalType: "timestamp-millis" }, value: safeLong },
  { type: { type: "int", logicalType: "date" }, value: fc.integer() },
  { type: { type: "bytes", logicalType: "decimal", precision: 4 }, value: buffer({}) },
);
const requiredCase = fc.oneof({ weight: 6, arbitrary: plainCase }, enumCase, fixedCase);
const flatCase: fc.Arbitrary<FieldCase> = fc.oneof(
  { weight: 4, arbitrary: requiredCase },
  fc.constant<FieldCase>({ type: "null", value: fc.constant(null) }),
  {
    weight: 3,
    arbitrary: fc.tuple(requiredCase, fc.boolean()).map(([inner, isNullFirst]) => ({
      type: isNullFirst ? ["null", inner.type] : [inner.type, "null"],
      value: fc.option(inner.value),
    })),
  },
);
const nestedCase: fc.Arbitrary<FieldCase> = fc.oneof(
  requiredCase.map((inner) => ({
    type: { type: "array", items: inner.type },
    value: fc.array(inner.value, { maxLength: 5 }),
  })),
  requiredCase.map((inner) => ({
    type: { type: "map", values: inner.type },
    value: fc.dictionary(name, inner.value, { maxKeys: 4, noNullPrototype: true }),
  })),
  fc.constant<FieldCase>({
    type: ["null", "int", "string"],
    value: fc.option(fc.oneof(fc.integer(), text)),
  }),
  fc.constant<FieldCase>({
    type: {
      type: "record",
      name: "Inner",
      fields: [{ name: "a", type: "int" }, { name: "b", type: ["null", "string"] }],
    },
    value: fc.record({ a: fc.integer(), b: fc.option(text) }),
  }),
);

function sampleOf(cases: readonly FieldCase[]): fc.Arbitrary<Sample> {
  // Names of enums and fixed may be drawn twice; the field's number keeps them apart.
  const fields = cases.map(({ type }, i) => ({ name: `f${i}`, type: renamed(type, i) }));
  const values: Record<string, fc.Arbitrary<unknown>> = {};
  cases.forEach(({ value }, i) => (values[`f${i}`] = value));
  return fc.array(fc.record(values, { noNullPrototype: true }), { minLength: 1, maxLength: 4 })
    .map((records) => ({ schema: { type: "record", name: "R", fields }, records }));
}

function renamed(type: unknown, i: number): unknown {
  if (Array.isArray(type)) return type.map((branch) => renamed(branch, i));
  if (typeof type !== "object" || type === null) return type;
  const copy: Record<string, unknown> = { ...type };
  for (const part of ["items", "values"]) if (part in copy) copy[part] = renamed(copy[part], i);
  if (typeof copy.name === "string") copy.name += `_${i}`;
  return copy;
}

/** A random flat record schema with some records of it. */
export const flatSample: fc.Arbitrary<Sample> = fc.array(flatCase, { maxLength: 12 }).chain(
  sampleOf,
);

/** As {@link flatSample}, with at least one field that is not flat. */
export const nestedSample: fc.Arbitrary<Sample> = fc.tuple(
  fc.array(flatCase, { maxLength: 4 }),
  nestedCase,
  fc.array(flatCase, { maxLength: 4 }),
).chain(([before, nested, after]) => sampleOf([...before, nested, ...after]));
