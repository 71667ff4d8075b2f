/** Makes a failing list shorter as long as it still fails (delta debugging, Zeller and Hildebrandt 2002). */

/**
 * The shortest list found that still fails; elements keep their order.
 *
 * @param fails tries a shorter list
 * @param triesMax bound of tries
 */
export async function minimise<T>(
  list: readonly T[],
  fails: (shorter: readonly T[]) => Promise<boolean>,
  triesMax = 400,
): Promise<readonly T[]> {
  let current = list;
  let parts = 2;
  for (let tries = 0; current.length > 1 && tries < triesMax;) {
    const size = Math.ceil(current.length / parts);
    let isShorter = false;
    for (let at = 0; at < current.length && tries < triesMax; at += size) {
      const without = [...current.slice(0, at), ...current.slice(at + size)];
      tries++;
      if (without.length > 0 && await fails(without)) {
        current = without;
        isShorter = true;
        break;
      }
    }
    if (isShorter) parts = Math.max(2, parts - 1);
    else if (size === 1) break;
    else parts = Math.min(current.length, parts * 2);
  }
  return current;
}
