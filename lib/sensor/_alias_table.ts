/**
 * Draws indices with given weights in constant time (Vose's alias method, 1991).
 *
 * Column `i` keeps `i` for the part `keep[i]` of its width and gives `alias[i]` for the rest.
 */
export interface AliasTable {
  readonly keep: Float64Array;
  readonly alias: Uint32Array;
}

/**
 * @param weights at least one, all positive
 */
export function aliasTable(weights: Float64Array): AliasTable {
  const count = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scaled = weights.map((weight) => weight * count / total);
  const keep = new Float64Array(count).fill(1);
  const alias = Uint32Array.from(keep, (_, i) => i);
  const small: number[] = [];
  const large: number[] = [];
  scaled.forEach((width, i) => (width < 1 ? small : large).push(i));
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop()!;
    const rich = large[large.length - 1]!;
    keep[poor] = scaled[poor]!;
    alias[poor] = rich;
    scaled[rich] = scaled[rich]! + scaled[poor]! - 1;
    if (scaled[rich]! < 1) small.push(large.pop()!);
  }
  return { keep, alias };
}

/**
 * Weights of a Zipf distribution: the source at rank r (from 1) has r^−exponent.
 * Rounded to 24 bits, so that a last bit that differs between machines in `Math.pow` changes no table.
 *
 * @param exponent 0 = all alike
 */
export function zipfWeights(count: number, exponent: number): Float64Array {
  return Float64Array.from(
    { length: count },
    (_, i) => Math.fround(Math.pow(i + 1, -exponent)),
  );
}
