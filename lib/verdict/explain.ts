import { identityHigh, identityLow, identityOf } from "../base/mod.ts";

/** Sequences of one source that explain a difference; empty lists with `solved` false when none do. */
export interface Explanation {
  readonly solved: boolean;
  /** In the plan and not found. */
  readonly lost: readonly number[];
  /** Found once more than planned. */
  readonly doubled: readonly number[];
}

/** Sequences `first` to `last`, both included. */
export interface SequenceRange {
  readonly first: number;
  readonly last: number;
}

/** The most sequences that are tried: beyond it a difference stays without a name. */
const CANDIDATES_MAX = 200_000;

const UNSOLVED: Explanation = { solved: false, lost: [], doubled: [] };

/** The identity of one message. */
export function messageIdentity(hash: number, sequence: number): bigint {
  return identityOf(identityHigh(hash, sequence), identityLow(hash, sequence));
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

/** Index where `runLength` identities that follow one another add up to `sum`, −1 for none. */
function runWithSum(identities: readonly bigint[], runLength: number, sum: bigint): number {
  if (runLength > identities.length) return -1;
  let current = 0n;
  for (let i = 0; i < runLength; i++) current += identities[i]!;
  for (let start = 0;; start++) {
    if (wrap(current) === sum) return start;
    const after = identities[start + runLength];
    if (after === undefined) return -1;
    current = wrap(current + after - identities[start]!);
  }
}

/** Indices of two identities, perhaps the same one twice, that add up to `sum`. */
function pairWithSum(identities: readonly bigint[], sum: bigint): [number, number] | undefined {
  const indexOf = new Map(identities.map((identity, i) => [identity, i]));
  for (let i = 0; i < identities.length; i++) {
    const other = indexOf.get(wrap(sum - identities[i]!));
    if (other !== undefined) return [i, other];
  }
  return undefined;
}

/** Indices of a lost and a doubled identity whose difference is `difference`. */
function exchange(identities: readonly bigint[], difference: bigint): [number, number] | undefined {
  const indexOf = new Map(identities.map((identity, i) => [identity, i]));
  for (let i = 0; i < identities.length; i++) {
    const doubled = indexOf.get(wrap(identities[i]! - difference));
    if (doubled !== undefined && doubled !== i) return [i, doubled];
  }
  return undefined;
}

function sequencesWithSum(
  identities: readonly bigint[],
  first: number,
  count: number,
  sum: bigint,
): number[] | undefined {
  const start = runWithSum(identities, count, sum);
  if (start !== -1) return Array.from({ length: count }, (_, i) => first + start + i);
  const pair = count === 2 ? pairWithSum(identities, sum) : undefined;
  return pair?.map((i) => first + i).sort((a, b) => a - b);
}

/**
 * Names the messages behind a difference of counts and identity sums: one message, some that follow one another, any two, or one lost with
 * another doubled. Each message's identity is known, so the sum that is missing gives it away.
 *
 * @param hash `sourceHash` of the source
 * @param range the sequences that may be concerned
 * @param countGap expected count − found count
 * @param identityGap expected identity sum − found identity sum, modulo 2^64
 *
 * @example
 * ```ts
 * import { explain, messageIdentity } from "./explain.ts";
 * import assert from "node:assert/strict";
 * const gap = messageIdentity(0x1234, 42); // message 42 is in the expected sum only
 * assert.deepEqual(explain(0x1234, { first: 0, last: 99 }, 1, gap).lost, [42]);
 * ```
 */
export function explain(
  hash: number,
  range: SequenceRange,
  countGap: number,
  identityGap: bigint,
): Explanation {
  const length = range.last - range.first + 1;
  if (!(length > 0) || length > CANDIDATES_MAX) return UNSOLVED;
  const identities = Array.from(
    { length },
    (_, i) => messageIdentity(hash, range.first + i),
  );
  if (countGap === 0) {
    const found = exchange(identities, wrap(identityGap));
    if (found === undefined) return UNSOLVED;
    return { solved: true, lost: [range.first + found[0]], doubled: [range.first + found[1]] };
  }
  const sum = wrap(countGap > 0 ? identityGap : -identityGap);
  const sequences = sequencesWithSum(identities, range.first, Math.abs(countGap), sum);
  if (sequences === undefined) return UNSOLVED;
  return countGap > 0
    ? { solved: true, lost: sequences, doubled: [] }
    : { solved: true, lost: [], doubled: sequences };
}
